// What Streamlit runs, from a blob: address, so that it can import nothing by name: panels.py puts why.js before it.
// All pages lie in one folder of the address, whatever proxies have put before it, and the scripts in `live` beside them.

// Place -> the last call for it. Of two calls that import one script the first may be served last, and Streamlit lets an
// overtaken call clean up: only the last one counts.
const latest = new WeakMap();

export default function (call) {
  const { parentElement, setTriggerValue } = call;
  const place = parentElement.querySelector(".pcviz-mount");
  latest.set(place, call);
  const script = new URL("live/live.js", document.baseURI).href;
  const failed = async (error) => {
    const folder = new URL(".", script).href;
    const asked = performance.getEntriesByType("resource").filter(({ name }) => name.startsWith(folder) && name.endsWith(".js"));
    const missing = asked.findLast(({ responseStatus }) => responseStatus >= 400)?.name ?? script;
    const { text } = await whyNot(missing, "text/javascript");
    const told = `The panels cannot be shown. ${text || error.message} Reload the page when this is repaired.`;
    place.append(Object.assign(document.createElement("p"), { className: "pcviz-fault", role: "alert", textContent: told }));
    return () => place.replaceChildren();
  };
  const mounted = import(script).then(({ mount }) => mount(place, latest.get(place).data, setTriggerValue)).catch(failed);
  return () => { if (latest.get(place) === call) mounted.then((cleanUp) => cleanUp()); };
}
