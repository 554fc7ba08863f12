// What a frame gives to a trace: steps 1 to 5 of pcviz/figures/bindings.py.
// A value is a number, or an array {data: typed array in row-major order, shape}.

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array };

export const rank = (value) => (typeof value === "number" ? 0 : value.shape.length);
export const list = (value) => (typeof value === "number" ? [value] : value.data);
const made = (data, shape) => (shape.length ? { data, shape } : data[0]);

/** A value as it is written in a frame, decoded; null stands for a number that is not finite. */
export function decode(value) {
  if (value === null) return NaN;
  if (typeof value === "number") return value;
  const bytes = Uint8Array.fromBase64?.(value.base64) ?? Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
  return { data: new ARRAYS[value.dtype](bytes.buffer), shape: value.shape };
}

/** The rows of a matrix, without copying. */
export function rows({ data, shape: [count, width] }) {
  return Array.from({ length: count }, (_, r) => data.subarray(r * width, (r + 1) * width));
}

/** The columns of a matrix. */
export function columns({ data, shape: [count, width] }) {
  return Array.from({ length: width }, (_, c) => Float64Array.from({ length: count }, (_, r) => data[r * width + c]));
}

function takeRow({ data, shape }, row) {
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  return made(data.subarray(row * width, (row + 1) * width), shape.slice(1));
}

function takeEntry({ data, shape }, index) {
  const width = shape.at(-1);
  const at = index < 0 ? width + index : index;
  return made(Float64Array.from({ length: data.length / width }, (_, r) => data[r * width + at]), shape.slice(0, -1));
}

function takeWhere({ data }, channel, wanted) {
  const kept = data.filter((_, i) => channel.data[i] === wanted);
  return { data: kept, shape: [kept.length] };
}

function map(value, change) {
  return typeof value === "number" ? change(value) : { data: Float64Array.from(value.data, change), shape: value.shape };
}

/** {x, y, z, text} of a trace as far as they are bound, or null where the frame lacks a channel. */
export function pick(frame, binding, scrubbed) {
  const { row, index, where, zero, transform, mode } = binding;
  const bound = ["x", "y", "z", "text"].filter((key) => binding[key]);
  if (![...bound.map((key) => binding[key]), where?.channel ?? "step"].every((name) => name in frame.values)) return null;
  const got = Object.fromEntries(bound.map((key) => [key, frame.values[binding[key]]]));
  const change = (test, how) => bound.forEach((key) => test(got[key]) && (got[key] = how(got[key])));

  if (row) change(() => true, (v) => takeRow(v, Math.min(row === "last" ? Infinity : scrubbed, v.shape[0] - 1)));
  if (index !== undefined) {
    const most = Math.max(...bound.map((key) => rank(got[key])));
    change((v) => rank(v) === most, (v) => takeEntry(v, index));
  }
  if (where) change(rank, (v) => takeWhere(v, frame.values[where.channel], where.equals));

  const main = ["z", "y", "x"].find((key) => key in got);
  if (mode === "append" && main !== "z") {
    if (transform?.steps) got.at = frame.values[transform.at];
    const known = got[main].data.map((v) => !Number.isNaN(v));
    for (const key of Object.keys(got)) got[key] = takeWhere(got[key], { data: known }, 1);
  }
  if (zero === "only" && main !== "z" && rank(got[main]) === 2) {
    got.text = { data: Float64Array.from(rows(got[main]), (r) => r.filter((v) => v === 0).length), shape: [got[main].shape[0]] };
    got[main] = map(got.text, (count) => (count ? 0 : NaN));
  } else if (zero === "only") {
    got[main] = map(got[main], (v) => (v === 0 ? 0 : NaN));
  } else if (zero === "omit" || transform === "log10") {
    const last = transform === "log10" ? Math.log10 : (v) => v;
    got[main] = map(got[main], (v) => (v === 0 ? NaN : last(v)));
  }
  return got;
}
