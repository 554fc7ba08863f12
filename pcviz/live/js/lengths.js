// What a figure measures in pixels: text, lines, points, ticks and margins. One factor enlarges it all.

/** How much larger than on a screen all is on a projector: text of 11 px must be read from the last row. */
export const PRESENT = 1.9;

const ALWAYS = ["standoff", "ticklen", "thickness", "xpad", "ypad", "itemwidth"];
/** @type {Record<string, RegExp>} */
const WITHIN = { size: /font$|^marker$|^pattern$/, width: /^line$/ };

/** @typedef {[node: Layout, key: string, length: number]} Length */

/** [object, key, length] of everything in `node`, which its parent calls `name`.
 *  @type {(node: Layout, name?: string) => Length[]} */
export function lengths(node, name = "") {
  return Object.entries(node).flatMap(([key, value]) => {
    if (value && typeof value === "object") return key === "meta" ? [] : lengths(value, key);
    const length = ALWAYS.includes(key) || name === "margin" || WITHIN[key]?.test(name);
    return length && typeof value === "number" ? [[node, key, value]] : [];
  });
}

/** Set every length to `factor` times its original value.
 *  @type {(found: Length[], factor: number) => void} */
export function enlarge(found, factor) {
  for (const [node, key, length] of found) node[key] = factor * length;
}
