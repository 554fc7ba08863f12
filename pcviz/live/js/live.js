// Live panels: draws figures that Python made, fed by server-sent frames through the bindings in each trace's `meta`
// (pcviz/figures/bindings.py), under a row of metrics and a status line. It knows no channel, layer or colour by name.

import { array, decode } from "./values.js";
import { Connection } from "./connection.js";
import { ExamplesPanel } from "./examples.js";
import { element, loadPlotly } from "./page.js";
import { fill } from "./text.js";
import { Metrics } from "./metrics.js";
import { NetworkPanel } from "./network.js";
import { Panel } from "./panel.js";
import { Recording } from "./recording.js";
import { Scrub } from "./scrub.js";
import { Timeline } from "./timeline.js";

const KEEP_MS = 30_000; // a hidden tab closes its stream and renews the run's lease this often
const SPEAK_MS = 1_000; // least time between two changes of the status line, which screen readers speak
/** Which class draws a view. */
const VIEWS = { plot: Panel, network: NetworkPanel, examples: ExamplesPanel };
/** @type {WeakMap<Element, Live>} */
const mounted = new WeakMap();

/** The URL of `name` on the server: in the folder of this script, whatever prefix a proxy adds.
 *  @type {(name: string, query: Record<string, string>) => string} */
const address = (name, query) => new URL(`${name}?${new URLSearchParams(query)}`, import.meta.url).href;

/** Draw `data` (see panels.py) into `parent`, or update what is there. Returns the clean-up function.
 *  @type {(parent: Element, data: Payload, tell?: Tell) => () => void} */
export function mount(parent, data, tell) {
  const live = mounted.get(parent) ?? new Live(parent, data);
  if (mounted.has(parent)) live.update(data);
  mounted.set(parent, live);
  live.pick = (point) => { live.touched = true; tell?.("picked", point); };
  live.choose = (choice) => tell?.("chosen", choice);
  live.ask = (wanted) => tell?.("replay", wanted);
  return () => { mounted.get(parent)?.close(); mounted.delete(parent); };
}

export class Live {
  abort = new AbortController();
  signal = this.abort.signal;
  /** @type {(Panel | NetworkPanel | ExamplesPanel)[]} */
  panels = [];
  /** @type {Scrub | null} */
  scrub = null;
  /** @type {Timeline | null} */
  timeline = null;
  /** What is replayed until a run shows the same live.
   *  @type {Recording | undefined} */
  recording = undefined;
  /** @type {(point: Point) => void} */
  pick = () => {};
  /** @type {(choice: { key: string, value: unknown }) => void} */
  choose = () => {};
  /** @type {(wanted: Wanted) => void} */
  ask = () => {};
  touched = false; // the page knows that somebody has touched a panel

  // What is known of the runs since `start`.
  /** @type {Record<string, number>} */
  generations = {};
  /** @type {Record<string, number>} */
  seqs = {};
  /** @type {Row[]} */
  history = [];
  /** @type {Values} */
  values = {};
  /** What children show of the latest weights, by their kind.
   *  @type {Record<string, Frame>} */
  followers = {};
  ended = false; // the stream has ended, or the page is left
  linking = false;

  // Timers.
  /** @type {number | undefined} */
  keeper = undefined;
  /** @type {number | undefined} */
  speaker = undefined;
  spokenAt = -SPEAK_MS;
  spoken = ""; // the state of the first run, in words
  saying = "";

  // The latest payload without keep tokens and nonce, and these, as text.
  text = "";
  tokens = "";

