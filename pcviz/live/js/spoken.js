// Words for screen readers, which read every change of them aloud: not more often than can be listened to.

import { element } from "./page.js";

const SPEAK_MS = 1_000; // least time between two changes

export class Spoken {
  root = element("p", { className: "pcviz-spoken", aria: { live: "polite" } });
  saying = "";
  at = -SPEAK_MS;
  /** @type {number | undefined} */
  timer = undefined;

  /** @type {(text: string) => void} */
  say(text) {
    this.saying = text;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.root.textContent = this.saying;
      this.at = performance.now();
    }, this.at + SPEAK_MS - performance.now());
  }

  close() {
    clearTimeout(this.timer);
    this.root.remove();
  }
}
