"""The network view plays relaxations, but never against whoever watches them."""

import re
from typing import Any

import numpy as np
import orjson
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from pcviz.instruments.network.job import exact
from pcviz.store.values import encode_values
from tests.browser.by_clock import FRAME, reach, stop
from tests.browser.fake_stream import CHILD, FakeStream
from tests.browser.fed_panels import arrived
from tests.browser.on_page import panel
from tests.browser.test_network_view import LAYERS, point_at, relaxed, sent, sentence, shown

LAST = str(LAYERS - 1)
SLOW, FAST = "6", "60"
"""Recorded steps a second."""
GAP, SAID = 1500, 1100
"""Milliseconds: more than lie between a relaxation and what follows it, and between words for screen readers."""
INK = """(canvas) => canvas.width && new Uint32Array(canvas.getContext("2d")
  .getImageData(0, 0, canvas.width, canvas.height).data.buffer).filter(Boolean).length"""
"""Pixels of a canvas that are not empty."""


def values(example: int = 2) -> dict[str, Any]:
    return relaxed(False)[2] | {"network_example": float(example)}


def view(page: Page) -> Locator:
    return panel(page, "network")


def player(page: Page) -> Locator:
    return view(page).locator("[data-act=play]")


def playing(page: Page, yes: bool) -> None:
    expect(player(page)).to_have_attribute("aria-pressed", str(yes).lower())


def opened(page: Page, fake: FakeStream, *, motion: bool = True, speed: str = FAST) -> None:
    """The example, on a page whose time is moved on by hand."""
    stop(page)
    sent(page, fake, motion=motion)
    reach(view(page), "data-step", 7)
    view(page).get_by_label("Speed").select_option(speed)


def at(page: Page, step: int | str) -> None:
    """Move the page's time on until the picture is at this step."""
    reach(view(page), "data-inference-step", step)


def ended(page: Page, fake: FakeStream, **options: Any) -> None:
    """The same, played to its end, in the gap before what follows."""
    opened(page, fake, **options)
    at(page, LAST)
    playing(page, False)


def test_it_plays_by_itself_unless_motion_is_unwanted(page: Page, fake: FakeStream) -> None:
    opened(page, fake, motion=False)
    expect(view(page)).to_have_attribute("data-inference-step", LAST)
    playing(page, False)
    sent(page, fake, motion=True)
    reach(view(page), "data-step", 7)
    playing(page, True)
    at(page, LAST)


def test_another_example_is_played_at_the_same_speed(page: Page, fake: FakeStream) -> None:
    opened(page, fake, speed=SLOW)
    at(page, 4)
    view(page).evaluate(
        """(view) => { window.seen = []; new MutationObserver(() => window.seen.push([performance.now(),
        Number(view.dataset.inferenceStep)])).observe(view, {attributeFilter: ["data-inference-step"]}); }"""
    )
    fake.frame("network", 7, values(3), run=CHILD)
    arrived(page, fake)
    at(page, 0)
    at(page, LAST)
    seen = page.evaluate("window.seen")
    again = seen[next(i for i, (_, step) in enumerate(seen) if step == 0) :]
    assert again[-1][0] - again[0][0] > 0.8 * 1000 * (LAYERS - 1) / int(SLOW), "one loop, not two"


def test_it_goes_on_with_the_newest_weights(page: Page, fake: FakeStream) -> None:
    opened(page, fake, speed=SLOW)
    fake.frame("network", 8, values(), run=CHILD)
    arrived(page, fake)
    at(page, LAST)
    expect(view(page)).to_have_attribute("data-step", "7")
    page.clock.run_for(GAP)
    expect(view(page)).to_have_attribute("data-step", "8")
    playing(page, True)


@pytest.mark.parametrize("moved", ["One inference step back", "First inference step"])
def test_who_moves_in_the_gap_is_left_there(page: Page, fake: FakeStream, moved: str) -> None:
    ended(page, fake)
    view(page).get_by_role("button", name=moved).click()
    step = LAYERS - 2 if "back" in moved else 0
    fake.frame("network", 8, values(), run=CHILD)
    arrived(page, fake)
    page.clock.run_for(GAP)
    expect(view(page)).to_have_attribute("data-step", "8")
    playing(page, False)
    expect(view(page)).to_have_attribute("data-inference-step", str(step))


def test_who_plays_in_the_gap_is_not_interrupted(page: Page, fake: FakeStream) -> None:
    ended(page, fake)
    view(page).get_by_label("Speed").select_option("1")
    player(page).click()
    page.clock.run_for(3500)
    assert int(view(page).get_attribute("data-inference-step") or 0) >= 3


def test_after_a_pause_of_the_run_it_plays_again(page: Page, fake: FakeStream) -> None:
    opened(page, fake)
    arrived(page, fake, "paused")
    at(page, LAST)
    page.clock.run_for(GAP)
    playing(page, False)
    view(page).get_by_label("Speed").select_option("1")
    fake.state("running", 7)
    fake.frame("network", 8, values(), run=CHILD)
    playing(page, True)
    player(page).click()
    fake.frame("network", 9, values(), run=CHILD)
    reach(view(page), "data-step", 9)
    playing(page, False)


def test_without_motion_nothing_flashes_nor_plays_again(page: Page, fake: FakeStream) -> None:
    opened(page, fake, motion=False)
    player(page).click()
    at(page, 0)
    at(page, LAST)
    playing(page, False)
    canvas = view(page).locator(".pcviz-plot canvas")
    picture = canvas.evaluate("(canvas) => canvas.toDataURL()")
    page.clock.run_for(GAP)
    assert canvas.evaluate("(canvas) => canvas.toDataURL()") == picture
    playing(page, False)
    expect(view(page)).to_have_attribute("data-inference-step", LAST)