  /** @param {Element} parent
   *  @param {Payload} data */
  constructor(parent, data) {
    this.data = data;
    this.probe = element("span", { className: "pcviz-probe" });
    this.sheet = element("span", { className: "pcviz-probe pcviz-paper" });
    const theme = element("span", { className: "pcviz-probe pcviz-theme" });
    // The colour of this element changes with the theme, and its transition of 1 ms reports the change.
    theme.ontransitionend = () => this.panels.forEach((panel) => { panel.paint(); panel.request(); });
    this.metrics = new Metrics(this.signal);
    this.status = element("p", { className: "pcviz-status", aria: { role: "status", live: "polite" } });
    this.story = element("p", { className: "pcviz-story", hidden: true });
    /** Cause -> text.
     *  @type {Record<string, string>} */
    this.faults = {};
    this.fault = element("p", { className: "pcviz-fault", hidden: true, aria: { role: "alert" } });
    this.grid = element("div", { className: "pcviz-grid" });
    this.root = element("div", { className: "pcviz-live" }, this.probe, this.sheet, theme, this.story, ...this.metrics.parts, this.status, this.fault, this.grid);
    parent.append(this.root);
    document.addEventListener("visibilitychange", () => this.follow(), { signal: this.signal });
    for (const kind of ["click", "keydown", "input"]) this.grid.addEventListener(kind, () => this.touch(), { signal: this.signal });
    this.update(data);
  }

  /** New runs, panels or metrics. A panel whose figure stays keeps its nodes, zoom and legend choices.
   *  @type {(data: Payload) => void} */
  update(data) {
    const { keep, nonce, ...drawn } = data;
    const [text, tokens] = [JSON.stringify(drawn), JSON.stringify([keep, nonce])];
    const kept = tokens === this.tokens;
    this.tokens = tokens;
    this.data = data;
    if (text === this.text) {
      if (kept) return;
      this.connection.close(); // the stream continues where it was, renews other runs, and brings new children of ended ones
      this.ended = false;
      this.follow();
      return;
    }
    this.text = text;
    this.root.classList.toggle("pcviz-present", data.present);
    if (!data.scrub || this.scrub?.channel !== data.scrub.channel) {
      this.scrub?.close();
      /** @type {(row: number | undefined) => void} */
      const show = (row) => this.panels.forEach((panel) => panel.follow(row));
      this.scrub = data.scrub && new Scrub({ ...data.scrub, show, signal: this.signal });
      if (this.scrub) this.grid.before(this.scrub.root);
    }
    if (data.timeline !== !!this.timeline) {
      this.timeline?.close();
      this.timeline = data.timeline ? new Timeline(this) : null;
      if (this.timeline) this.grid.before(this.timeline.root);
    }
    const old = new Map(this.panels.map((panel) => [JSON.stringify(panel.spec), panel]));
    this.panels = data.panels.map((spec) => {
      const kept = old.get(JSON.stringify(spec));
      old.delete(JSON.stringify(spec));
      if (!this.recording) kept?.clear(); // else it goes on until the run has something to show
      return kept ?? new VIEWS[spec.view](this, spec);
    });
    old.forEach((panel) => panel.close());
    this.panels.forEach((panel) => panel.offer(data.choices[panel.spec.name] ?? []));
    this.panels.forEach(({ section }, i) => {
      if (this.grid.children[i] !== section) this.grid.insertBefore(section, this.grid.children[i] ?? null);
    });
    this.start();
    this.drawPlots();
  }

  /** Load plotly.js, which is large, where a panel needs it. */
  async drawPlots() {
    const plots = this.panels.filter((panel) => panel instanceof Panel);
    if (!plots.length) return;
    try {
      const Plotly = await loadPlotly(address("plotly.js", { v: this.data.plotly }));
      this.warn("plotly", "");
      await Promise.all(plots.map((panel) => (panel.started ??= panel.start(Plotly))));
    } catch (error) {
      this.warn("plotly", `The panels cannot be drawn. ${/** @type {Error} */ (error).message}`);
    }
  }

  /** The first touch of what is recorded asks the page for a run that shows it live. */
  touch() {
    if (!this.recording || this.touched) return;
    const { network_example: x = 0 } = this.recording.frames[this.recording.at]?.values ?? {};
    this.pick({ panel: "network", x, y: 0 });
  }

  /** Replay what is recorded while there is no run. */
  replay() {
    const { recorded, runs } = this.data;
    if (!recorded || runs.length || this.recording) return;
    this.touched = false;
    this.recording = new Recording(address(`recorded/${recorded}.json`, {}), (frame) => this.panels.forEach((panel) => panel.feed(0, frame)));
    this.recording.loaded.catch((error) => this.warn("recording", `The recording cannot be shown. ${error.message}`));
  }

