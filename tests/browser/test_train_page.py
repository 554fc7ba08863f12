"""The Train page as a person uses it."""

import re
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from pcviz.store import Store
from tests.browser.on_page import LONG, SMALL, button, pace, panel, plot, show_all, state, step, told, wait_for
from tests.browser.serve import App

PANELS = ("energy-balance", "activity-convergence", "landscape", "learning-curves")


def open_page(page: Page, query: str = SMALL) -> None:
    """Open the page with these settings and wait until its buttons act."""
    page.goto(f"/train?{query}")
    expect(button(page, "play")).to_be_visible(timeout=30_000)
    expect(panel(page, PANELS[-1])).to_be_visible(timeout=30_000)
    page.wait_for_function("window.pcvizKeys")


def test_train_to_the_end(page: Page) -> None:
    open_page(page, f"{SMALL}&learning_steps=60")
    assert state(page) == "idle"
    button(page, "play").click()
    wait_for(page, lambda: state(page) == "done")
    for name in PANELS:
        wait_for(page, lambda name=name: step(page, name) == 60)  # type: ignore[misc]
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"))
    expect(button(page, "play")).to_have_text(re.compile("Train"))
    expect(button(page, "play")).to_be_enabled()
    expect(button(page, "pause")).to_be_disabled()


def test_pause_resume_step_reset_cancel(page: Page) -> None:
    open_page(page, LONG)
    button(page, "play").click()
    wait_for(page, lambda: step(page) > 0)
    rate = pace(page)
    button(page, "pause").click()
    clicked = told(page)
    wait_for(page, lambda: state(page) == "paused")
    expect(button(page, "play")).to_have_text(re.compile("Resume"))
    stopped = told(page)
    assert stopped - clicked < 2 * rate, "what it makes in two seconds, also where these are shared with others"
    wait_for(page, lambda: step(page) == stopped)  # panels draw one after another
    page.wait_for_timeout(500)
    assert told(page) == step(page) == stopped

    button(page, "step").click()
    wait_for(page, lambda: step(page) == stopped + 1)
    button(page, "play").click()
    wait_for(page, lambda: step(page) > stopped + 2)
    expect(button(page, "step")).to_be_disabled()

    button(page, "reset").click()
    wait_for(page, lambda: state(page) == "paused" and step(page) <= 1)
    button(page, "play").click()
    wait_for(page, lambda: step(page) > 1)

    button(page, "cancel").click()
    wait_for(page, lambda: state(page) == "cancelled")
    expect(button(page, "cancel")).to_be_disabled()
    expect(button(page, "play")).to_have_text(re.compile("Train"))


