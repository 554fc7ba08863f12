// What the page says in words: what happens, the state of the run, and what is wrong.

import { element } from "./page.js";
import { Spoken } from "./spoken.js";
import { fill } from "./text.js";

export class Voice {
  story = element("p", { className: "pcviz-story", hidden: true });
  signs = element("ul", { className: "pcviz-signs", hidden: true, aria: { label: "What is wrong" } });
  status = new Spoken(element("p", { className: "pcviz-status", aria: { role: "status", live: "polite" } }));
  fault = element("p", { className: "pcviz-fault", hidden: true, aria: { role: "alert" } });
  /** Cause -> text.
   *  @type {Record<string, string>} */
  faults = {};
  state = ""; // of the first run

  /** Show a fault, one for each cause; an empty text removes it.
   *  @type {(cause: string, text: string) => void} */
  warn(cause, text) {
    this.faults[cause] = text;
    this.fault.textContent = Object.values(this.faults).filter(Boolean).join(" ");
    this.fault.hidden = !this.fault.textContent;
  }

  /** Say the state of the first run.
   *  @type {(state: State) => void} */
  tell({ state, device, message }) {
    const words = state === "idle" ? "" : state.charAt(0).toUpperCase() + state.slice(1);
    this.state = [device ? `${words} on ${device}` : words, message].filter(Boolean).join(": ");
    this.say();
  }

  /** @type {(text?: string) => void} */
  say(text = this.state) {
    this.status.say(text);
  }

  /** Tell what happens, by the first template whose values are known.
   *  @type {(templates: string[], values: Values) => void} */
  narrate(templates, values) {
    const text = fill(templates, values);
    this.story.hidden = !text;
    if (text && text !== this.story.textContent) this.story.textContent = text;
  }

  /** Tell what is wrong: every template whose values are known.
   *  @type {(templates: string[], values: Values) => void} */
  accuse(templates, values) {
    const texts = templates.map((template) => fill(template, values)).filter((text) => text !== null);
    if (texts.join("\n") === Array.from(this.signs.children, (sign) => sign.textContent).join("\n")) return;
    this.signs.hidden = !texts.length;
    this.signs.replaceChildren(...texts.map((text) => element("li", { textContent: text })));
  }

  close() {
    this.status.close();
  }
}
