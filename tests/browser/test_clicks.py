"""A click counts once: never twice, never not at all."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_page import LONG, button, state, step, wait_for
from tests.browser.serve import App
from tests.browser.test_train_page import open_page

BUSY = "() => setTimeout(() => { const end = performance.now() + 3000; while (performance.now() < end); })"
BETWEEN = "([first, click, second]) => [first, click, second].forEach((it, i) => setTimeout(() => it.click(), 10 * i))"


@pytest.fixture
def paused(page: Page, app: App) -> Iterator[Page]:
    """A training that one press of Step has begun."""
    open_page(page, LONG)
    button(page, "step").click()
    wait_for(page, lambda: state(page) == "paused" and step(page) == 1)
    yield page
    button(page, "cancel").click()
    wait_for(page, lambda: state(page) == "cancelled")


def _counts(page: Page, number: int) -> None:
    wait_for(page, lambda: step(page) >= number and state(page) == "paused")
    page.wait_for_timeout(1000)  # another step would be here by now
    assert step(page) == number


def test_a_click_in_a_busy_browser_counts_once(paused: Page) -> None:
    """The timer that draws the buttons anew is overdue then, and runs between the click and its message."""
    for number in range(2, 4):
        expect(button(paused, "step")).to_be_enabled()
        place = button(paused, "step").bounding_box()
        assert place
        paused.evaluate(BUSY)
        paused.mouse.click(place["x"] + 10, place["y"] + 10)
        _counts(paused, number)


def test_a_click_between_two_choices_is_not_lost(paused: Page) -> None:
    """It waits for the page that the first choice draws, and the second choice draws that anew."""
    choices = paused.locator(".st-key-network_parameterisation [role=radiogroup] button")
    for number in range(2, 4):
        expect(button(paused, "step")).to_be_enabled()
        first, second = choices.nth(number % 3), choices.nth((number + 1) % 3)
        paused.evaluate(
            BETWEEN, [first.element_handle(), button(paused, "step").element_handle(), second.element_handle()]
        )
        _counts(paused, number)
