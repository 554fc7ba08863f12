// The network view: one example's relaxation, layer by layer, played step by step from a trace that is in the browser.

import { Card, switched } from "./card.js";
import { drawEdges } from "./edges.js";
import { heightAt, tileWithin } from "./layout.js";
import { PRESENT } from "./lengths.js";
import { button, element } from "./page.js";
import { Picture } from "./picture.js";
import { Scrub } from "./scrub.js";
import { exactOf, shownOf, unitsOf } from "./shown.js";
import { Spoken } from "./spoken.js";
import { detail, layerWords, sentence, tip } from "./words.js";

/** @typedef {import("./picture.js").Look} Look */
/** @typedef {import("./shown.js").Shown} Shown */
/** @typedef {import("./shown.js").Exact} Exact */

const SPEEDS = [1, 6, 20, 60]; // recorded steps a second
const AGAIN_MS = 1200; // between the end of a relaxation and the next one, while the run goes on
const FLASH_MS = 700;

/** Whether nothing may move by itself. */
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class NetworkPanel extends Card {
  /** @type {Picture | undefined} */
  picture = undefined;
  /** @type {Shown | undefined} */
  shown = undefined;
  /** What has come while another relaxation is being played.
   *  @type {{ shown: Shown, step: number, example: number, recorded: boolean, exact: Exact | undefined } | undefined} */
  next = undefined;
  /** All numbers of one layer.
   *  @type {Exact | undefined} */
  exact = undefined;
  unit = 0;
  /** The weight step of what is shown.
   *  @type {number | undefined} */
  step = undefined;
  example = 0;
  /** The example that was asked for last, until it comes.
   *  @type {number | undefined} */
  sought = undefined;
  recorded = false;
  /** Why there is no picture of the weight step `at` (undefined: of the latest).
   *  @type {{ text: string, at: number | undefined } | undefined} */
  fault = undefined;
  change = true;
  backprop = false;
  read = 0; // the layer that the keys ↑ and ↓ read; 0: none
  flashed = -Infinity; // when the weights took their step
  drawing = 0;
  /** Set between the end of a relaxation and what follows it.
   *  @type {number | undefined} */
  again = undefined;
  /** Where the pointer rests on the picture.
   *  @type {{ x: number, y: number } | undefined} */
  pointed = undefined;
  spoken = new Spoken(element("p", { className: "pcviz-spoken", aria: { live: "polite" } }));
  /** What was shown and what was read when it was last told to screen readers. */
  told = { step: "", reading: "" };

  /** @param {Live} live
   *  @param {PanelSpec} spec */
  constructor(live, spec) {
    super(live, spec);
    this.section.classList.add("pcviz-network", "pcviz-tall");
    this.canvas = element("canvas", { aria: { role: "img", label: spec.alt } });
    this.tip = element("div", { className: "pcviz-tip", hidden: true });
    this.sentence = element("p", { className: "pcviz-sentence" });
    this.scrub = new Scrub({
      channel: "network_steps", keys: live.data.scrub ? element("div") : this.section, speeds: SPEEDS, signal: live.signal,
      show: () => this.request(), ended: () => this.finish(),
    });
    this.plot.append(this.canvas, this.tip);
    this.detail = element("p", { className: "pcviz-detail", hidden: true });
    this.edges = element("canvas", { className: "pcviz-edges", hidden: true, aria: { role: "img" } });
    this.plot.after(this.sentence, this.edges, this.detail, this.spoken.root);
    const change = switched("value", "Show activities and predictions as they are, not how they have changed since step 0", (on) => { this.change = !on; this.request(); });
    const backprop = switched("backprop", "Show beside it what backpropagation sends down for the same example, one layer a step", (on) => { this.backprop = on; this.fit(); });
    this.chosen = element("span");
    const examples = element("span", { className: "pcviz-buttons pcviz-example", aria: { role: "group", label: "Example of the test set" } },
      button("‹", "Previous example", () => this.choose(-1)), this.chosen, button("›", "Next example", () => this.choose(1)));
    this.source = element("span", { className: "pcviz-source", hidden: !live.data.recorded });
    examples.hidden = !spec.pick;
    this.header.append(this.source, examples, element("span", { className: "pcviz-buttons" }, change, backprop, this.info(), this.full()));
    if (!live.data.scrub) this.header.after(this.scrub.root); // else the page's slider and its keys serve all panels
    this.canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => this.point({ x: offsetX, y: offsetY }));
    this.canvas.addEventListener("click", (event) => this.inspect(event));
    this.canvas.addEventListener("pointerleave", () => this.point(undefined));
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.plot);
    this.section.tabIndex = 0;
    this.section.addEventListener("keydown", (event) => this.key(event));
    this.clear();
  }

  /** @type {(kind: string) => boolean} */
  isOf(kind) { return kind === "network" && !this.live.scrub; }

  paint() {}
  /** Show the step of the page's slider, or the last one recorded before it.
   *  @type {(row: number | undefined) => void} */
  follow(row) {
    const page = this.live.scrub;
    if (!page || !this.shown) return;
    const step = page.steps[row ?? page.last];
    const later = Array.from(this.shown.steps).findIndex((t) => t > step);
    this.scrub.go(later < 0 ? Infinity : Math.max(0, later - 1));
  }

  /** The timeline has moved: what waited for the end of what is played is no longer wanted. */
  travel() {
    if (this.live.timeline?.past) this.next = undefined;
    this.request();
  }

  /** Ask the page for another example.
   *  @type {(by: number) => void} */
  choose(by) {
    this.sought = Math.max(0, (this.sought ?? this.example) + by);
    this.live.pick({ panel: this.spec.name, x: this.sought, y: this.exact?.layer ?? 0 });
  }

  /** Ask the page for all numbers of the layer under the pointer.
   *  @type {(event: MouseEvent) => void} */
  inspect({ offsetX, offsetY }) {
    const found = this.under({ x: offsetX, y: offsetY });
    if (!found || !this.shown) return;
    [this.unit] = unitsOf(this.shown, found.box.column, found.cell);
    const layer = this.shown.columns[2 * found.box.column];
    this.read = layer;
    if (layer === this.exact?.layer) this.request();
    else if (this.spec.pick) this.live.pick({ panel: this.spec.name, x: this.example, y: layer });
  }

  /** ↑ and ↓ read one layer after another, Enter asks for all its numbers, Shift with ← and → reads one unit after another.
   *  @type {(event: KeyboardEvent) => void} */
  key(event) {
    if (!this.shown || event.target !== this.section || event.ctrlKey || event.metaKey || event.altKey) return;
    const L = this.shown.energy.shape[1];
    const by = event.shiftKey ? { ArrowLeft: -1, ArrowRight: 1 }[event.key] : undefined;
    if (by) {
      if (!this.numbers) return;
      this.unit = Math.max(0, Math.min(this.numbers.activity.shape[1] - 1, this.unit + by));
    } else if (event.key === "ArrowUp") this.read = Math.min(L, this.read + 1);
    else if (event.key === "ArrowDown") this.read = Math.max(1, (this.read || L + 1) - 1);
    else if (event.key === "Enter" && this.read && this.spec.pick) this.live.pick({ panel: this.spec.name, x: this.example, y: this.read });
    else return;
    event.preventDefault();
    this.request();
  }

  /** All numbers of the layer that is read, if they are there.
   *  @returns {Exact | undefined} */
  get numbers() { return !this.read || this.exact?.layer === this.read ? this.exact : undefined; }

  /** The tile and the cell of it at a place of the picture.
   *  @type {(place: { x: number, y: number }) => { box: import("./picture.js").Box, cell: number } | undefined} */
  under(place) {
    const box = this.picture?.at(place.x, place.y);
    if (!this.picture || !box || !this.shown) return undefined;
    const [x, y] = [place.x, place.y].map((length) => length / (this.picture?.enlarged ?? 1));
    const side = Math.ceil(Math.sqrt(this.shown.cells));
    const cell = Math.floor(((y - box.y) * side) / box.w) * side + Math.floor(((x - box.x) * side) / box.w);
    return cell < Math.min(this.shown.cells, this.shown.units[box.column]) ? { box, cell } : undefined;
  }

  /** @type {(test?: (binding: Binding) => boolean) => void} */
  clear(test = () => true) {
    if (!test(/** @type {Binding} */ ({ run: 0, kind: "network" }))) return;
    clearTimeout(this.again);
    this.scrub.clear();
    Object.assign(this, { shown: undefined, next: undefined, exact: undefined, step: undefined, sought: undefined, fault: undefined, again: undefined });
    for (const part of [this.detail, this.edges, this.tip]) part.hidden = true;
    this.canvas.width = 0; // empties it
    this.canvas.setAttribute("aria-label", this.spec.alt);
    this.note.textContent = "";
    this.sentence.textContent = "";
    this.section.dataset.step = "";
    this.section.dataset.inferenceStep = "";
    this.section.classList.add("pcviz-empty");
    this.request();
  }

  /** @type {(run: number, frame: Frame) => void} */
  feed(run, frame) {
    if (run !== 0 || !("network_steps" in frame.values)) return;
    const at = Number.isFinite(frame.values.asked_at);
    this.next = { shown: shownOf(frame.values), step: frame.step, example: Number(frame.values.network_example), recorded: frame.recorded ?? false, exact: exactOf(frame.values) };
    // What is being watched is not replaced in the middle, unless another example was asked for.
    const first = !this.shown || this.next.example !== this.example;
    const other = first || this.next.recorded !== this.recorded;
    if ((this.scrub.playing || this.again !== undefined) && !other && !at) return;
    this.adopt();
    if (this.live.scrub) this.follow(this.live.scrub.row);
    else if (first ? !still() : this.loops && !this.scrub.playing) this.play();
  }

  play() {
    this.scrub.go(0);
    this.scrub.play();
  }

  /** Whether the next relaxation follows: nobody has paused it or looks at a single step. */
  get loops() { return this.scrub.wanted && !still() && this.moving; }

  /** The child that should have sent a picture has failed.
   *  @type {(state: State) => void} */
  fail(state) {
    super.fail(state);
    this.sought = undefined;
    this.fault = { text: this.note.textContent, at: this.live.timeline?.at };
    this.request();
  }

  adopt() {
    const { next } = this;
    if (!next) return;
    const { row } = this.scrub;
    // One that comes on the way to the example asked for last is not the one.
    const onTheWay = this.sought !== undefined && (this.sought - next.example) * (next.example - this.example) > 0;
    if (next.example !== this.example && !onTheWay) this.sought = undefined;
    clearTimeout(this.again);
    Object.assign(this, { ...next, next: undefined, again: undefined, fault: undefined });
    this.read = Math.min(this.read, next.shown.energy.shape[1]);
    this.scrub.feed({ network_steps: { data: Int32Array.from(next.shown.steps), shape: [next.shown.steps.length] } });
    if (row !== undefined) this.scrub.go(row);
    this.section.classList.remove("pcviz-empty");
    this.fit();
  }

  /** The relaxation has been played to its end. */
  finish() {
    clearTimeout(this.again);
    if (!still()) this.flashed = performance.now();
    this.again = setTimeout(() => this.goOn(), AGAIN_MS);
    this.request();
  }

  /** While the run goes on, the newest relaxation follows, unless somebody has moved in the meantime; what is recorded
   *  goes on to the next example, unless somebody reads this one. */
  goOn() {
    this.again = undefined;
    this.request();
    if (this.scrub.playing) return;
    if (this.live.recording) {
      if (this.scrub.wanted && !this.read && !still()) this.live.recording.next();
      return;
    }
    this.adopt();
    if (this.loops) this.play();
  }

  request() {
    if (!this.drawing && !this.closed) this.drawing = requestAnimationFrame(() => this.draw());
  }

  fit() {
    if (this.shown && this.plot.clientWidth) {
      this.canvas.style.height = `${heightAt(this.plot.clientWidth, this.shown, this.look())}px`;
    }
    this.request();
  }

  /** @returns {Look} */
  look() {
    const css = this.live.data.colours;
    const colours = Object.fromEntries(Object.entries(css).map(([role, hex]) => [role, [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16))]));
    const { present } = this.live.data;
    const full = this.section.classList.contains("pcviz-full") && matchMedia("(min-width: 641px)").matches; // it scrolls
    const enlarged = present || full ? PRESENT : 1;
    const high = present && !full ? (innerHeight - 330) / enlarged : Infinity;
    return {
      enlarged, most: tileWithin(high, this.backprop ? 5 : 4),
      flash: Math.max(0, 1 - (performance.now() - this.flashed) / FLASH_MS), read: this.read,
      change: this.change, backprop: this.backprop, front: this.spec.front, colours, css,
      text: this.live.theme.colour("var(--st-text-color)"), border: this.live.theme.colour("var(--st-border-color)"), font: getComputedStyle(this.section).fontFamily,
    };
  }

  draw() {
    this.drawing = 0;
    const { shown, scrub, spec } = this;
    if (!shown || this.closed || !this.plot.clientWidth) return;
    this.picture ??= new Picture(this.canvas);
    const look = this.look();
    this.picture.draw(shown, scrub.at, look);
    if (look.flash) this.request();
    this.section.dataset.step = String(this.step ?? "");
    this.section.dataset.inferenceStep = String(shown.steps[scrub.at]);
    this.chosen.textContent = `example ${this.example}`;
    const at = this.live.timeline?.at ?? this.step;
    const from = at === this.step ? `After weight step ${this.step}.` : `Computing weight step ${at} …`;
    const fault = this.fault?.at === this.live.timeline?.at ? this.fault?.text : undefined;
    const hurt = shown.hurt.some(Boolean) ? " Marked red above: the layers of the worst finding." : "";
    this.note.textContent = fault ?? (spec.pick ? from : `The first example of the batch.${hurt}`);
    this.section.dataset.source = this.recorded ? "recorded" : "live";
    this.source.textContent = this.recorded ? "recorded" : "live";
    this.sentence.textContent = sentence(shown, scrub.at);
    const { numbers } = this;
    const words = numbers ? detail(numbers, this.unit, scrub.at, shown.steps[scrub.at]) : this.read ? layerWords(shown, this.read, scrub.at) + (this.spec.pick ? " Press Enter for all its numbers." : "") : "";
    this.detail.hidden = !words;
    this.edges.hidden = !numbers?.weights;
    if (numbers?.weights) drawEdges(this.edges, numbers.weights, numbers.layer, this.unit, look.colours);
    this.detail.textContent = words;
    this.canvas.setAttribute("aria-label", `${this.spec.alt} ${this.sentence.textContent}`);
    this.speak(words);
    this.showTip();
  }

  /** Tell screen readers what somebody has moved to: nothing while it plays, nor when only the weights have changed.
   *  @type {(words: string) => void} */
  speak(words) {
    if ((this.live.scrub ?? this.scrub).playing || this.again !== undefined) return;
    const step = `${this.example} ${this.scrub.at}`;
    const reading = `${this.read} ${this.unit} ${this.numbers?.layer}`;
    const { told } = this;
    if (step !== told.step) this.spoken.say(`${this.sentence.textContent} ${words}`);
    else if (reading !== told.reading) this.spoken.say(words);
    this.told = { step, reading };
  }

  /** @type {(place: { x: number, y: number } | undefined) => void} */
  point(place) {
    this.pointed = place;
    this.showTip();
  }

  /** What the cell under the pointer holds, also when the picture moves under it. */
  showTip() {
    const { shown, scrub, pointed } = this;
    const found = pointed && this.under(pointed);
    this.tip.hidden = !found;
    if (!found || !shown) return;
    this.tip.textContent = tip(shown, scrub.at, found.box, found.cell);
    Object.assign(this.tip.style, { left: `${Math.min(pointed.x + 12, this.plot.clientWidth - 230)}px`, top: `${pointed.y + 14}px` });
  }

  close() {
    super.close();
    clearTimeout(this.again);
    cancelAnimationFrame(this.drawing);
    this.observer.disconnect();
    this.scrub.close();
    this.spoken.close();
    this.section.remove();
  }
}
