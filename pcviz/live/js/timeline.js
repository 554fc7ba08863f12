// A slider over the weight steps of a training, for all of its panels at once. At its right end they are live. Elsewhere
// they show what frames had of an earlier step, which the worker computes again (pcviz/instruments/replay) once asked to.

import { element } from "./page.js";
import { Scrub } from "./scrub.js";
import { array, list, rank, takeRow } from "./values.js";

/** @typedef {{ until: number, steps: number[], count: number, stacks: Record<string, Tensor> }} Rows */

const SPEEDS = [1, 5, 20, 60]; // recorded steps a second
const REST_MS = 300; // on one step, until the network view is asked for it too
const PLANNED = 96; // positions until the worker has said which steps it records
const STEPS = "step_history";
const PREFIX = "replay_";

export class Timeline {
  /** The run that it belongs to.
   *  @type {string | undefined} */
  run = undefined;
  /** What has been computed of it.
   *  @type {Rows | undefined} */
  rows = undefined;
  /** The steps to choose from before that.
   *  @type {number[]} */
  plan = [];
  newest = 0; // weight step of the live values
  asked = 0; // up to which weight step
  past = false;
  /** The weight step whose values the panels show, if they are earlier ones.
   *  @type {number | undefined} */
  drawn = undefined;
  /** The weight step that was asked for of what follows the weights: network view, predictions, boundary.
   *  @type {number | undefined} */
  at = undefined;
  /** The same as the server said it last.
   *  @type {number | null} */
  heard = null;
  /** The history by weight step: channels of one number each.
   *  @type {Record<string, number[]>} */
  course = {};
  fault = "";
  /** @type {number | undefined} */
  rest = undefined;

  /** @param {Live} live */
  constructor(live) {
    this.live = live;
    this.root = element("div", { className: "pcviz-timeline" });
    this.scrub = new Scrub({
      channel: "", keys: this.root, speeds: SPEEDS, signal: live.signal, words: { one: "weight step", all: "the training again" },
      show: (row) => this.show(row), told: () => this.label,
    });
    this.root.append(this.scrub.root);
    this.lay();
    this.mark();
  }

  /** Begin with a run, or again with the same one, whose frames come once more: then it stays where it is.
   *  @type {(run: string | undefined) => void} */
  begin(run) {
    if (run !== this.run) this.clear();
    Object.assign(this, { run, course: {}, drawn: undefined });
    if (this.past) this.draw();
  }

  /** Forget everything: the run has begun anew. */
  clear() {
    clearTimeout(this.rest);
    Object.assign(this, { rows: undefined, plan: [], newest: 0, asked: 0, past: false, drawn: undefined, at: undefined, heard: null, course: {}, fault: "" });
    this.scrub.clear();
    this.lay();
    this.mark();
  }

  // ---- what comes

  /** A live frame of the training.
   *  @type {(values: Values) => void} */
  follow(values) {
    this.newest = Math.max(this.newest, Number(values.step));
    for (const [name, value] of Object.entries(values)) {
      if (name.endsWith("_history") && rank(value) === 1) for (const number of list(value)) (this.course[name] ??= []).push(number);
    }
    this.lay();
    if (this.past) this.mark();
  }

  /** A frame of the replay: all rows computed so far.
   *  @type {(frame: Frame) => void} */
  feed({ step, values }) {
    const { replay_steps: planned, ...stacks } = values;
    if (!planned || step < (this.rows?.until ?? 0)) return;
    const named = Object.fromEntries(Object.entries(stacks).filter(([name]) => name.startsWith(PREFIX)).map(([name, value]) => [name.slice(PREFIX.length), array(value)]));
    this.rows = { until: step, steps: Array.from(list(planned)), count: Object.values(named)[0].shape[0], stacks: named };
    this.fault = "";
    this.lay();
    if (this.past) this.draw();
  }

  /** The weight step that the server shows what follows the weights at. One that is live wants none, although another
   *  one may have asked for it that stood here before: then the page is asked for nothing any more, once.
   *  @type {(at: number | null) => void} */
  heed(at) {
    const known = at === this.heard;
    this.heard = at;
    if (this.past || at === null || known) return;
    this.asked = 0;
    this.live.ask({ until: 0, at: null });
  }

  /** What has become of the replay.
   *  @type {(state: State) => void} */
  tell({ state, message }) {
    this.fault = state === "failed" ? message || state : "";
    this.scrub.tell();
  }

