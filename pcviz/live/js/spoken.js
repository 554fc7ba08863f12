// Words that screen readers read aloud whenever they change: not more often than can be listened to.

const SPEAK_MS = 1_000; // least time between two changes

export class Spoken {
  saying = "";
  at = -SPEAK_MS;
  /** @type {number | undefined} */
  timer = undefined;

  /** @param {HTMLElement} root that has the words */
  constructor(root) { this.root = root; }

  /** @type {(text: string) => void} */
  say(text) {
    this.saying = text;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.root.textContent === this.saying) return;
      this.root.textContent = this.saying;
      this.at = performance.now();
    }, this.at + SPEAK_MS - performance.now());
  }

  close() {
    clearTimeout(this.timer);
    this.root.remove();
  }
}
