// A slider over recorded rows, of a relaxation or a training, with play, single steps and speed.

import { button, element } from "./page.js";
import { list } from "./values.js";

// What takes keys itself: all of them (pcviz/ui/keys.js has the same list), Space, or arrows.
const INPUTS = "input, textarea, select, [contenteditable=true], [role=combobox], [role=listbox], [role=dialog] *";
const PRESSED = "button, summary, a[href]";
const STEERED = "[role=radio], [role=tab], [role=slider], [role=menuitem]";
const LONGEST_MS = 250; // between two pictures, as far as it counts: a hidden tab gets none, and stands still

const RELAXATION = { one: "inference step", all: "the relaxation" };

export class Scrub {
  /** The step of each row.
   *  @type {ArrayLike<number>} */
  steps = [];
  /** The last row that can be played so far. */
  most = Infinity;
  playing = false;
  /** Whether somebody wants it to play: until it is paused or moved by hand. */
  wanted = false;
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
    this.slider.oninput = () => this.move(Number(this.slider.value));
    this.told = element("span", { className: "pcviz-told" });
    this.player = button("▶", `Play ${all} (Space)`, () => this.toggle());
    this.player.dataset.act = "play";
    this.buttons = [
      button("|◀", `First ${one}`, () => this.move(0)),
      button("◁", `One ${one} back (←)`, () => this.move(this.at - 1)),
      this.player,
      button("▷", `One ${one} forward (→)`, () => this.move(this.at + 1)),
      button("▶|", `Last ${one}`, () => this.move(Infinity)),
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
    this.wanted = false;
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

  /** By hand.
   *  @type {(row: number) => void} */
  move(row) {
    this.wanted = false;
    this.pause();
    this.go(row);
  }

  toggle() {
    if (!this.playing) { this.play(); return; }
    this.wanted = false;
    this.pause();
  }

  play() {
    if (!this.steps.length) return;
    this.pause();
    if (this.at === this.last) this.go(0);
    this.playing = this.wanted = true;
    this.show();
    let [then, due] = [performance.now(), 0]; // rows that are due, in part
    const tick = (/** @type {number} */ now) => {
      if (!this.playing) return;
      due += (Math.max(0, Math.min(LONGEST_MS, now - then)) / 1000) * Number(this.speed.value);
      then = now;
      const row = Math.min(this.most, this.at + Math.floor(due));
      due = row < this.most ? due % 1 : 0; // at the last that there is so far it waits
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

  /** Space plays and pauses, arrows step, unless what has the focus takes the key.
   *  @type {(event: KeyboardEvent) => void} */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
    const act = { " ": () => this.toggle(), ArrowLeft: () => this.move(this.at - 1), ArrowRight: () => this.move(this.at + 1) }[event.key];
    const on = event.target instanceof Element ? event.target : this.root;
    const taken = on !== this.slider && on.matches(`${INPUTS}, ${event.key === " " ? PRESSED : STEERED}`);
    if (!act || taken) return;
    event.preventDefault();
    if (event.key !== " " || !event.repeat) act();
  }

  close() {
    this.pause();
    this.root.remove();
  }
}
