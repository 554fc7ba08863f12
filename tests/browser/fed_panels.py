"""What tests look at in live panels that are fed by a stream of theirs."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from pcviz.experiment import Experiment
from tests.browser.fake_stream import FakeStream, train_values

expect.set_options(timeout=20_000)  # milliseconds that a first draw may take on a busy machine
TRAIN_PANELS = ("energy-balance", "activity-convergence", "learning-curves")


def section(page: Page, name: str) -> Locator:
    return page.locator(f'[data-panel="{name}"]')


def train(fake: FakeStream, experiment: Experiment, first: int, last: int, **place: Any) -> None:
    for step in range(first, last + 1):
        fake.frame("train", step, train_values(experiment, step), **place)


def drawn(page: Page, step: int, *names: str) -> None:
    for name in names or TRAIN_PANELS:
        expect(section(page, name)).to_have_attribute("data-step", str(step))


def plot(page: Page, name: str, expression: str, argument: Any = None) -> Any:
    """The value of a JavaScript expression of `plot`, the panel's plotly element, and `argument`."""
    code = f"(plot, argument) => ({expression})"
    return section(page, name).locator(".pcviz-plot").evaluate(code, argument)


def eventually(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for what the server sees."""
    for _ in range(200):
        if condition():
            return
        page.evaluate("1")  # lets the page's events through
        time.sleep(0.05)
    raise AssertionError("it did not happen within 10 s")
