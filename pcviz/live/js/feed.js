// One trace and the binding that fills it: step 6 of pcviz/figures/bindings.py.

import { columns, list, pick, rank, rows } from "./values.js";
import { logTicks } from "./text.js";

export class Feed {
  constructor(trace) {
    this.trace = trace;
    this.binding = trace.meta;
    this.line = trace.type === "scatter" && trace.mode === "lines" && trace.line.width > 0;
    this.clear();
  }

  /** Forget all data; what the figure itself gave (a layer axis) stays. */
  clear() {
    for (const key of ["x", "y", "z"]) if (this.binding[key]) this.trace[key] = [];
    this.trace.customdata = [];
    this.columns = [];
    this.average = this.averagedAt = undefined;
    this.got = undefined;
  }

  /** Take what the frame holds; false if it holds nothing for this trace. `row` is where the panel's slider stands. */
  put(frame, row) {
    const got = pick(frame, this.binding, row);
    if (!got) return false;
    if (this.binding.mode === "replace") this.got = got; // a zoom before the next redraw must find what is drawn
    else if (got.z) this.addColumns(got);
    else for (let i = 0; i < got.y.data.length; i++) this.addPoint(entry(got, i));
    return true;
  }

  replace({ x, y, z, text }) {
    const { trace } = this;
    const points = Object.entries({ x, y }).filter(([, value]) => value !== undefined);
    if (z) {
      const lines = this.binding.transpose ? columns : rows;
      trace.z = lines(z);
      if (text) trace.customdata = lines(text);
      for (const [key, value] of points) trace[key] = value.data;
      return;
    }
    // A number next to an array is repeated to its length.
    const length = Math.max(...["x", "y"].map((key) => (this.binding[key] ? list({ x, y }[key]) : trace[key]).length));
    for (const [key, value] of points) trace[key] = rank(value) ? value.data : Array(length).fill(value);
    if (text !== undefined) trace.customdata = list(text);
  }

  addPoint({ x, y, text, at }) {
    const { trace, binding: { keep, transform } } = this;
    if (transform?.steps && !Number.isNaN(y)) y = this.smoothed(y, at);
    trace.x.push(x);
    trace.y.push(y);
    if (text !== undefined) trace.customdata.push(text);
    if (trace.x.length <= keep) return;
    const kept = halved(trace.y);
    for (const key of ["x", "y", "customdata"]) if (trace[key].length) trace[key] = kept.map((i) => trace[key][i]);
  }

  /** The moving average at this weight step, of which `y` is the newest value. */
  smoothed(y, step) {
    const { steps, log } = this.binding.transform;
    const value = log ? Math.log(y) : y;
    const past = this.average === undefined ? 0 : Math.exp((this.averagedAt - step) / steps);
    this.average = past * (this.average ?? 0) + (1 - past) * value;
    this.averagedAt = step;
    return log ? Math.exp(this.average) : this.average;
  }

  addColumns({ x, z, text }) {
    const [drawn, told] = [rows(z), text && rows(text)];
    drawn.forEach((column, i) => this.columns.push({ x: x.data[i], z: column, text: told?.[i] }));
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

  /** Before a redraw: put in what replaces the old data, turn the columns of a map into its rows, and label the colour
   *  bar of logarithms with the values. */
  settle() {
    const { trace, columns, binding } = this;
    if (this.got) this.replace(this.got);
    this.got = undefined;
    if (columns.length) {
      const turned = (key) => Array.from(columns[0][key], (_, l) => Float64Array.from(columns, (column) => column[key][l]));
      trace.x = columns.map((column) => column.x);
      trace.z = turned("z");
      if (columns[0].text) trace.customdata = turned("text");
    }
    if (this.line) this.markLonely();
    if (trace.colorbar && binding.transform === "log10") Object.assign(trace.colorbar, logTicks(trace.z, trace.colorbar.nticks));
  }
}

/** What a trace gets of row `i`. */
const entry = (got, i) => Object.fromEntries(Object.entries(got).map(([key, { data }]) => [key, data[i]]));

/** Whether each point of a line stands alone: no line leads to it. */
export function lonely(x, y) {
  const there = (i) => Number.isFinite(x[i]) && Number.isFinite(y[i]);
  return Array.from(y, (_, i) => there(i) && !there(i - 1) && !there(i + 1));
}

/** Indices that halve a line's resolution: first, last, and the least and greatest of every four points between. */
export function halved(values) {
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
