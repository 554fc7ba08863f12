// What is known of the page's runs since their stream began: what is new in it, and what stays of it.

import { array } from "./values.js";

export class Known {
  /** @type {Record<string, number>} */
  generations = {};
  /** @type {Record<string, number>} */
  seqs = {};
  /** The rows that CSV files need.
   *  @type {Row[]} */
  history = [];
  /** The latest values of the first run.
   *  @type {Values} */
  values = {};
  /** What children show of the latest weights, by their kind.
   *  @type {Record<string, Frame>} */
  followers = {};

  /** `renewed` is called when a run in the list, or a child of it of this kind, has begun anew.
   *  @param {string[]} runs
   *  @param {(index: number, kind: string | undefined) => void} renewed */
  constructor(runs, renewed) {
    this.runs = runs;
    this.renewed = renewed;
  }

  /** Position of an event's run in the page's list (a child counts as its parent), or -1 if it is not listed or outdated.
   *  @type {(place: Place) => number} */
  place({ run, parent, generation, kind }) {
    const child = parent && !this.runs.includes(run);
    const index = this.runs.indexOf(child ? parent : run);
    const known = this.generations[run] ?? generation;
    if (generation < known) return -1;
    this.generations[run] = generation;
    if (index < 0 || generation === known) return index;
    this.history = this.history.filter((frame) => frame.run !== run);
    this.seqs[run] = 0;
    if (index === 0 && !child) Object.assign(this, { values: {}, followers: {} });
    this.renewed(index, child ? kind : undefined);
    return index;
  }

  /** The same for a frame; -1 also if it has come before.
   *  @type {(frame: Frame<Packed>) => number} */
  placeNew(frame) {
    const index = this.place(frame);
    if (index < 0 || frame.seq <= (this.seqs[frame.run] ?? 0)) return -1;
    this.seqs[frame.run] = frame.seq;
    return index;
  }

  /** Keep the rows that the tables of these panels need.
   *  @type {(frame: Frame, specs: PanelSpec[]) => void} */
  remember({ run, values }, specs) {
    const wanted = new Set(specs.flatMap(({ table, csv }) => (table === "history" ? csv.map(([name]) => name) : [])));
    const kept = Object.entries(values).filter(([name]) => wanted.has(name)).map(([name, value]) => /** @type {const} */ ([name, array(value)]));
    if (kept.some(([, { data }]) => data.length)) this.history.push({ run, values: Object.fromEntries(kept) });
  }
}