  /** Start again with the first frame of the page's runs. */
  start() {
    Object.assign(this, { followers: {}, generations: {}, seqs: {}, history: [], values: {}, ended: false });
    this.connection.cursor = "";
    this.metrics.build(this.data.metrics);
    this.scrub?.clear();
    this.timeline?.begin(this.data.runs[0]);
    for (const cause of ["stream", "store"]) this.warn(cause, "");
    this.tell({ state: "idle" });
    this.connection.close();
    this.replay();
    this.follow();
  }

  // ---- the stream

  /** @type {Record<string, (data: string) => void>} */
  events = {
    frame: (data) => this.frame(JSON.parse(data)),
    state: (data) => this.state(JSON.parse(data)),
    fault: (data) => this.warn("store", JSON.parse(data).message),
    end: () => { this.ended = true; this.follow(); },
  };
  connection = new Connection({
    events: this.events,
    opened: () => { this.warn("store", ""); this.say(this.spoken); },
    warn: (text) => this.warn("stream", text),
    say: (text) => this.say(text),
    again: () => this.follow(),
  });

  /** Open the stream while the tab is visible. While it is hidden, or when the stream has ended, renew from time to time
   *  the runs that this browser may steer. */
  follow() {
    clearInterval(this.keeper);
    const { runs, keep } = this.data;
    /** @type {(wanted: string[]) => Record<string, string>} */
    const query = (wanted) => ({ runs: wanted.join(), keep: wanted.map((run) => keep[run] ?? "").join() });
    if (!runs.length) return;
    if (document.hidden || this.ended) {
      this.connection.close();
      const kept = runs.filter((run) => keep[run]);
      const renew = () => fetch(address("keep", query(kept)), { method: "POST" }).catch(() => {});
      if (kept.length) this.keeper = setInterval(renew, KEEP_MS);
    } else if (!this.connection.open) {
      this.connection.begin((after) => address("frames", { ...query(runs), after }));
    }
  }

  /** Position of an event's run in the page's list (a child counts as its parent), or -1 if it is not listed or outdated.
   *  A generation above the known one clears what the older one drew.
   *  @type {(place: Place) => number} */
  place({ run, parent, generation, kind }) {
    const { runs } = this.data;
    const child = parent && !runs.includes(run);
    const index = runs.indexOf(child ? parent : run);
    const known = this.generations[run] ?? generation;
    if (generation < known) return -1;
    this.generations[run] = generation;
    if (index < 0 || generation === known) return index;
    this.panels.forEach((panel) => panel.clear((binding) => binding.run === index && (!child || binding.kind === kind)));
    this.history = this.history.filter((frame) => frame.run !== run);
    this.seqs[run] = 0;
    if (index === 0 && !child) { this.values = {}; this.followers = {}; this.timeline?.clear(); }
    return index;
  }

  /** @type {(frame: Frame<Packed>) => void} */
  frame(frame) {
    const index = this.place(frame);
    if (index < 0 || frame.seq <= (this.seqs[frame.run] ?? 0)) return;
    this.seqs[frame.run] = frame.seq;
    const { run, step, inference_step, epoch, seconds } = frame;
    const channels = Object.fromEntries(Object.entries(frame.values).map(([name, value]) => [name, decode(value)]));
    /** @type {Values} */
    const values = { ...channels, step, inference_step, epoch, seconds };
    if (frame.kind === "replay") { this.timeline?.feed({ ...frame, values }); return; }
    if ("network_steps" in values) this.recording = undefined;
    if (index === 0) this.scrub?.feed(values);
    if (index === 0 && "shown_at" in values) {
      const at = Number.isFinite(values.shown_at) ? Number(values.shown_at) : undefined;
      if (at === undefined) this.followers[frame.kind] = { ...frame, values };
      if (!(this.timeline?.admits(at) ?? at === undefined)) return;
    }
    const past = this.timeline?.past && run === this.data.runs[0];
    this.panels.forEach((panel) => panel.feed(index, { ...frame, values }, past ? "append" : undefined));
    this.remember(run, channels);
    if (run !== this.data.runs[0]) return;
    Object.assign(this.values, values);
    this.timeline?.follow(values);
    this.showMetrics();
  }

