// Vertical lines over a panel's plot: where a slider stands. They lie over it, so moving them needs no redraw.

import { element } from "./page.js";
import { list } from "./values.js";

/** @typedef {{ line: HTMLElement, axis: string, at: () => number | undefined }} Cursor */

export class Cursors {
  /** @type {Cursor[]} */
  all = [];
  /** Where the timeline stands on the path of a training.
   *  @type {HTMLElement | undefined} */
  dot = undefined;

  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    const { spec, live, feeds } = panel;
    if (spec.trail) this.dot = element("div", { className: "pcviz-dot", hidden: true });
    for (const axis of spec.cursor_axes) this.add(axis, () => panel.at);
    // The weight step of the timeline, over what grows with the training.
    for (const { trace, binding } of feeds) {
      const axis = `xaxis${(trace.xaxis ?? "x").slice(1)}`;
      const { run, kind, mode, x } = binding;
      if (run === 0 && kind === "train" && mode === "append" && x && !this.all.some((one) => one.axis === axis)) this.add(axis, () => live.timeline?.along(x));
    }
  }

  /** @type {(axis: string, at: () => number | undefined) => void} */
  add(axis, at) {
    this.all.push({ axis, at, line: element("div", { className: "pcviz-cursor", hidden: true }) });
  }

  /** What lies over the plot. */
  get parts() { return [...this.all.map(({ line }) => line), ...(this.dot ? [this.dot] : [])]; }

  place() {
    const layout = this.panel.plot._fullLayout;
    this.placeDot(layout);
    for (const { line, axis: name, at } of this.all) {
      const [axis, where] = [layout?.[name], at()];
      const x = where === undefined || !axis ? NaN : axis.d2p(where);
      line.hidden = !(x >= 0 && x <= axis._length);
      if (line.hidden) continue;
      const { t, h } = layout._size;
      Object.assign(line.style, { transform: `translateX(${axis._offset + x}px)`, top: `${t}px`, height: `${h}px` });
      line.dataset.at = String(where);
    }
  }

  /** @type {(layout: Layout) => void} */
  placeDot(layout) {
    const { dot, panel: { spec: { trail }, latest, live } } = this;
    if (!dot || !trail) return;
    const step = live.timeline?.step;
    const [steps, x, y] = trail.map((name) => (latest[name] ? list(latest[name].value) : []));
    const i = step === undefined ? -1 : Array.from(steps).findLastIndex((s) => s <= step);
    const axes = layout ? [layout.xaxis, layout.yaxis] : [];
    const place = axes.map((axis, d) => axis.d2p([x, y][d][i]));
    dot.hidden = !axes.length || !axes.every(({ _length }, d) => place[d] >= 0 && place[d] <= _length);
    if (dot.hidden) return;
    const [left, top] = axes.map(({ _offset }, d) => _offset + place[d]);
    Object.assign(dot.style, { left: `${left}px`, top: `${top}px` });
    dot.dataset.at = String(steps[i]);
  }

  /** The same as shapes of a figure on white paper. */
  shapes() {
    const line = { color: this.panel.live.theme.paper("var(--st-text-color)"), width: 2, dash: "dot" };
    return this.all.flatMap(({ axis, at }) => {
      const x = at();
      return x === undefined ? [] : { type: "line", xref: axis.replace("axis", ""), yref: "paper", x0: x, x1: x, y0: 0, y1: 1, line };
    });
  }
}