def test_step_from_the_start_and_by_epochs(page: Page) -> None:
    open_page(page, LONG)
    button(page, "step").click()
    wait_for(page, lambda: step(page) == 1 and state(page) == "paused")
    page.locator(".st-key-granularity input").click()
    page.get_by_role("option", name="epoch").click()
    button(page, "step").click()
    wait_for(page, lambda: step(page) == 1 + 1437 // 64)
    expect(button(page, "play")).to_have_text(re.compile("Resume"))


def test_a_reload_finds_the_run_again(page: Page) -> None:
    open_page(page, LONG)
    button(page, "play").click()
    wait_for(page, lambda: step(page) > 5)
    page.wait_for_url(re.compile("run="))
    seen = step(page)
    page.reload()
    expect(button(page, "pause")).to_be_enabled(timeout=30_000)
    wait_for(page, lambda: step(page) > seen)
    expect(page.locator(".st-key-network_depth input")).to_have_value("6")

    run = re.search(r"run=([0-9a-f]{32})", page.url)
    assert run
    page.goto(f"/?run={run[1]}")  # the run alone is enough: it knows its settings
    expect(page.locator(".st-key-network_depth input")).to_have_value("6", timeout=30_000)
    button(page, "cancel").click()
    wait_for(page, lambda: state(page) == "cancelled")


def test_keyboard(page: Page) -> None:
    open_page(page, LONG)
    page.keyboard.press("Space")
    wait_for(page, lambda: step(page) > 0)
    page.keyboard.press("Space")
    wait_for(page, lambda: state(page) == "paused")
    stopped = told(page)
    wait_for(page, lambda: step(page) == stopped)  # panels draw one after another
    page.keyboard.press("s")
    wait_for(page, lambda: step(page) == stopped + 1)

    show_all(page, "run")
    page.locator(".st-key-seed input").click()
    for key in ("Space", "s", "x"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert step(page) == stopped + 1, "a key acted although an input had the focus"

    page.keyboard.press("Escape")
    page.mouse.click(700, 10)
    page.keyboard.press("x")
    wait_for(page, lambda: step(page) <= 1)
    button(page, "play").click()  # its focus must not take the next Space for itself
    wait_for(page, lambda: state(page) == "running")
    page.keyboard.press("Space")
    wait_for(page, lambda: state(page) == "paused")
    button(page, "cancel").click()
    wait_for(page, lambda: state(page) == "cancelled")


def test_changed_settings_wait_for_the_next_run(page: Page) -> None:
    open_page(page, LONG)
    button(page, "play").click()
    wait_for(page, lambda: step(page) > 0)
    first = page.url
    depth = page.locator(".st-key-network_depth input")
    depth.fill("4")
    depth.press("Enter")
    expect(page.get_by_text("starts a new run with Depth L 4")).to_be_visible()
    assert state(page) == "running"
    button(page, "revert").click()
    expect(depth).to_have_value("6")
    expect(page.get_by_text("starts a new run")).to_have_count(0)

    depth.fill("4")
    depth.press("Enter")
    expect(button(page, "play")).to_have_text(re.compile("Train"))
    button(page, "play").click()
    wait_for(page, lambda: page.url != first and "network_depth=4" in page.url and step(page) > 0)
    expect(page.locator('[data-panel="energy-balance"]')).to_be_visible()
    button(page, "cancel").click()


def test_the_address_follows_the_form(page: Page) -> None:
    open_page(page, "")
    assert "?" not in page.url
    width = page.locator(".st-key-network_width input")
    width.fill("32")
    width.press("Enter")
    page.wait_for_url(re.compile(r"\?v=2&network_width=32$"))
    page.get_by_text("Two moons", exact=True).click()
    page.wait_for_url(re.compile("data_name=moons"))
    expect(width).to_have_value("32")
    expect(page.locator(".st-key-network_depth input")).to_have_value("8")
    expect(panel(page, "decision-boundary")).to_be_visible()
    page.get_by_text("First look", exact=True).click()
    page.wait_for_url(re.compile(r"/train$"))


def test_the_decision_boundary_fills_its_panel_by_choice_and_by_link(page: Page) -> None:
    """Its axes keep their scale: circles are round, and seen."""
    axis = "({range, _length}) => _length / (range[1] - range[0])"
    axes = f"['xaxis', 'yaxis'].map((name) => ({axis})(plot._fullLayout[name]))"

    def scales() -> list[float]:
        wait_for(page, lambda: state(page) == "done" and state(page, "decision-boundary") == "done")
        found: list[float] = plot(page, "decision-boundary", axes)
        return found

    page.set_viewport_size({"width": 1440, "height": 900})
    open_page(page, "")
    page.get_by_text("Two moons", exact=True).click()
    page.wait_for_url(re.compile("data_name=moons"))
    button(page, "play").click()
    wait_for(page, lambda: "run=" in page.url)
    first = scales()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(page.url)
    expect(panel(page, "decision-boundary")).to_be_visible(timeout=30_000)
    for x, y in (first, scales()):
        assert x == pytest.approx(y, rel=1e-3) and x > 20


def test_bad_addresses_get_one_message_each(page: Page) -> None:
    open_page(page, f"network_depth=3200&seed=5&run={'0' * 32}")
    expect(page.get_by_text("network.depth: 3200 is above 512")).to_be_visible()
    expect(page.get_by_text(f"{'0' * 32} is not known here")).to_be_visible()
    expect(page.locator(".st-key-network_depth input")).to_have_value("16")
    show_all(page, "run")
    expect(page.locator(".st-key-seed input")).to_have_value("5")
    page.wait_for_url(re.compile(r"\?v=2&seed=5$"))
    expect(button(page, "play")).to_be_enabled()


def test_invalid_settings_disable_train_and_lose_nothing(page: Page) -> None:
    open_page(page, "data_name=regression")
    expect(page.get_by_text("learning.batch_size: 64 is above 20")).to_be_visible()
    expect(button(page, "play")).to_be_disabled()
    show_all(page, "learning", "inference")
    batch = page.locator(".st-key-learning_batch_size input")
    batch.fill("20")
    batch.press("Enter")
    expect(button(page, "play")).to_be_enabled()

    steps = page.locator(".st-key-inference_steps input")  # a number or a word, typed
    for text, message in (("many", "inference.steps: many is not"), ("5000", "inference.steps: 5000 is above 4096")):
        steps.fill(text)
        steps.press("Enter")
        expect(page.get_by_text(message)).to_be_visible()
        expect(button(page, "play")).to_be_disabled()
    steps.fill("12")
    steps.press("Enter")
    expect(button(page, "play")).to_be_enabled()
    page.wait_for_url(re.compile("inference_steps=12"))


def test_the_form_keeps_what_it_hides_and_the_browser_remembers_how_much_it_shows(page: Page) -> None:
    open_page(page)
    size = page.locator(".st-key-inference_step_size input")
    expect(size).to_have_count(0)
    show_all(page, "inference")
    size.fill("0.2")
    size.press("Enter")
    page.wait_for_url(re.compile("inference_step_size=0.2"))
    page.locator(".st-key-form_detail").get_by_text("Simple", exact=True).click()
    expect(page.get_by_text("more settings differ from their defaults: Step size η, Seed.")).to_be_visible()
    button(page, "step").click()
    wait_for(page, lambda: step(page) == 1)
    assert "inference_step_size=0.2" in page.url
    page.locator(".st-key-form_detail").get_by_text("All", exact=True).click()
    expect(size).to_have_value("0.2")
    button(page, "cancel").click()
    page.reload()
    expect(page.locator(".st-key-group_inference")).to_be_visible(timeout=30_000)
    page.locator(".st-key-form_detail").get_by_text("Simple", exact=True).click()
    expect(page.locator(".st-key-group_inference")).to_have_count(0)
    page.goto("/landscape")
    expect(page.locator(".st-key-network_depth input")).to_be_visible(timeout=30_000)
    expect(page.locator(".st-key-group_network")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 768])
def test_small_screens(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    open_page(page)
    for target in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
        assert page.evaluate(f"{target}.scrollWidth") <= width
    if width < 640:
        lefts = [panel(page, name).bounding_box()["x"] for name in PANELS]  # type: ignore[index]
        assert len(set(lefts)) == 1, "panels stack in one column"
        first = panel(page, "network").bounding_box()
        assert first is not None and first["y"] < 300, "a plot is seen before one scrolls"
        bar = page.locator(".st-key-transport").bounding_box()
        assert bar is not None and bar["y"] + bar["height"] == 844, "the buttons lie where the thumb is"
        page.get_by_test_id("stExpandSidebarButton").click()
        sidebar = "document.querySelector('[data-testid=stSidebar]').getBoundingClientRect().right"
        page.get_by_text("Deep and healthy").click()
        page.wait_for_function(f"{sidebar} <= 1")
        page.wait_for_url(re.compile("network_depth=33"))
        assert page.evaluate(f"{sidebar}") <= 1, "what was chosen does not open it again"
    for key in ("play", "pause", "step", "reset", "cancel"):
        box = button(page, key).bounding_box()
        assert box and box["height"] >= 32


def choose_panels(page: Page, *labels: str) -> None:
    """Show these panels only."""
    for pill in page.locator(".st-key-choose_shown_panels button").all():
        shown, wanted = pill.get_attribute("aria-pressed") == "true", (pill.text_content() or "") in labels
        if shown != wanted:
            pill.click()


def test_plots_are_seen_before_one_scrolls(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    open_page(page)
    box = panel(page, "network").bounding_box()
    assert box and box["y"] > 0 and box["y"] + box["height"] <= 900
    choose_panels(page, "Energy", "Activity", "Landscape", "Curves")
    shown = "all => all.map(({ dataset }) => dataset.panel)"
    wait_for(page, lambda: set(page.locator("[data-panel]").evaluate_all(shown)) == set(PANELS))
    for name in PANELS:
        box = panel(page, name).bounding_box()
        assert box and box["y"] > 0 and box["y"] + box["height"] <= 900
    panel(page, "learning-curves").get_by_role("button", name="Full size").click()
    button(page, "step").click()  # a click needs the button in front
    wait_for(page, lambda: step(page) == 1)
    button(page, "cancel").click()
    wait_for(page, lambda: state(page) == "cancelled")


def test_the_baseline_runs_beside(page: Page, app: App) -> None:
    open_page(page, f"{SMALL}&learning_steps=40")
    button(page, "play").click()
    wait_for(page, lambda: state(page) == "done")
    button(page, "overlay").click()
    page.wait_for_url(re.compile("baseline=[0-9a-f]{32}"))
    expect(button(page, "overlay")).to_have_text(re.compile("Remove"))
    button(page, "overlay").click()
    expect(button(page, "overlay")).to_have_text(re.compile("Overlay"))


def test_a_run_is_pinned_and_unpinned(page: Page, app: App) -> None:
    pin = button(page, "pin")
    open_page(page, f"{SMALL}&learning_steps=60")
    expect(pin).to_be_disabled()
    button(page, "play").click()
    expect(pin).to_be_enabled()
    pin.click()
    expect(pin).to_have_text(re.compile("Unpin"))
    run = page.url.split("run=")[1][:32]
    with closing(Store(app.database)) as store:
        assert store.reader.run(run).pinned
        pin.click()
        expect(pin).to_have_text(re.compile(r"Pin$"))
        assert not store.reader.run(run).pinned


def test_a_projector_shows_the_network_and_two_panels_in_large_text(page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    open_page(page, f"{SMALL}&learning_steps=40&present=1")
    names = page.locator("[data-panel]").evaluate_all("all => all.map(({dataset}) => dataset.panel)")
    assert names == ["network", "energy-balance", "learning-curves"]
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    page.keyboard.press("Space")
    wait_for(page, lambda: state(page) == "done" and step(page, "network") == 40)
    said = page.locator(".pcviz-story, .pcviz-sentence, [data-testid=stMain] button p")
    sizes = said.evaluate_all("all => all.map((text) => parseFloat(getComputedStyle(text).fontSize))")
    assert len(sizes) > 8 and min(sizes) >= 20
    assert plot(page, "learning-curves", "plot._fullLayout.xaxis.tickfont.size") >= 20
    for name in names:
        box = panel(page, name).bounding_box()
        assert box and box["y"] + box["height"] <= 1080
    page.keyboard.press("4")  # the fourth panel, the surface, takes the place of the one chosen longest ago
    expect(panel(page, "landscape")).to_be_visible()
    expect(page.locator("[data-panel]")).to_have_count(3)
    assert "present=1" in page.url
    page.keyboard.press("p")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    expect(page).not_to_have_url(re.compile("present"))
