// What the picture of a network shows, in words.

import { FIXED, LEVELS, ROLES, classOf, columnOf, decoded, frontOf, held, idealFront, label, range, unitsOf } from "./shown.js";
import { digits, factor } from "./text.js";

/** @typedef {import("./shown.js").Shown} Shown */
/** @typedef {import("./shown.js").Exact} Exact */
/** @typedef {import("./shown.js").Role} Role */

/** The layers of a column.
 *  @type {(shown: Shown, column: number) => string} */
const layers = (shown, c) => `layer${shown.columns[2 * c] < shown.columns[2 * c + 1] ? "s" : ""} ${label(shown, c)}`;

/** The number that a code stands for, as well as it is known: beyond both ends of the scale it is not.
 *  @type {(code: number) => string} */
function about(code) {
  const [value, level] = [decoded(code), code & LEVELS];
  if (!level) return "exactly 0";
  if (level === 1) return `${value < 0 ? "at least" : "at most"} ${digits(value, 1)}`;
  if (level === LEVELS) return `${digits(value, 1)} or ${value < 0 ? "less" : "more"}`;
  return `≈ ${digits(value, 2)}`;
}

/** What a cell of a tile holds. Where units or layers share it, each number is the greatest of them, and what it was at
 *  step 0 and what has changed need not be of the same unit.
 *  @type {(shown: Shown, row: number, tile: { role: Role, column: number }, cell: number) => string} */
export function tip(shown, row, { role, column }, cell) {
  const place = column * shown.cells + cell;
  const { codes, base } = held(shown, role);
  const number = about(codes[(FIXED.includes(role) ? 0 : row * shown.count * shown.cells) + place]);
  const [first, last] = unitsOf(shown, column, cell);
  const many = first < last || shown.columns[2 * column] < shown.columns[2 * column + 1];
  const start = base && `${digits(base[place], 4)} at step 0`;
  const said = role === "weights" && row < shown.steps.length - 1 ? "after the last inference step"
    : role === "delta" && column < idealFront(shown, row) ? `at t = ${shown.energy.shape[1] - shown.columns[2 * column + 1]}, one layer a step`
    : !start ? number : many ? `${start}; of the changes since then ${number}` : `${start}, changed by ${number}`;
  const name = ROLES.find(([known]) => known === role)?.[1];
  return `${layers(shown, column)}, unit${first < last ? "s" : ""} ${range(first + 1, last + 1)}${many ? ", the greatest" : ""}: ${name} ${said}`;
}

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
  const column = columnOf(shown, layer);
  const its = shown.columns[2 * column] < shown.columns[2 * column + 1] ? `the error of ${layers(shown, column)}` : "its error";
  const codes = shown.error.subarray((row * shown.count + column) * shown.cells, (row * shown.count + column + 1) * shown.cells);
  const largest = Math.max(...Array.from(codes, (code) => code & LEVELS));
  const at = shown.arrived[column];
  const reached = at < 0 || at > row ? `${its} is exactly 0` : `${its} arrived at t = ${shown.steps[at]}, now the greatest is ${about(largest)}`;
  return `Layer ${layer} of ${L}: ${energy}; ${reached}.`;
}

/** What the picture shows, in words.
 *  @type {(shown: Shown, row: number) => string} */
export function sentence(shown, row) {
  const [, L] = shown.energy.shape;
  const front = frontOf(shown, row);
  const total = (/** @type {number} */ r) => Array.from(shown.energy.data.subarray(r * L, (r + 1) * L)).reduce((sum, e) => sum + e, 0);
  const where = front < 0 ? `The error is at the output, layer ${L}.` : front === 0 ? "The error has reached every layer." : `The error has reached ${layers(shown, front)} of ${L}.`;
  const guess = classOf(shown, Array.from(shown.output.data.subarray(0, shown.target.length)));
  const right = guess === classOf(shown, shown.target);
  const said = guess === undefined ? "" : ` Going up from the input alone, the network says ${guess}, ${right ? "which is right" : `but it is ${classOf(shown, shown.target)}`}.`;
  const share = total(row) / total(0);
  const energy = `Energy ${digits(total(row), 3)}, ${share > 10 ? `${factor(Math.log10(share), 3)} times that` : `${(100 * share).toFixed(1)} %`} of the start.`;
  const overflows = row === shown.steps.length - 1 && shown.steps[row] < shown.end ? " The next state is no longer finite: the relaxation diverges." : "";
  return `Inference step ${shown.steps[row]} of ${shown.end}. ${where} ${energy}${overflows}${said}`;
}
