// What a frame gives to a trace: steps 1 to 5 of pcviz/figures/bindings.py.
// A value is a number, or an array {data: typed array in row-major order, shape}.

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };
const KEYS = /** @type {const} */ (["x", "y", "z", "text"]);

/** @type {(value: Value) => number} */
export const rank = (value) => (typeof value === "number" ? 0 : value.shape.length);

/** @type {(value: Value) => number[] | Numbers} */
export const list = (value) => (typeof value === "number" ? [value] : value.data);

/** A value that is an array, because Python has checked the binding and declared the channel.
 *  @type {(value: Value | undefined) => Tensor} */
export const array = (value) => /** @type {Tensor} */ (value);

/** @type {(data: Numbers, shape: number[]) => Value} */
const made = (data, shape) => (shape.length ? { data, shape } : data[0]);

/** A frame with its values decoded, and among them where it was made.
 *  @type {(frame: Frame<Packed>) => Frame} */
export function unpacked({ values, ...frame }) {
  const { step, inference_step, epoch, seconds } = frame;
  const channels = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, decode(value)]));
  return { ...frame, values: { ...channels, step, inference_step, epoch, seconds } };
}

/** A value as it is written in a frame, decoded; null stands for a number that is not finite.
 *  @type {(value: Packed) => Value} */
function decode(value) {
  if (value === null) return NaN;
  if (typeof value === "number") return value;
  const bytes = Uint8Array.fromBase64?.(value.base64) ?? Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
  return { data: new ARRAYS[value.dtype](bytes.buffer), shape: value.shape };
}

/** The rows of a matrix, without copying.
 *  @type {(matrix: Tensor) => Numbers[]} */
export function rows({ data, shape: [count, width] }) {
  return Array.from({ length: count }, (_, r) => data.subarray(r * width, (r + 1) * width));
}

/** The columns of a matrix.
 *  @type {(matrix: Tensor) => Numbers[]} */
export function columns({ data, shape: [count, width] }) {
  return Array.from({ length: width }, (_, c) => Float64Array.from({ length: count }, (_, r) => data[r * width + c]));
}

/** One row of an array with rows of any shape.
 *  @type {(value: Tensor, row: number) => Value} */
export function takeRow({ data, shape }, row) {
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  return made(data.subarray(row * width, (row + 1) * width), shape.slice(1));
}

/** @type {(value: Tensor, index: number) => Value} */
function takeEntry({ data, shape }, index) {
  const width = shape[shape.length - 1];
  const at = index < 0 ? width + index : index;
  return made(Float64Array.from({ length: data.length / width }, (_, r) => data[r * width + at]), shape.slice(0, -1));
}

/** @type {(value: Tensor, test: (i: number) => boolean) => Tensor} */
function takeWhere({ data }, test) {
  const kept = data.filter((_, i) => test(i));
  return { data: kept, shape: [kept.length] };
}

/** @type {(value: Value, change: (v: number) => number) => Value} */
function map(value, change) {
  return typeof value === "number" ? change(value) : { data: Float64Array.from(value.data, change), shape: value.shape };
}

/** {x, y, z, text} of a trace as far as they are bound, or null where the frame lacks a channel.
 *  @type {(frame: Frame, binding: Binding, scrubbed: number) => Got | null} */
export function pick(frame, binding, scrubbed) {
  const { row, index, where, zero, transform, mode } = binding;
  /** @type {Got} */
  const got = {};
  for (const key of KEYS) {
    const channel = binding[key];
    if (channel && !(channel in frame.values)) return null;
    if (channel) got[key] = frame.values[channel];
  }
  if (where && !(where.channel in frame.values)) return null;

  /** @type {(test: (value: Value) => unknown, how: (value: Tensor) => Value) => void} */
  const change = (test, how) => {
    for (const key of KEYS) {
      const value = got[key];
      if (value !== undefined && test(value)) got[key] = how(array(value));
    }
  };
  if (row) change(() => true, (v) => takeRow(v, Math.min(row === "last" ? Infinity : scrubbed, v.shape[0] - 1)));
  if (index !== undefined) {
    const most = Math.max(...Object.values(got).map(rank));
    change((v) => rank(v) === most, (v) => takeEntry(v, index));
  }
  if (where) {
    const { data } = array(frame.values[where.channel]);
    change(rank, (v) => takeWhere(v, (i) => data[i] === where.equals));
  }

  const main = "z" in got ? "z" : "y" in got ? "y" : "x";
  if (mode === "append" && main !== "z") {
    const { data } = array(got[main]);
    /** @type {(i: number) => boolean} */
    const known = (i) => !Number.isNaN(data[i]);
    change(() => true, (v) => takeWhere(v, known));
    if (typeof transform === "object") got.at = takeWhere(array(frame.values[transform.at]), known);
  }
  const value = got[main];
  if (value === undefined) return got;
  if (zero === "only" && main !== "z" && rank(value) === 2) {
    const counts = Float64Array.from(rows(array(value)), (r) => r.filter((v) => v === 0).length);
    got.text = { data: counts, shape: [counts.length] };
    got[main] = map(got.text, (count) => (count ? 0 : NaN));
  } else if (zero === "only") {
    got[main] = map(value, (v) => (v === 0 ? 0 : NaN));
  } else if (zero === "omit" || transform === "log10") {
    const last = transform === "log10" ? Math.log10 : (/** @type {number} */ v) => v;
    got[main] = map(value, (v) => (v === 0 ? NaN : last(v)));
  }
  return got;
}
