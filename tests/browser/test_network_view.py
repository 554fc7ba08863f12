"""The network view in a browser: what it shows at each inference step is what the engine computed."""

import re
from functools import cache

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pcviz import build
from pcviz.data import load
from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.network.job import exact, packed, recorded_steps, shade
from pcviz.numerics.krylov import finish
from pcviz.probes.example import Example, follow
from tests.browser.fake_stream import CHILD, FakeStream
from tests.browser.on_page import panel

EXPERIMENT = {"network.depth": 9, "network.width": 16, "network.activation": "tanh"}
DEEP = {"network.depth": 128, "network.width": 64}
LAYERS = 9
MIDDLE = (60, 150, 240, 340, 430)
"""Pixels from the top of the picture to the middle of each row of tiles: activities, predictions, errors, weight step,
backprop."""


@cache
def relaxed(deep: bool) -> tuple[Experiment, Example, dict[str, np.ndarray | float]]:
    """An example, and the channels of its picture."""
    experiment = from_paths(DEEP if deep else EXPERIMENT)
    data, network = load(experiment.data, 0, "float32"), build(experiment)
    x, y = data.x_test[2:3], data.y_test[2:3]
    shape = experiment.hidden_layers, experiment.network.width
    found = finish(follow(network, x, y, experiment.inference, recorded_steps(experiment.relaxation_steps, *shape)))
    return experiment, found, packed(found, x[0], y[0], shade(x[0], data.x_train)) | {"network_example": 2.0}


def shown(page: Page, fake: FakeStream, deep: bool = False, *, motion: bool = False) -> Example:
    """Open the page with the example."""
    experiment, found, values = relaxed(deep)
    page.emulate_media(reduced_motion="no-preference" if motion else "reduce")
    fake.show(experiment, panels=["network"])
    page.goto(fake.url)
    fake.state("running")
    fake.frame("network", 7, values, run=CHILD)
    expect(panel(page, "network")).to_have_attribute("data-step", "7")
    return found


def sentence(page: Page) -> str:
    return panel(page, "network").locator(".pcviz-sentence").inner_text()


def test_the_keyboard_follows_the_error_down(page: Page, fake: FakeStream) -> None:
    found = shown(page, fake)
    view = panel(page, "network")
    view.focus()
    for _ in range(LAYERS - 1):
        page.keyboard.press("ArrowLeft")
    for t in range(LAYERS):
        expect(view).to_have_attribute("data-inference-step", str(t))
        reached = [l for l, e in enumerate(found.errors, 1) if e[t].any()]
        total = found.energies.sum(1)
        where = {LAYERS: f"at the output, layer {LAYERS}", 1: "has reached every layer"}
        assert where.get(min(reached), f"has reached layer {min(reached)} of {LAYERS}") in sentence(page)
        assert f"Inference step {t} of {LAYERS - 1}." in sentence(page)
        assert f"{100 * total[t] / total[0]:.1f} % of the start" in sentence(page)
        page.keyboard.press("ArrowRight")
    assert min(reached) == 1


def tips(page: Page, row: int) -> dict[int, tuple[int, str]]:
    """What the pointer finds in a row of tiles: layer -> unit and text."""
    canvas = panel(page, "network").locator(".pcviz-plot canvas")
    box = canvas.bounding_box()
    assert box
    found: dict[int, tuple[int, str]] = {}
    for x in range(60, int(box["width"]), 9):
        if _hit(page, box["x"] + x, box["y"] + MIDDLE[row]):
            tip = panel(page, "network").locator(".pcviz-tip")
            match = re.fullmatch(r"layer (\d+), unit (\d+): (.+)", tip.inner_text())
            assert match
            found[int(match[1])] = int(match[2]), match[3]
    return found


def _hit(page: Page, x: float, y: float) -> bool:
    page.mouse.move(x, y)
    return panel(page, "network").locator(".pcviz-tip").is_visible()


