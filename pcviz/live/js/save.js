// Saves a panel: its numbers as a table, or its figure as an image for a paper or a slide, with title and notes.

import { download } from "./page.js";
import { fill, historyTable, latestTable } from "./text.js";

const [WIDTH, HEIGHT, ENLARGED] = [1200, 800, 1.5]; // pixels of an image, whatever the size of the panel
const [TITLE, WORDS, PAD] = [26, 16, 24]; // sizes of its text, and the room around it
const LINE = 1.3; // height of a line of text in its own size, as plotly has it
const FONT = "Helvetica, Arial, sans-serif"; // an image cannot use the page's fonts: measure text in the font that is drawn

/** How far the run is at what the panel shows: ["Weight step 40 / 200", "t = 3 of 15"].
 *  @type {(panel: Panel) => string[]} */
function progress({ live, step, time }) {
  const metric = live.data.metrics[0];
  const done = metric && step !== undefined && fill(metric.value, { ...live.known.values, step });
  return [step === undefined ? "" : done ? `${metric.label} ${done}` : `step ${step}`, time].filter(Boolean);
}

/** The name of a file: panel, run and step.
 *  @type {(panel: Panel) => string} */
export function filename(panel) {
  const run = panel.live.data.runs[0]?.slice(0, 8) ?? "no run";
  const words = ["pcviz", panel.spec.name, run, ...progress(panel)].join(" ").replace("/", "of");
  return words.toLowerCase().replace(/[^a-z0-9.]+/g, "-").replace(/-$/, "");
}

/** @type {(panel: Panel) => void} */
export function saveTable(panel) {
  const { table, csv } = panel.spec;
  const lines = table === "history" ? historyTable(panel.live.known.history, csv) : latestTable(panel.latest);
  download(`${filename(panel)}.csv`, [...lines, ""].join("\n"));
}

/** @type {(panel: Panel, Plotly: Plotly, format: string) => Promise<unknown>} */
export function saveImage(panel, Plotly, format) {
  const size = { width: WIDTH, height: HEIGHT, scale: format === "png" ? 2 : 1 };
  return Plotly.downloadImage(image(panel), { format, filename: filename(panel), ...size });
}

/** Text broken into lines that are no wider than the image.
 *  @type {(text: string) => string[]} */
function wrapped(text) {
  const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  pen.font = `${WORDS}px ${FONT}`;
  return text.split(" ").reduce((lines, word) => {
    const longer = `${lines.at(-1)} ${word}`.trim();
    return pen.measureText(longer).width <= WIDTH - 2 * PAD ? [...lines.slice(0, -1), longer] : [...lines, word];
  }, [""]);
}

/** @type {(text: string) => string} */
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** The panel's figure as it is drawn, on white: title, note, experiment and step above the legend.
 *  @type {(panel: Panel) => Figure} */
function image(panel) {
  const { live, spec } = panel;
  const { data, layout } = panel.copy((role) => live.theme.paper(role), ENLARGED);
  const run = live.data.runs[0];
  const about = [live.data.about, ...progress(panel), run && `run ${run.slice(0, 8)}`].filter(Boolean).join(" · ");
  const lines = [panel.note.textContent, about].filter(Boolean).flatMap(wrapped);
  const head = PAD + LINE * (TITLE + (lines.length + 1) * WORDS);
  const base = layout.template.layout;
  layout.paper_bgcolor = layout.plot_bgcolor = live.theme.paper("var(--st-background-color)");
  layout.font = { ...base.font, family: FONT };
  layout.title = {
    text: `<b>${escaped(spec.title)}</b>`, font: { size: TITLE }, x: 0, xanchor: "left", xref: "container", y: 1, yanchor: "top",
    yref: "container", pad: { l: PAD, t: PAD }, subtitle: { text: lines.map(escaped).join("<br>"), font: { size: WORDS } },
  };
  layout.margin = { ...base.margin, ...layout.margin };
  for (const [side, more] of Object.entries({ t: head, b: PAD, r: PAD })) layout.margin[side] += more;
  layout.legend = { ...layout.legend, y: 1 - head / HEIGHT };
  layout.shapes = [...(layout.shapes ?? []), ...panel.cursors.shapes()];
  return { data, layout };
}
