// What all panels share: title, note, buttons, help, the text before there is anything to show, and full size.

import { button, element } from "./page.js";
import { longest } from "./text.js";

const ENDED = ["done", "diverged", "failed", "cancelled"];

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
  offered = "[]"; // the controls in the header, as text
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
    this.header = element("header", {}, element("h3", { textContent: spec.title }), note, this.asked);
    this.section = element(
      "section",
      { className: `pcviz-panel pcviz-empty${spec.absent ? " pcviz-absent" : ""}${spec.bare ? " pcviz-bare" : ""}`, data: { panel: spec.name, state: "idle", step: "" }, aria: { role: "figure", label: spec.alt } },
      this.header, this.help, this.plot, this.waiting,
    );
  }

  /** Controls by which the page makes another figure or computes something else.
   *  @type {(choices: Choice[]) => void} */
  offer(choices) {
    const text = JSON.stringify(choices);
    if (text === this.offered) return;
    this.offered = text;
    this.asked.replaceChildren(...choices.map(({ key, label, help, value, options, disabled }) => {
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
    }));
  }

  /** The child of the run that this panel waits for has failed or was cancelled.
   *  @type {(state: State) => void} */
  fail({ state, message }) { this.note.textContent = message || state; }

  /** The timeline has moved. */
  travel() {}

  /** How to read the panel. */
  info() {
    return switched("i", "How to read this panel", (on) => (this.help.hidden = !on));
  }

  /** Full size, which Escape leaves. */
  full() {
    const full = switched("⤢", "Full size", (on) => this.section.classList.toggle("pcviz-full", on));
    /** @type {(event: KeyboardEvent) => void} */
    const leave = (event) => { if (event.key === "Escape" && full.getAttribute("aria-pressed") === "true") full.click(); };
    window.addEventListener("keydown", leave, { signal: this.live.signal });
    return full;
  }

  /** Show the state of the run at once, even if drawing is behind.
   *  @type {(state: string) => void} */
  tell(state) {
    this.section.dataset.state = state;
    const { absent, idle, waiting, ended } = this.spec;
    this.waiting.textContent = absent ?? (ENDED.includes(state) ? ended : state === "idle" ? idle : waiting);
  }
}
