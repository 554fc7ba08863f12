"""A page whose time stands still until a test moves it on: what lasts for a moment only cannot be missed."""

from collections.abc import Callable
from datetime import datetime, timedelta

from playwright.sync_api import Locator, Page

BEGIN = datetime(2030, 1, 1)
FRAME = 16
"""Milliseconds between two pictures."""


def stop(page: Page) -> None:
    """Stop the time of the page, which has loaded nothing yet. What the server sends comes nevertheless; timers and
    pictures wait."""
    page.clock.install(time=BEGIN)
    page.clock.pause_at(BEGIN + timedelta(hours=1))


def move_until(page: Page, condition: Callable[[], bool]) -> None:
    """Move the page's time on, one picture after another, until the condition holds."""
    for _ in range(1000):
        if condition():
            return
        page.clock.run_for(FRAME)
    raise AssertionError(f"it did not happen within {FRAME} s of the page")


def reach(shown: Locator, attribute: str, value: object) -> None:
    """Move the page's time on until an attribute has this value."""
    move_until(shown.page, lambda: shown.get_attribute(attribute) == str(value))
