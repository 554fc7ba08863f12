// The script that Streamlit runs. It comes from a blob: address and cannot import by name: panels.py puts why.js before
// it. All pages lie in one folder, whatever prefix proxies add, and the scripts in its folder `live`.

// Place -> the last call for it. Of two calls that import one script the first may be served last, and Streamlit lets an
// overtaken call clean up: only the last one counts.
/** @type {WeakMap<Element, Call<Payload>>} */
const latest = new WeakMap();

/** @type {(call: Call<Payload>) => () => void} */
export default function (call) {
  const { parentElement, setTriggerValue } = call;
  const place = /** @type {Element} */ (parentElement.querySelector(".pcviz-mount"));
  latest.set(place, call);
  const script = new URL("live/live.js", document.baseURI).href;
  const failed = async (/** @type {Error} */ error) => {
    const folder = new URL(".", script).href;
    const loaded = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType("resource"));
    const asked = loaded.filter(({ name }) => name.startsWith(folder) && name.endsWith(".js"));
    const missing = asked.findLast(({ responseStatus }) => responseStatus >= 400)?.name ?? script;
    // biome-ignore lint/correctness/noUndeclaredVariables: panels.py puts it before this script
    const { text } = await whyNot(missing, "text/javascript");
    const message = `The panels cannot be shown. ${text || error.message} Reload the page once this is fixed.`;
    place.append(Object.assign(document.createElement("p"), { className: "pcviz-fault", role: "alert", textContent: message }));
    return () => place.replaceChildren();
  };
  const mounted = import(script).then(({ mount }) => mount(place, (latest.get(place) ?? call).data, setTriggerValue)).catch(failed);
  return () => { if (latest.get(place) === call) mounted.then((cleanUp) => cleanUp()); };
}
