// What a frame of the network view shows, before anything is drawn.

import { array } from "./values.js";

/** @typedef {"activity" | "prediction" | "error" | "weights" | "delta"} Role */

// Codes of signed numbers, as pcviz/instruments/network/codes.py makes them.
export const LEVELS = 127;
export const LEAST = 1e-12;
export const DECADES = 14;
/** @type {(code: number) => number} */
const magnitude = (code) => ((code & 127) === 0 ? 0 : LEAST * 10 ** ((((code & 127) - 1) / (LEVELS - 1)) * DECADES));
/** @type {(code: number) => number} */
export const decoded = (code) => (code >= 128 ? -magnitude(code) : magnitude(code));

/** What one relaxation shows; `arrived`: the first row in which the error of a column is not zero (-1: in none); `hurt`:
 *  whether a diagnosis has found something in a layer of the column.
 *  @typedef {{ steps: ArrayLike<number>, end: number, columns: ArrayLike<number>, units: ArrayLike<number>, cells: number, count: number,
 *    activity: Numbers, prediction: Numbers, activityChange: Numbers, predictionChange: Numbers, error: Numbers, gradient: Numbers, delta: Numbers,
 *    energy: Tensor, input: Numbers, shade: Numbers, target: Numbers, output: Tensor, arrived: number[], hurt: boolean[], largest: number }} Shown */

/** All numbers of one layer.
 *  @typedef {{ layer: number, activity: Tensor, prediction: Tensor, error: Tensor, gradient: Numbers, weights?: Tensor }} Exact */

/** The values of a frame of kind "network".
 *  @type {(values: Values) => Shown} */
export function shownOf(values) {
  const channel = (/** @type {string} */ name) => array(values[`network_${name}`]);
  const error = channel("error");
  const [rows, count, cells] = error.shape;
  const arrived = Array.from({ length: count }, (_, c) => {
    for (let r = 0; r < rows; r++) {
      const first = (r * count + c) * cells;
      for (let u = 0; u < cells; u++) if (error.data[first + u]) return r;
    }
    return -1;
  });
  const activity = channel("activity").data;
  const steps = channel("steps").data;
  const columns = channel("columns").data;
  const hurt = "network_hurt" in values ? Array.from(channel("hurt").data) : [];
  return {
    steps, end: Number(values.network_end ?? steps[steps.length - 1]), // pictures stored by earlier versions lack it
    columns, units: channel("units").data, cells, count,
    activity, prediction: channel("prediction").data,
    activityChange: channel("activity_change").data, predictionChange: channel("prediction_change").data,
    error: error.data, gradient: channel("gradient").data, delta: channel("delta").data, energy: channel("energy"),
    input: channel("input").data, shade: channel("shade").data, target: channel("target").data, output: channel("output"),
    arrived, hurt: arrived.map((_, c) => hurt.slice(columns[2 * c] - 1, columns[2 * c + 1]).some(Boolean)), largest: Array.from(activity).reduce((most, v) => Math.max(most, Math.abs(v)), 0),
  };
}

/** The numbers of one layer that a frame has, if it has any.
 *  @type {(values: Values) => Exact | undefined} */
export function exactOf(values) {
  if (!("layer_number" in values)) return undefined;
  const channel = (/** @type {string} */ name) => array(values[`layer_${name}`]);
  return {
    layer: Number(values.layer_number), activity: channel("activity"), prediction: channel("prediction"),
    error: channel("error"), gradient: channel("gradient").data,
    weights: "layer_weights" in values ? channel("weights") : undefined,
  };
}

/** The rows of tiles.
 *  @type {readonly (readonly [role: Role, name: string])[]} */
export const ROLES = [["activity", "activity z"], ["prediction", "prediction μ"], ["error", "error e"], ["weights", "weight step"], ["delta", "backprop δ"]];
/** Rows whose codes are the same at every step.
 *  @type {Role[]} */
export const FIXED = ["weights", "delta"];

/** The codes of a role, row after row, and what changes in activities and predictions are counted from.
 *  @type {(shown: Shown, role: Role) => { codes: Numbers, base?: Numbers }} */
export function held(shown, role) {
  if (role === "activity") return { codes: shown.activityChange, base: shown.activity };
  if (role === "prediction") return { codes: shown.predictionChange, base: shown.prediction };
  return { codes: { error: shown.error, weights: shown.gradient, delta: shown.delta }[role] };
}

/** The column that the error reached last, up to a row; -1 before it has left the output.
 *  @type {(shown: Shown, row: number) => number} */
export const frontOf = (shown, row) => shown.arrived.findIndex((at) => at >= 0 && at <= row);

/** The column that a front reaches which goes down one layer a step, as backprop does and errors do in exact arithmetic;
 *  past the last one before it has left the output.
 *  @type {(shown: Shown, row: number) => number} */
export function idealFront({ energy, steps, columns, count }, row) {
  const layer = energy.shape[1] - steps[row]; // L - t
  const column = Array.from({ length: count }, (_, c) => c).find((c) => columns[2 * c + 1] >= layer);
  return column ?? count;
}

/** @type {(first: number, last: number) => string} */
export const range = (first, last) => (first === last ? String(first) : `${first}–${last}`);

/** The layers of a column.
 *  @type {(shown: Shown, column: number) => string} */
export const label = ({ columns }, c) => range(columns[2 * c], columns[2 * c + 1]);

/** The column of a layer; -1 of the output.
 *  @type {(shown: Shown, layer: number) => number} */
export const columnOf = ({ columns, count }, layer) => Array.from({ length: count }, (_, c) => c).findIndex((c) => columns[2 * c] <= layer && layer <= columns[2 * c + 1]);

/** The first and the last unit of a cell, counted from 0: in wide layers neighbours share one (codes.py: folded).
 *  @type {(shown: Shown, column: number, cell: number) => [first: number, last: number]} */
export function unitsOf({ units, cells }, column, cell) {
  if (units[column] <= cells) return [cell, cell];
  const [least, more] = [Math.floor(units[column] / cells), units[column] % cells]; // the first so many have one more
  const first = cell * least + Math.min(cell, more);
  return [first, first + least - (cell < more ? 0 : 1)];
}

/** The class that a target or an output of this network stands for, as pages count them; undefined where targets are
 *  not classes.
 *  @type {(shown: Shown, output: ArrayLike<number>) => number | undefined} */
export function classOf({ input, target }, output) {
  const goal = Array.from(target);
  if (goal.length < 2 || goal.some((y) => y !== 0 && y !== 1)) return undefined;
  const values = Array.from(output);
  return values.indexOf(Math.max(...values)) + (input.length === 2 ? 1 : 0); // in the plane they count from 1
}
