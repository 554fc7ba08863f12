// Examples as small images, each with its class and what the network takes it for.

import { Card } from "./card.js";
import { button, element } from "./page.js";
import { fill } from "./text.js";
import { array } from "./values.js";

/** What stands under a heading: the beginning of its channels' names, what an example is called, whether the network view
 *  can show it, and what is said where there is none.
 *  @typedef {{ prefix: string, name: string, shown: boolean, none: string }} Row */
/** @type {Record<string, Row>} */
const ROWS = {
  "Worst mistakes": { prefix: "mistake", name: "Test example", shown: true, none: "None: every test example is right." },
  "Latest batch": { prefix: "batch", name: "Training example", shown: false, none: "The first batch comes with the first weight step." },
  "Test set": { prefix: "sample", name: "Test example", shown: true, none: "" },
};

/** One image and its text, of which only what they show changes.
 *  @typedef {{ root: HTMLElement, canvas: HTMLCanvasElement, text: HTMLElement, place: number }} Item */
/** @typedef {{ row: Row, list: HTMLElement, none: HTMLElement, items: Item[] }} Strip */

export class ExamplesPanel extends Card {
  drawing = 0;
  /** The frame that is shown.
   *  @type {Frame | undefined} */
  frame = undefined;

  /** @param {Live} live
   *  @param {PanelSpec} spec */
  constructor(live, spec) {
    super(live, spec);
    this.section.classList.add("pcviz-examples", "pcviz-tall");
    if (!spec.absent) this.header.append(element("span", { className: "pcviz-buttons" }, this.info(), this.full()));
    /** @type {Strip[]} */
    this.strips = spec.rows.map((heading) => {
      const list = element("div", { className: "pcviz-images" });
      // On a phone it scrolls sideways, by the keyboard too: images that are no buttons take no focus.
      if (!ROWS[heading].shown) list.tabIndex = 0;
      const none = element("p", { className: "pcviz-none", textContent: ROWS[heading].none, hidden: true });
      this.plot.append(element("div", { aria: { role: "group", label: heading } }, element("h4", { textContent: heading }), none, list));
      return { row: ROWS[heading], list, none, items: [] };
    });
    // An image that changed under a finger would be another one than was chosen.
    this.hold(() => this.request());
    this.clear();
  }

  /** @type {(kind: string) => boolean} */
  isOf(kind) { return kind === "predictions"; }

  paint() { this.request(); }
  /** @type {(row: number | undefined) => void} */
  follow() {}

  /** @type {(test?: (binding: Binding) => boolean) => void} */
  clear(test = () => true) {
    if (!test(/** @type {Binding} */ ({ run: 0, kind: "predictions" }))) return;
    this.frame = undefined;
    this.note.textContent = "";
    this.section.dataset.step = "";
    this.section.classList.add("pcviz-empty");
    for (const strip of this.strips) this.resize(strip, 0);
  }

  /** @type {(run: number, frame: Frame) => void} */
  feed(run, frame) {
    if (run !== 0 || frame.kind !== "predictions" || this.spec.absent || !("sample_shade" in frame.values)) return;
    this.frame = frame;
    this.request();
  }

  request() {
    if (!this.drawing && !this.closed && !this.held && this.frame) this.drawing = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.drawing = 0;
    const { frame } = this;
    if (!frame || this.closed || this.held) return;
    const { values, step } = frame;
    const ink = /** @type {string[]} */ (this.live.theme.colour("var(--st-text-color)").match(/[\d.]+/g)).slice(0, 3).map(Number);
    for (const strip of this.strips) {
      const channel = (/** @type {string} */ name) => array(values[`${strip.row.prefix}_${name}`]).data;
      const [places, classes, predicted, shades] = [channel("place"), channel("class"), channel("predicted"), channel("shade")];
      this.resize(strip, places.length);
      strip.none.hidden = places.length > 0;
      strip.items.forEach((item, i) => {
        const size = shades.length / places.length;
        item.place = places[i];
        draw(item.canvas, shades.subarray(i * size, (i + 1) * size), ink);
        tell(item, strip.row, classes[i], predicted[i]);
      });
    }
    if (this.spec.note) this.note.textContent = fill(this.spec.note, values) ?? "";
    this.section.dataset.step = String(step);
    this.section.classList.remove("pcviz-empty");
  }

  /** Give a strip so many items; those that stay keep the focus.
   *  @type {(strip: Strip, count: number) => void} */
  resize({ row, list, items }, count) {
    for (const { root } of items.splice(count)) root.remove();
    while (items.length < count) {
      const [canvas, text] = [element("canvas"), element("span")];
      /** @type {Item} */
      const item = { root: row.shown ? button("", "", () => this.live.pick({ panel: this.spec.name, x: item.place, y: 0 })) : element("span", { aria: { role: "img" } }), canvas, text, place: -1 };
      item.root.classList.add("pcviz-image");
      item.root.append(canvas, text);
      items.push(item);
      list.append(item.root);
    }
  }

  close() {
    super.close();
    cancelAnimationFrame(this.drawing);
    this.section.remove();
  }
}

/** Draw a square image of shades from 0 to 255, as strong as they are.
 *  @type {(canvas: HTMLCanvasElement, image: Numbers, ink: number[]) => void} */
function draw(canvas, image, ink) {
  const side = Math.sqrt(image.length);
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  const pixels = new ImageData(side, side);
  image.forEach((v, i) => pixels.data.set([...ink, v], 4 * i));
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}

/** @type {(item: Item, row: Row, real: number, predicted: number) => void} */
function tell({ root, text, place }, { name, shown }, real, predicted) {
  const wrong = real !== predicted;
  const said = wrong ? `a ${real} that the network takes for a ${predicted}` : `a ${real}, as the network says`;
  root.classList.toggle("pcviz-wrong", wrong);
  root.setAttribute("aria-label", `${name} ${place}: ${said}.${shown ? " Show it in the network view" : ""}`);
  root.title = `${name} ${place}`;
  text.textContent = `${real} → ${predicted}${wrong ? " ✗" : ""}`;
}
