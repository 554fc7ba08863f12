// Finds out why something does not load: scripts, imports and event streams hide the server's answer.

/** Request `address` once, expecting content of `type`. Returns the status (0: no answer) and a sentence, empty if all is well.
 *  @type {(address: string, type: string) => Promise<{ status: number, text: string }>} */
export async function whyNot(address, type) {
  const { pathname } = new URL(address);
  const base = pathname.slice(0, pathname.lastIndexOf("/live/") + 1);
  const way = `Everything below ${base} must reach pcviz: check server.baseUrlPath and the proxy in between.`;
  const abort = new AbortController();
  try {
    const answer = await fetch(address, { signal: abort.signal });
    const received = answer.headers.get("content-type") ?? "";
    if (answer.ok && received.startsWith(type)) return { status: answer.status, text: "" };
    const message = received.startsWith("text/plain") ? (await answer.text()).trim().slice(0, 400) : "";
    const named = `${pathname}: ${answer.ok ? received || "nothing" : `${answer.status} ${answer.statusText}`.trim()}`;
    const ours = message && message !== "Not Found" && message !== answer.statusText;
    return { status: answer.ok ? 404 : answer.status, text: ours ? `${named}. ${message}` : `${named}. ${way}` };
  } catch {
    return { status: 0, text: `${pathname}: no answer. The server is down, or something in between (a proxy, a blocker in the browser) stops the request.` };
  } finally {
    abort.abort();
  }
}
