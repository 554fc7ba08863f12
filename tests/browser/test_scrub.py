"""Keys of a slider with play: on a page as a whole, and in one panel of it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pcviz.live.assets import SCRIPTS
from pcviz.ui import keys
from tests.browser.by_clock import FRAME, reach, stop
from tests.browser.fake_stream import CHILD, FakeStream
from tests.browser.on_page import panel
from tests.browser.test_network_view import LAYERS, relaxed

OTHERS = {
    "summary": "<details><summary>More</summary>text</details>",
    "button": "<button>Relax</button>",
    "a": '<a href="#there">There</a>',
    "input": "<input>",
    "[role=radio]": '<button role="radio" aria-checked="false">Sparse</button>',
}
"""What else may have the focus on a page: selector -> HTML."""


@pytest.fixture
def slid(page: Page, fake: FakeStream) -> Page:
    """A page with one slider for all panels, the network view among them, as the Inference page is. Its time stands."""
    experiment, _, values = relaxed(False)
    page.emulate_media(reduced_motion="reduce")
    stop(page)
    fake.show(experiment, panels=["network"], scrub="network_steps")
    page.goto(fake.url)
    fake.state("running")
    fake.frame("network", 7, values, run=CHILD)
    reach(panel(page, "network"), "data-inference-step", LAYERS - 1)
    page.get_by_role("combobox", name="Speed").select_option("5")
    page.locator("aside").evaluate("(aside, html) => aside.innerHTML = html", "".join(OTHERS.values()))
    page.evaluate("document.activeElement.blur()")
    return page


def told(page: Page, step: int) -> None:
    """The page's slider, the only one, and the picture are at this step."""
    expect(page.locator(".pcviz-told")).to_have_text(f"t = {step} of {LAYERS - 1}")
    page.clock.run_for(2 * FRAME)
    expect(panel(page, "network")).to_have_attribute("data-inference-step", str(step))


def playing(page: Page, yes: bool) -> None:
    expect(page.locator("[data-act=play]")).to_have_attribute("aria-pressed", str(yes).lower())


@pytest.mark.parametrize("focus", ["body", "network"])
def test_keys_move_the_slider_of_the_page(slid: Page, focus: str) -> None:
    if focus == "network":
        panel(slid, "network").focus()
    slid.keyboard.press("ArrowLeft")
    told(slid, LAYERS - 2)
    slid.keyboard.press("Shift+ArrowLeft")
    told(slid, LAYERS - 2)
    slid.keyboard.press("ArrowRight")
    told(slid, LAYERS - 1)
    slid.keyboard.press("Space")
    playing(slid, True)
    slid.keyboard.press("Space")
    playing(slid, False)


@pytest.mark.parametrize("selector", OTHERS)
def test_space_belongs_to_what_has_the_focus(slid: Page, selector: str) -> None:
    slid.locator(f"aside {selector}").first.focus()
    slid.keyboard.press("Space")
    playing(slid, False)
    if selector == "summary":
        expect(slid.locator("aside details")).to_have_attribute("open", "")


@pytest.mark.parametrize("selector", OTHERS)
def test_arrows_belong_to_what_they_steer(slid: Page, selector: str) -> None:
    slid.locator(f"aside {selector}").first.focus()
    slid.keyboard.press("ArrowLeft")
    told(slid, LAYERS - 1 if selector in ("input", "[role=radio]") else LAYERS - 2)


def test_space_that_is_held_plays_once(slid: Page) -> None:
    for _ in range(2):
        slid.keyboard.down("Space")
    playing(slid, True)


def test_a_hidden_tab_stands_still(slid: Page) -> None:
    slid.get_by_label("First inference step").click()
    slid.get_by_label("Play the relaxation").click()
    playing(slid, True)
    slid.clock.fast_forward(10_000)  # no picture in between
    slid.clock.run_for(2 * FRAME)
    expect(panel(slid, "network")).to_have_attribute("data-inference-step", re.compile("[1-3]"))
    playing(slid, True)


def test_both_scripts_know_the_same_inputs() -> None:
    """Streamlit loads keys.js alone, so it cannot import the list."""
    found = [
        re.search(r"^const INPUTS = (.+);$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in (SCRIPTS["scrub"], Path(keys.__file__).with_suffix(".js"))
    ]
    assert all(found) and len({match[1] for match in found if match}) == 1
