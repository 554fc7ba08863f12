"""The network view in a browser: what it shows at each inference step is what the engine computed."""

import re
from functools import cache

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pcviz import build
from pcviz.data import load
from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.network.codes import encoded
from pcviz.instruments.network.job import exact, packed, recorded_steps
from pcviz.numerics.krylov import finish
from pcviz.probes.example import Example, follow
from tests.browser.fake_stream import CHILD, FakeStream
from tests.browser.on_page import laid_out, panel
from tests.descent import DESCENT

EXPERIMENT = {**DESCENT, "network.depth": 9, "network.width": 16, "network.activation": "tanh"}
DEEP = {**DESCENT, "network.depth": 128, "network.width": 64}
LAYERS, UNITS = 9, 16
PURPLE = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, canvas.height - 90, canvas.width, 60);
  const found = new Set();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] && data[i] > data[i + 1] + 40 && data[i + 2] > data[i + 1] + 20) found.add(i / 4 % canvas.width);
  }
  return found.size / canvas.width; }"""
"""How much of the width of the lowest strip has the colour of backprop."""
MIDDLE = (60, 150, 240, 340, 430)
"""Pixels from the top of the picture to the middle of each row of tiles: activities, predictions, errors, weight step,
backprop."""


POINTED = """(section, y) => {
  const [canvas, tip] = [section.querySelector(".pcviz-plot canvas"), section.querySelector(".pcviz-tip")];
  const { left, top, width } = canvas.getBoundingClientRect();
  const found = [];
  for (let x = 60; x < width; x += 9) {
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y }));
    if (!tip.hidden) found.push([x, tip.textContent]);
  }
  canvas.dispatchEvent(new PointerEvent("pointerleave"));
  return found; }"""
"""The places of a row where a moving pointer reads something, and what."""


@cache
def relaxed(deep: bool) -> tuple[Experiment, Example, dict[str, np.ndarray | float]]:
    """An example, and the channels of its picture."""
    experiment = from_paths(DEEP if deep else EXPERIMENT)
    data, network = load(experiment.data, 0, "float32"), build(experiment)
    x, y = data.x_test[2:3], data.y_test[2:3]
    shape = experiment.hidden_layers, experiment.network.width
    found = finish(follow(network, x, y, experiment.inference, recorded_steps(experiment.relaxation_steps, *shape)))
    return (
        experiment,
        found,
        packed(found, x[0], y[0], data.shades(x[0])) | {"network_example": 2.0, "network_end": float(found.steps[-1])},
    )


def sent(page: Page, fake: FakeStream, deep: bool = False, *, motion: bool = False) -> Example:
    """Open the page and send it the example."""
    experiment, found, values = relaxed(deep)
    page.emulate_media(reduced_motion="no-preference" if motion else "reduce")
    fake.show(experiment, panels=["network"])
    page.goto(fake.url)
    fake.state("running")
    fake.frame("network", 7, values, run=CHILD)
    return found


def shown(page: Page, fake: FakeStream, deep: bool = False) -> Example:
    """Open the page with the example, at the last step."""
    found = sent(page, fake, deep)
    expect(panel(page, "network")).to_have_attribute("data-step", "7")
    return found


def test_what_comes_after_the_end_of_a_short_run_is_waited_for(page: Page, fake: FakeStream) -> None:
    fake.show(from_paths(EXPERIMENT), panels=["network"])
    page.goto(fake.url)
    waiting = panel(page, "network").locator(".pcviz-waiting")
    fake.state("cancelled", step=3)  # its children are cancelled, too
    expect(waiting).to_have_text("The run ended without values.")
    fake.state("done", step=40, generation=1)
    expect(waiting).to_have_text("The first example is on its way …")
    fake.state("failed", run=CHILD, kind="network", generation=1, message="There is no memory for it.")
    expect(waiting).to_have_text("There is no memory for it.")


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


def test_a_relaxation_that_overflows_is_shown_up_to_there(page: Page, fake: FakeStream) -> None:
    found, values = shown(page, fake), relaxed(False)[2]
    energies = np.where(np.arange(len(found.steps))[:, None] < 3, found.energies, np.inf)
    cut = packed(found._replace(energies=energies).finite, np.zeros(64), np.eye(10)[0], np.zeros(64, np.uint8))
    fake.frame("network", 8, {**values, **cut}, run=CHILD)
    expect(panel(page, "network")).to_have_attribute("data-step", "8")
    panel(page, "network").focus()
    page.keyboard.press("End")
    expect(panel(page, "network")).to_have_attribute("data-inference-step", "2")
    assert f"Inference step 2 of {LAYERS - 1}." in sentence(page)
    assert "The next state is no longer finite: the relaxation diverges." in sentence(page)


def test_energy_that_explodes_is_told_as_a_multiple(page: Page, fake: FakeStream) -> None:
    found, values = shown(page, fake), relaxed(False)[2]
    energies = found.energies * 10.0 ** (2 * np.arange(len(found.steps)))[:, None]
    exploded = packed(found._replace(energies=energies), np.zeros(64), np.eye(10)[0], np.zeros(64, np.uint8))
    fake.frame("network", 8, {**values, **exploded}, run=CHILD)
    expect(panel(page, "network")).to_have_attribute("data-step", "8")
    panel(page, "network").focus()
    page.keyboard.press("End")
    expect(panel(page, "network").locator(".pcviz-sentence")).to_contain_text("times that of the start.")
    total = energies.sum(1)
    assert f"10{superscript(round(np.log10(total[-1] / total[0])))} times that" in sentence(page)


def superscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def places(page: Page, row: int) -> list[tuple[float, str]]:
    """Where the pointer finds cells in a row of tiles, from left to right, and what it reads there."""
    found: list[tuple[float, str]] = panel(page, "network").evaluate(POINTED, MIDDLE[row])
    return found


def point_at(page: Page, row: int) -> tuple[float, float]:
    """Rest the pointer on the first cell of a row of tiles; returns where that is."""
    box = panel(page, "network").locator(".pcviz-plot canvas").bounding_box()
    assert box
    place = box["x"] + places(page, row)[0][0], box["y"] + MIDDLE[row]
    page.mouse.move(*place)
    expect(panel(page, "network").locator(".pcviz-tip")).to_be_visible()
    return place


def tips(page: Page, row: int) -> dict[int, tuple[int, str]]:
    """What the pointer finds in a row of tiles: layer -> unit and text."""
    found: dict[int, tuple[int, str]] = {}
    for _, text in places(page, row):
        match = re.fullmatch(r"layer (\d+), unit (\d+): (.+)", text)
        assert match
        found[int(match[1])] = int(match[2]), match[3]
    return found


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


def test_a_unit_shows_its_equation_with_its_numbers(page: Page, fake: FakeStream) -> None:
    found = shown(page, fake)
    view, (_, _, values) = panel(page, "network"), relaxed(False)
    layer = next(iter(tips(page, 2)))
    page.mouse.click(*point_at(page, 2))
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
    view.focus()
    for key, other in ("Shift+ArrowRight", unit + 1), ("Shift+ArrowLeft", unit):
        page.keyboard.press(key)
        expect(detail).to_contain_text(f"unit {other + 1}, t = 8:")
    for _ in range(UNITS):
        page.keyboard.press("Shift+ArrowRight")
    expect(detail).to_contain_text(f"unit {UNITS}, t = 8:")


def test_backprop_stands_beside_it(page: Page, fake: FakeStream) -> None:
    found = shown(page, fake)
    view, canvas = panel(page, "network"), panel(page, "network").locator(".pcviz-plot canvas")
    before = canvas.bounding_box()
    view.get_by_role("button", name=re.compile("backpropagation sends down")).click()
    laid_out(page)
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


def test_backprop_takes_one_layer_a_step_in_deep_networks_too(page: Page, fake: FakeStream) -> None:
    found = shown(page, fake, deep=True)
    assert len(found.steps) < 30, "not every step is recorded"
    view, canvas = panel(page, "network"), panel(page, "network").locator(".pcviz-plot canvas")
    view.get_by_role("button", name=re.compile("backpropagation sends down")).click()
    laid_out(page)
    slider = view.locator("input[type=range]")
    seen = []
    for row in (0, len(found.steps) // 2, len(found.steps) - 1):
        slider.fill(str(row))
        expect(view).to_have_attribute("data-inference-step", str(found.steps[row]))
        seen.append(canvas.evaluate(PURPLE))
    none, half, whole = seen
    assert none == 0 and whole > 0.6
    assert half == pytest.approx(whole * found.steps[len(found.steps) // 2] / found.steps[-1], abs=0.05)


def folded(hidden: int, width: int, change: float = 0.01) -> dict[str, np.ndarray | float]:
    """The picture of a relaxation whose errors say where they are: layer + unit / 1000, all counted from 1."""
    layers, units, steps = np.arange(1, hidden + 1), np.arange(1, width + 1), np.arange(2)
    held = [np.stack([l + units / 1000] * len(steps)) for l in layers]
    moved = [layer + change * steps[:, None] for layer in held]
    output = np.zeros((len(steps), 2))
    single = [layer[0] for layer in held]
    energies = np.ones((len(steps), hidden + 1))
    found = Example(
        steps, moved, [*held, output], [*held, output], energies, [*single, output[0]], [*single, output[0]]
    )
    return packed(found, np.zeros(2), np.zeros(2), np.zeros(2, np.uint8)) | {
        "network_example": 0.0,
        "network_end": float(found.steps[-1]),
    }


def first_tip(page: Page, fake: FakeStream, values: dict[str, np.ndarray | float], row: int = 2) -> str:
    """What the pointer finds first in a row of tiles."""
    page.emulate_media(reduced_motion="reduce")
    fake.show(relaxed(False)[0], panels=["network"])
    page.goto(fake.url)
    fake.state("running")
    fake.frame("network", 7, values, run=CHILD)
    expect(panel(page, "network")).to_have_attribute("data-step", "7")
    point_at(page, row)
    return panel(page, "network").locator(".pcviz-tip").inner_text()


def test_a_cell_of_several_units_says_which(page: Page, fake: FakeStream) -> None:
    values = folded(4, 100)
    text = first_tip(page, fake, values)
    written = re.fullmatch(r"layer 1, units (\d+)–(\d+), the greatest: error e ≈ (\S+)", text)
    assert written
    first, last = int(written[1]), int(written[2])
    groups = [(group[0], group[-1]) for group in np.array_split(np.arange(1, 101), 64)]
    assert (first, last) in groups and first < last
    page.mouse.click(*point_at(page, 2))
    assert page.evaluate("window.picks") == [{"panel": "network", "x": 0, "y": 1}]
    own = np.broadcast_to(1 + np.arange(1, 101) / 1000, (2, 100))
    numbers = {"layer_number": 1.0, "layer_gradient": own[0]}
    numbers |= {f"layer_{name}": own for name in ("activity", "prediction", "error")}
    fake.frame("network", 7, values | numbers, run=CHILD)
    detail = panel(page, "network").locator(".pcviz-detail")
    expect(detail).to_contain_text(f"Layer 1, unit {first}, t = 1: prediction μ = {1 + first / 1000:.9g},")


def test_every_cell_names_its_units(page: Page, fake: FakeStream) -> None:
    """As Python groups them, for many sizes."""
    page.goto(fake.url)
    code = """async ([units, cells]) => { const { unitsOf } = await import("/live/shown.js");
      return Array.from({ length: Math.min(units, cells) }, (_, k) => unitsOf({ units: [units], cells }, 0, k)); }"""
    for units in (7, 64, 65, 100, 127, 128, 1000):
        groups = np.array_split(np.arange(units), min(units, 64))
        assert page.evaluate(code, [units, 64]) == [[int(group[0]), int(group[-1])] for group in groups]


def test_a_column_of_several_layers_says_which(page: Page, fake: FakeStream) -> None:
    text = first_tip(page, fake, folded(300, 16), 0)
    written = re.fullmatch(r"layers (\d+)–(\d+), unit \d+, the greatest: activity z (\S+) at step 0; (.+)", text)
    assert written
    assert int(written[2]) == int(written[1]) + 1 == int(float(written[3])), "the greatest is that of the upper layer"
    assert re.fullmatch(r"of the changes since then ≈ 0\.01\d*|of the changes since then ≈ 0\.00\d+", written[4])
    panel(page, "network").focus()
    page.keyboard.press("ArrowUp")
    expect(panel(page, "network").locator(".pcviz-detail")).to_contain_text(
        "Layer 1 of 301: energy 1; the error of layers 1–2 arrived at t = 0, now the greatest is ≈ "
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (0.0, "exactly 0"),
        (1e-15, "at most 1e-12"),
        (-1e-15, "at least -1e-12"),
        (1e6, "100 or more"),
        (-1e6, "-100 or less"),
    ],
)
def test_numbers_beyond_the_scale_are_bounds(page: Page, fake: FakeStream, change: float, said: str) -> None:
    values = folded(4, 16)
    values["network_activity_change"] = encoded(np.full((2, 4, 16), change))
    assert first_tip(page, fake, values, 0).endswith(f" at step 0, changed by {said}")


def test_the_tip_follows_what_plays_under_a_resting_pointer(page: Page, fake: FakeStream) -> None:
    shown(page, fake)
    view = panel(page, "network")
    point_at(page, 2)
    tip = view.locator(".pcviz-tip")
    last = tip.inner_text()
    assert "≈" in last
    view.focus()
    page.keyboard.press("ArrowLeft")
    expect(tip).to_have_text(re.compile("layer 1, unit .* exactly 0"))
    page.keyboard.press("ArrowRight")
    expect(tip).to_have_text(last)


RED = """(canvas) => {
  const y = Math.round(18 * canvas.width / canvas.clientWidth);
  const { data } = canvas.getContext("2d").getImageData(0, y, canvas.width, 1);
  let marks = 0;
  for (let i = 0, on = false; i < data.length; i += 4) {
    const red = data[i + 3] > 0 && data[i] > data[i + 1] + 60 && data[i] > data[i + 2] + 60;
    if (red && !on) marks += 1;
    on = red;
  }
  return marks; }"""
"""How many marks there are above the tiles."""


def test_layers_in_which_something_was_found_are_marked(page: Page, fake: FakeStream) -> None:
    canvas = panel(page, "network").locator(".pcviz-plot canvas").first
    shown(page, fake)
    assert canvas.evaluate(RED) == 0
    *_, values = relaxed(deep=False)
    hurt = np.isin(np.arange(1, LAYERS + 1), (1, 2, 4)).astype(np.uint8)
    fake.frame("network", 8, values | {"network_hurt": hurt}, run=CHILD)
    expect(panel(page, "network")).to_have_attribute("data-step", "8")
    assert canvas.evaluate(RED) == 3
