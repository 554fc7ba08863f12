"""What tests look at in live panels that are fed by a stream of theirs."""

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from pcviz.experiment import Experiment
from tests.browser.fake_stream import FakeStream, train_values
from tests.browser.on_page import panel

TRAIN_PANELS = ("energy-balance", "activity-convergence", "learning-curves")


def train(fake: FakeStream, experiment: Experiment, first: int, last: int, **place: Any) -> None:
    for step in range(first, last + 1):
        fake.frame("train", step, train_values(experiment, step), **place)


def drawn(page: Page, step: int, *names: str) -> None:
    for name in names or TRAIN_PANELS:
        expect(panel(page, name)).to_have_attribute("data-step", str(step))


def arrived(page: Page, fake: FakeStream, state: str = "running") -> None:
    """Wait until the page has all that was sent so far, whether or not it has been drawn: a state that is sent after it
    is told at once."""
    mark = len(fake.events) + 1
    fake.state(state, mark)
    expect(page.locator(".pcviz-metrics")).to_contain_text(re.compile(rf"(?<!\d){mark} / 200"))


def eventually(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for what the server sees."""
    for _ in range(200):
        if condition():
            return
        page.evaluate("1")  # lets the page's events through
        time.sleep(0.05)
    raise AssertionError("it did not happen within 10 s")
