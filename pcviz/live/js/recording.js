// What the engine computed before (python -m recordings), replayed until a run of the page shows the same live.

import { unpacked } from "./values.js";

export class Recording {
  /** @type {Frame[]} */
  frames = [];
  /** Which of the frames of kind "network" is shown.
   *  @type {number} */
  at = 0;

  /** `feed` gets each frame that is to be shown.
   *  @param {string} address
   *  @param {(frame: Frame) => void} feed */
  constructor(address, feed) {
    this.feed = feed;
    this.loaded = this.load(address);
  }

  /** @type {(address: string) => Promise<void>} */
  async load(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    /** @type {Frame<Packed>[]} */
    const packed = await answer.json();
    const frames = packed.map((frame) => ({ ...unpacked(frame), recorded: true }));
    this.frames = frames.filter(({ kind }) => kind === "network");
    for (const frame of frames) if (frame.kind !== "network") this.feed(frame);
    if (this.frames.length) this.feed(this.frames[0]);
  }

  /** Show the next one; after the last the first again. */
  next() {
    this.at = (this.at + 1) % this.frames.length;
    this.feed(this.frames[this.at]);
  }
}