  /** The positions: the steps recorded, and the live one. The step that is chosen stays. */
  lay() {
    const { step } = this;
    const steps = this.rows?.steps ?? (this.past ? this.plan : spaced(this.newest));
    this.plan = steps;
    const all = (steps.at(-1) ?? 0) < this.newest ? [...steps, this.newest] : steps;
    if (step !== undefined) this.scrub.row = Math.max(0, Math.min(all.findLastIndex((s) => s <= step), all.length - 2));
    this.scrub.most = this.whole ? Infinity : (this.rows?.count ?? 0) - 1;
    this.scrub.take(all.length > 1 ? all : []);
  }

  /** The weight step up to which everything is computed; 0: not even up to one. */
  get whole() {
    const { rows } = this;
    return rows && rows.count === rows.steps.length ? rows.until : 0;
  }

  // ---- what is shown

  /** The weight step that is chosen; undefined at the right end.
   *  @returns {number | undefined} */
  get step() {
    return this.past ? this.scrub.steps[this.scrub.at] : undefined;
  }

  /** What frames had of it, once it is computed.
   *  @returns {Values | undefined} */
  get values() {
    const { rows, step } = this;
    const row = rows && step !== undefined ? rows.steps.indexOf(step) : -1;
    if (!rows || step === undefined || row < 0 || row >= rows.count) return undefined;
    return { ...Object.fromEntries(Object.entries(rows.stacks).map(([name, stack]) => [name, takeRow(stack, row)])), step };
  }

  get label() {
    const { step, newest } = this;
    if (step === undefined) return newest ? `live: step ${newest}` : "live";
    return this.fault || `step ${step} of ${newest}${this.values ? "" : ": computing"}`;
  }

  /** Whether what follows from the weights of a step (undefined: the latest) may be shown now.
   *  @type {(at: number | undefined) => boolean} */
  admits(at) {
    return this.past ? at !== undefined && at === this.at : at === undefined;
  }

  /** Where the step that is chosen lies along an axis of the history.
   *  @type {(channel: string) => number | undefined} */
  along(channel) {
    const { step, course } = this;
    if (step === undefined || channel === STEPS) return step;
    return course[channel]?.[(course[STEPS] ?? []).findLastIndex((s) => s <= step)];
  }

  /** The slider has moved.
   *  @type {(row: number | undefined) => void} */
  show(row) {
    clearTimeout(this.rest);
    if (row === undefined) { this.leave(); return; }
    if (!this.past) {
      this.past = true;
      if (this.newest > Math.max(this.asked, this.whole)) this.ask((this.asked = this.newest));
    }
    this.draw();
    this.rest = setTimeout(() => this.settle(), REST_MS);
  }

  draw() {
    const { values, live } = this;
    this.scrub.tell();
    if (values && this.drawn !== values.step) {
      this.drawn = Number(values.step);
      this.give(values);
    }
    this.mark();
    live.showMetrics();
  }

  /** Give values to the panels as if they were the latest.
   *  @type {(values: Values) => void} */
  give(values) {
    const frame = { run: this.run ?? "", parent: null, kind: "train", generation: 0, seq: 0, step: Number(values.step), inference_step: 0, epoch: NaN, seconds: NaN, values };
    this.live.panels.forEach((panel) => panel.feed(0, frame, "replace"));
  }

  mark() {
    this.root.dataset.step = String(this.step ?? "");
    this.root.dataset.at = this.step === undefined ? "live" : this.values ? "past" : "computing";
    this.live.panels.forEach((panel) => panel.travel());
  }

  /** It has rested on a step: what follows from the weights comes after. */
  settle() {
    if (this.scrub.playing) { this.rest = setTimeout(() => this.settle(), REST_MS); return; }
    if (!Object.keys(this.live.known.followers).length || this.at === this.step) return;
    this.at = this.step;
    this.ask(this.asked);
    this.mark();
  }

  /** At the right end: the newest values, at once. */
  leave() {
    if (!this.past) return;
    const looked = this.at !== undefined;
    Object.assign(this, { past: false, drawn: undefined, at: undefined });
    this.lay();
    this.give(this.live.known.values);
    for (const frame of Object.values(this.live.known.followers)) this.live.panels.forEach((panel) => panel.feed(0, frame));
    this.mark();
    this.live.showMetrics();
    if (looked) this.ask(this.asked);
  }

  /** Ask the page for a replay up to a weight step, and for the network view at the step chosen.
   *  @type {(until: number) => void} */
  ask(until) {
    this.live.ask({ until: until || this.rows?.until, at: this.at ?? null });
  }

  close() {
    clearTimeout(this.rest);
    this.scrub.close();
    this.root.remove();
  }
}

/** Weight steps from 1 to `last`, evenly spaced.
 *  @type {(last: number) => number[]} */
function spaced(last) {
  const count = Math.min(last, PLANNED);
  return Array.from({ length: count }, (_, i) => Math.round(1 + (i * (last - 1)) / Math.max(1, count - 1)));
}
