// The network view: one example's relaxation, layer by layer, played step by step from a trace that is in the browser.

import { Card, switched } from "./card.js";
import { drawEdges } from "./edges.js";
import { heightAt, tileWithin } from "./layout.js";
import { PRESENT } from "./lengths.js";
import { button, element } from "./page.js";
import { Picture } from "./picture.js";
import { Scrub } from "./scrub.js";
import { FIXED, ROLES, decoded, exactOf, held, label, shownOf } from "./shown.js";
import { digits } from "./text.js";
import { detail, layerWords, sentence } from "./words.js";

/** @typedef {import("./picture.js").Look} Look */
/** @typedef {import("./shown.js").Shown} Shown */
/** @typedef {import("./shown.js").Exact} Exact */

const SPEEDS = [1, 6, 20, 60]; // recorded steps a second
const AGAIN_MS = 1200; // between the end of a relaxation and the next one, while the run goes on
const FLASH_MS = 700;
const MOVING = ["running", "compiling"];

export class NetworkPanel extends Card {
  closed = false;
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
  recorded = false;
  change = true;
  backprop = false;
  read = 0; // the layer that the keys ↑ and ↓ read; 0: none
  flashed = -Infinity; // when the weights took their step
  drawing = 0;
  /** @type {number | undefined} */
  again = undefined;

