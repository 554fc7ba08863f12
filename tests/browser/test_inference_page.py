"""The Inference page as a person uses it."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from pcviz.engine.client import Client
from pcviz.experiment import from_paths
from pcviz.instruments.relaxation.figures import PANELS
from pcviz.instruments.relaxation.options import Options
from pcviz.store import Store
from tests.browser.on_page import button, panel, plot, wait_for
from tests.browser.serve import App
from tests.descent import DESCENT

SMALL = "network_depth=6&network_width=16&data_name=moons&inference_steps=64"


def open_page(page: Page, query: str = SMALL) -> None:
    """Open the page with these settings and wait until its buttons act."""
    page.goto(f"/inference?{query}")
    expect(button(page, "play")).to_be_visible(timeout=30_000)
    expect(panel(page, [*PANELS][-1])).to_be_visible(timeout=30_000)


def done(page: Page) -> bool:
    """Whether every panel has drawn the last frame."""
    return all(panel(page, name).get_attribute("data-step") == "100" for name in PANELS)


def profile(page: Page) -> list[float | None]:
    """The errors over depth as they are drawn."""
    drawn = """Array.from(plot.data.find((trace) => trace.name === "error now").y,
      (value) => Number.isFinite(value) ? value : null)"""
    found: list[float | None] = plot(page, "depth-profiles", drawn)
    return found


def cursor(page: Page) -> float:
    """Where the line in the heat map stands."""
    line = panel(page, "relaxation-map").locator(".pcviz-cursor:not([hidden])")
    return float(line.get_attribute("data-at") or "nan")


@pytest.fixture(scope="module")
def finished_run(app: App) -> str:
    """A relaxation that has ended, started by nobody's page."""
    paths = {**DESCENT, "network.depth": 6, "network.width": 16, "data.name": "moons", "inference.steps": 64}
    client = Client(Store(app.database))
    run = client.look("relax", from_paths(paths), Options().stored(), "nobody", "nobody")
    deadline = time.monotonic() + 60
    while client.get(run).state != "done":
        assert time.monotonic() < deadline, client.get(run)
        time.sleep(0.1)
    return run


@pytest.fixture
def relaxed(page: Page, finished_run: str) -> Page:
    """A page that shows a finished relaxation."""
    open_page(page, f"{SMALL}&run={finished_run}")
    wait_for(page, lambda: done(page))
    return page


def test_relax_fills_every_panel(page: Page) -> None:
    open_page(page)
    button(page, "play").click()
    wait_for(page, lambda: done(page))
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"))
    reading = page.locator(".st-key-reading")
    expect(reading).to_contain_text("layers have received a signal after 64 steps")
    expect(reading).to_contain_text("Fewest gradient evaluations")
    expect(button(page, "cancel")).to_be_disabled()
    for name in PANELS:
        assert "pcviz-empty" not in (panel(page, name).get_attribute("class") or "")


def test_slider_buttons_and_keys_change_the_profile(relaxed: Page) -> None:
    told, slider = relaxed.locator(".pcviz-told"), relaxed.locator(".pcviz-transport input")
    expect(told).to_have_text("t = 64 of 64")
    last = profile(relaxed)
    slider.fill("1")
    expect(told).to_have_text("t = 1 of 64")
    wait_for(relaxed, lambda: profile(relaxed) != last)
    first = profile(relaxed)
    assert first[:4] == [None] * 4, "after one step only the two top layers have an error"
    wait_for(relaxed, lambda: cursor(relaxed) == 1)
    slider.blur()
    relaxed.keyboard.press("ArrowRight")
    expect(told).to_have_text("t = 2 of 64")
    wait_for(relaxed, lambda: profile(relaxed)[3] is not None)
    speed = relaxed.get_by_label("Speed")
    speed.select_option("5")  # it cannot reach the end meanwhile
    speed.blur()
    relaxed.keyboard.press("Space")
    expect(relaxed.locator(".pcviz-transport [data-act=play]")).to_have_attribute("aria-pressed", "true")
    wait_for(relaxed, lambda: cursor(relaxed) > 5)
    relaxed.keyboard.press("Space")
    expect(relaxed.locator(".pcviz-transport [data-act=play]")).to_have_attribute("aria-pressed", "false")
    relaxed.get_by_label("Last inference step").click()
    wait_for(relaxed, lambda: profile(relaxed) == last)


def test_a_reload_attaches_again(relaxed: Page) -> None:
    address = relaxed.url
    relaxed.goto(address)
    wait_for(relaxed, lambda: done(relaxed))
    assert relaxed.url == address
    expect(relaxed.locator(".st-key-reading")).to_contain_text("Fewest gradient evaluations")


def test_weights_at_a_step_relax_otherwise_than_fresh_ones(relaxed: Page) -> None:
    fresh, before = profile(relaxed), relaxed.url
    step = relaxed.get_by_role("spinbutton", name="At step")
    step.fill("20")
    step.press("Enter")
    button(relaxed, "play").click()
    wait_for(relaxed, lambda: relaxed.url != before and done(relaxed) and profile(relaxed) != fresh)
    relaxed.goto(relaxed.url)
    expect(step).to_have_value("20", timeout=30_000)


def test_pages_keep_settings_and_runs_of_their_own(relaxed: Page) -> None:
    run = re.search(r"run=[0-9a-f]{32}", relaxed.url)
    assert run is not None
    relaxed.get_by_role("link", name="Train").click()
    expect(panel(relaxed, "energy-balance")).to_be_visible(timeout=30_000)
    wait_for(relaxed, lambda: "network_depth=6" in relaxed.url and "run=" not in relaxed.url)
    relaxed.get_by_role("link", name="Inference").click()
    wait_for(relaxed, lambda: run.group() in relaxed.url and "network_depth=6" in relaxed.url)
    wait_for(relaxed, lambda: done(relaxed))


def test_phone(relaxed: Page) -> None:
    relaxed.set_viewport_size({"width": 390, "height": 844})
    wait_for(relaxed, lambda: relaxed.evaluate("document.documentElement.scrollWidth") <= 390)
    boxes = "all => all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => [left, right])"

    def fit() -> bool:
        found = relaxed.locator("[data-panel]").evaluate_all(boxes)
        return len(found) >= len(PANELS) and all(left >= 0 and right <= 390 for left, right in found)

    wait_for(relaxed, fit)