  /** Keep the rows that CSV files need.
   *  @type {(run: string, values: Values) => void} */
  remember(run, values) {
    const wanted = new Set(this.panels.flatMap(({ spec }) => (spec.table === "history" ? spec.csv.map(([name]) => name) : [])));
    const kept = Object.entries(values).filter(([name]) => wanted.has(name)).map(([name, value]) => /** @type {const} */ ([name, array(value)]));
    if (kept.some(([, { data }]) => data.length)) this.history.push({ run, values: Object.fromEntries(kept) });
  }

  // ---- state, metrics, status line

  /** @type {(state: RunState) => void} */
  state(state) {
    if (this.place(state) !== 0) return;
    if (state.run === this.data.runs[0]) {
      Object.assign(this.values, { step: state.step, steps: state.steps, paused: state.state === "paused" ? 1 : NaN });
      this.showMetrics();
      this.tell(state);
    } else if (state.kind === "replay") {
      this.timeline?.tell(state);
    } else if (["failed", "cancelled"].includes(state.state)) {
      // A child run that failed or was cancelled is reported in the panel that waits for it.
      for (const panel of this.panels) if (panel.isOf(state.kind)) panel.fail(state);
    }
  }

  /** @type {(state: State) => void} */
  tell({ state, device, message }) {
    this.root.dataset.state = state;
    this.narrate();
    for (const panel of this.panels) panel.tell(state);
    const words = state === "idle" ? "" : state.charAt(0).toUpperCase() + state.slice(1);
    this.spoken = [device ? `${words} on ${device}` : words, message].filter(Boolean).join(": ");
    this.say(this.spoken);
  }

  /** Show a fault, one for each cause; an empty text removes it.
   *  @type {(cause: string, text: string) => void} */
  warn(cause, text) {
    this.faults[cause] = text;
    this.fault.textContent = Object.values(this.faults).filter(Boolean).join(" ");
    this.fault.hidden = !this.fault.textContent;
  }

  /** @type {(text: string) => void} */
  say(text) {
    this.saying = text;
    this.speaker ??= setTimeout(() => {
      this.speaker = undefined;
      if (this.status.textContent === this.saying) return;
      this.status.textContent = this.saying;
      this.spokenAt = performance.now();
    }, this.spokenAt + SPEAK_MS - performance.now());
  }

  /** What happens, in a sentence for the state of the run. */
  narrate() {
    const text = fill(this.data.story[this.timeline?.past ? "past" : (this.root.dataset.state ?? "idle")] ?? [], this.current);
    this.story.hidden = !text;
    if (text && text !== this.story.textContent) this.story.textContent = text;
  }

  /** The values that metrics and sentence tell: the latest, or those of the timeline's step. */
  get current() {
    const { timeline, values } = this;
    return timeline?.past ? { step: timeline.step ?? NaN, steps: values.steps, ...timeline.values } : values;
  }

  showMetrics() {
    this.narrate();
    this.metrics.show(this.current);
  }

  /** A panel was zoomed: those linked to it show the same part.
   *  @type {(from: Panel, change: Record<string, unknown>) => void} */
  link(from, change) {
    const ranges = Object.fromEntries(Object.entries(change).filter(([path]) => /^[xy]axis\.(range|autorange)/.test(path)));
    if (this.linking || !Object.keys(ranges).length) return;
    this.linking = true; // the others answer with the same event
    const linked = this.panels.filter((panel) => panel instanceof Panel && panel !== from && panel.spec.link === from.spec.link);
    Promise.all(/** @type {Panel[]} */ (linked).map((panel) => panel.Plotly?.relayout(panel.plot, { ...ranges }))).finally(() => (this.linking = false));
  }

  /** The colour of the page's theme that a CSS expression stands for.
   *  @type {(role: string, probe?: HTMLElement) => string} */
  colour(role, probe = this.probe) {
    probe.style.color = role;
    return getComputedStyle(probe).color;
  }

  /** The colour that a CSS expression stands for on white paper.
   *  @type {Colour} */
  paper(role) { return this.colour(role, this.sheet); }

  close() {
    this.ended = true;
    this.scrub?.close();
    this.timeline?.close();
    this.abort.abort();
    this.connection.close();
    clearInterval(this.keeper);
    clearTimeout(this.speaker);
    this.panels.forEach((panel) => panel.close());
    this.root.remove();
  }
}
