"""Examples in a browser: the images, their words, and what a click asks for."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from pcviz import build
from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.instruments.predictions.figures import ROWS
from pcviz.instruments.predictions.job import answers, outputs
from pcviz.numerics.krylov import finish
from tests.browser.fake_stream import CHILD, FakeStream
from tests.browser.on_page import panel

MOST = 6
PIXELS = """(canvas) => {
  const { width, height } = canvas;
  return Array.from(canvas.getContext("2d").getImageData(0, 0, width, height).data).filter((_, i) => i % 4 === 3);
}"""
"""How strong each pixel is, 0 to 255."""


def values(batch: int = 3) -> dict[str, Any]:
    """What a fresh network says about digits, and about so many examples of a batch."""
    experiment = Experiment()
    data, network = load(experiment.data, 0, "float32"), build(experiment)
    places = np.arange(10, 10 + batch)
    said = finish(outputs(network, data.x_train[places])) if batch else np.zeros((0, 10))
    return answers(data, finish(outputs(network, data.x_test)), places, said, MOST)


def shown(page: Page, fake: FakeStream, sent: dict[str, Any], **options: Any) -> Locator:
    """Open the page with these examples."""
    fake.show(Experiment(), panels=["examples"], options={"examples": options})
    page.goto(fake.url)
    fake.state("running")
    fake.frame("predictions", 7, sent, run=CHILD)
    expect(panel(page, "examples")).to_have_attribute("data-step", "7")
    return panel(page, "examples")


def test_each_image_says_what_it_is_and_a_click_picks_it(page: Page, fake: FakeStream) -> None:
    sent = values()
    view = shown(page, fake, sent)
    for heading, name in zip(ROWS, ("mistake", "batch", "sample"), strict=True):
        images = view.get_by_role("group", name=heading).locator(".pcviz-image")
        expect(images).to_have_count(len(sent[f"{name}_place"]))
        for i, (real, said) in enumerate(zip(sent[f"{name}_class"], sent[f"{name}_predicted"], strict=True)):
            expect(images.nth(i)).to_have_text(f"{real} → {said}" + (" ✗" if real != said else ""))
            assert ("pcviz-wrong" in (images.nth(i).get_attribute("class") or "")) == (real != said)
    place, real, said = (sent[f"mistake_{part}"][2] for part in ("place", "class", "predicted"))
    label = f"Test example {place}: a {real} that the network takes for a {said}. Show it in the network view"
    view.get_by_role("group", name="Worst mistakes").get_by_role("button", name=label, exact=True).click()
    view.get_by_role("group", name="Test set").get_by_role("button").nth(4).click()
    assert page.evaluate("window.picks") == [{"panel": "examples", "x": x, "y": 0} for x in (place, 4)]
    batch = view.get_by_role("group", name="Latest batch")
    assert batch.get_by_role("button").count() == 0
    expect(batch.get_by_role("img", name=re.compile("^Training example 10: ")).first).to_be_visible()


def test_pixels_are_those_of_the_example(page: Page, fake: FakeStream) -> None:
    sent = values()
    view = shown(page, fake, sent, rows=("Test set",))
    expect(view.get_by_role("group")).to_have_count(1)
    for i in (0, 3):
        strong = view.locator("canvas").nth(i).evaluate(PIXELS)
        np.testing.assert_array_equal(strong, sent["sample_shade"][i])


def test_what_is_not_there_is_said(page: Page, fake: FakeStream) -> None:
    sent = values(batch=0)
    none = {name: value[:0] for name, value in sent.items() if name.startswith("mistake_")}
    view = shown(page, fake, {**sent, **none, "mistakes": 0.0})
    expect(view.get_by_role("group", name="Worst mistakes")).to_contain_text("None: every test example is right.")
    expect(view.get_by_role("group", name="Latest batch")).to_contain_text("The first batch comes")
    expect(view.locator(".pcviz-note")).to_contain_text("0 of 360 test examples are wrong")


def test_an_image_keeps_the_focus_while_the_network_learns(page: Page, fake: FakeStream) -> None:
    sent = values()
    view = shown(page, fake, sent)
    view.get_by_role("button", name=re.compile("^Test example 2:")).last.focus()
    fake.frame("predictions", 8, {**sent, "sample_predicted": (sent["sample_class"] + 1) % 10}, run=CHILD)
    expect(view).to_have_attribute("data-step", "8")
    expect(view.locator(":focus")).to_have_text(f"{sent['sample_class'][2]} → {(sent['sample_class'][2] + 1) % 10} ✗")


@pytest.mark.parametrize("width", [1440, 390])
def test_images_fit(page: Page, fake: FakeStream, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    view = shown(page, fake, values())
    assert view.evaluate("(section) => section.scrollWidth <= section.clientWidth")
    if width < 640:
        box = view.get_by_role("group", name="Test set").get_by_role("button").first.bounding_box()
        assert box and box["width"] >= 44 and box["height"] >= 44
