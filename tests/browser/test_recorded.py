"""What is recorded is shown until a run shows the same live, and a touch asks for one."""

import numpy as np
from playwright.sync_api import Page, Route, expect

from pcviz.experiment.presets import HOME
from tests.browser.by_clock import reach, stop
from tests.browser.fake_stream import CHILD, FakeStream
from tests.browser.fed_panels import eventually
from tests.browser.on_page import panel
from tests.browser.test_network_view import relaxed

RECORDING = "**/recorded/home.json*"


def opened(page: Page, fake: FakeStream, runs: tuple[str, ...] = ()) -> None:
    page.emulate_media(reduced_motion="reduce")
    fake.show(HOME, panels=["network"], recorded="home", runs=runs)
    page.goto(fake.url)


def test_what_is_live_is_not_replaced_by_a_recording_that_comes_late(page: Page, fake: FakeStream) -> None:
    asked: list[Route] = []
    page.route(RECORDING, lambda route: asked.append(route))
    opened(page, fake)
    eventually(page, lambda: len(asked) == 1)
    fake.show(HOME, panels=["network"], recorded="home")
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")
    fake.frame("network", 7, relaxed(False)[2] | {"asked_at": np.nan}, run=CHILD)
    network = panel(page, "network")
    expect(network).to_have_attribute("data-source", "live")
    with page.expect_response(RECORDING):
        asked[0].continue_()
    page.wait_for_timeout(500)
    expect(network).to_have_attribute("data-source", "live")
    expect(network).to_have_attribute("data-step", "7")


def test_a_recording_that_is_missing_is_asked_for_again(page: Page, fake: FakeStream, page_faults: list[str]) -> None:
    page.route(RECORDING, lambda route: route.fulfill(status=404, body="There is no such recording"))
    opened(page, fake)
    expect(page.get_by_role("alert")).to_contain_text("The recording cannot be shown.")
    page.unroute(RECORDING)
    fake.show(HOME, panels=["network"], recorded="home", runs=(), about="the same once more")
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(panel(page, "network")).to_have_attribute("data-source", "recorded")
    page_faults.clear()


def test_only_what_acts_is_a_touch_and_a_refused_one_can_be_repeated(page: Page, fake: FakeStream) -> None:
    stop(page)
    opened(page, fake)
    network = panel(page, "network")
    reach(network, "data-source", "recorded")
    network.focus()
    for key in ("Shift", "Tab", "Shift+Tab", "Escape", "a"):
        page.keyboard.press(key)
    assert page.evaluate("window.picks") == []
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert [pick["panel"] for pick in page.evaluate("window.picks")] == ["network"], "once"
    page.clock.run_for(4_000)
    network.get_by_role("button", name="How to read").click()
    assert len(page.evaluate("window.picks")) == 2
