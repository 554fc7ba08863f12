// What all panels share: title, note, buttons, help, the text before there is anything to show, and full size.

import { button, element, keepingFocus } from "./page.js";
import { longest } from "./text.js";

const [HELP, FULL] = ["How to read this panel", "Full size"];
const ENDED = ["done", "diverged", "failed", "cancelled"];
const MOVING = ["queued", "compiling", "running"];

/** A button that stays pressed.
 *  @type {(text: string, label: string, act: (on: boolean) => void) => HTMLButtonElement} */
export function switched(text, label, act) {
  const made = button(text, label, () => {
    const on = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", String(on));
    act(on);
  });
  made.setAttribute("aria-pressed", "false");
  return made;
}

export class Card {
  closed = false;
  abort = new AbortController();
  signal = this.abort.signal;
  offered = "[]"; // the controls in the header, as text
  held = false; // a pointer is down on the plot
  /** `live` gives colours, run ids, history and the number of panels; `spec` is Panel.for_client() of Python.
   *  @param {Live} live
   *  @param {PanelSpec} spec */
  constructor(live, spec) {
    this.live = live;
    this.spec = spec;
    this.note = element("span");
    const note = element("span", { className: "pcviz-note", data: spec.note ? { room: longest(spec.note) } : {} }, this.note);
    this.help = element("p", { className: "pcviz-help", textContent: spec.help, hidden: true });
    this.plot = /** @type {Plot} */ (element("div", { className: "pcviz-plot" }));
    this.waiting = element("p", { className: "pcviz-waiting", textContent: spec.idle });
    this.asked = element("span", { className: "pcviz-choices" });
    this.header = element("header", {}, element("h3", { textContent: spec.title }), note, this.asked, this.help);
    this.section = element(
      "section",
      { className: `pcviz-panel pcviz-empty${spec.absent ? " pcviz-absent" : ""}${spec.bare ? " pcviz-bare" : ""}`, data: { panel: spec.name, state: "idle", step: "" }, aria: { role: "figure", label: spec.alt } },
      this.header, this.plot, this.waiting,
    );
    window.addEventListener("keydown", (event) => { if (event.key === "Escape") this.escape(); }, { signal: this.signal });
  }

  /** Controls by which the page makes another figure or computes something else.
   *  @type {(choices: Choice[]) => void} */
  offer(choices) {
    const text = JSON.stringify(choices);
    if (text === this.offered) return;
    this.offered = text;
    const made = choices.map(({ key, label, help, value, options, disabled }) => {
      /** @type {(value: unknown) => void} */
      const choose = (value) => this.live.choose({ key, value });
      if (!options) {
        const made = switched(label, help, choose);
        made.setAttribute("aria-pressed", String(value));
        return Object.assign(made, { disabled });
      }
      const list = element("select", { disabled, aria: { label } },
        ...options.map(([, text], i) => element("option", { value: String(i), textContent: text })));
      list.value = String(options.findIndex(([held]) => held === value));
      list.onchange = () => choose(options[Number(list.value)][0]);
      return element("label", { title: help }, label, list);
    });
    keepingFocus(this.asked, this.asked, () => this.asked.replaceChildren(...made));
  }

  /** Take the place of a panel of the same name, with its size, its switches and the focus.
   *  @type {(old: Card) => void} */
  succeed(old) {
    const pressed = new Set(old.pressed.map((one) => one.title));
    keepingFocus(old.section, this.section, () => {
      old.section.before(this.section);
      for (const one of this.switches) if (pressed.has(one.title)) one.click();
    });
  }

  /** Buttons of the header that stay pressed. */
  get switches() {
    return Array.from(/** @type {NodeListOf<HTMLElement>} */ (this.header.querySelectorAll(".pcviz-buttons [aria-pressed]")));
  }

  get pressed() { return this.switches.filter((one) => one.getAttribute("aria-pressed") === "true"); }

  /** The child of the run that this panel waits for has failed.
   *  @type {(state: State) => void} */
  fail({ state, message }) { this.note.textContent = this.waiting.textContent = message || state; }

  /** The timeline has moved. */
  travel() {}

  /** Whether the run goes on by itself. */
  get moving() { return this.section.dataset.moving === "true"; }

  /** Know when a pointer is down on the plot; `again` is called after what a click did.
   *  @type {(again: () => void) => void} */
  hold(again) {
    this.plot.addEventListener("pointerdown", () => (this.held = true));
    const release = () => { this.held = false; again(); };
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => setTimeout(release), { signal: this.signal });
  }

  /** How to read the panel. */
  info() {
    return switched("i", HELP, (on) => (this.help.hidden = !on));
  }

  full() {
    return switched("⤢", FULL, (on) => this.section.classList.toggle("pcviz-full", on));
  }

  /** Close the help; if it is closed, leave full size. */
  escape() {
    const open = [HELP, FULL].map((label) => this.pressed.find((one) => one.title === label));
    open.find(Boolean)?.click();
  }

  /** Show the state of the run at once, even if drawing is behind; `follows`: what a child finds comes after its end.
   *  @type {(state: string, follows?: boolean) => void} */
  tell(state, follows = false) {
    Object.assign(this.section.dataset, { state, moving: MOVING.includes(state) });
    const { absent, idle, waiting, ended } = this.spec;
    this.waiting.textContent = absent ?? (ENDED.includes(state) && !follows ? ended : state === "idle" ? idle : waiting);
  }

  /** What panels do at their end, each with its own. */
  close() {
    this.closed = true;
    this.abort.abort();
  }
}
