// The weights into one unit as a small picture, one for each unit below.

import { digits } from "./text.js";

/** Draw the weights (units × below) into a unit of a layer: blue is negative, vermillion positive.
 *  @type {(canvas: HTMLCanvasElement, weights: Tensor, layer: number, unit: number, colours: Record<string, number[]>) => void} */
export function drawEdges(canvas, { data, shape: [units, below] }, layer, unit, colours) {
  const u = Math.min(unit, units - 1);
  const row = data.subarray(u * below, (u + 1) * below);
  const side = Math.ceil(Math.sqrt(below));
  const most = Math.max(...Array.from(row, Math.abs)) || 1;
  Object.assign(canvas, { width: side, height: side });
  const image = new ImageData(side, side);
  row.forEach((w, i) => image.data.set([...(w < 0 ? colours.error : colours.weights), 255 * Math.abs(w) / most], 4 * i));
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).putImageData(image, 0, 0);
  canvas.title = `Weights into unit ${u + 1} of layer ${layer}, one for each of the ${below} ${layer > 1 ? "units" : "inputs"} below: blue is negative, vermillion positive, the strongest ±${digits(most, 2)}.`;
  canvas.setAttribute("aria-label", canvas.title);
}
