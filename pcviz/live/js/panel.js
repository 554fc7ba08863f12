// A panel with a figure, and when to redraw it.

import { betterTicks, mapRanges, settleDecades, wholeView } from "./axes.js";
import { Card, switched } from "./card.js";
import { Cursors } from "./cursors.js";
import { Feed } from "./feed.js";
import { PRESENT, enlarge, lengths } from "./lengths.js";
import { button, element } from "./page.js";
import { saveImage, saveTable } from "./save.js";
import { Scrub } from "./scrub.js";
import { fill } from "./text.js";
import { list } from "./values.js";

const REDRAW_MS = 125; // at most 8 redraws a second
const BUSY_MS = 2000; // a plot that was redrawn within this time takes part in the sharing of time
const SHARE = 3 / 4; // of the time goes to redrawing, all plots together; the rest is for the network view and the page
const FULL = { width: 620, height: 330, most: 2.6, inSpace: 1.3 }; // in full size lengths grow as if a plot of this size were
// enlarged; in scenes text grows by itself

export class Panel extends Card {
  /** Places where the figure names a colour of the theme by its role.
   *  @type {[node: Layout, key: string, role: string][]} */
  roles = [];
  enlarged = 1;
  due = 0; // when the next redraw may begin
  begun = -Infinity; // when the last redraw began
  cost = 0; // how long it took, in milliseconds
  dirty = false;
  resized = false;
  fitted = ""; // the ranges of the map that the axes have been fitted to
  usual = undefined; // Plotly's drag mode while dragging does not move the plot
  /** @type {Promise<unknown> | undefined} */
  started = undefined;
  /** @type {PromiseWithResolvers<void>} */
  drawn = Promise.withResolvers();
  /** @type {Promise<unknown> | undefined} */
  drawing = undefined;
  /** @type {number | undefined} */
  timer = undefined;
  /** @type {ResizeObserver | undefined} */
  observer = undefined;
  /** Set after the first drawing.
   *  @type {Plotly | undefined} */
  Plotly = undefined;
  /** The row that a slider shows; undefined: the last.
   *  @type {number | undefined} */
  row = undefined;
  /** This panel's own slider, where the page has none for all panels.
   *  @type {Scrub | undefined} */
  own = undefined;

  /** @param {Live} live
   *  @param {PanelSpec} spec */
  constructor(live, spec) {
    super(live, spec);
    /** @type {Figure} */
    this.figure = JSON.parse(spec.figure);
    /** @type {Layout} */
    this.fresh = JSON.parse(spec.figure).layout;
    this.findRoles(this.figure);
    this.lengths = lengths(this.figure);
    // A panel that does not apply shows why, and takes no data.
    this.feeds = this.figure.data.flatMap((trace) => (trace.meta && !spec.absent ? new Feed(trace, trace.meta) : []));
    this.cursors = new Cursors(this);
    if (!spec.absent) this.header.append(...this.scrubber(), this.buttons());
    this.hold(() => { if (this.dirty) this.request(); }); // a redraw during a drag would interrupt the user's zoom
    this.clear();
  }

  buttons() {
    const { spec } = this;
    const toggles = spec.toggles.map(({ label, help, relayout }) => switched(label, help, (on) => {
      this.relayout(() => Object.fromEntries(Object.entries(relayout).map(([path, pair]) => [path, pair[+on]])));
    }));
    const move = switched("✥", spec.space ? "Drag to move instead of turning" : "Drag to move instead of zooming", (on) => this.drag(on));
    const whole = button("⌂", "Show the whole plot again", () => this.showWhole());
    const csv = button("CSV", "Download the data behind this panel", () => saveTable(this));
    const images = ["png", "svg"].map((format) =>
      button(format.toUpperCase(), `Save this panel as an image (${format.toUpperCase()})`, () => this.Plotly && saveImage(this, this.Plotly, format)));
    return element("span", { className: "pcviz-buttons" }, ...toggles, move, whole, this.info(), csv, ...images, this.full());
  }

  scrubber() {
    if (!this.spec.scrub || this.live.scrub) return []; // the page's slider serves all panels
    const label = element("label", { className: "pcviz-scrub" });
    this.own = new Scrub({ channel: this.spec.scrub, keys: label, show: (row) => this.follow(row), signal: this.signal });
    label.append(this.own.slider, this.own.told);
    return [label];
  }

  /** Whether all that it draws comes from runs of this kind.
   *  @type {(kind: string) => boolean} */
  isOf(kind) {
    return this.feeds.length > 0 && this.feeds.every(({ binding }) => binding.kind === kind);
  }

  // ---- colours

