// Sends what this browser remembers (see browser.py), and stores what the page sends.

const HOME = new URL(".", document.baseURI).pathname; // storage belongs to a site, which may have many servers
const KEY = `pcviz.owner:${HOME}`;
const LINKS = `pcviz.control:${HOME}`;
const MOST = 50; // control links kept, the newest

/** @typedef {{ getItem: (name: string) => string | null, setItem: (name: string, text: string) => void }} Kept */

/** @type {() => { kept: Kept, lasting: boolean }} */
function memory() {
  for (const name of /** @type {const} */ (["localStorage", "sessionStorage"])) {
    try {
      window[name].setItem("pcviz.try", "1");
      window[name].removeItem("pcviz.try");
      return { kept: window[name], lasting: name === "localStorage" };
    } catch { /* this page may not use it: try the next one, then the tab's memory */ }
  }
  const held = (window.pcvizMemory ??= new Map());
  return { kept: { getItem: (name) => held.get(name) ?? null, setItem: (name, text) => held.set(name, text) }, lasting: false };
}

function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @type {(kept: Kept) => [run: string, token: string][]} */
function read(kept) {
  try { return Object.entries(JSON.parse(kept.getItem(LINKS) ?? "")); } catch { return []; }
}

// The answer redraws the page. What Streamlit then sends may replace what the browser has not read yet, and the initial
// values of a form would be lost: wait for the last part of the page.
/** @type {(act: () => void, until?: number) => void} */
function whenDrawn(act, until = performance.now() + 5000) {
  if (document.querySelector(".st-key-configuration") || performance.now() > until) act();
  else setTimeout(whenDrawn, 50, act, until);
}

/** `data`: whether the server knows the key, and run -> token of the links that it knows.
 *  @type {(call: Call<{ known: boolean, links: Record<string, string> }>) => void} */
export default function ({ data, setStateValue }) {
  const address = new URL(location.href);
  if (address.searchParams.has("control")) {
    address.searchParams.delete("control"); // in the history too: with a copied address others can only watch
    history.replaceState(history.state, "", address);
  }
  const { kept, lasting } = memory();
  if (!/^[0-9a-f]{64}$/.test(kept.getItem(KEY) ?? "")) kept.setItem(KEY, random());
  const links = new Map(read(kept));
  const before = links.size;
  for (const [run, token] of Object.entries(data.links)) {
    links.delete(run);
    links.set(run, token); // as the newest
  }
  const newest = Object.fromEntries([...links].slice(-MOST));
  if (before || links.size) kept.setItem(LINKS, JSON.stringify(newest));
  if (!data.known) whenDrawn(() => setStateValue("brought", { key: kept.getItem(KEY), lasting, links: newest }));
}
