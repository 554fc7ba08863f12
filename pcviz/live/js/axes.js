// Axes whose ends or ticks plotly cannot choose by itself: whole decades, whole numbers, the extent of a map.

const SLACK = 3; // decades that an end may lie too far out before it moves in
const DENSE_PX = 40; // ticks of whole numbers at every 1 stand no closer

/** @type {(layout: Layout) => string[]} */
const axisNames = (layout) => Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));

/** Ends of a logarithmic axis, as powers of ten: the first whole decades beyond the least and the greatest value, or
 *  from a fixed `floor` on. An end of `before` stays while it is beyond the values by at most `SLACK` decades, so that a
 *  live axis is steady.
 *  @type {(least: number, most: number, floor: number | null, before?: Ends) => Ends} */
export function decades(least, most, floor, before) {
  const [low, high] = [floor ?? Math.ceil(Math.log10(least)) - 1, Math.ceil(Math.log10(most))];
  const [from, to] = before ?? [low, high];
  return [from <= low && low - from <= SLACK ? from : low, to >= high && to - high <= SLACK ? to : high];
}

/** Give the axes in `layout.meta.decades` (name -> floor or null) their ends and two or three labels. `ends` holds the
 *  previous ends of each: a user's zoom stays until the ends move.
 *  @type {(layout: Layout, data: Trace[], ends: Record<string, Ends>) => void} */
export function settleDecades(layout, data, ends) {
  /** @type {Record<string, number | null>} */
  const floors = layout.meta?.decades ?? {};
  for (const [name, floor] of Object.entries(floors)) {
    const id = name.replace("axis", "");
    const key = name[0] === "x" ? "x" : "y";
    let [least, most] = [Infinity, 0];
    for (const trace of data) {
      if ((trace[/** @type {const} */ (`${key}axis`)] ?? key) !== id) continue;
      for (const value of trace[key]) if (value > 0 && value < Infinity) [least, most] = [Math.min(least, value), Math.max(most, value)];
    }
    if (!most) continue;
    const [low, high] = decades(least, floor === null ? most : Math.max(most, 10), floor, ends[name]);
    if (String(ends[name]) === String([low, high])) continue;
    ends[name] = [low, high];
    const dtick = high - low > 4 || (floor === null && high - low > 2) ? Math.max(2, Math.floor((high - low) / 2)) : 1;
    Object.assign(layout[name], { autorange: false, range: [low, high], tickmode: "linear", tick0: Math.ceil(low), dtick });
  }
}

/** What to change in the ticks of axes; `full` is the layout as drawn, `fresh` as Python made it. Axes of whole numbers
 *  (format d) have none in between: those would suggest steps that do not exist. Logarithmic axes have at least two.
 *  @type {(fresh: Layout, full: Layout) => Record<string, unknown>} */
export function betterTicks(fresh, full) {
  /** @type {Record<string, unknown>} */
  const change = {};
  for (const name of axisNames(full)) {
    const axis = full[name];
    const powers = fresh[name]?.type === "log" && fresh[name].tickmode === "auto";
    const ticks = /d$/.test(axis.tickformat ?? "") ? wholeTicks(axis) : powers ? powerTicks(axis) : {};
    if (Object.entries(ticks).every(([key, value]) => String(axis[key]) === String(value))) continue;
    for (const [key, value] of Object.entries(ticks)) change[`${name}.${key}`] = value;
  }
  return change;
}

/** @type {(axis: Layout) => object} */
function wholeTicks({ type, tickmode, dtick, range, _length }) {
  const log = type === "log";
  const [low, high] = log ? range.map((/** @type {number} */ power) => 10 ** power) : range;
  const [, letter, size] = /^(L?)([\d.]+)$/.exec(dtick) ?? [];
  const between = (letter || !log) && Number(size) < 1;
  const dense = high - low > _length / DENSE_PX;
  if (dense || (tickmode === "auto" && !between)) return { tickmode: "auto" };
  const first = Math.ceil(low); // listed, so that no tick is added while the axis grows
  return { tickmode: "array", tickvals: Array.from({ length: Math.floor(high) - first + 1 }, (_, i) => first + i) };
}

/** Plotly puts ticks at whole strides of decades from 10^0, of which a narrow axis may contain only one.
 *  @type {(axis: Layout) => object} */
function powerTicks({ range: [low, high], nticks }) {
  const stride = Math.ceil((high - low) / nticks);
  const [first, last] = [Math.ceil(low), Math.floor(high)];
  const several = (high - low) / nticks <= 0.7 || Math.floor(high / stride) > Math.ceil(low / stride);
  return several || last <= first ? { tickmode: "auto" } : { tickmode: "linear", tick0: first, dtick: last - first };
}

/** The ranges of both axes of equal scale: the extent of their map. Plotly's own ranges would depend on the shape that
 *  the axes had before data arrived.
 *  @type {(layout: Layout, data: Trace[]) => Ends[] | undefined} */
export function mapRanges(layout, data) {
  const map = layout.yaxis?.scaleanchor && data.find(({ z }) => z?.length);
  return map && [map.x, map.y].map((at) => [1.5 * at[0] - 0.5 * at[1], 1.5 * at.at(-1) - 0.5 * at.at(-2)]);
}

/** The change that shows the whole of a figure again; `fresh` is its layout as Python made it.
 *  @type {(fresh: Layout, full: Layout) => Record<string, unknown>} */
export function wholeView(fresh, full) {
  /** @type {Record<string, unknown>} */
  const change = fresh.scene ? { "scene.camera": fresh.scene.camera } : {};
  for (const name of axisNames(full)) {
    const range = fresh[name]?.range;
    if (range) change[`${name}.range`] = range;
    else change[`${name}.autorange`] = true;
  }
  return change;
}
