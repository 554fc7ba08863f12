// The picture of a network: a column for each layer, a tile of cells for what it holds, predicts and gets wrong.

import { BARS, plan, rowTop, strip, stripped } from "./layout.js";
import { DECADES, FIXED, LEAST, LEVELS, ROLES, classOf, columnOf, decoded, frontOf, held, idealFront, label } from "./shown.js";

/** @typedef {import("./shown.js").Shown} Shown */
/** @typedef {import("./shown.js").Role} Role */

const HURT = 3; // height of what marks a layer in which something was found
const FAINTEST = 0.14; // tint of the smallest number that is not zero
const SHOWN = { low: -9, high: 0 }; // decades of a change or an error that are told apart
const ENERGY = { low: -14, high: 1 };

/** How it is drawn: changes since step 0 or values, backprop beside it, the front of exact arithmetic, how much of the
 *  weight step's flash is left (0 to 1), the layer that is read (0: none), how much everything is enlarged, the greatest size of a tile, colours.
 *  @typedef {{ enlarged: number, most: number, change: boolean, backprop: boolean, front: boolean, flash: number, read: number, colours: Record<string, number[]>, css: Record<string, string>, text: string, border: string, font: string }} Look */

/** @typedef {{ x: number, y: number, w: number, h: number, role: Role, column: number }} Box */

/** @typedef {{ image: ImageData, context: OffscreenCanvasRenderingContext2D }} Sheet */

