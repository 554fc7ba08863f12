"""What tests look for and press on any page of the real app."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

SMALL = "v=2&network_depth=6&network_width=16&seed=3"
LONG = f"{SMALL}&learning_steps=100000"


def button(page: Page, key: str) -> Locator:
    """A button of the page by its key."""
    return page.locator(f".st-key-{key} button")


def show_all(page: Page, *groups: str) -> None:
    """Let the form show all its fields, with these groups unfolded."""
    page.locator(".st-key-form_detail").get_by_text("All", exact=True).click()
    for group in groups:
        unfold(page, group)


def unfold(page: Page, group: str) -> None:
    """Unfold a group of the form, which shows all its fields."""
    shown = page.locator(f".st-key-group_{group} details")
    if shown.get_attribute("open") is None:
        shown.locator("summary").click()


def panel(page: Page, name: str) -> Locator:
    """A live panel."""
    return page.locator(f'[data-panel="{name}"]')


def plot(page: Page, name: str, expression: str, argument: Any = None) -> Any:
    """The value of a JavaScript expression of `plot`, a panel's plotly element, and `argument`, once it is drawn."""
    drawn = "while (!plot._fullLayout) await new Promise((resolve) => setTimeout(resolve, 20));"
    code = f"async (plot, argument) => {{ {drawn} return ({expression}); }}"
    return panel(page, name).locator(".pcviz-plot").evaluate(code, argument)


def laid_out(page: Page) -> None:
    """Wait until panels that draw in the next picture have taken a new size: it is noticed in one picture, drawn in the
    next, and what that moves is noticed once more."""
    frame = "await new Promise((resolve) => requestAnimationFrame(resolve));"
    page.evaluate(f"async () => {{ {4 * frame} }}")


def step(page: Page, name: str = "learning-curves") -> int:
    """The last step that a panel drew; 0 before the first."""
    return int(panel(page, name).get_attribute("data-step") or 0)


def state(page: Page, name: str = "learning-curves") -> str:
    """The run's state as a panel shows it."""
    return panel(page, name).get_attribute("data-state") or ""


def told(page: Page) -> int:
    """The weight step that the metrics tell, which needs no drawing."""
    return int(page.locator(".pcviz-metrics strong").first.inner_text().split("/")[0].replace(",", ""))


def pace(page: Page) -> float:
    """Weight steps that a training makes in a second now, whatever else the machine has to do."""
    first, begun = told(page), time.monotonic()
    page.wait_for_timeout(1000)
    wait_for(page, lambda: told(page) > first)
    return (told(page) - first) / (time.monotonic() - begun)


def wait_for(page: Page, condition: Callable[[], bool], seconds: float = 60) -> float:
    """Wait for a condition; returns how long it took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            panels = page.locator("[data-panel]").evaluate_all("all => all.map(({dataset}) => ({...dataset}))")
            notices = page.get_by_test_id("stAlert").all_text_contents()
            entries = page.evaluate("navigation.entries().map(({ url }) => url)")
            raise AssertionError(f"{page.url}: {panels}, notices {notices}, history {entries}")
        page.wait_for_timeout(20)
    return time.monotonic() - begun
