// How large things are in the picture of a network, and where.

/** @typedef {import("./picture.js").Look} Look */
/** @typedef {import("./shown.js").Shown} Shown */

const GUTTER = 92; // for the names of the rows
const TILE = { most: 80, least: 26 }; // below the least, layers are strips, and a lens shows some as tiles
const GAP = 9;
const LENS = { size: 44, most: 15, below: 24 };
export const BARS = 46;

/** Where a row of tiles begins; below the error, the third, it is said when it arrived.
 *  @type {(r: number, size: number) => number} */
export const rowTop = (r, size) => 22 + r * (size + GAP) + (r > 2 ? 12 : 0);

/** @type {(shown: Shown) => number} */
export const strip = ({ cells }) => Math.min(72, Math.max(24, cells));

/** How many rows of strips there are: on a projector one.
 *  @type {(look: Look) => number} */
export const stripped = (look) => (look.enlarged > 1 ? 1 : look.backprop ? 5 : 4);

/** Sizes at a width: all columns as tiles, or a lens that `fits` some.
 *  @type {(wide: number, count: number, look: Look) => { size: number, pitch: number, lens: boolean, left: number, fits: number }} */
export function plan(wide, count, { enlarged, most }) {
  const width = wide / enlarged;
  const left = width < 520 ? 72 : GUTTER;
  const pitch = (width - left - 4) / (count + 2);
  const size = Math.min(most, pitch - Math.min(GAP, pitch / 5));
  if (size >= TILE.least / Math.sqrt(enlarged)) return { size, pitch: Math.min(pitch, size * 1.7), lens: false, left, fits: count };
  const side = Math.min(LENS.size, most - LENS.below); // the strips need room too
  const fits = Math.min(count, LENS.most, Math.max(3, Math.floor((width - left - 4) / (side + GAP)) - 2));
  return { size: side, pitch: Math.min(side + 2 * GAP, (width - left - 4) / (fits + 2)), lens: true, left, fits };
}

/** The greatest size of a tile where a picture with so many rows of tiles is `high`; no high one makes it too large.
 *  @type {(high: number, rows: number) => number} */
export const tileWithin = (high, rows) => Math.max(TILE.least / 2, Math.min(TILE.most, (high - rowTop(rows, 0) - 42 - BARS) / rows));

/** Height that the picture takes at a width.
 *  @type {(width: number, shown: Shown, look: Look) => number} */
export function heightAt(width, shown, look) {
  const { size, lens } = plan(width, shown.count, look);
  const rows = look.backprop ? 5 : 4;
  return look.enlarged * (rowTop(rows, size) + 20 + BARS + 22 + (lens ? stripped(look) * (strip(shown) + 6) + 26 : 0));
}
