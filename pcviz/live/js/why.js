// What keeps something from loading: scripts, imports and event streams hide the server's answer.

/** Ask for `address` once, wanting content of `type`. Returns the status (0: no answer) and a sentence, empty if all is well.
 *  @type {(address: string, type: string) => Promise<{ status: number, text: string }>} */
export async function whyNot(address, type) {
  const { pathname } = new URL(address);
  const base = pathname.slice(0, pathname.lastIndexOf("/live/") + 1);
  const way = `Everything below ${base} must reach pcviz: look at server.baseUrlPath and at the proxy in between.`;
  const abort = new AbortController();
  try {
    const answer = await fetch(address, { signal: abort.signal });
    const given = answer.headers.get("content-type") ?? "";
    if (answer.ok && given.startsWith(type)) return { status: answer.status, text: "" };
    const said = given.startsWith("text/plain") ? (await answer.text()).trim().slice(0, 400) : "";
    const named = `${pathname}: ${answer.ok ? given || "nothing" : `${answer.status} ${answer.statusText}`.trim()}`;
    const ours = said && said !== "Not Found" && said !== answer.statusText;
    return { status: answer.ok ? 404 : answer.status, text: ours ? `${named}. ${said}` : `${named}. ${way}` };
  } catch {
    return { status: 0, text: `${pathname}: no answer. The server is down, or something in between (a proxy, a blocker in the browser) stops the request.` };
  } finally {
    abort.abort();
  }
}
