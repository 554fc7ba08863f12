// Small helpers for the page.

import { whyNot } from "./why.js";

/** @template {keyof HTMLElementTagNameMap} Tag
 *  @typedef {Omit<Partial<HTMLElementTagNameMap[Tag]>, "data"> & { data?: Record<string, string>, aria?: Record<string, string> }} Given */

/** A new element with properties, `data` and `aria` attributes (`role` among them), and children. Text goes by textContent.
 *  @template {keyof HTMLElementTagNameMap} Tag
 *  @param {Tag} tag
 *  @param {Given<Tag>} [given]
 *  @param {...(Node | string)} children
 *  @returns {HTMLElementTagNameMap[Tag]} */
export function element(tag, { data = {}, aria = {}, ...properties } = /** @type {Given<Tag>} */ ({}), ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(name === "role" ? name : `aria-${name}`, value);
  made.append(...children);
  return made;
}

/** A button with an icon or short text, and a label that says what it does. Its name has the words that are seen: who
 *  speaks to the computer says them.
 *  @type {(text: string, label: string, onclick: () => void) => HTMLButtonElement} */
export function button(text, label, onclick) {
  const name = /^\w{2}/.test(text) ? `${text}: ${label}` : label;
  return element("button", { type: "button", textContent: text, title: label, onclick, aria: { label: name } });
}

/** Replace controls in `from` by others in `to`: one with the same label keeps the focus.
 *  @type {(from: HTMLElement, to: HTMLElement, replace: () => void) => void} */
export function keepingFocus(from, to, replace) {
  const label = from.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : null;
  replace();
  if (!label || to.contains(document.activeElement)) return;
  const all = /** @type {HTMLElement[]} */ ([to, ...to.querySelectorAll("[aria-label]")]);
  all.find((one) => one.getAttribute("aria-label") === label)?.focus({ preventScroll: true });
}

/** @type {Promise<Plotly> | null} */
let plotly = null;

/** plotly.js, loaded once. Rejects with the server's message.
 *  @type {(src: string) => Promise<Plotly>} */
export function loadPlotly(src) {
  plotly ??= new Promise((resolve, reject) => {
    const onerror = async () => { plotly = null; reject(new Error((await whyNot(src, "text/javascript")).text || "plotly.js could not be loaded")); };
    document.head.append(element("script", { src, onload: () => resolve(window.Plotly), onerror }));
  });
  return plotly;
}

/** Offer text as a file.
 *  @type {(filename: string, text: string) => void} */
export function download(filename, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
