"""What Streamlit calls in the page: whatever the order in which scripts arrive, its last call counts."""

from playwright.sync_api import Page, Route

from pcviz.ui.panels import LOADER

# A module that exports `then` decides when its import ends: the first of two ends last.
SLOW_FIRST = """
let calls = 0;
const mount = (place, data) => { window.told.push(`mount ${data}`); return () => window.told.push("clean up"); };
export function then(resolve) { setTimeout(() => resolve({ mount }), ++calls === 1 ? 300 : 0); }
"""
CALL_TWICE = """async (loader) => {
  window.told = [];
  document.body.innerHTML = '<div id="parent"><div class="pcviz-mount"></div></div>';
  const parentElement = document.getElementById("parent");
  const { default: call } = await import(URL.createObjectURL(new Blob([loader], { type: "text/javascript" })));
  const cleanUps = ["old", "new"].map((data) => call({ data, parentElement }));
  const pause = () => new Promise((resolve) => setTimeout(resolve, 500));
  await pause();
  const mounted = window.told.splice(0);
  cleanUps[0]();
  await pause();
  const overtaken = window.told.splice(0);
  cleanUps[1]();
  await pause();
  return [mounted, overtaken, window.told];
}"""


def test_the_last_call_counts(page: Page) -> None:
    def answer(route: Route) -> None:
        script = route.request.url.endswith("live/live.js")
        route.fulfill(
            body=SLOW_FIRST if script else "<!doctype html>", content_type="text/javascript" if script else "text/html"
        )

    page.route("http://localhost/**", answer)
    page.goto("http://localhost/app/")
    mounted, overtaken, ended = page.evaluate(CALL_TWICE, LOADER)
    assert mounted == ["mount new", "mount new"]
    assert overtaken == []
    assert ended == ["clean up"]
