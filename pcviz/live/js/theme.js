// The colours of the page's theme, and when it changes.

import { element } from "./page.js";

export class Theme {
  probe = element("span", { className: "pcviz-probe" });
  sheet = element("span", { className: "pcviz-probe pcviz-paper" });
  // The colour of this element changes with the theme, and its transition of 1 ms reports the change.
  watcher = element("span", { className: "pcviz-probe pcviz-theme" });

  /** @param {() => void} changed */
  constructor(changed) { this.watcher.ontransitionend = changed; }

  /** What belongs into the page. */
  get parts() { return [this.probe, this.sheet, this.watcher]; }

  /** The colour that a CSS expression stands for.
   *  @type {(role: string, probe?: HTMLElement) => string} */
  colour(role, probe = this.probe) {
    probe.style.color = role;
    return getComputedStyle(probe).color;
  }

  /** The colour that a CSS expression stands for on white paper.
   *  @type {Colour} */
  paper(role) { return this.colour(role, this.sheet); }
}
