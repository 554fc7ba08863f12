// Values as text: templates, colour bar ticks, CSV tables.

import { array, list, rank, rows } from "./values.js";

/** A number with `n` significant digits.
 *  @type {(value: number, n: number) => string} */
export function digits(value, n) {
  const size = Math.abs(value);
  return size && (size >= 1e5 || size < 1e-3) ? value.toExponential(n - 1) : String(Number(value.toPrecision(n)));
}

/** The number with this logarithm, from 100,000 on as a power of ten.
 *  @type {(exponent: number, n: number) => string} */
export function factor(exponent, n) {
  if (exponent < 5) return digits(10 ** exponent, n);
  return `10${String(Math.round(exponent)).replace(/./g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)])}`;
}

/** @type {(seconds: number) => string} */
function duration(seconds) {
  if (seconds < 90) return seconds < 1 ? "under 1 s" : `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const FIELD = /\{(\w+)(?:\?([^|}]*)\|([^}]*)|:(%|g|t|x)(\d*))?\}/g;

const PART = " · ";

/** A template (pcviz/figures/panel.py) filled with values. A part with an unknown value is left out; null if all parts are.
 *  Of several templates the first that is not null counts.
 *  @type {(template: string | string[], values: Values) => string | null} */
export function fill(template, values) {
  for (const candidate of [template].flat()) {
    const parts = candidate.split(PART).map((part) => fillPart(part, values)).filter((text) => text !== null);
    if (parts.length) return parts.join(PART);
  }
  return null;
}

/** @type {(template: string, values: Values) => string | null} */
function fillPart(template, values) {
  let known = true;
  const text = template.replace(FIELD, (_, name, yes, no, format, n) => {
    const channel = values[name];
    const value = typeof channel === "object" ? channel.data[0] : channel;
    if (value === undefined || Number.isNaN(value)) known = false;
    if (!known) return "";
    if (yes !== undefined) return value ? yes : no;
    if (format === "%") return `${(100 * value).toFixed(n)} %`;
    if (format === "x") return factor(value, Number(n));
    return format === "g" ? digits(value, Number(n)) : format === "t" ? duration(value) : String(value);
  });
  return known ? text : null;
}

/** A template with the longest values that it may get, to reserve its room.
 *  @type {(template: string) => string} */
export function longest(template) {
  return template.replace(FIELD, (_, _name, yes, no, format, n) => {
    if (yes !== undefined) return yes.length > no.length ? yes : no;
    return format === "%" ? `${(100).toFixed(n)} %` : format === "g" ? "0".repeat(Number(n) + 6) : "under 1 s";
  });
}

/** About `count` colour bar ticks of a map of logarithms, labelled with the values themselves.
 *  @type {(map: Numbers[], count?: number) => { tickmode: string, tickvals: number[], ticktext: string[] }} */
export function logTicks(map, count = 6) {
  let [low, high] = [Infinity, -Infinity];
  for (const row of map) for (const v of row) { if (v < low) low = v; if (v > high) high = v; }
  if (!(low <= high)) return { tickmode: "array", tickvals: [], ticktext: [] };
  const span = high - low;
  if (span > 2) {
    const every = Math.ceil(span / count);
    const first = Math.ceil(low / every);
    const powers = Array.from({ length: Math.floor(high / every) - first + 1 }, (_, i) => (first + i) * every);
    return { tickmode: "array", tickvals: powers, ticktext: powers.map((k) => `10<sup>${k}</sup>`) };
  }
  const places = Array.from({ length: count - 1 }, (_, i) => low + (span * (i + 0.5)) / (count - 1));
  const values = places.map((place) => Number((10 ** place).toPrecision(span > 0.2 ? 2 : 3)));
  const ticks = [...new Set(values)];
  return { tickmode: "array", tickvals: ticks.map(Math.log10), ticktext: ticks.map((v) => digits(v, 3)) };
}

/** CSV lines, one for each row of frames {run, values}; `columns` is [[channel, heading, names of its parts or null], …].
 *  @type {(frames: Row[], columns: CsvColumn[]) => string[]} */
export function historyTable(frames, columns) {
  const heads = columns.flatMap(([name, head, parts]) => {
    const width = frames[0]?.values[name].shape[1];
    return width ? Array.from({ length: width }, (_, i) => [head, parts ? parts[i] : i + 1].filter(Boolean).join("_")) : head;
  });
  /** @type {(v: number) => number | ""} */
  const known = (v) => (Number.isNaN(v) ? "" : v);
  const lines = frames.flatMap(({ run, values }) => {
    /** @type {ArrayLike<number>[][]} */
    const parts = columns.map(([name]) => (values[name].shape.length > 1 ? rows(values[name]) : Array.from(values[name].data, (v) => [v])));
    return Array.from(parts[0], (_, i) => [run, ...parts.flatMap((column) => Array.from(column[i], known))].join(","));
  });
  return [["run", ...heads].join(","), ...lines];
}

/** CSV lines, one for each value of the latest arrays: {channel: {run, step, value}}. Rows and columns count from 1.
 *  @type {(latest: Latest) => string[]} */
export function latestTable(latest) {
  const lines = ["run,step,channel,row,column,value"];
  for (const [name, { run, step, value }] of Object.entries(latest)) {
    const width = rank(value) === 2 ? array(value).shape[1] : 1;
    list(value).forEach((v, i) => lines.push([run, step, name, Math.floor(i / width) + 1, (i % width) + 1, v].join(",")));
  }
  return lines;
}
