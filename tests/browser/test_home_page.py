"""The Home page as a newcomer uses it."""

import re

import pytest
from playwright.sync_api import Page, expect

from pcviz.experiment.presets import PRESETS
from tests.browser.on_page import button, panel, state, step, wait_for
from tests.browser.serve import App


def inference_step(page: Page) -> int:
    return int(panel(page, "network").get_attribute("data-inference-step") or -1)


def test_it_moves_at_once_and_is_live_after_a_touch(page: Page) -> None:
    page.goto("/")
    network = panel(page, "network")
    expect(network).to_have_attribute("data-source", "recorded", timeout=60_000)
    wait_for(page, lambda: inference_step(page) >= 2)
    first = network.locator(".pcviz-example").text_content()
    wait_for(page, lambda: network.locator(".pcviz-example").text_content() != first)  # the next image follows
    assert state(page, "network") == "idle"
    expect(page.locator(".pcviz-story")).to_contain_text("Touch anything")

    network.get_by_role("button", name="Next example").click()
    expect(network).to_have_attribute("data-source", "live", timeout=60_000)
    expect(page.locator(".pcviz-story")).to_contain_text("Done: after 200 weight steps", timeout=60_000)
    wait_for(page, lambda: step(page, "network") == 200)
    assert page.url.endswith("/"), "the address of Home stays short"


def test_a_preset_begins_with_one_click_and_can_be_continued_from_home(page: Page) -> None:
    page.goto("/")
    expect(page.locator('[class*="st-key-card_"]')).to_have_count(len(PRESETS), timeout=60_000)
    button(page, "open_two-moons").click()
    wait_for(page, lambda: step(page) > 0)
    page.wait_for_url(re.compile(r"/train\?.*data_name=moons.*run=[0-9a-f]{32}$"))
    run = page.url[-32:]
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Home").click()
    expect(page).to_have_url(re.compile("/$"), timeout=30_000)
    page.locator(".st-key-recent").get_by_role("link", name="tanh 8 × 32").first.click()
    page.wait_for_url(re.compile(run))
    wait_for(page, lambda: step(page) > 0)


@pytest.mark.parametrize("query", ["network_depth=6", "run=" + "0" * 32, "present=1&seed=3", "nothing_like_it=1"])
def test_links_of_the_first_release_open_the_train_page(page: Page, app: App, query: str) -> None:
    answer = page.request.get(f"{app.url}/?{query}", max_redirects=0)
    assert (answer.status, answer.headers["location"]) == (307, f"train?{query}")


@pytest.mark.parametrize("query", ["", "?present=1", "?embed=true", "?back=1"])
def test_what_belongs_to_home_stays_there(page: Page, app: App, query: str) -> None:
    assert page.request.get(f"{app.url}/{query}", max_redirects=0).status == 200
