// A slider over recorded rows, of a relaxation or a training, with play, single steps and speed.

import { button, element } from "./page.js";
import { list } from "./values.js";

const INPUTS = "input:not([type=range]), textarea, select, button, [contenteditable=true], [role=combobox], [role=dialog] *";

const RELAXATION = { one: "inference step", all: "the relaxation" };

export class Scrub {
  /** The step of each row.
   *  @type {ArrayLike<number>} */
  steps = [];
  /** The last row that can be played so far. */
  most = Infinity;
  playing = false;
  ticking = 0;

  /** `channel` says which step each row is. `show` is given the row (undefined: the last, also when more
   *  arrive), `ended` is called when it has played to the end; `keys` is where it listens for keys, and `speeds` are
   *  in rows a second, of which the second is chosen. `words` say what a row is, `told` says which one is shown.
   *  @param {{ channel: string, show: (row: number | undefined) => void, ended?: () => void, keys?: Document | Element, speeds?: number[], words?: { one: string, all: string }, told?: () => string, signal: AbortSignal }} options */
  constructor({ channel, show, ended = () => {}, keys = document, speeds = [5, 15, 60], words = RELAXATION, told, signal }) {
    const { one, all } = words;
    const name = one.charAt(0).toUpperCase() + one.slice(1);
    this.channel = channel;
    this.moved = show;
    this.ended = ended;
    this.text = told ?? (() => (this.steps.length ? `t = ${this.steps[this.at]} of ${this.steps[this.last]}` : "t"));
    this.slider = element("input", { type: "range", min: "0", max: "0", aria: { label: name } });
    this.slider.oninput = () => { this.pause(); this.go(Number(this.slider.value)); };
    this.told = element("span", { className: "pcviz-told" });
    this.player = button("▶", `Play ${all} (Space)`, () => (this.playing ? this.pause() : this.play()));
    this.player.dataset.act = "play";
    this.buttons = [
      button("|◀", `First ${one}`, () => { this.pause(); this.go(0); }),
      button("◁", `One ${one} back (←)`, () => this.step(-1)),
      this.player,
      button("▷", `One ${one} forward (→)`, () => this.step(1)),
      button("▶|", `Last ${one}`, () => { this.pause(); this.go(Infinity); }),
    ];
    for (const end of [this.buttons[0], this.buttons[4]]) end.dataset.act = "end";
    this.speed = element("select", { title: "Speed", aria: { label: "Speed" } },
      ...speeds.map((rows) => element("option", { value: String(rows), textContent: `${rows} / s`, selected: rows === speeds[1] })));
    const row = element("span", { className: "pcviz-buttons" }, ...this.buttons);
    this.root = element("div", { className: "pcviz-transport", aria: { role: "group", label: `${name} shown` } },
      element("span", { className: "pcviz-what", textContent: name }), row, this.slider, this.told, this.speed);
    keys.addEventListener("keydown", (event) => this.key(/** @type {KeyboardEvent} */ (event)), { signal });
    this.clear();
  }

  clear() {
    this.pause();
    this.steps = [];
    /** The row shown; undefined: the last, also when more rows arrive.
     *  @type {number | undefined} */
    this.row = undefined;
    this.tell();
  }

  /** A frame may add rows; at its right end the slider follows the last one.
   *  @type {(values: Values) => void} */
  feed(values) {
    if (this.channel in values) this.take(list(values[this.channel]));
  }

  /** The steps of all rows; where it is stays.
   *  @type {(steps: ArrayLike<number>) => void} */
  take(steps) {
    this.steps = steps;
    this.tell();
  }

  get last() { return Math.max(0, this.steps.length - 1); }

  get at() { return Math.min(this.row ?? Infinity, this.last); }

  tell() {
    const none = !this.steps.length;
    Object.assign(this.slider, { max: this.last, value: this.at, disabled: none });
    for (const made of this.buttons) made.disabled = none;
    this.told.textContent = this.text();
    this.slider.setAttribute("aria-valuetext", this.told.textContent);
  }

  /** @type {(row: number) => void} */
  go(row) {
    this.row = row >= this.last ? undefined : Math.max(0, row);
    this.tell();
    this.moved(this.row);
  }

  /** @type {(by: number) => void} */
  step(by) {
    this.pause();
    this.go(this.at + by);
  }

  play() {
    if (!this.steps.length) return;
    if (this.at === this.last) this.go(0);
    this.playing = true;
    this.show();
    let [begun, from] = [performance.now(), this.at];
    let rate = Number(this.speed.value);
    const tick = (/** @type {number} */ now) => {
      if (!this.playing) return;
      if (Number(this.speed.value) !== rate) [begun, from, rate] = [now, this.at, Number(this.speed.value)];
      const row = Math.min(this.most, from + Math.floor(((now - begun) / 1000) * rate));
      if (row >= this.most) [begun, from] = [now, Math.max(row, this.at)]; // it waits here
      if (row > this.at) this.go(row);
      if (this.at === this.last) { this.pause(); this.ended(); }
      else this.ticking = requestAnimationFrame(tick);
    };
    this.ticking = requestAnimationFrame(tick);
  }

  pause() {
    cancelAnimationFrame(this.ticking);
    this.playing = false;
    this.show();
  }

  show() {
    this.player.textContent = this.playing ? "❚❚" : "▶";
    this.player.setAttribute("aria-pressed", String(this.playing));
  }

  /** Space plays and pauses, arrows step, only while no input has the focus.
   *  @type {(event: KeyboardEvent) => void} */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const on = event.target instanceof Element ? event.target : this.root;
    if (on.matches(INPUTS) && !this.root.contains(on)) return;
    const act = { " ": () => (this.playing ? this.pause() : this.play()), ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1) }[event.key];
    const own = on === this.speed || (event.key === " " && on.matches("button"));
    if (!act || own) return;
    event.preventDefault();
    act();
  }

  close() {
    this.pause();
    this.root.remove();
  }
}
