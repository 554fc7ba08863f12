// The network view: one example's relaxation, layer by layer, played step by step from a trace that is in the browser.

import { Card, switched } from "./card.js";
import { PRESENT } from "./lengths.js";
import { button, element } from "./page.js";
import { FIXED, ROLES, Picture, classOf, decoded, frontOf, held, label, magnitude, shownOf } from "./picture.js";
import { Scrub } from "./scrub.js";
import { digits } from "./text.js";
import { array } from "./values.js";

/** @typedef {import("./picture.js").Look} Look */
/** @typedef {import("./picture.js").Shown} Shown */
/** @typedef {{ layer: number, activity: Tensor, prediction: Tensor, error: Tensor, gradient: Numbers, weights?: Tensor }} Exact */

const SPEEDS = [1, 6, 20, 60]; // recorded steps a second
const AGAIN_MS = 1200; // between the end of a relaxation and the next one, while the run goes on
const FLASH_MS = 700;

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
      if (!this.moving && !this.next) return;
      this.adopt();
      if (this.moving) { this.scrub.go(0); this.scrub.play(); }
    }, AGAIN_MS);
  }

  request() {
    if (!this.drawing && !this.closed) this.drawing = requestAnimationFrame(() => this.draw());
  }

  fit() {
    if (this.shown && this.plot.clientWidth) {
      this.canvas.style.height = `${Picture.height(this.plot.clientWidth, this.shown, this.look())}px`;
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
      enlarged, most: Picture.tile(high, this.backprop ? 5 : 4),
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
    this.note.textContent = spec.pick ? from : "The first example of the batch.";
    this.section.dataset.source = this.recorded ? "recorded" : "live";
    this.source.textContent = this.recorded ? "recorded" : "live";
    this.sentence.textContent = sentence(shown, scrub.at);
    const held = this.exact && (!this.read || this.exact.layer === this.read);
    const words = this.exact && held ? detail(this.exact, this.unit, scrub.at, shown.steps[scrub.at]) : this.read ? layerWords(shown, this.read, scrub.at) + (this.spec.pick ? " Press Enter for all its numbers." : "") : "";
    this.detail.hidden = !words;
    this.edges.hidden = !this.exact?.weights || !held;
    if (this.exact?.weights && held) this.drawEdges(this.exact.layer, this.exact.weights, look);
    if (words !== this.detail.textContent) this.detail.textContent = words;
    this.canvas.setAttribute("aria-label", `${this.spec.alt} ${this.sentence.textContent}`);
  }

  /** The weights into the unit that is read, one for each unit below: blue is negative, vermillion positive.
   *  @type {(layer: number, weights: Tensor, look: Look) => void} */
  drawEdges(layer, { data, shape: [units, below] }, { colours }) {
    const unit = Math.min(this.unit, units - 1);
    const row = data.subarray(unit * below, (unit + 1) * below);
    const side = Math.ceil(Math.sqrt(below));
    const most = Math.max(...Array.from(row, Math.abs)) || 1;
    Object.assign(this.edges, { width: side, height: side });
    const image = new ImageData(side, side);
    row.forEach((w, i) => image.data.set([...(w < 0 ? colours.error : colours.weights), 255 * Math.abs(w) / most], 4 * i));
    /** @type {CanvasRenderingContext2D} */ (this.edges.getContext("2d")).putImageData(image, 0, 0);
    this.edges.title = `Weights into unit ${unit + 1} of layer ${layer}, one for each of the ${below} ${layer > 1 ? "units" : "inputs"} below: blue is negative, vermillion positive, the strongest ±${digits(most, 2)}.`;
    this.edges.setAttribute("aria-label", this.edges.title);
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
    super.close();
    clearTimeout(this.again);
    cancelAnimationFrame(this.drawing);
    this.observer.disconnect();
    this.scrub.close();
    this.section.remove();
  }
}

/** The numbers of one layer that a frame has, if it has any.
 *  @type {(values: Values) => Exact | undefined} */
function exactOf(values) {
  if (!("layer_number" in values)) return undefined;
  const channel = (/** @type {string} */ name) => array(values[`layer_${name}`]);
  return {
    layer: Number(values.layer_number), activity: channel("activity"), prediction: channel("prediction"),
    error: channel("error"), gradient: channel("gradient").data,
    weights: "layer_weights" in values ? channel("weights") : undefined,
  };
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
