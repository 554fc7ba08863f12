"""A whole session by keyboard alone: no test here touches a mouse."""

import re

from playwright.sync_api import Page, expect

from tests.browser.on_page import panel, state, step, told, wait_for

MOST = 200
"""Stops of Tab, at most, until something must have been reached."""
FOCUSED = "(selector) => Boolean(document.activeElement?.closest(selector))"


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Go on with Tab until something within `selector` has the focus."""
    for _ in range(MOST):
        page.keyboard.press(key)
        if page.evaluate(FOCUSED, selector):
            return
    raise AssertionError(f"{key} does not reach {selector}")


def inference_step(page: Page) -> int:
    return int(panel(page, "network").get_attribute("data-inference-step") or -1)


def test_a_whole_session(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")  # relaxations are not played by themselves
    page.goto("/")
    expect(page.locator(".st-key-recent, [class*='st-key-card_']").last).to_be_visible(timeout=60_000)
    tab_to(page, "[class*='st-key-open_'] button")
    page.keyboard.press("Enter")
    wait_for(page, lambda: step(page) > 0)
    page.wait_for_url("**/train*")

    tab_to(page, ".st-key-form_detail", "Shift+Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-group_learning")).to_be_visible()
    tab_to(page, ".st-key-group_learning summary")
    page.keyboard.press("Enter")
    tab_to(page, ".st-key-learning_steps input")
    page.keyboard.press("Control+a")
    page.keyboard.type("100000")  # a run that nobody can be too slow to pause
    page.keyboard.press("Enter")
    tab_to(page, ".st-key-play button")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("learning_steps=100000.*run="))
    wait_for(page, lambda: state(page) == "running" and step(page) > 0)

    page.keyboard.press("Space")
    wait_for(page, lambda: state(page) == "paused")
    stopped = told(page)
    wait_for(page, lambda: step(page) == stopped)  # panels draw one after another
    page.keyboard.press("Space")
    wait_for(page, lambda: step(page) > stopped)
    page.keyboard.press("Space")
    wait_for(page, lambda: state(page) == "paused")

    view = panel(page, "network")
    detail = view.locator(".pcviz-detail")
    tab_to(page, "[data-panel='network']")
    wait_for(page, lambda: inference_step(page) > 1)
    last = inference_step(page)
    page.keyboard.press("ArrowLeft")
    wait_for(page, lambda: inference_step(page) < last)
    page.keyboard.press("ArrowRight")
    wait_for(page, lambda: inference_step(page) == last)
    page.keyboard.press("ArrowUp")
    expect(detail).to_contain_text("Layer 1 of")
    page.keyboard.press("ArrowUp")
    expect(detail).to_contain_text("Layer 2 of")
    page.keyboard.press("ArrowDown")
    expect(detail).to_contain_text("Layer 1 of")
    expect(view.locator("[aria-live=polite]")).to_contain_text("Layer 1 of")
    page.keyboard.press("Enter")
    expect(detail).to_contain_text("prediction μ =", timeout=30_000)

    page.keyboard.press("p")
    expect(page.locator(".pcviz-present")).to_be_visible()
    page.wait_for_url(re.compile("present=1"))
    page.keyboard.press("p")
    expect(page.locator(".pcviz-present")).to_have_count(0)

    tab_to(page, ".st-key-reset button", "Shift+Tab")
    page.keyboard.press("Enter")
    wait_for(page, lambda: state(page) in ("idle", "paused") and step(page) == 0)