export class Picture {
  /** Where tiles are, for the pointer.
   *  @type {Box[]} */
  boxes = [];
  /** Small pictures of each role, a cell a pixel: all tiles, and all columns with their cells one under the other.
   *  @type {Record<string, { tiles: Sheet, stack: Sheet }>} */
  sheets = {};
  enlarged = 1;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /** Draw row `row`; `look` says what of it, in which colours.
   *  @type {(shown: Shown, row: number, look: Look) => void} */
  draw(shown, row, look) {
    const { context: on, canvas } = this;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    }
    on.setTransform(scale, 0, 0, scale, 0, 0);
    on.clearRect(0, 0, width, height);
    on.scale(look.enlarged, look.enlarged);
    this.enlarged = look.enlarged;
    on.imageSmoothingEnabled = false;
    this.boxes = [];
    const { size, pitch, lens, left, fits } = plan(width, shown.count, look);
    const front = frontOf(shown, row);
    const first = lens ? Math.max(0, Math.min(shown.count - fits, (front < 0 ? shown.count : front) - (fits >> 1))) : 0;
    const columns = Array.from({ length: lens ? fits : shown.count }, (_, i) => first + i);
    const roles = ROLES.slice(0, look.backprop ? 5 : 4);
    const side = Math.ceil(Math.sqrt(shown.cells));
    for (const [role] of roles) this.fill(role, shown, row, look, side);
    on.font = `11px ${look.font}`;
    on.textBaseline = "middle";
    on.textAlign = "center";
    on.fillStyle = look.text;
    const [xIn, xOut] = [left, left + (columns.length + 1) * pitch];
    on.fillText("input", xIn + size / 2, 10);
    const goal = classOf(shown, shown.target);
    on.fillText(goal === undefined ? "target" : `target ${goal}`, xOut + size / 2, 10);
    const every = Math.ceil(24 / pitch);
    columns.forEach((c, i) => { if (i % every === 0 || c === front) on.fillText(label(shown, c), left + (i + 1) * pitch + size / 2, 10); });
    on.fillStyle = look.css.weights;
    columns.forEach((c, i) => { if (shown.hurt[c]) on.fillRect(left + (i + 1) * pitch, 17, size, HURT); });
    roles.forEach(([role, name], r) => {
      const y = rowTop(r, size);
      on.textAlign = "left";
      on.fillStyle = look.text;
      const second = ["activity", "prediction"].includes(role) ? (look.change ? "change" : "value") : role === "weights" ? "|dF/dW|" : "";
      on.fillText(name, 2, y + size / 2 - (second ? 7 : 0));
      on.globalAlpha = 0.7;
      on.fillText(second, 2, y + size / 2 + 8);
      on.globalAlpha = 1;
      columns.forEach((c, i) => this.tile(role, c, left + (i + 1) * pitch, y, size, side, shown, look));
    });
    const read = columns.indexOf(columnOf(shown, look.read));
    if (read >= 0) {
      on.strokeStyle = look.text;
      on.setLineDash([2, 3]);
      on.strokeRect(left + (read + 1) * pitch - 4.5, 1.5, size + 9, rowTop(roles.length, size) - 4);
      on.setLineDash([]);
    }
    this.ends(shown, row, look, { xIn, xOut, size });
    const foot = rowTop(roles.length, size);
    this.front(shown, row, look, { columns, left, pitch, size, front, top: rowTop(2, size) });
    this.energies(shown, row, look, { columns, left, pitch, size, foot: foot + 18 });
    if (lens) {
      const some = stripped(look) === 1 ? ROLES.slice(2, 3) : roles; // the error alone
      this.strips(shown, row, look, { width: width / look.enlarged, left, top: foot + 18 + BARS + 22, first, fits, roles: some });
    }
  }

  /** Colour the small picture of a role.
   *  @type {(role: Role, shown: Shown, row: number, look: Look, side: number) => void} */
  fill(role, shown, row, look, side) {
    const { count, cells } = shown;
    const old = this.sheets[role]?.stack.image;
    if (old?.width !== count || old.height !== cells) {
      this.sheets[role] = { tiles: sheet(count * side, side), stack: sheet(count, cells) };
    }
    const { tiles, stack } = this.sheets[role];
    const [tiled, stacked] = [tiles, stack].map(({ image }) => new Uint32Array(image.data.buffer));
    const [red, green, blue] = look.colours[role];
    const colour = red | green << 8 | blue << 16;
    const from = FIXED.includes(role) ? 0 : row * count * cells;
    const early = role === "weights" && row < shown.steps.length - 1; // weights move after the last inference step
    const { codes, base } = held(shown, role);
    const arrives = idealFront(shown, row);
    for (let c = 0; c < count; c++) {
      for (let u = 0; u < cells; u++) {
        const code = codes[from + c * cells + u];
        let alpha = 0;
        if (base && !look.change) alpha = Math.sqrt(Math.min(1, Math.abs(base[c * cells + u] + decoded(code)) / (shown.largest || 1)));
        else if (code & 127 && !early && !(role === "delta" && c < arrives)) {
          const decade = Math.log10(LEAST) + (((code & 127) - 1) / (LEVELS - 1)) * DECADES;
          alpha = FAINTEST + (1 - FAINTEST) * Math.max(0, Math.min(1, (decade - SHOWN.low) / (SHOWN.high - SHOWN.low)));
        }
        tiled[(u / side | 0) * count * side + c * side + (u % side)] = stacked[u * count + c] = colour | 255 * alpha << 24;
      }
    }
    for (const { context, image } of [tiles, stack]) context.putImageData(image, 0, 0);
  }

  /** @type {(role: Role, column: number, x: number, y: number, size: number, side: number, shown: Shown, look: Look) => void} */
  tile(role, column, x, y, size, side, shown, look) {
    const on = this.context;
    const rows = Math.ceil(Math.min(shown.cells, shown.units[column]) / side);
    on.drawImage(this.sheets[role].tiles.context.canvas, column * side, 0, side, rows, x, y, size, (size * rows) / side);
    if (role === "weights" && look.flash) {
      on.globalAlpha = look.flash;
      on.fillStyle = look.css.weights;
      on.fillRect(x - 3, y - 3, size + 6, (size * rows) / side + 6);
      on.globalAlpha = 1;
    }
    on.strokeStyle = look.border;
    on.lineWidth = 1;
    on.strokeRect(x + 0.5, y + 0.5, size - 1, (size * rows) / side - 1);
    this.boxes.push({ x, y, w: size, h: (size * rows) / side, role, column });
  }

  /** Input, target, output and its error.
   *  @type {(shown: Shown, row: number, look: Look, at: { xIn: number, xOut: number, size: number }) => void} */
  ends(shown, row, look, { xIn, xOut, size }) {
    const on = this.context;
    const { input, shade, target, output } = shown;
    const side = Math.sqrt(input.length);
    if (Number.isInteger(side) && side > 2) {
      const cell = size / side;
      shade.forEach((v, i) => {
        on.fillStyle = look.text;
        on.globalAlpha = v / 255;
        on.fillRect(xIn + (i % side) * cell, 22 + Math.floor(i / side) * cell, cell + 0.5, cell + 0.5);
      });
      on.globalAlpha = 1;
    } else bars(on, Array.from(input), Math.max(...Array.from(input, Math.abs)), xIn, 22, size, look.text);
    on.strokeStyle = look.border;
    on.strokeRect(xIn + 0.5, 22.5, size - 1, size - 1);
    const K = target.length;
    const mu = Array.from(output.data.subarray(row * K, (row + 1) * K));
    const goal = Array.from(target);
    const most = Math.max(1, ...mu.map(Math.abs), ...goal.map(Math.abs));
    [[goal, look.css.activity], [mu, look.css.prediction], [goal.map((y, k) => y - mu[k]), look.css.error]].forEach(([numbers, colour], r) => {
      const y = rowTop(r, size);
      bars(on, /** @type {number[]} */ (numbers), most, xOut, y, size, /** @type {string} */ (colour));
      on.strokeStyle = look.border;
      on.strokeRect(xOut + 0.5, y + 0.5, size - 1, size - 1);
    });
  }

  /** Where the error is: a box around the column that it reached last, and when each column was reached.
   *  @type {(shown: Shown, row: number, look: Look, at: { columns: number[], left: number, pitch: number, size: number, front: number, top: number }) => void} */
  front(shown, row, look, { columns, left, pitch, size, front, top }) {
    const on = this.context;
    on.textAlign = "center";
    const room = on.measureText(`t ${shown.steps[shown.steps.length - 1]}`).width + 4;
    columns.forEach((c, i) => {
      const x = left + (i + 1) * pitch;
      const at = shown.arrived[c];
      if (at < 0 || at > row) {
        on.setLineDash([3, 3]);
        on.strokeStyle = look.text;
        on.globalAlpha = 0.35;
        on.strokeRect(x + 0.5, top + 0.5, size - 1, size - 1);
        on.globalAlpha = 1;
        on.setLineDash([]);
      } else {
        on.fillStyle = look.text;
        if (pitch >= room) on.fillText(`t ${shown.steps[at]}`, x + size / 2, top + size + 9);
      }
      if (c === front) {
        on.strokeStyle = look.css.error;
        on.lineWidth = 3;
        on.strokeRect(x - 1.5, top - 1.5, size + 3, size + 3);
        on.lineWidth = 1;
      }
    });
  }

  /** Bars of the layers' energies, logarithmic; those of the output last.
   *  @type {(shown: Shown, row: number, look: Look, at: { columns: number[], left: number, pitch: number, size: number, foot: number }) => void} */
  energies(shown, row, look, { columns, left, pitch, size, foot }) {
    const on = this.context;
    const [, L] = shown.energy.shape;
    on.textAlign = "left";
    on.fillStyle = look.text;
    on.fillText("energy E", 2, foot + BARS / 2 - 6);
    on.globalAlpha = 0.7;
    on.fillText("logarithmic", 2, foot + BARS / 2 + 8);
    on.globalAlpha = 1;
    on.strokeStyle = look.border;
    on.strokeRect(left + pitch - 4, foot + BARS + 0.5, pitch * (columns.length + 1), 0);
    const bar = (/** @type {number} */ energy, /** @type {number} */ x) => {
      if (!(energy > 0)) return;
      const share = Math.max(0.03, Math.min(1, (Math.log10(energy) - ENERGY.low) / (ENERGY.high - ENERGY.low)));
      on.fillStyle = look.css.energy;
      on.fillRect(x + size * 0.15, foot + BARS * (1 - share), size * 0.7, BARS * share);
    };
    columns.forEach((c, i) => {
      let sum = 0;
      for (let l = shown.columns[2 * c]; l <= shown.columns[2 * c + 1]; l++) sum += shown.energy.data[row * L + l - 1];
      bar(sum, left + (i + 1) * pitch);
    });
    bar(shown.energy.data[row * L + L - 1], left + (columns.length + 1) * pitch);
  }

  /** All layers as strips, which of them the lens shows, and where the front is in exact arithmetic.
   *  @type {(shown: Shown, row: number, look: Look, at: { width: number, left: number, top: number, first: number, fits: number, roles: typeof ROLES }) => void} */
  strips(shown, row, look, { width, left, top, first, fits, roles }) {
    const on = this.context;
    const [room, high] = [width - left - 8, strip(shown)];
    const step = room / shown.count;
    roles.forEach(([role, name], r) => {
      const y = top + r * (high + 6);
      on.fillStyle = look.text;
      on.textAlign = "left";
      on.fillText(name, 2, y + high / 2);
      on.drawImage(this.sheets[role].stack.context.canvas, left, y, room, high);
      if (step > 4) for (let c = 1; c <= shown.count; c++) on.clearRect(left + c * step - 1, y, 1, high);
      on.strokeStyle = look.border;
      on.strokeRect(left + 0.5, y + 0.5, room, high);
    });
    on.fillStyle = look.css.weights;
    shown.hurt.forEach((hurt, c) => { if (hurt) on.fillRect(left + c * step, top - 8, step, HURT); });
    on.strokeStyle = look.css.error;
    on.lineWidth = 2;
    on.strokeRect(left + first * step, top - 3, fits * step, roles.length * (high + 6));
    on.lineWidth = 1;
    on.fillStyle = on.strokeStyle = look.text;
    on.textAlign = "center";
    if (look.front) {
      const place = idealFront(shown, row);
      on.setLineDash([4, 4]);
      on.beginPath();
      on.moveTo(left + place * step, top - 6);
      on.lineTo(left + place * step, top + roles.length * (high + 6));
      on.stroke();
      on.setLineDash([]);
    }
    for (let i = 0; i <= 4; i++) {
      const c = Math.round((i * (shown.count - 1)) / 4);
      on.fillText(label(shown, c), left + (c + 0.5) * step, top + roles.length * (high + 6) + 8);
    }
  }

  /** The tile under the pointer.
   *  @type {(x: number, y: number) => Box | undefined} */
  at(x, y) {
    [x, y] = [x / this.enlarged, y / this.enlarged];
    return this.boxes.find((box) => x >= box.x && x < box.x + box.w && y >= box.y && y < box.y + box.h);
  }
}

/** @type {(width: number, height: number) => Sheet} */
function sheet(width, height) {
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(width, height).getContext("2d"));
  return { context, image: new ImageData(width, height) };
}

/** Upright bars of signed numbers.
 *  @type {(on: CanvasRenderingContext2D, values: number[], most: number, x: number, y: number, size: number, colour: string) => void} */
function bars(on, values, most, x, y, size, colour) {
  const signed = values.some((v) => v < 0);
  const zero = y + (signed ? size / 2 : size - 2);
  const step = (size - 4) / values.length;
  on.fillStyle = colour;
  values.forEach((v, i) => {
    const high = (Math.abs(v) / (most || 1)) * (signed ? size / 2 - 2 : size - 6);
    on.fillRect(x + 2 + i * step, v < 0 ? zero : zero - high, Math.max(1, step - 1), Math.max(v ? 1 : 0, high));
  });
}
