"""The live panels in a browser: axes, short runs, notes and images."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pcviz.experiment import Experiment, from_paths
from tests.browser.fake_stream import CHILD, RUN, FakeStream, landscape_values, train_values
from tests.browser.fed_panels import TRAIN_PANELS, drawn, train
from tests.browser.on_page import panel, plot
from tests.descent import DESCENT


@pytest.mark.parametrize("experiment", [from_paths(DESCENT)], ids=["descent"])
def test_the_first_steps_are_seen(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 1)
    drawn(page, 1)
    points = panel(page, "learning-curves").locator(".point")
    assert (
        points.evaluate_all("all => all.filter((point) => point.getBBox().width > 3).length") == 4
    )  # losses, F, accuracy
    train(fake, experiment, 2, 2)
    drawn(page, 2)
    assert points.count() == 0, "now there are lines"
    ticks = "tick => tick.map(({textContent}) => textContent)"
    for name in ("energy-balance", "learning-curves"):
        shown = panel(page, name).locator(".xtick text").evaluate_all(ticks)
        assert {"1", "2"} <= set(shown) and not any("." in text for text in shown)
    assert panel(page, "activity-convergence").locator(".xtick text").first.text_content() == "0"

    bars = "(({range, tick0, dtick}) => [range, tick0, dtick])(plot._fullLayout.xaxis2)"
    energy = train_values(experiment, 2)["energy"]
    low, high = (int(np.floor(np.log10(end))) for end in (energy[energy > 0].min(), energy.max()))
    ends = [[low, high + 1], low, 1 if high + 1 - low <= 2 else 2]
    assert plot(page, "energy-balance", bars) == ends
    assert panel(page, "energy-balance").locator(".x2tick text").count() >= 2
    train(fake, experiment, 3, 29)
    drawn(page, 29)
    assert plot(page, "energy-balance", bars) == ends, "steady while values move a little"

    fake.show(experiment.changed({"learning.rule": "bp"}))
    page.goto(fake.url)
    absent = panel(page, "activity-convergence")
    expect(absent).to_contain_text("Backpropagation has no relaxation")
    expect(panel(page, "learning-curves").locator("svg").first).to_be_visible()
    assert absent.locator("input, button, svg").count() == 0, "no slider, no empty axes"


def test_axes_notes_and_ticks_without_a_plot(page: Page, fake: FakeStream) -> None:
    page.goto(fake.url)

    def of(module: str, expression: str) -> Any:
        return page.evaluate(f"import('/live/{module}.js').then((m) => {expression})")

    assert of("axes", "m.decades(2e-5, 0.3, null)") == [-5, 0]
    assert of("axes", "m.decades(1e-3, 0.1, null)") == [-4, -1], "the least bar has a length"
    assert of("axes", "m.decades(2e-3, 0.3, null, [-5, 0])") == [-5, 0], "little changes: the ends stay"
    assert of("axes", "m.decades(2e-1, 0.3, null, [-5, 0])") == [-1, 0]
    assert of("axes", "m.decades(3, 40, -0.3)") == [-0.3, 2]
    axis = "{type: 'linear', tickformat: ',d', tickmode: 'auto', dtick: 0.5, range: [138.9, 141.2], _length: 300}"
    assert of("axes", f"m.betterTicks({{}}, {{xaxis: {axis}}})") == {
        "xaxis.tickmode": "array",
        "xaxis.tickvals": [139, 140, 141],
    }
    power = "{type: 'log', tickmode: 'auto', nticks: 3, dtick: 2, range: [-3.9, -0.6]}"  # 10^-2 alone
    assert of("axes", f"m.betterTicks({{yaxis: {{type: 'log', tickmode: 'auto'}}}}, {{yaxis: {power}}})") == {
        "yaxis.tickmode": "linear",
        "yaxis.tick0": -3,
        "yaxis.dtick": 2,
    }

    note = "'loss {a:g3} · F* {b:g3} to {c:g3} · {n} examples'"
    assert of("text", f"m.fill({note}, {{a: 0.5, b: 1, n: 16}})") == "loss 0.5 · 16 examples"
    assert of("text", f"m.fill({note}, {{}})") is None
    assert of("text", "m.fill('{step} / {steps}', {step: 3})") is None
    assert of("text", "m.fill(['{step} / {steps}', 'step {step}'], {step: 3})") == "step 3", "the first that is known"
    for exponent, told in ((0, "1×"), (0.31, "2×"), (3, "1000×"), (4.99, "98000×"), (17.1, "10¹⁷×")):
        assert of("text", f"m.fill('{{a:x2}}×', {{a: {exponent}}})") == told


def test_a_table_has_nothing_where_nothing_is_known(page: Page, fake: FakeStream) -> None:
    page.goto(fake.url)
    steps, layers = "{data: Float64Array.of(1, 2), shape: [2]}", "{data: Float64Array.of(1, NaN, 3, 4), shape: [2, 2]}"
    frame = f"{{run: 'a', values: {{step: {steps}, energy: {layers}}}}}"
    columns = "[['step', 'step', null], ['energy', 'energy', null]]"
    table = page.evaluate(f"import('/live/text.js').then((m) => m.historyTable([{frame}], {columns}))")
    assert table == ["run,step,energy_1,energy_2", "a,1,1,", "a,2,3,4"]


def test_images_carry_their_words(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    page.evaluate("document.documentElement.classList.add('dark')")
    train(fake, experiment, 1, 2)
    fake.state("running", 2)
    fake.frame("training_plane", 2, landscape_values(), run=CHILD)
    drawn(page, 2, *TRAIN_PANELS, "landscape")

    def saved(kind: str) -> bytes:
        with page.expect_download() as download:
            panel(page, "landscape").get_by_role("button", name=f"image ({kind})").click()
        assert download.value.suggested_filename == f"pcviz-landscape-{RUN[:8]}-weight-step-2-of-200.{kind.lower()}"
        return download.value.path().read_bytes()

    png = saved("PNG")
    assert [int.from_bytes(png[at : at + 4]) for at in (16, 20)] == [2400, 1600]
    svg = saved("SVG").decode()
    assert plot(page, "landscape", "plot._fullLayout.font") == plot(page, "learning-curves", "plot._fullLayout.font")
    page.set_content(f"<body style='margin: 0'>{svg}")
    boxes = """all => all.map((text) => [text.textContent, text.getBoundingClientRect()])
                      .map(([text, {left, right, top, bottom}]) => [text, left, right, top, bottom])"""
    texts = page.locator("svg text").evaluate_all(boxes)
    assert all(left >= 0 and right <= 1200 and top >= 0 and bottom <= 800 for _, left, right, top, bottom in texts)
    words = " ".join(text for text, *_ in texts)
    assert "Loss landscape" in words and "41 % of the path's length, 93 % of its variance in this plane" in words
    assert "digits, relu 16 × 64 · seed 0" in words and "Weight step 2 / 200 · run aaaaaaaa" in words
    legend = page.locator("svg .legendtext").evaluate_all(boxes)
    assert [text for text, *_ in legend] == ["start", "now"] and legend[0][2] < legend[1][1]
    (image,) = page.locator("svg .hm image").evaluate_all(boxes)[:1]
    assert max(bottom for *_, bottom in legend) <= image[3], "the legend is above the plot"
    ground = page.locator("svg rect").first.evaluate("rect => getComputedStyle(rect).fill")
    assert ground == "rgb(255, 255, 255)", "white, whatever the theme"
