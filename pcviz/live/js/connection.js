// The open stream of events: where it goes on after a break, and what is said while it does not answer.

import { whyNot } from "./why.js";

const RETRY_MS = 2_000;
const FULL_MS = 10_000; // until the next try when the server is full
const SLOW_MS = 10_000; // without an answer, after which the page reports it
const SLOW = "The live stream does not answer yet. A browser opens at most six connections to one server: close other tabs of it. A proxy in between must not buffer live/frames.";
const REFUSED = [400, 403, 404, 414, 431]; // another request would change nothing

export class Connection {
  cursor = ""; // id of the last event
  /** @type {EventSource | undefined} */
  stream = undefined;
  /** @type {number | undefined} */
  slow = undefined;
  /** @type {number | undefined} */
  retry = undefined;

  /** `events` are called with the data of each event, `opened` when the stream answers, `warn` with a fault ("": none),
   *  `say` with the state of the connection, `again` when it should be opened once more.
   *  @param {{ events: Record<string, (data: string) => void>, opened: () => void, warn: (text: string) => void, say: (text: string) => void, again: () => void }} page */
  constructor(page) { this.page = page; }

  get open() { return this.stream !== undefined && this.stream.readyState !== EventSource.CLOSED; }

  /** Open it; `address` is made from the last event that came.
   *  @type {(address: (after: string) => string) => void} */
  begin(address) {
    const { events, opened, warn, say } = this.page;
    const source = address(this.cursor);
    const stream = (this.stream = new EventSource(source));
    this.slow = setTimeout(() => warn(SLOW), SLOW_MS);
    for (const [name, act] of Object.entries(events)) {
      stream.addEventListener(name, (event) => {
        this.cursor = event.lastEventId || this.cursor;
        act(event.data);
      });
    }
    stream.onopen = () => { clearTimeout(this.slow); warn(""); opened(); };
    stream.onerror = () => {
      clearTimeout(this.slow);
      say("Connection lost, trying again …");
      // The browser itself retries a broken connection, but not one that the server refused.
      if (stream === this.stream && stream.readyState === EventSource.CLOSED) this.refused(source);
    };
  }

  /** Say why the stream was refused, and try again unless that would change nothing.
   *  @type {(source: string) => Promise<void>} */
  async refused(source) {
    const { stream, page: { warn, say, again } } = this;
    const { status, text } = await whyNot(source, "text/event-stream");
    if (stream !== this.stream) return;
    warn(text && `No live data. ${text}`);
    if (REFUSED.includes(status)) say("Not connected");
    else this.retry = setTimeout(again, status === 429 ? FULL_MS : RETRY_MS);
  }

  close() {
    clearTimeout(this.slow);
    clearTimeout(this.retry);
    this.stream?.close();
    this.stream = undefined;
  }
}
