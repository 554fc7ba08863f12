"""Large for the back row: one panel in full size, and all that is shown on a projector."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pcviz.instruments.training.reading import story
from tests.browser.fake_stream import CHILD, SECOND, FakeStream
from tests.browser.fed_panels import TRAIN_PANELS, drawn, train
from tests.browser.on_page import laid_out, panel
from tests.browser.test_examples import values
from tests.browser.test_headers import shown
from tests.browser.test_network_view import relaxed

SMALL = """(root) => [...root.querySelectorAll("*")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("svg, option, .pcviz-spoken"))
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()))
  .map((one) => [one.outerHTML, parseFloat(getComputedStyle(one).fontSize)])
  .filter(([, size]) => size < 20)"""
"""Visible text below 20 px, but for that of figures, which is enlarged by one factor, and what is only read aloud."""


def everything(page: Page, fake: FakeStream) -> None:
    """All panels with values, and a fault."""
    experiment, _, picture = relaxed(False)
    train(fake, experiment, 1, 20)
    fake.state("running", 20)
    fake.frame("network", 20, picture | {"asked_at": np.nan}, run=CHILD)
    fake.frame("predictions", 20, values() | {"asked_at": np.nan}, run=SECOND)
    fake.send("fault", message="The disk is full")
    drawn(page, 20, *TRAIN_PANELS, "network", "examples")


def test_all_text_on_a_projector_is_large(page: Page, fake: FakeStream) -> None:
    experiment = relaxed(False)[0]
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 1440, "height": 900})
    fake.show(experiment, panels=["network", *TRAIN_PANELS, "examples"], story=story(experiment), timeline={"at": None})
    fake.data["present"] = True
    page.goto(fake.url)
    everything(page, fake)
    network = panel(page, "network").locator("canvas").first
    network.hover(position={"x": 400, "y": 100})
    expect(panel(page, "network").locator(".pcviz-tip")).to_be_visible()
    live = page.locator(".pcviz-live")
    assert live.evaluate(SMALL) == []
    panel(page, "network").focus()
    page.keyboard.press("ArrowUp")
    expect(panel(page, "network").locator(".pcviz-detail")).to_be_visible()
    assert live.evaluate(SMALL) == []


def test_a_projector_shows_the_past_and_leads_back(page: Page, fake: FakeStream) -> None:
    experiment = relaxed(False)[0]
    fake.show(experiment, panels=[*TRAIN_PANELS], story=story(experiment), timeline={"at": None})
    page.goto(fake.url)
    train(fake, experiment, 1, 20)
    drawn(page, 20)
    page.get_by_role("button", name="First weight step").click()
    page.evaluate("(data) => window.remount({ ...data, present: true })", fake.data)
    bar = page.locator(".pcviz-timeline")
    expect(bar).to_be_visible()
    expect(page.locator(".pcviz-story")).to_contain_text("Back after 1 of")
    page.get_by_role("button", name="Last weight step").click()
    expect(bar).to_be_hidden()
    drawn(page, 20)


@pytest.mark.parametrize("name", ["network", "learning-curves", "examples", "activity-convergence"])
def test_text_of_a_panel_in_full_size_is_large(page: Page, fake: FakeStream, name: str) -> None:
    experiment = relaxed(False)[0]
    page.emulate_media(reduced_motion="reduce")
    shown(fake, experiment, shown_panels=["network", *TRAIN_PANELS, "examples"])
    page.goto(fake.url)
    everything(page, fake)
    panel(page, name).get_by_role("button", name="Full size").click()
    panel(page, name).get_by_role("button", name="How to read").click()
    page.wait_for_function(f"!({SMALL})(document.querySelector('[data-panel=\"{name}\"]')).length", timeout=10_000)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_the_whole_network_view_can_be_reached_in_full_size(
    page: Page, fake: FakeStream, deep: bool, width: int
) -> None:
    experiment, _, picture = relaxed(deep)
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    fake.show(experiment, panels=["network"])
    page.goto(fake.url)
    fake.frame("network", 7, picture, run=CHILD)
    network = panel(page, "network")
    expect(network).to_have_attribute("data-step", "7")
    network.get_by_role("button", name="Full size").click()
    laid_out(page)
    sentence = network.locator(".pcviz-sentence")
    sentence.scroll_into_view_if_needed()
    canvas, words, whole = (one.bounding_box() for one in (network.locator("canvas").first, sentence, network))
    assert canvas and words and whole
    assert words["y"] >= canvas["y"] + canvas["height"], "below the picture"
    assert words["y"] + words["height"] <= whole["y"] + whole["height"] + 1, "within the panel"
    assert canvas["width"] <= whole["width"], "nothing is cut at the side"
