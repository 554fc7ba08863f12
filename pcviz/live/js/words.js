// What the picture of a network shows, in words.

import { classOf, frontOf, label, magnitude } from "./shown.js";
import { digits } from "./text.js";

/** @typedef {import("./shown.js").Shown} Shown */
/** @typedef {import("./shown.js").Exact} Exact */

/** The equations of a unit with its numbers, every digit that float32 has.
 *  @type {(exact: Exact, unit: number, row: number, step: number) => string} */
export function detail({ layer, activity, prediction, error, gradient }, unit, row, step) {
  const width = activity.shape[1];
  const u = Math.min(unit, width - 1);
  const [z, mu, e] = [activity, prediction, error].map(({ data }) => data[row * width + u]);
  const whole = Array.from(error.data.subarray(row * width, (row + 1) * width)).reduce((sum, v) => sum + (v * v) / 2, 0);
  const text = (/** @type {number} */ v) => digits(v, 9);
  return `Layer ${layer}, unit ${u + 1}, t = ${step}: prediction μ = ${text(mu)}, activity z = ${text(z)}, error e = ${text(e)}; ` +
    `½e² = ${text((e * e) / 2)} of ½|e|² = ${text(whole)} in the layer. After the last step |dF/dW| of the unit's weights is ${text(gradient[u])}.`;
}

/** What is known of a layer without asking for its numbers.
 *  @type {(shown: Shown, layer: number, row: number) => string} */
export function layerWords(shown, layer, row) {
  const L = shown.energy.shape[1];
  const energy = `energy ${digits(shown.energy.data[row * L + layer - 1], 3)}`;
  if (layer === L) return `Layer ${L} of ${L}, the output: ${energy}.`;
  const column = shown.arrived.findIndex((_, c) => shown.columns[2 * c] <= layer && layer <= shown.columns[2 * c + 1]);
  const codes = shown.error.subarray((row * shown.count + column) * shown.cells, (row * shown.count + column + 1) * shown.cells);
  const largest = Math.max(...Array.from(codes, magnitude));
  const at = shown.arrived[column];
  const reached = at < 0 || at > row ? "its error is exactly 0" : `the error arrived at t = ${shown.steps[at]}, now its largest is ≈ ${digits(largest, 2)}`;
  return `Layer ${layer} of ${L}: ${energy}; ${reached}.`;
}

/** What the picture shows, in words.
 *  @type {(shown: Shown, row: number) => string} */
export function sentence(shown, row) {
  const [, L] = shown.energy.shape;
  const front = frontOf(shown, row);
  const total = (/** @type {number} */ r) => Array.from(shown.energy.data.subarray(r * L, (r + 1) * L)).reduce((sum, e) => sum + e, 0);
  const where = front < 0 ? `The error is at the output, layer ${L}.` : front === 0 ? "The error has reached every layer." : `The error has reached layer ${label(shown, front)} of ${L}.`;
  const guess = classOf(shown, Array.from(shown.output.data.subarray(0, shown.target.length)));
  const right = guess === classOf(shown, shown.target);
  const said = guess === undefined ? "" : ` Going up from the input alone, the network says ${guess}, ${right ? "which is right" : `but it is ${classOf(shown, shown.target)}`}.`;
  const energy = `Energy ${digits(total(row), 3)}, ${(100 * total(row) / total(0)).toFixed(1)} % of the start.`;
  return `Inference step ${shown.steps[row]} of ${shown.steps[shown.steps.length - 1]}. ${where} ${energy}${said}`;
}
