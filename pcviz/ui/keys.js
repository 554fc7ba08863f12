// A key presses the button of the page, so that both do the same. A button that was clicked with the mouse keeps the
// focus and would take Space for itself; only one reached with Tab should.

const INPUTS = "input, textarea, select, [contenteditable=true], [role=combobox], [role=listbox], [role=dialog] *";
const PATIENCE = 3000; // milliseconds; panels receive a new state before the server has enabled its button
let byPointer = false;
/** @type {number | undefined} */
let waiting;

/** @type {(key: string, until?: number) => void} */
function press(key, until = performance.now() + PATIENCE) {
  clearTimeout(waiting);
  const button = /** @type {HTMLElement | null} */ (document.querySelector(`.st-key-${key} button:not(:disabled)`));
  if (button) button.click();
  else if (performance.now() < until) waiting = setTimeout(press, 50, key, until);
}

/** @type {(event: KeyboardEvent, steering: boolean) => void} */
function onKey(event, steering) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
  const focused = document.activeElement;
  if (focused?.matches(INPUTS)) return;
  const key = event.key.toLowerCase();
  if (key === "p" || (key === "escape" && document.querySelector(".pcviz-present"))) {
    press("presenting");
  } else if (!steering) {
    return;
  } else if (key === " ") {
    if (focused !== document.body && !byPointer) return;
    if (focused instanceof HTMLElement) focused.blur();
    event.preventDefault();
    press(document.querySelector("[data-moving=true]") ? "pause" : "play");
  } else if (key === "s" || key === "x") {
    press(key === "s" ? "step" : "reset");
  } else if (key >= "1" && key <= "9") {
    const choice = /** @type {HTMLElement | undefined} */ (document.querySelectorAll('[class*="_panels"] button')[Number(key) - 1]);
    choice?.click();
  }
}

/** `data`: whether keys steer a run, too.
 *  @type {(call: Call<{ steering: boolean }>) => () => void} */
export default function ({ data }) {
  window.pcvizKeys?.abort();
  const listening = (window.pcvizKeys = new AbortController());
  const { signal } = listening;
  document.addEventListener("keydown", (event) => { if (event.key === "Tab") byPointer = false; }, { signal });
  document.addEventListener("pointerdown", () => { byPointer = true; }, { signal, capture: true });
  document.addEventListener("keydown", (event) => onKey(event, data.steering), { signal });
  return () => listening.abort();
}
