"""What axe-core finds on each page, in light and dark: no serious or critical fault, of pcviz or of Streamlit."""

import re

import pytest
from playwright.sync_api import Page, expect

from pcviz.experiment.presets import PRESETS
from pcviz.instruments import views
from tests.browser.on_page import SMALL, button, panel, step, wait_for
from tests.browser.serve import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 22, 20)"}
"""Scheme -> ground of Streamlit's theme."""
SETTLED = """
() => !document.getAnimations().some((motion) => motion instanceof CSSTransition && motion.playState === "running")
"""
"""All colours are those of the scheme. A browser under load lists transitions for a while after they have finished."""
FAULTS = """
async (rules) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\\n${failureSummary}`));
}
"""


def check(page: Page, shown: str) -> None:
    """Fail if there are faults in what is shown now."""
    if page.evaluate("typeof axe") == "undefined":
        page.add_script_tag(path=AXE)
    for scheme, ground in GROUNDS.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", ground)
        page.wait_for_function(SETTLED)
        faults = page.evaluate(FAULTS, None if scheme == "light" else ["color-contrast"])  # all else is the same
        assert not faults, "\n\n".join([f"{shown}, {scheme}:", *faults])


def test_home(page: Page) -> None:
    page.goto("/")
    network = panel(page, "network")
    expect(network).to_have_attribute("data-source", "recorded", timeout=60_000)
    expect(page.locator('[class*="st-key-card_"]')).to_have_count(len(PRESETS), timeout=60_000)
    check(page, "recorded")
    network.get_by_role("button", name="Next example").click()
    expect(network).to_have_attribute("data-source", "live", timeout=60_000)
    check(page, "live")


def check_run(page: Page, address: str, *panels: str) -> None:
    """Open a page and check it before a run and after it, when these panels show it."""
    page.goto(address)
    expect(button(page, "play")).to_be_visible(timeout=30_000)
    for name in panels:
        expect(panel(page, name)).to_be_visible(timeout=30_000)
    check(page, "before the run")
    button(page, "play").click()
    for name in panels:
        expect(panel(page, name)).to_have_attribute("data-state", "done", timeout=90_000)
        expect(panel(page, name)).not_to_have_class(re.compile("pcviz-empty"), timeout=30_000)
    check(page, "after the run")


def test_train(page: Page) -> None:
    check_run(page, f"/train?{SMALL}&learning_steps=20", "network", "learning-curves", "landscape", "predictions")
    for name in ("network", "learning-curves", "landscape", "examples", "predictions"):
        wait_for(page, lambda name=name: step(page, name) == 20)  # type: ignore[misc]
    panel(page, "network").focus()
    page.keyboard.press("ArrowUp")
    panel(page, "learning-curves").get_by_role("button", name="How to read").click()
    page.get_by_role("button", name="What is Train loss?").click()
    expect(page.locator(".pcviz-words :popover-open")).to_be_visible()
    check(page, "with all explanations")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    check(page, "on a phone")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("p")
    expect(page.locator(".pcviz-present")).to_be_visible()
    check(page, "on a projector")


def test_inference(page: Page) -> None:
    check_run(page, f"/inference?{SMALL}", "network", "relaxation-map", "solver-race")


def test_diagnose(page: Page) -> None:
    check_run(page, f"/diagnose?{SMALL}&inference_steps=2&learning_steps=40", "network", "twin-scores", "signals")
    expect(page.locator(".st-key-verdict h4")).to_contain_text("Signal never arrives", timeout=30_000)
    expect(panel(page, "network")).to_contain_text("Marked red above: the layers of the worst finding.")
    page.locator(".st-key-explain_D1 summary").click()
    expect(page.get_by_text("The error starts at the output and is handed down")).to_be_visible()
    check(page, "with an explanation")
    button(page, "try_one").click()
    expect(page.get_by_text("It helps:")).to_be_visible(timeout=90_000)


def test_landscape(page: Page) -> None:
    page.goto(f"/landscape?{SMALL}")
    for view in views.of("landscape").values():
        page.get_by_role("radio", name=view.label).click(timeout=30_000)
        expect(panel(page, view.panels[0])).to_be_visible(timeout=30_000)
        check(page, view.label)


@pytest.mark.slow
def test_a_plane(page: Page) -> None:
    check_run(page, f"/landscape?{SMALL}&plane_size=11&plane_examples=4", "surface-loss", "surface-3d")


def test_scaling(page: Page) -> None:
    check_run(page, f"/scaling?{SMALL}&learning_steps=3", "sweep-map", "sweep-curves", "sweep-optimum")