  /** @param {Live} live
   *  @param {PanelSpec} spec */
  constructor(live, spec) {
    super(live, spec);
    this.section.classList.add("pcviz-network", "pcviz-tall");
    this.canvas = element("canvas", { aria: { role: "img", label: spec.alt } });
    this.tip = element("div", { className: "pcviz-tip", hidden: true });
    this.sentence = element("p", { className: "pcviz-sentence" });
    this.scrub = new Scrub({
      channel: "network_steps", keys: this.section, speeds: SPEEDS, signal: live.signal,
      show: () => this.request(), ended: () => this.finish(),
    });
    this.plot.append(this.canvas, this.tip);
    this.detail = element("p", { className: "pcviz-detail", hidden: true, aria: { live: "polite" } });
    this.edges = element("canvas", { className: "pcviz-edges", hidden: true, aria: { role: "img" } });
    this.plot.after(this.sentence, this.edges, this.detail);
    const change = switched("value", "Show activities and predictions as they are, not how they have changed since step 0", (on) => { this.change = !on; this.request(); });
    const backprop = switched("backprop", "Show beside it what backpropagation sends down for the same example, one layer a step", (on) => { this.backprop = on; this.fit(); });
    this.chosen = element("span");
    const examples = element("span", { className: "pcviz-buttons pcviz-example", aria: { role: "group", label: "Example of the test set" } },
      button("‹", "Previous example", () => this.choose(-1)), this.chosen, button("›", "Next example", () => this.choose(1)));
    this.source = element("span", { className: "pcviz-source", hidden: !live.data.recorded });
    examples.hidden = !spec.pick;
    this.header.append(this.source, examples, element("span", { className: "pcviz-buttons" }, change, backprop, this.info(), this.full()));
    if (!live.data.scrub) this.header.after(this.scrub.root); // the page's slider serves all panels
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("click", (event) => this.inspect(event));
    this.canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.plot);
    this.section.tabIndex = 0;
    this.section.addEventListener("keydown", (event) => this.key(event));
    this.clear();
  }

  get state() { return this.section.dataset.state ?? "idle"; }

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
    this.live.pick({ panel: this.spec.name, x: Math.max(0, this.example + by), y: this.exact?.layer ?? 0 });
  }

  /** Ask the page for all numbers of the layer under the pointer.
   *  @type {(event: MouseEvent) => void} */
  inspect(event) {
    const found = this.under(event);
    if (!found || !this.shown) return;
    this.unit = found.unit;
    const layer = this.shown.columns[2 * found.box.column];
    this.read = layer;
    if (layer === this.exact?.layer) this.request();
    else if (this.spec.pick) this.live.pick({ panel: this.spec.name, x: this.example, y: layer });
  }

  /** ↑ and ↓ read one layer after another, Enter asks for all its numbers.
   *  @type {(event: KeyboardEvent) => void} */
  key(event) {
    if (!this.shown || event.target !== this.section || event.ctrlKey || event.metaKey || event.altKey) return;
    const L = this.shown.energy.shape[1];
    if (event.key === "ArrowUp") this.read = Math.min(L, this.read + 1);
    else if (event.key === "ArrowDown") this.read = Math.max(1, (this.read || L + 1) - 1);
    else if (event.key === "Enter" && this.read && this.spec.pick) this.live.pick({ panel: this.spec.name, x: this.example, y: this.read });
    else return;
    event.preventDefault();
    this.request();
  }

  /** The tile and the cell of it under the pointer.
   *  @type {(event: MouseEvent) => { box: import("./picture.js").Box, unit: number } | undefined} */
  under({ offsetX, offsetY }) {
    const box = this.picture?.at(offsetX, offsetY);
    if (!this.picture || !box || !this.shown || box.column < 0) return undefined;
    const [x, y] = [offsetX, offsetY].map((place) => place / (this.picture?.enlarged ?? 1));
    const side = Math.ceil(Math.sqrt(this.shown.cells));
    const unit = Math.floor(((y - box.y) * side) / box.w) * side + Math.floor(((x - box.x) * side) / box.w);
    return unit < Math.min(this.shown.cells, this.shown.units[box.column]) ? { box, unit } : undefined;
  }

  /** @type {(test?: (binding: Binding) => boolean) => void} */
  clear(test = () => true) {
    if (!test(/** @type {Binding} */ ({ run: 0, kind: "network" }))) return;
    clearTimeout(this.again);
    this.scrub.clear();
    Object.assign(this, { shown: undefined, next: undefined, exact: undefined, step: undefined });
    this.detail.hidden = true;
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
    const at = Number.isFinite(frame.values.shown_at);
    this.next = { shown: shownOf(frame.values), step: frame.step, example: Number(frame.values.network_example), recorded: frame.recorded ?? false, exact: exactOf(frame.values) };
    // What is being watched is not replaced in the middle, unless another example was asked for.
    const other = this.next.example !== this.example || this.next.recorded !== this.recorded;
    if (this.scrub.playing && !other && !at) return;
    const first = !this.shown || other;
    this.adopt();
    if (this.live.scrub) this.follow(this.live.scrub.row);
    else if (first && !matchMedia("(prefers-reduced-motion: reduce)").matches) { this.scrub.go(0); this.scrub.play(); }
  }

  adopt() {
    const { next } = this;
    if (!next) return;
    const { row } = this.scrub;
    Object.assign(this, { ...next, next: undefined });
    this.scrub.feed({ network_steps: { data: Int32Array.from(next.shown.steps), shape: [next.shown.steps.length] } });
    if (row !== undefined) this.scrub.go(row);
    this.section.classList.remove("pcviz-empty");
    this.fit();
  }

  /** The relaxation has been played to its end: while the run goes on, the newest one follows. */
  finish() {
    clearTimeout(this.again);
    this.flashed = performance.now();
    this.request();
    this.again = setTimeout(() => {
      if (this.live.recording) { this.live.recording.next(); return; }
      if (!MOVING.includes(this.state) && !this.next) return;
      this.adopt();
      if (MOVING.includes(this.state)) { this.scrub.go(0); this.scrub.play(); }
    }, AGAIN_MS);
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
    const enlarged = this.live.data.present ? PRESENT : 1;
    const high = this.live.data.present ? (innerHeight - 330) / enlarged : Infinity;
    return {
      enlarged, most: tileWithin(high, this.backprop ? 5 : 4),
      flash: Math.max(0, 1 - (performance.now() - this.flashed) / FLASH_MS), read: this.read,
      change: this.change, backprop: this.backprop, front: this.spec.front, colours, css,
      text: this.live.colour("var(--st-text-color)"), border: this.live.colour("var(--st-border-color)"), font: getComputedStyle(this.section).fontFamily,
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
    this.note.textContent = spec.pick ? from : "The first example of the batch.";
    this.section.dataset.source = this.recorded ? "recorded" : "live";
    this.source.textContent = this.recorded ? "recorded" : "live";
    this.sentence.textContent = sentence(shown, scrub.at);
    const held = this.exact && (!this.read || this.exact.layer === this.read);
    const words = this.exact && held ? detail(this.exact, this.unit, scrub.at, shown.steps[scrub.at]) : this.read ? layerWords(shown, this.read, scrub.at) + (this.spec.pick ? " Press Enter for all its numbers." : "") : "";
    this.detail.hidden = !words;
    this.edges.hidden = !this.exact?.weights || !held;
    if (this.exact?.weights && held) drawEdges(this.edges, this.exact.weights, this.exact.layer, this.unit, look.colours);
    if (words !== this.detail.textContent) this.detail.textContent = words;
    this.canvas.setAttribute("aria-label", `${this.spec.alt} ${this.sentence.textContent}`);
  }

  /** What the tile under the pointer holds there.
   *  @type {(event: PointerEvent) => void} */
  point(event) {
    const { shown, scrub } = this;
    const found = this.under(event);
    this.tip.hidden = !found;
    if (!found || !shown) return;
    const { box, unit } = found;
    const place = box.column * shown.cells + unit;
    const { codes, base } = held(shown, box.role);
    const value = decoded(codes[(FIXED.includes(box.role) ? 0 : scrub.at * shown.count * shown.cells) + place]);
    const name = ROLES.find(([role]) => role === box.role)?.[1];
    const early = box.role === "weights" && scrub.at < scrub.last;
    const number = early ? "after the last inference step" : value === 0 ? "exactly 0" : `≈ ${digits(value, 2)}`;
    const start = base ? `${digits(base[place], 4)} at step 0, changed by ${number}` : number;
    this.tip.textContent = `layer ${label(shown, box.column)}, unit ${unit + 1}: ${name} ${start}`;
    Object.assign(this.tip.style, { left: `${Math.min(event.offsetX + 12, this.plot.clientWidth - 230)}px`, top: `${event.offsetY + 14}px` });
  }

  close() {
    this.closed = true;
    clearTimeout(this.again);
    cancelAnimationFrame(this.drawing);
    this.observer.disconnect();
    this.scrub.close();
    this.section.remove();
  }
}
