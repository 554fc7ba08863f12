// One trace and the binding that fills it: step 6 of pcviz/figures/bindings.py.

import { array, columns, list, pick, rows } from "./values.js";
import { logTicks } from "./text.js";

/** @typedef {{ x: number, z: Numbers, text?: Numbers }} Column */

const AXES = /** @type {const} */ (["x", "y"]);

export class Feed {
  /** @type {Column[]} */
  columns = [];

  /** @param {Trace} trace
   *  @param {Binding} binding */
  constructor(trace, binding) {
    this.trace = trace;
    this.binding = binding;
    this.line = trace.type === "scatter" && trace.mode === "lines" && trace.line.width > 0;
    this.clear();
  }

  /** Remove all data; values of the figure itself (a layer axis) stay. */
  clear() {
    for (const key of /** @type {const} */ (["x", "y", "z"])) if (this.binding[key]) this.trace[key] = [];
    this.trace.customdata = [];
    this.columns = [];
    /** The moving average so far, and the weight step of its newest value.
     *  @type {{ value: number, step: number } | undefined} */
    this.average = undefined;
    /** @type {Got | undefined} */
    this.got = undefined;
  }

  /** Take the values of a frame; false if it has none for this trace. `row` is the position of the panel's slider.
   *  @type {(frame: Frame, row: number) => boolean} */
  put(frame, row) {
    const got = pick(frame, this.binding, row);
    if (!got) return false;
    if (this.binding.mode === "replace") this.got = got; // a zoom before the next redraw must find what is drawn
    else if (got.z) this.addColumns(got);
    else for (let i = 0; i < array(got.y).data.length; i++) this.addPoint(entry(got, i));
    return true;
  }

  /** @type {(got: Got) => void} */
  replace({ z, text, ...points }) {
    const { trace } = this;
    if (z !== undefined) {
      const lines = this.binding.transpose ? columns : rows;
      trace.z = lines(array(z));
      if (text) trace.customdata = lines(array(text));
      for (const key of AXES) if (points[key] !== undefined) trace[key] = list(points[key]);
      return;
    }
    // A number next to an array is repeated to its length.
    const length = Math.max(...AXES.map((key) => (points[key] === undefined ? trace[key] : list(points[key])).length));
    for (const key of AXES) {
      const value = points[key];
      if (value !== undefined) trace[key] = typeof value === "number" ? Array(length).fill(value) : value.data;
    }
    if (text !== undefined) trace.customdata = typeof text === "number" ? Array(length).fill(text) : text.data;
  }

  /** @type {(point: Required<Got<number>>) => void} */
  addPoint({ x, y, text, at }) {
    const { trace, binding: { keep, transform } } = this;
    trace.x.push(x);
    trace.y.push(typeof transform === "object" && !Number.isNaN(y) ? this.smoothed(transform, y, at) : y);
    if (text !== undefined) trace.customdata.push(text);
    if (trace.x.length <= keep) return;
    const kept = halved(trace.y);
    for (const key of /** @type {const} */ (["x", "y", "customdata"])) {
      if (trace[key].length) trace[key] = kept.map((i) => trace[key][i]);
    }
  }

  /** The moving average at this weight step, of which `y` is the newest value.
   *  @type {(how: Smoothing, y: number, step: number) => number} */
  smoothed({ steps, log }, y, step) {
    const { average } = this;
    const past = average ? Math.exp((average.step - step) / steps) : 0;
    const value = past * (average?.value ?? 0) + (1 - past) * (log ? Math.log(y) : y);
    this.average = { value, step };
    return log ? Math.exp(value) : value;
  }

  /** @type {(got: Got) => void} */
  addColumns({ x, z, text }) {
    const at = array(x).data;
    const texts = text === undefined ? [] : rows(array(text));
    rows(array(z)).forEach((column, i) => this.columns.push({ x: at[i], z: column, text: texts[i] }));
    while (this.columns.length > this.binding.keep) {
      this.columns = this.columns.filter((_, i) => i % 2 === 0 || i === this.columns.length - 1);
    }
  }

  /** A point without neighbours has no line, and would not be seen: it gets a marker. */
  markLonely() {
    const { trace } = this;
    const alone = lonely(trace.x, trace.y);
    const any = alone.includes(true);
    trace.mode = any ? "lines+markers" : "lines";
    trace.marker = any ? { color: trace.line.color, size: alone.map((is) => (is ? Math.max(5, 3 * trace.line.width) : 0)) } : {};
  }

  /** Before a redraw: replace old data, turn the columns of a map into its rows, and label the colour
   *  bar of logarithms with the values. */
  settle() {
    const { trace, columns, binding } = this;
    if (this.got) this.replace(this.got);
    this.got = undefined;
    if (columns.length) {
      trace.x = columns.map(({ x }) => x);
      trace.z = turned(columns.map(({ z }) => z));
      if (columns[0].text) trace.customdata = turned(columns.flatMap(({ text }) => text ?? []));
    }
    if (this.line) this.markLonely();
    if (trace.colorbar && binding.transform === "log10") Object.assign(trace.colorbar, logTicks(trace.z, trace.colorbar.nticks));
  }
}

/** The rows of a map, from its columns.
 *  @type {(columns: Numbers[]) => Numbers[]} */
const turned = (columns) => Array.from(columns[0], (_, l) => Float64Array.from(columns, (column) => column[l]));

/** Row `i` of what a trace gets: a number for each key that is bound.
 *  @type {(got: Got, i: number) => Required<Got<number>>} */
const entry = (got, i) =>
  /** @type {Required<Got<number>>} */ (Object.fromEntries(Object.entries(got).map(([key, value]) => [key, array(value).data[i]])));

/** Whether each point of a line stands alone: no line leads to it.
 *  @type {(x: ArrayLike<number>, y: ArrayLike<number>) => boolean[]} */
function lonely(x, y) {
  /** @type {(i: number) => boolean} */
  const there = (i) => Number.isFinite(x[i]) && Number.isFinite(y[i]);
  return Array.from(y, (_, i) => there(i) && !there(i - 1) && !there(i + 1));
}

/** Indices that halve a line's resolution: first, last, and the least and greatest of every four points between.
 *  @type {(values: ArrayLike<number>) => number[]} */
function halved(values) {
  const last = values.length - 1;
  const kept = [0];
  for (let i = 1; i < last; i += 4) {
    let [least, most] = [i, i];
    for (let j = i + 1; j < Math.min(i + 4, last); j++) {
      if (values[j] < values[least] || Number.isNaN(values[least])) least = j;
      if (values[j] > values[most] || Number.isNaN(values[most])) most = j;
    }
    kept.push(...new Set([Math.min(least, most), Math.max(least, most)]));
  }
  return [...kept, last];
}