def test_the_pointer_reads_numbers_and_exact_zeros(page: Page, fake: FakeStream) -> None:
    found = shown(page, fake)
    view = panel(page, "network")
    view.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(view).to_have_attribute("data-inference-step", "4")
    below = tips(page, 2)
    assert list(below) == list(range(1, LAYERS))
    for layer, (unit, text) in below.items():
        value = float(found.errors[layer - 1][4, unit - 1])
        if value == 0:
            assert text == "error e exactly 0"
        else:
            written = re.fullmatch(r"error e ≈ (-?[\d.e+-]+)", text)
            assert written and float(written[1]) == pytest.approx(value, rel=0.2)
    assert {text for layer, (_, text) in below.items() if layer < LAYERS - 4} == {"error e exactly 0"}
    for layer, (unit, text) in tips(page, 0).items():
        start, change = (float(found.activities[layer - 1][t, unit - 1]) for t in (0, 4))
        written = re.fullmatch(r"activity z (-?[\d.e+-]+) at step 0, changed by (.+)", text)
        assert written and float(written[1]) == pytest.approx(start, rel=1e-3)
        assert (written[2] == "exactly 0") == (change == start)


def test_it_plays_by_itself_unless_motion_is_unwanted(page: Page, fake: FakeStream) -> None:
    shown(page, fake)
    expect(panel(page, "network")).to_have_attribute("data-inference-step", str(LAYERS - 1))
    expect(panel(page, "network").locator("[data-act=play]")).to_have_attribute("aria-pressed", "false")
    shown(page, fake, motion=True)
    expect(panel(page, "network").locator("[data-act=play]")).to_have_attribute("aria-pressed", "true")
    expect(panel(page, "network")).to_have_attribute("data-inference-step", str(LAYERS - 1), timeout=10_000)


def test_a_unit_shows_its_equation_with_its_numbers(page: Page, fake: FakeStream) -> None:
    found = shown(page, fake)
    view, (_, _, values) = panel(page, "network"), relaxed(False)
    layer = next(iter(tips(page, 2)))
    box = view.locator(".pcviz-plot canvas").bounding_box()
    assert box
    place = next(x for x in range(60, int(box["width"]), 9) if _hit(page, box["x"] + x, box["y"] + MIDDLE[2]))
    page.mouse.click(box["x"] + place, box["y"] + MIDDLE[2])
    assert page.evaluate("window.picks") == [{"panel": "network", "x": 2, "y": layer}]
    fake.frame("network", 7, values | exact(found, np.zeros(10), layer), run=CHILD)
    detail = view.locator(".pcviz-detail")
    expect(detail).to_contain_text(f"Layer {layer}, unit")
    written = re.search(
        r"unit (\d+), t = 8: prediction μ = (\S+), activity z = (\S+), error e = (\S+);", detail.inner_text()
    )
    assert written
    unit = int(written[1]) - 1
    parts = (found.predictions, found.activities, found.errors)
    for text, part in zip(written.groups()[1:], parts, strict=True):
        assert np.float32(text) == part[layer - 1][-1, unit], "bitwise"


def test_backprop_stands_beside_it(page: Page, fake: FakeStream) -> None:
    found = shown(page, fake)
    view, canvas = panel(page, "network"), panel(page, "network").locator(".pcviz-plot canvas")
    before = canvas.bounding_box()
    view.get_by_role("button", name=re.compile("backpropagation sends down")).click()
    page.wait_for_timeout(100)
    after = canvas.bounding_box()
    assert before and after and after["height"] > before["height"] + 30
    for layer, (unit, text) in tips(page, 3).items():
        written = re.fullmatch(r"weight step ≈ (-?[\d.e+-]+)", text)
        assert written and float(written[1]) == pytest.approx(float(found.gradients[layer - 1][unit - 1]), rel=0.2)
    for layer, (unit, text) in tips(page, 4).items():
        written = re.fullmatch(r"backprop δ ≈ (-?[\d.e+-]+)", text)
        assert written and float(written[1]) == pytest.approx(float(found.deltas[layer - 1][unit - 1]), rel=0.2)


@pytest.mark.parametrize("width", [1440, 390])
def test_deep_networks_fold_into_strips_with_a_lens(page: Page, fake: FakeStream, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    found = shown(page, fake, deep=True)
    reached = min(l for l, e in enumerate(found.errors, 1) if e[-1].any())
    assert f"has reached layer {reached} of 128" in sentence(page)
    layers = list(tips(page, 0))
    assert len(layers) in range(3, 16) and reached in layers, "the lens is where the error is"
    assert panel(page, "network").evaluate("(section) => section.scrollWidth <= section.clientWidth")