  /** @type {(node: object) => void} */
  findRoles(node) {
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === "string" && value.startsWith("var(")) this.roles.push([node, key, value]);
      else if (value && typeof value === "object") this.findRoles(value);
    }
  }

  /** Give every role of the figure its colour in the page's theme, or that of `colour`.
   *  @type {(colour?: Colour) => void} */
  paint(colour = (/** @type {string} */ role) => this.live.theme.colour(role)) {
    for (const [node, key, role] of this.roles) node[key] = colour(role);
  }

  /** A copy of what is drawn, in other colours and enlarged.
   *  @type {(colour: Colour, factor: number) => Figure} */
  copy(colour, factor) {
    this.paint(colour);
    enlarge(this.lengths, factor);
    for (const feed of this.feeds) feed.settle();
    const copy = structuredClone({ data: this.figure.data, layout: this.figure.layout });
    this.paint();
    enlarge(this.lengths, this.enlarged);
    return copy;
  }

  // ---- data

  /** Remove the data of the traces whose binding passes `test`.
   *  @type {(test?: (binding: Binding) => boolean) => void} */
  clear(test = () => true) {
    const cleared = this.feeds.filter(({ binding }) => test(binding));
    if (!cleared.length) return;
    for (const feed of cleared) feed.clear();
    /** @type {Latest} */
    this.latest = {};
    /** @type {Record<string, Ends>} */
    this.ends = {};
    /** The frame whose rows a slider shows.
     *  @type {Frame | undefined} */
    this.frame = undefined;
    this.cursors.place();
    /** The weight step of what is shown.
     *  @type {number | undefined} */
    this.step = undefined;
    this.note.textContent = "";
    this.request();
  }

  /** Take a frame of run number `run`. With a `mode`, only traces of it change: "append" while the others show an earlier
   *  weight step, "replace" for that step.
   *  @type {(run: number, frame: Frame, mode?: Binding["mode"]) => void} */
  feed(run, frame, mode) {
    const { values } = frame;
    const mine = this.feeds.filter(({ binding }) => binding.run === run && binding.kind === frame.kind);
    const taken = mine.filter(({ binding }) => binding.mode === (mode ?? binding.mode)).map((feed) => feed.put(frame, this.row ?? Infinity));
    if (run === 0 && this.live.scrub && this.live.scrub.channel in values) {
      this.frame = frame;
      this.cursors.place();
    }
    if (!taken.includes(true)) return;
    if (mode === "append" && taken.length < mine.length) { this.request(); return; }
    if (run === 0 || this.step === undefined) this.step = frame.step;
    for (const [name] of this.spec.csv) if (name in values) this.latest[name] = { run: frame.run, step: frame.step, value: values[name] };
    if (this.spec.note) this.note.textContent = fill(this.spec.note, values) ?? this.note.textContent;
    if (run === 0 && this.own && this.own.channel in values) {
      this.frame = frame;
      this.own.feed(values);
    }
    this.request();
  }

  /** Give the row to the traces that depend on it. Returns whether there are any. */
  putRow() {
    const { frame } = this;
    if (!frame) return false;
    const scrubbed = this.feeds.filter(({ binding }) => binding.row === "scrub" && binding.run === 0);
    for (const feed of scrubbed) feed.put(frame, this.row ?? Infinity);
    return scrubbed.length > 0;
  }

  /** Show another row of the slider: only the traces and the line that depend on it change.
   *  @type {(row: number | undefined) => void} */
  follow(row) {
    this.row = row;
    if (this.putRow()) {
      this.due = 0;
      this.request();
    }
    this.cursors.place();
  }

  /** The timeline has moved. */
  travel() { this.cursors.place(); }

  /** The inference step that the slider shows, if the panel depends on it. */
  get at() {
    const { frame, spec: { cursor } } = this;
    if (!frame || !cursor || !(cursor in frame.values)) return undefined;
    const steps = list(frame.values[cursor]);
    return steps[Math.min(this.row ?? Infinity, steps.length - 1)];
  }

  /** The label of the slider that this panel follows, if any: "t = 3 of 15". */
  get time() {
    const scrub = this.own ?? this.live.scrub;
    return scrub?.steps.length && (this.spec.scrub || this.spec.cursor) ? scrub.told.textContent : "";
  }

  // ---- drawing

  /** @type {(Plotly: Plotly) => Promise<void>} */
  async start(Plotly) {
    if (this.spec.absent) return;
    this.paint();
    const { layout, data } = this.figure;
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger on the plot scrolls the page
    const config = { displayModeBar: false }; // it would lie over the data: the header has its buttons
    await (this.drawing = Plotly.newPlot(this.plot, data, layout, config));
    if (this.closed || !this.section.isConnected) return Plotly.purge(this.plot);
    this.Plotly = Plotly;
    this.plot.append(...this.cursors.parts);
    if (this.spec.pick) this.plot.on("plotly_click", ({ points: [{ x, y }] }) => this.live.pick({ panel: this.spec.name, x, y }));
    this.plot.on("plotly_relayout", () => this.settleTicks());
    if (this.spec.link) this.plot.on("plotly_relayout", (change) => this.live.link(this, change));
    if (this.cursors.parts.length) this.plot.on("plotly_afterplot", () => this.cursors.place());
    this.observer = new ResizeObserver(() => { this.resized = true; this.fit(); });
    this.observer.observe(this.plot);
    this.drawn.resolve();
    this.request();
  }

  /** Follow a change of size, at once (Plots.resize waits 100 ms), but never between new data and their drawing: Plotly
   *  would draw half of them. */
  fit() {
    const { Plotly } = this;
    if (!Plotly || !this.resized || this.dirty || this.timer || this.closed || !this.plot.isConnected || !this.plot.clientWidth) return;
    this.resized = false;
    delete this.plot.layout.width;
    delete this.plot.layout.height;
    this.drawing = Plotly.relayout(this.plot, { autosize: true }).catch((error) => console.error(error));
    const grown = Math.min(this.plot.clientWidth / FULL.width, this.plot.clientHeight / FULL.height, this.spec.space ? FULL.inSpace : FULL.most);
    const least = this.live.data.present ? PRESENT : 1;
    const factor = this.section.classList.contains("pcviz-full") ? Math.max(least, grown) : least;
    if (factor === this.enlarged) return;
    this.enlarged = factor;
    enlarge(this.lengths, factor);
    this.due = 0;
    this.request();
  }

  /** Drag to move, or restore what dragging does otherwise: zoom, turn, or scroll the page with a finger.
   *  @type {(move: boolean) => void} */
  drag(move) {
    this.relayout(() => {
      this.usual ??= this.plot._fullLayout?.dragmode;
      return this.spec.space ? { "scene.dragmode": move ? "pan" : "turntable" } : { dragmode: move ? "pan" : this.usual };
    });
  }

  /** Change the layout, if need be once it is drawn.
   *  @type {(change: () => Record<string, unknown>) => Promise<void>} */
  async relayout(change) {
    await this.drawn.promise;
    if (!this.closed) await this.Plotly?.relayout(this.plot, change());
  }

  /** As any panel, and turned as the other one was.
   *  @type {(old: Card) => void} */
  succeed(old) {
    super.succeed(old);
    const camera = old.plot.layout?.scene?.camera;
    const turned = old instanceof Panel && JSON.stringify(camera) !== JSON.stringify(old.fresh.scene?.camera);
    if (turned) this.relayout(() => ({ "scene.camera": camera }));
  }

  /** Undo zooming, moving and turning. */
  async showWhole() {
    if (!this.Plotly) return;
    this.ends = {};
    this.fitted = "";
    await this.Plotly.relayout(this.plot, wholeView(this.fresh, this.plot._fullLayout));
    this.request();
  }

  /** Give axes of equal scale the range of their map, once for each map. */
  async fitToMap() {
    const ranges = mapRanges(this.figure.layout, this.figure.data);
    if (!ranges || this.fitted === String(ranges)) return;
    this.fitted = String(ranges);
    await this.Plotly?.relayout(this.plot, { "xaxis.range": ranges[0], "yaxis.range": ranges[1] });
  }

  async settleTicks() {
    const change = betterTicks(this.fresh, this.plot._fullLayout);
    if (Object.keys(change).length) await this.Plotly?.relayout(this.plot, change);
  }

  /** Draw soon. Every panel draws in a task of its own, so that a click waits for one redraw at most. */
  request() {
    this.dirty = true;
    if (this.Plotly && !this.held) this.timer ??= setTimeout(() => this.draw(), this.due - performance.now());
  }

  async draw() {
    if (this.Plotly && !this.held && !this.closed && this.section.isConnected) {
      this.dirty = false;
      this.begun = performance.now();
      const { step, figure: { data, layout } } = this;
      for (const feed of this.feeds) feed.settle();
      settleDecades(layout, data, this.ends);
      layout.datarevision = (layout.datarevision ?? 0) + 1; // the arrays change in place
      this.drawing = this.Plotly.react(this.plot, data, layout).then(() => this.fitToMap()).then(() => this.settleTicks());
      await this.drawing.catch((error) => console.error(error));
      this.section.dataset.step = String(step ?? "");
      this.section.classList.toggle("pcviz-empty", step === undefined);
      const now = performance.now();
      this.cost = now - this.begun;
      const busy = this.live.plots.filter(({ begun }) => begun > now - BUSY_MS);
      const round = busy.reduce((sum, { cost }) => sum + cost, 0); // all of them once: one follows the data as fast as another
      this.due = this.begun + Math.max(REDRAW_MS, round / SHARE);
    }
    this.timer = undefined;
    if (this.dirty && !this.closed) this.request();
    else this.fit();
  }

  /** Remove the panel. Plotly draws in several tasks: a plot keeps its place and size, hidden, until it has finished. */
  close() {
    super.close();
    clearTimeout(this.timer);
    this.own?.close();
    this.observer?.disconnect();
    this.section.classList.add("pcviz-leaving");
    delete this.section.dataset.panel;
    Promise.resolve(this.drawing).catch(() => {}).then(() => {
      this.section.remove();
      this.Plotly?.purge(this.plot);
    });
  }
}
