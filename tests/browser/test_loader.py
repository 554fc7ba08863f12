"""What Streamlit calls in the page: whatever the order in which scripts arrive, its last call counts."""

from playwright.sync_api import Page, Route

from pcviz.ui.panels import LOADER

# A module that exports `then` decides when its import ends: each when the test lets it.
HELD_BACK = """
window.ends = [];
const mount = (place, data) => { window.told.push(`mount ${data}`); return () => window.told.push("clean up"); };
export function then(resolve) { window.ends.push(() => resolve({ mount })); }
"""
CALL_TWICE = """async (loader) => {
  window.told = [];
  document.body.innerHTML = '<div id="parent"><div class="pcviz-mount"></div></div>';
  const parentElement = document.getElementById("parent");
  const { default: call } = await import(URL.createObjectURL(new Blob([loader], { type: "text/javascript" })));
  const cleanUps = ["old", "new"].map((data) => call({ data, parentElement }));
  const turn = () => new Promise((resolve) => setTimeout(resolve)); // whatever follows from promises has happened then
  while (!(window.ends?.length === 2)) await turn();
  for (const end of window.ends.reverse()) { // the first of two ends last
    end();
    await turn();
  }
  const mounted = window.told.splice(0);
  cleanUps[0]();
  await turn();
  const overtaken = window.told.splice(0);
  cleanUps[1]();
  await turn();
  return [mounted, overtaken, window.told];
}"""


def test_the_last_call_counts(page: Page) -> None:
    def answer(route: Route) -> None:
        script = route.request.url.endswith("live/live.js")
        route.fulfill(
            body=HELD_BACK if script else "<!doctype html>", content_type="text/javascript" if script else "text/html"
        )

    page.route("http://localhost/**", answer)
    page.goto("http://localhost/app/")
    mounted, overtaken, ended = page.evaluate(CALL_TWICE, LOADER)
    assert mounted == ["mount new", "mount new"]
    assert overtaken == []
    assert ended == ["clean up"]