def recorded(page: Page, fake: FakeStream) -> None:
    """A page that shows a recording of two examples, played."""
    frames = [
        {"run": "", "parent": None, "kind": "network", "generation": 0, "seq": i, "step": 7, "inference_step": 0}
        | {"epoch": 0, "seconds": 0, "values": orjson.loads(encode_values(values(i)))}
        for i in (1, 2)
    ]
    answer = orjson.dumps(frames).decode()
    page.route("**/recorded/*.json*", lambda route: _fulfil(route, answer))
    page.emulate_media(reduced_motion="no-preference")
    stop(page)
    fake.show(relaxed(False)[0], runs=(), panels=["network"], recorded="two")
    page.goto(fake.url)
    view(page).get_by_label("Speed").select_option(FAST)
    at(page, LAST)
    expect(view(page).locator(".pcviz-example")).to_contain_text("example 1")


def _fulfil(route: Route, text: str) -> None:
    route.fulfill(body=text, content_type="application/json")


def test_a_recording_goes_on_to_the_next_example(page: Page, fake: FakeStream) -> None:
    recorded(page, fake)
    page.clock.run_for(GAP)
    expect(view(page).locator(".pcviz-example")).to_contain_text("example 2")


@pytest.mark.parametrize("key", ["ArrowLeft", "ArrowUp"])
def test_a_recording_that_is_read_stays(page: Page, fake: FakeStream, key: str) -> None:
    recorded(page, fake)
    view(page).focus()
    page.keyboard.press(key)
    page.clock.run_for(GAP)
    assert "example 1" in view(page).locator(".pcviz-example").inner_text()
    playing(page, False)


def test_a_run_that_begins_anew_leaves_nothing_of_the_old_one(page: Page, fake: FakeStream) -> None:
    shown(page, fake)
    canvas, tip = view(page).locator(".pcviz-plot canvas"), view(page).locator(".pcviz-tip")
    numbers = exact(relaxed(False)[1], np.zeros(10), 3) | {"layer_weights": np.ones((16, 16), np.float32)}
    fake.frame("network", 8, values() | numbers, run=CHILD)
    expect(view(page).locator(".pcviz-edges")).to_be_visible()
    point_at(page, 0)
    expect(tip).to_be_visible()
    assert canvas.evaluate(INK) > 1000
    fake.state("compiling", generation=1)
    expect(view(page)).to_have_class(re.compile("pcviz-empty"))
    for part in (tip, view(page).locator(".pcviz-edges"), view(page).locator(".pcviz-detail")):
        expect(part).to_be_hidden()
    assert canvas.evaluate(INK) == 0


def test_the_failure_of_its_child_stays_until_the_next_picture(page: Page, fake: FakeStream) -> None:
    shown(page, fake)
    note = view(page).locator(".pcviz-note")
    expect(note).to_contain_text("After weight step 7.")
    fake.state("failed", run=CHILD, kind="network", message="example: 9 is above 8")
    expect(note).to_contain_text("example: 9 is above 8")
    view(page).get_by_role("button", name="One inference step back").click()
    at(page, LAYERS - 2)
    expect(note).to_contain_text("example: 9 is above 8")
    fake.state("cancelled", run=CHILD, kind="network")
    fake.frame("network", 8, values(), run=CHILD)
    expect(note).to_contain_text("After weight step 8.")


def test_quick_clicks_count_on_from_the_example_asked_for(page: Page, fake: FakeStream) -> None:
    shown(page, fake)
    further = view(page).get_by_role("button", name="Next example")
    further.click()
    further.click()
    fake.frame("network", 7, values(3), run=CHILD)
    expect(view(page).locator(".pcviz-example")).to_contain_text("example 3")
    further.click()
    fake.frame("network", 7, values(50), run=CHILD)  # chosen elsewhere
    expect(view(page).locator(".pcviz-example")).to_contain_text("example 50")
    view(page).get_by_role("button", name="Previous example").click()
    assert [pick["x"] for pick in page.evaluate("window.picks")] == [3, 4, 5, 49]


def test_it_is_told_to_screen_readers_where_somebody_moves_and_not_while_it_plays(page: Page, fake: FakeStream) -> None:
    opened(page, fake, speed=SLOW)
    spoken = view(page).locator("[aria-live=polite]")
    expect(spoken).to_have_count(1)
    at(page, 4)
    assert spoken.text_content() == ""
    view(page).get_by_role("button", name="One inference step back").click()
    page.clock.run_for(SAID)
    expect(spoken).to_contain_text("Inference step")
    assert sentence(page) in (spoken.text_content() or "")
    spoken.evaluate(
        "(told) => { window.told = 0; new MutationObserver(() => window.told++).observe(told, {childList: true}); }"
    )
    view(page).focus()
    for key in [*["ArrowLeft", "ArrowRight"] * 5, "ArrowUp"]:
        page.keyboard.press(key)
        page.clock.run_for(FRAME)
    page.clock.run_for(SAID)
    expect(spoken).to_contain_text("Layer 1 of 9")
    assert page.evaluate("window.told") <= 2, "not one for each step"
    fake.frame("network", 8, values(), run=CHILD)
    reach(view(page), "data-step", 8)
    page.clock.run_for(3000)
    assert page.evaluate("window.told") <= 2, "new weights are no news"
