// The row of metrics above the panels. A button in each tile says in plain words what its number means.

import { element } from "./page.js";
import { fill } from "./text.js";

const WIDTH = 320; // pixels of an explanation, at most
const EDGE = 8; // pixels that it keeps from the edges of the window

export class Metrics {
  row = element("div", { className: "pcviz-metrics" });
  words = element("div", { className: "pcviz-words" });
  /** @type {{ metric: Metric, value: HTMLElement, bar: HTMLProgressElement }[]} */
  shown = [];

  /** @param {AbortSignal} signal */
  constructor(signal) {
    // Escape closes an explanation; what else it would do, such as leave full size, waits for the next one.
    /** @type {(event: KeyboardEvent) => void} */
    const closes = (event) => { if (event.key === "Escape" && this.words.querySelector(":popover-open")) event.stopPropagation(); };
    window.addEventListener("keydown", closes, { signal, capture: true });
  }

  /** What belongs into the page. */
  get parts() { return [this.row, this.words]; }

  /** New tiles, without values.
   *  @type {(metrics: Metric[]) => void} */
  build(metrics) {
    const made = metrics.map((metric) => {
      const value = element("strong", { textContent: "–" });
      const bar = element("progress", { max: 1, value: 0, hidden: !metric.progress, aria: { label: metric.label } });
      const { button, text } = explained(metric);
      const tile = element("div", {}, element("span", {}, metric.label, button), value, bar);
      text.onbeforetoggle = () => below(tile, text);
      return { metric, value, bar, text, tile };
    });
    this.shown = made;
    this.row.replaceChildren(...made.map(({ tile }) => tile));
    this.words.replaceChildren(...made.map(({ text }) => text));
  }

  /** @type {(values: Values) => void} */
  show(values) {
    for (const { metric, value, bar } of this.shown) {
      value.textContent = fill(metric.value, values) ?? "–";
      if (!metric.progress) continue;
      const [part, whole] = metric.progress.map((name) => Number(values[name]));
      bar.value = part / whole || 0;
    }
  }
}

/** A button, and the text that it shows above all else on the page, until Escape or a click elsewhere.
 *  @type {(metric: Metric) => { button: HTMLButtonElement, text: HTMLElement }} */
function explained({ label, help }) {
  const text = element("div", { popover: "auto" }, element("strong", { textContent: label }), element("p", { textContent: help }));
  const button = element("button", { type: "button", popoverTargetElement: text, aria: { label: `What is ${label}?` } });
  return { button, text };
}

/** Place an explanation below its tile, within the window.
 *  @type {(tile: HTMLElement, text: HTMLElement) => void} */
function below(tile, text) {
  const { left, bottom } = tile.getBoundingClientRect();
  const width = Math.min(WIDTH, innerWidth - 2 * EDGE);
  const start = Math.max(EDGE, Math.min(left, innerWidth - width - EDGE));
  Object.assign(text.style, { width: `${width}px`, left: `${start}px`, top: `${bottom + 4}px` });
}
