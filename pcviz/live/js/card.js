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
    this.header = element("header", {}, element("h3", { textContent: spec.title }), note);
    this.section = element(
      "section",
      { className: `pcviz-panel pcviz-empty${spec.absent ? " pcviz-absent" : ""}${spec.bare ? " pcviz-bare" : ""}`, data: { panel: spec.name, state: "idle", step: "" }, aria: { role: "figure", label: spec.alt } },
      this.header, this.help, this.plot, this.waiting,
    );
  }

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
