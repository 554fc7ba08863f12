// The browser's history: marks addresses that Back and Forward lead to, and keeps one entry for each switch of pages.

/** `data`: the keys of back.py in the address, and the paths of all pages.
 *  @type {(call: Call<{ mark: string, acknowledged: string, page: string, pages: string[] }>) => void} */
export default function ({ data }) {
  if (window.pcvizHistory) return;
  window.pcvizHistory = true;
  const native = { push: history.pushState.bind(history), replace: history.replaceState.bind(history) };
  let switched = false; // Streamlit goes to the bare address of a page, then to the one with its settings
  let waiting = false; // for the answer to a mark; earlier answers belong to an address that Back has left
  let marks = 0; // two marks may be made in one millisecond
  // A prefix of the server may stand before a path, and alone for the Home page, whose path is empty.
  /** @type {(url: URL) => string} */
  const pageOf = ({ pathname }) => data.pages.find((page) => page && pathname.endsWith(`/${page}`)) ?? "";
  /** @type {(go: History["pushState"]) => History["pushState"]} */
  const follow = (go) => (state, title, target) => {
    const here = new URL(location.href);
    const url = new URL(target ?? "", here);
    const acknowledged = url.searchParams.get(data.acknowledged);
    const page = url.searchParams.get(data.page);
    for (const key of [data.acknowledged, data.page]) url.searchParams.delete(key);
    const same = url.pathname === here.pathname;
    if (same && page !== null && page !== pageOf(here)) return; // Streamlit brings it again when it turns to the page
    if (same && acknowledged !== null ? acknowledged !== here.searchParams.get(data.mark) : waiting) return;
    if (acknowledged !== null || (same && switched)) native.replace(state, title, url);
    else go(state, title, url);
    waiting = false;
    switched = !same;
  };
  history.pushState = follow(native.push);
  history.replaceState = follow(native.replace);
  const byHand = () => { switched = waiting = false; };
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, byHand, { capture: true });
  const mark = () => {
    switched = false;
    waiting = true;
    const address = new URL(location.href);
    address.searchParams.set(data.mark, `${Date.now()}-${++marks}`);
    native.replace(history.state, "", address);
  };
  // A page that was loaded with a mark waits for no answer: the server's came before this script.
  const loaded = new URL(location.href);
  loaded.searchParams.delete(data.mark);
  if (loaded.href !== location.href) native.replace(history.state, "", loaded);
  // The mark must be there before Streamlit reads the address, at popstate.
  if (window.navigation) {
    navigation.addEventListener("currententrychange", ({ navigationType }) => {
      if (navigationType === "traverse") mark();
    });
  } else {
    window.addEventListener("popstate", (event) => {
      if (!event.isTrusted) return;
      mark();
      window.dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
    });
  }
}
