"""What keeps the live panels from living is said where they are, with the server's own words."""

import pytest
from playwright.sync_api import Page, expect

from pcviz.experiment import Experiment
from tests.browser.by_clock import stop
from tests.browser.fake_stream import BASELINE, FakeStream
from tests.browser.fed_panels import drawn, eventually, train


def test_a_refused_stream_is_tried_again(
    page: Page, fake: FakeStream, experiment: Experiment, page_faults: list[str]
) -> None:
    fake.refuse = (503, "Somebody is repairing it")
    page.goto(fake.url)
    expect(page.get_by_role("status")).to_have_text("Connection lost, trying again …")
    expect(page.get_by_role("alert")).to_have_text(
        "No live data. /live/frames: 503 Service Unavailable. Somebody is repairing it"
    )
    fake.refuse = None
    train(fake, experiment, 1, 1)
    drawn(page, 1)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert page_faults and all("503" in fault for fault in page_faults)
    page_faults.clear()


@pytest.mark.parametrize("status", [400, 403, 404, 414, 431])
def test_a_stream_that_is_refused_for_good_says_why_and_rests(
    page: Page, fake: FakeStream, experiment: Experiment, page_faults: list[str], status: int
) -> None:
    stop(page)
    fake.refuse = (status, "runs: there is no run 'x'")
    page.goto(fake.url)
    expect(page.get_by_role("alert")).to_contain_text("runs: there is no run 'x'")
    page.clock.run_for(2000)
    expect(page.get_by_role("status")).to_have_text("Not connected")
    asked = fake.asked
    page.clock.run_for(60_000)
    page.wait_for_timeout(300)
    assert fake.asked == asked == 2, "the stream, and once to learn why"
    page_faults.clear()


def test_a_full_server_is_asked_again_after_a_while(
    page: Page, fake: FakeStream, experiment: Experiment, page_faults: list[str]
) -> None:
    stop(page)
    fake.refuse = (429, "2 live streams are open (allowed: PCVIZ_STREAMS 2)")
    page.goto(fake.url)
    expect(page.get_by_role("alert")).to_contain_text("(allowed: PCVIZ_STREAMS 2)")
    fake.refuse = None
    page.clock.run_for(4_000)
    page.wait_for_timeout(300)
    assert fake.open_streams == 0
    page.clock.run_for(8_000)
    eventually(page, lambda: fake.open_streams == 1)
    expect(page.get_by_role("alert")).to_be_hidden()
    page_faults.clear()


def test_a_stream_without_an_answer_is_said(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    stop(page)
    fake.silent = True
    page.goto(fake.url)
    eventually(page, lambda: fake.asked == 1)
    expect(page.get_by_role("alert")).to_be_hidden()
    page.clock.run_for(11_000)
    expect(page.get_by_role("alert")).to_contain_text("close other tabs of it")
    fake.silent = False
    expect(page.get_by_role("alert")).to_be_hidden()


def test_missing_plotly_is_said_and_loaded_later(
    page: Page, fake: FakeStream, experiment: Experiment, page_faults: list[str]
) -> None:
    fake.plotly_status = 500
    page.goto(fake.url)
    expect(page.get_by_role("alert")).to_contain_text("The panels cannot be drawn. /live/plotly.js: 500")
    fake.show(experiment, runs=(BASELINE,))
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")
    train(fake, experiment, 1, 2, run=BASELINE)
    drawn(page, 2)
    expect(page.get_by_role("alert")).to_be_hidden()
    page_faults.clear()
