"""The headers of live panels: help, controls of the page, and what stays when a panel is made anew."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pcviz.experiment import Experiment
from pcviz.instruments.training.view import DEFAULTS, Options
from tests.browser.fake_stream import FakeStream
from tests.browser.fed_panels import drawn, eventually, train
from tests.browser.on_page import panel, plot

SMALLEST = "all => Math.min(...all.flatMap((one) => Object.values(one.getBoundingClientRect().toJSON()).slice(2, 4)))"
CONTROLS = ".pcviz-panel :is(button, select):visible"
"""What fingers press."""


def shown(fake: FakeStream, experiment: Experiment, **chosen: Any) -> None:
    """The panels of the Train page with the controls in their headers."""
    options = Options(**{**DEFAULTS, **chosen})
    fake.show(
        experiment, panels=options.panels, options=options.figures, choices=options.choices(experiment, watched=False)
    )


def changed(page: Page, fake: FakeStream, experiment: Experiment, **chosen: Any) -> None:
    """The page answers a choice: the run goes on."""
    events, seq = fake.events, fake.seq
    shown(fake, experiment, **chosen)
    fake.events, fake.seq = events, seq
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")


def help_of(page: Page, name: str) -> tuple[Locator, Locator]:
    return panel(page, name).get_by_role("button", name="How to read"), panel(page, name).locator(".pcviz-help")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_help_leaves_the_button_that_closes_it_free(
    page: Page, fake: FakeStream, experiment: Experiment, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    shown(fake, experiment)
    page.goto(fake.url)
    ask, words = help_of(page, "learning-curves")
    ask.click()
    expect(words).to_be_visible()
    ask.click(timeout=10_000)
    expect(words).to_be_hidden()
    panel(page, "learning-curves").get_by_role("button", name="Full size").click()
    ask.click(timeout=10_000)
    page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    expect(ask).to_have_attribute("aria-pressed", "false")
    full = panel(page, "learning-curves").get_by_role("button", name="Full size")
    expect(full).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(full).to_have_attribute("aria-pressed", "false")


def test_a_choice_keeps_size_switches_and_focus(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    shown(fake, experiment)
    page.goto(fake.url)
    train(fake, experiment, 1, 3)
    drawn(page, 3)
    curves = panel(page, "learning-curves")
    for name in ("Full size", "Drag to move"):
        curves.get_by_role("button", name=name).click()
    against = curves.get_by_role("combobox", name="against")
    against.focus()
    page.evaluate("window.before = document.activeElement")
    changed(page, fake, experiment, x_axis="epoch")
    drawn(page, 3)
    expect(against).to_be_focused()
    expect(against.locator("option:checked")).to_have_text("epoch")
    assert page.evaluate("!window.before.isConnected"), "it is another one"
    for name in ("Full size", "Drag to move"):
        expect(curves.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    eventually(page, lambda: plot(page, "learning-curves", "plot._fullLayout.dragmode") == "pan")
    box = curves.bounding_box()
    assert box and box["width"] > 1200


def test_switches_of_a_figure_and_its_choices_alone_stay(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    shown(fake, experiment)
    page.goto(fake.url)
    train(fake, experiment, 1, 3)
    drawn(page, 3)
    panel(page, "activity-convergence").get_by_role("button", name="log t").click()
    axis = "plot._fullLayout.xaxis.type"
    eventually(page, lambda: plot(page, "activity-convergence", axis) == "log")
    along = panel(page, "landscape").get_by_role("combobox", name="along")
    along.focus()
    page.evaluate("window.before = [document.activeElement, document.activeElement.closest('section')]")
    changed(page, fake, experiment, directions="random")
    expect(along.locator("option:checked")).to_have_text("random")
    expect(along).to_be_focused()
    assert page.evaluate("window.before.map((one) => one.isConnected)") == [False, True]
    deeper = experiment.changed({"network.depth": 5})
    changed(page, fake, deeper)
    train(fake, deeper, 4, 4)
    drawn(page, 4)
    eventually(page, lambda: plot(page, "activity-convergence", axis) == "log")


def test_panels_that_are_gone_listen_no_more(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    shown(fake, experiment)
    page.goto(fake.url)
    train(fake, experiment, 1, 2)
    drawn(page, 2)
    devtools = page.context.new_cdp_session(page)

    def listeners() -> int:
        count = "['keydown', 'pointerup', 'pointercancel'].map((kind) => getEventListeners(window)[kind]?.length ?? 0)"
        asked = {"expression": f"{count}.reduce((a, b) => a + b)", "includeCommandLineAPI": True}
        return int(devtools.send("Runtime.evaluate", asked)["result"]["value"])

    before = listeners()
    for x in ("epoch", "seconds", "step"):
        changed(page, fake, experiment, x_axis=x)
        drawn(page, 2)
    assert listeners() == before > 0


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True)
    yield context.new_page()
    context.close()


def test_fingers_reach_all_controls(page: Page, fake: FakeStream, experiment: Experiment, tablet: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    shown(fake, experiment)
    for shown_on in (page, tablet):
        shown_on.goto(fake.url)
        expect(panel(shown_on, "learning-curves").get_by_role("combobox")).to_have_count(2)
        assert shown_on.locator(CONTROLS).evaluate_all(SMALLEST) >= 44
    panel(tablet, "learning-curves").get_by_role("button", name="Full size").tap()
    assert panel(tablet, "learning-curves").locator("button, select").evaluate_all(SMALLEST) >= 44


def test_a_scene_stays_turned(page: Page, fake: FakeStream) -> None:
    fake.show(Experiment(), panels=["surface-3d"])
    page.goto(fake.url)
    eye = {"x": 0.1, "y": 2.0, "z": 0.5}
    plot(page, "surface-3d", "Plotly.relayout(plot, { 'scene.camera.eye': argument }).then(() => 1)", eye)
    page.evaluate("window.before = document.querySelector('.pcviz-plot')")
    other = [{**spec, "title": "The same, in other words"} for spec in fake.data["panels"]]
    page.evaluate("(data) => window.remount(data)", {**fake.data, "panels": other})
    expect(page.get_by_role("heading", name="The same, in other words")).to_be_visible()
    eventually(page, lambda: page.evaluate("!window.before.isConnected"))
    eventually(page, lambda: plot(page, "surface-3d", "plot._fullLayout.scene.camera.eye") == eye)
