// Live panels: draws figures that Python made, fed by server-sent frames through the bindings in each trace's `meta`
// (pcviz/figures/bindings.py), under a row of metrics and a status line. It knows no channel, layer or colour by name.

import { Connection } from "./connection.js";
import { ExamplesPanel } from "./examples.js";
import { Known } from "./known.js";
import { Metrics } from "./metrics.js";
import { NetworkPanel } from "./network.js";
import { element, loadPlotly } from "./page.js";
import { Panel } from "./panel.js";
import { Recording } from "./recording.js";
import { Scrub } from "./scrub.js";
import { Theme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { unpacked } from "./values.js";
import { Voice } from "./voice.js";

const KEEP_MS = 30_000; // a hidden tab closes its stream and renews the run's lease this often
const AGAIN_MS = 3_000; // until another touch asks the page again
const ACTING = [" ", "Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]; // keys that do something in a panel
/** Which class draws a view. */
const VIEWS = { plot: Panel, network: NetworkPanel, examples: ExamplesPanel };
/** @type {WeakMap<Element, Live>} */
const mounted = new WeakMap();

/** The URL of `name` on the server: in the folder of this script, whatever prefix a proxy adds.
 *  @type {(name: string, query: Record<string, string>) => string} */
const address = (name, query) => new URL(`${name}?${new URLSearchParams(query)}`, import.meta.url).href;

/** Draw `data` (see panels.py) into `parent`, or update what is there. Returns the clean-up function.
 *  @type {(parent: Element, data: Payload, tell?: Tell) => () => void} */
export function mount(parent, data, tell) {
  const live = mounted.get(parent) ?? new Live(parent, data);
  mounted.set(parent, live);
  live.report = tell;
  live.update(data);
  return () => { mounted.get(parent)?.close(); mounted.delete(parent); };
}

export class Live {
  abort = new AbortController();
  signal = this.abort.signal;
  /** @type {(Panel | NetworkPanel | ExamplesPanel)[]} */
  panels = [];
  /** @type {Scrub | null} */
  scrub = null;
  /** @type {Timeline | null} */
  timeline = null;
  /** What is replayed until a run shows the same live.
   *  @type {Recording | undefined} */
  recording = undefined;
  /** Tells the page what somebody wants.
   *  @type {Tell | undefined} */
  report = undefined;
  touched = -Infinity; // when the page was told that somebody had touched a panel
  ended = false; // the stream has ended, or the page is left
  linking = false;
  /** @type {number | undefined} */
  keeper = undefined;

  // The latest payload without keep tokens and nonce, and these, as text.
  text = "";
  tokens = "";

  /** @param {Element} parent
   *  @param {Payload} data */
  constructor(parent, data) {
    this.data = data;
    this.theme = new Theme(() => this.panels.forEach((panel) => { panel.paint(); panel.request(); }));
    this.metrics = new Metrics(this.signal);
    this.voice = new Voice();
    this.known = this.begin();
    this.grid = element("div", { className: "pcviz-grid" });
    const { story, signs, status: { root: status }, fault } = this.voice;
    this.root = element("div", { className: "pcviz-live" }, ...this.theme.parts, story, signs, ...this.metrics.parts, status, fault, this.grid);
    parent.append(this.root);
    document.addEventListener("visibilitychange", () => this.follow(), { signal: this.signal });
    for (const kind of ["click", "keydown", "input"]) this.grid.addEventListener(kind, (event) => this.touch(event), { signal: this.signal });
  }

  get plots() { return this.panels.filter((panel) => panel instanceof Panel); }

  // ---- what the page is told

  /** @type {(point: Point) => void} */
  pick(point) {
    this.touched = performance.now();
    this.report?.("picked", point);
  }

  /** @type {(choice: { key: string, value: unknown }) => void} */
  choose(choice) { this.report?.("chosen", choice); }

  /** @type {(wanted: Wanted) => void} */
  ask(wanted) { this.report?.("replay", wanted); }

  // ---- what is shown

  /** New runs, panels or metrics. A panel whose figure stays keeps its nodes, zoom and legend choices.
   *  @type {(data: Payload) => void} */
  update(data) {
    const { keep, nonce, timeline, ...drawn } = data;
    const [text, tokens] = [JSON.stringify({ ...drawn, timeline: !!timeline }), JSON.stringify([keep, nonce])];
    const kept = tokens === this.tokens;
    this.tokens = tokens;
    this.data = data;
    if (text !== this.text) this.build(data);
    else if (!kept) {
      this.connection.close(); // the stream continues where it was, renews other runs, and brings new children of ended ones
      this.ended = false;
      this.follow();
    }
    this.text = text;
    if (timeline) this.timeline?.heed(timeline.at);
  }

  /** @type {(data: Payload) => void} */
  build(data) {
    this.root.classList.toggle("pcviz-present", data.present);
    for (const [role, colour] of Object.entries(data.colours)) this.root.style.setProperty(`--pcviz-${role}`, colour);
    if (!data.scrub || this.scrub?.channel !== data.scrub.channel) {
      this.scrub?.close();
      /** @type {(row: number | undefined) => void} */
      const show = (row) => this.panels.forEach((panel) => panel.follow(row));
      this.scrub = data.scrub && new Scrub({ ...data.scrub, show, signal: this.signal });
      if (this.scrub) this.grid.before(this.scrub.root);
    }
    if (!!data.timeline !== !!this.timeline) {
      this.timeline?.close();
      this.timeline = data.timeline ? new Timeline(this) : null;
      if (this.timeline) this.grid.before(this.timeline.root);
    }
    const old = new Map(this.panels.map((panel) => [JSON.stringify(panel.spec), panel]));
    this.panels = data.panels.map((spec) => {
      const kept = old.get(JSON.stringify(spec));
      old.delete(JSON.stringify(spec));
      if (!this.recording) kept?.clear(); // else it goes on until the run has something to show
      return kept ?? new VIEWS[spec.view](this, spec);
    });
    this.panels.forEach((panel) => panel.offer(data.choices[panel.spec.name] ?? []));
    for (const panel of old.values()) {
      this.panels.find(({ spec }) => spec.name === panel.spec.name)?.succeed(panel);
      panel.close();
    }
    this.panels.forEach(({ section }, i) => {
      const there = this.grid.querySelectorAll("[data-panel]")[i]; // those that leave have no name any more
      if (there !== section) this.grid.insertBefore(section, there ?? null);
    });
    this.start();
    this.drawPlots();
  }

  /** Load plotly.js, which is large, where a panel needs it. */
  async drawPlots() {
    const { plots } = this;
    if (!plots.length) return;
    try {
      const Plotly = await loadPlotly(address("plotly.js", { v: this.data.plotly }));
      this.voice.warn("plotly", "");
      await Promise.all(plots.map((panel) => (panel.started ??= panel.start(Plotly))));
    } catch (error) {
      this.voice.warn("plotly", `The panels cannot be drawn. ${/** @type {Error} */ (error).message}`);
    }
  }

  /** A touch of what is recorded asks the page for a run that shows it live; if none comes, so does a later one.
   *  @type {(event: Event) => void} */
  touch(event) {
    if (!event.isTrusted || !this.recording || this.data.runs.length || performance.now() < this.touched + AGAIN_MS) return;
    if (event instanceof KeyboardEvent && !ACTING.includes(event.key)) return;
    const { network_example: x = 0 } = this.recording.frames[this.recording.at]?.values ?? {};
    this.pick({ panel: "network", x, y: 0 });
  }

  /** Replay what is recorded while there is no run. */
  replay() {
    const { recorded, runs } = this.data;
    if (!recorded || runs.length || this.recording) return;
    this.touched = -Infinity;
    const recording = new Recording(address(`recorded/${recorded}.json`, {}), (frame) => {
      if (this.recording === recording) this.panels.forEach((panel) => panel.feed(0, frame));
    });
    this.recording = recording;
    recording.loaded.catch((error) => {
      if (this.recording !== recording) return;
      this.recording = undefined;
      this.voice.warn("recording", `The recording cannot be shown. ${error.message}`);
    });
  }

  /** Nothing is known of the page's runs yet. */
  begin() {
    return new Known(this.data.runs, (index, kind) => {
      this.panels.forEach((panel) => panel.clear((binding) => binding.run === index && (!kind || binding.kind === kind)));
      if (index === 0 && !kind) this.timeline?.clear();
    });
  }

  /** Start again with the first frame of the page's runs. */
  start() {
    this.known = this.begin();
    this.ended = false;
    this.connection.cursor = "";
    this.metrics.build(this.data.metrics);
    this.scrub?.clear();
    this.timeline?.begin(this.data.runs[0]);
    for (const cause of ["stream", "store", "recording"]) this.voice.warn(cause, "");
    this.tell({ state: "idle" });
    this.connection.close();
    this.replay();
    this.follow();
  }

  // ---- the stream

  /** @type {Record<string, (data: string) => void>} */
  events = {
    frame: (data) => this.frame(JSON.parse(data)),
    state: (data) => this.state(JSON.parse(data)),
    fault: (data) => this.voice.warn("store", JSON.parse(data).message),
    end: () => { this.ended = true; this.follow(); },
  };
  connection = new Connection({
    events: this.events,
    opened: () => { this.voice.warn("store", ""); this.voice.say(); },
    warn: (text) => this.voice.warn("stream", text),
    say: (text) => this.voice.say(text),
    again: () => this.follow(),
  });

  /** Open the stream while the tab is visible. While it is hidden, or when the stream has ended, renew from time to time
   *  the runs that this browser may steer. */
  follow() {
    clearInterval(this.keeper);
    const { runs, keep } = this.data;
    /** @type {(wanted: string[]) => Record<string, string>} */
    const query = (wanted) => ({ runs: wanted.join(), keep: wanted.map((run) => keep[run] ?? "").join() });
    if (!runs.length) return;
    if (document.hidden || this.ended) {
      this.connection.close();
      const kept = runs.filter((run) => keep[run]);
      const renew = () => fetch(address("keep", query(kept)), { method: "POST" }).catch(() => {});
      if (kept.length) this.keeper = setInterval(renew, KEEP_MS);
    } else if (!this.connection.open) {
      this.connection.begin((after) => address("frames", { ...query(runs), after }));
    }
  }

  /** @type {(packed: Frame<Packed>) => void} */
  frame(packed) {
    const index = this.known.placeNew(packed);
    if (index < 0) return;
    const frame = unpacked(packed);
    const { run, kind, values } = frame;
    if (kind === "replay") { if (index === 0) this.timeline?.feed(frame); return; }
    if ("network_steps" in values) this.recording = undefined;
    if (index === 0) this.scrub?.feed(values);
    if (index === 0 && "asked_at" in values) {
      const at = Number.isFinite(values.asked_at) ? Number(values.asked_at) : undefined;
      if (at === undefined) this.known.followers[kind] = frame;
      if (!(this.timeline?.admits(at) ?? at === undefined)) return;
    }
    const past = this.timeline?.past && run === this.data.runs[0];
    this.panels.forEach((panel) => panel.feed(index, frame, past ? "append" : undefined));
    this.known.remember(frame, this.panels.map(({ spec }) => spec));
    if (run !== this.data.runs[0]) return;
    Object.assign(this.known.values, values);
    this.timeline?.follow(values);
    this.showMetrics();
  }

  // ---- state, metrics, status line

  /** @type {(state: RunState) => void} */
  state(state) {
    if (this.known.place(state) !== 0) return;
    if (state.run === this.data.runs[0]) {
      Object.assign(this.known.values, { step: state.step, steps: state.steps, paused: state.state === "paused" ? 1 : NaN });
      this.showMetrics();
      this.tell(state);
    } else if (state.kind === "replay") {
      this.timeline?.tell(state);
    } else if (state.state === "failed") {
      // The panel that waits for a child reports its failure; one that was cancelled has been replaced.
      for (const panel of this.panels) if (panel.isOf(state.kind)) panel.fail(state);
    }
  }

  /** @type {(state: State & Partial<RunState>) => void} */
  tell(state) {
    const { kind, step = 0 } = state;
    this.root.dataset.state = state.state;
    this.narrate();
    const lasts = ["done", "diverged"].includes(state.state) && step > 0 && kind !== undefined; // children work on its last weights
    for (const panel of this.panels) panel.tell(state.state, lasts && !panel.isOf(kind));
    this.voice.tell(state);
  }

  /** What happens, in a sentence for the state of the run. */
  narrate() {
    const state = this.timeline?.past ? "past" : (this.root.dataset.state ?? "idle");
    this.voice.narrate(this.data.story[state] ?? [], this.current);
    this.voice.accuse(state === "idle" ? [] : (this.data.signs ?? []), this.current);
  }

  /** The values that metrics and sentence tell: the latest, or those of the timeline's step. */
  get current() {
    const { timeline, known: { values } } = this;
    return timeline?.past ? { step: timeline.step ?? NaN, steps: values.steps, ...timeline.values } : values;
  }

  showMetrics() {
    this.narrate();
    this.metrics.show(this.current);
  }

  /** A panel was zoomed: those linked to it show the same part.
   *  @type {(from: Panel, change: Record<string, unknown>) => void} */
  link(from, change) {
    const ranges = Object.fromEntries(Object.entries(change).filter(([path]) => /^[xy]axis\.(range|autorange)/.test(path)));
    if (this.linking || !Object.keys(ranges).length) return;
    this.linking = true; // the others answer with the same event
    const linked = this.plots.filter((panel) => panel !== from && panel.spec.link === from.spec.link);
    Promise.all(linked.map((panel) => panel.Plotly?.relayout(panel.plot, { ...ranges }))).finally(() => (this.linking = false));
  }

  close() {
    this.ended = true;
    this.recording = undefined;
    this.scrub?.close();
    this.timeline?.close();
    this.abort.abort();
    this.connection.close();
    clearInterval(this.keeper);
    this.voice.close();
    this.panels.forEach((panel) => panel.close());
    this.root.remove();
  }
}
