"""The live panels in a browser, fed by a stream that the test writes: what is drawn."""

import csv
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pcviz.experiment import Experiment, from_paths
from tests.browser.fake_stream import (
    BASELINE,
    CHILD,
    RUN,
    FakeStream,
    boundary_values,
    history_values,
    landscape_values,
    train_values,
)
from tests.browser.fed_panels import TRAIN_PANELS, drawn, eventually, train
from tests.browser.on_page import panel, plot

SHORT = {"inference.steps": "depth"}
"""As many inference steps as hidden layers."""


@pytest.fixture
def experiment() -> Experiment:
    """16 layers, 15 inference steps."""
    return from_paths(SHORT)


def test_frames_are_drawn_and_nodes_and_zoom_stay(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    fake.state("running")
    train(fake, experiment, 1, 5)
    drawn(page, 5)
    page.evaluate("window.before = [...document.querySelectorAll('.pcviz-plot, .main-svg, .cartesianlayer')]")
    plot(page, "learning-curves", "window.Plotly.relayout(plot, {'xaxis.range': [2, 4]})")
    points = plot(page, "learning-curves", "plot.data[0].x.length")
    for step in range(6, 12):
        train(fake, experiment, step, step)
        drawn(page, step)
    assert plot(page, "learning-curves", "plot.data[0].x.length") == points + 6
    assert plot(page, "learning-curves", "plot._fullLayout.xaxis.range") == [2, 4]
    assert page.evaluate("window.before.every((node) => node.isConnected)")
    assert page.evaluate("document.querySelectorAll('.pcviz-plot').length") == 4


def test_zoom_by_hand_and_legend_choices_stay(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 20)
    drawn(page, 20)
    box = panel(page, "learning-curves").locator(".nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 42, steps=4)
    train(fake, experiment, 21, 22)
    drawn(page, 22, "energy-balance")
    assert panel(page, "learning-curves").get_attribute("data-step") == "20"  # not torn away while dragging
    page.mouse.up()
    drawn(page, 22)
    zoomed = plot(page, "learning-curves", "plot._fullLayout.xaxis.range")
    assert zoomed[0] > 1 and zoomed[1] < 20
    plot(page, "learning-curves", "window.Plotly.restyle(plot, {visible: 'legendonly'}, [4])")
    train(fake, experiment, 23, 24)
    drawn(page, 24)
    assert plot(page, "learning-curves", "plot._fullLayout.xaxis.range") == zoomed
    assert plot(page, "learning-curves", "plot._fullData[4].visible") == "legendonly"
    move = panel(page, "learning-curves").get_by_role("button", name="Drag to move")
    for mode in ("pan", "zoom"):
        move.click()
        eventually(page, lambda mode=mode: plot(page, "learning-curves", "plot._fullLayout.dragmode") == mode)  # type: ignore[misc]
    panel(page, "learning-curves").get_by_role("button", name="Show the whole").click()
    eventually(page, lambda: plot(page, "learning-curves", "plot._fullLayout.xaxis.range")[1] >= 24)


def test_exact_zeros_have_a_row_of_their_own(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 3)  # until step 30 the lowest two layers get nothing
    drawn(page, 3)
    bars, marks = plot(page, "energy-balance", "[2, 4].map((i) => Array.from(plot.data[i].x))")
    assert [layer for layer, mark in enumerate(marks, 1) if mark == 0] == [1, 2]
    assert [layer for layer, bar in enumerate(bars, 1) if not bar > 0] == [1, 2]
    assert panel(page, "energy-balance").locator(".x3y .point").count() == 2
    grey = plot(page, "energy-balance", "plot.data[1].z.map((row) => Array.from(row).filter((v) => v === 0).length)")
    assert grey == [3, 3] + [0] * 14
    assert plot(page, "energy-balance", "Array.from(plot.data[0].z[15]).every((v) => v < 0)")  # logarithms


def test_the_slider_chooses_the_row_of_the_profile(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 40, 40)
    drawn(page, 40)
    convergence = panel(page, "activity-convergence")
    profile = "Array.from(plot.data.find((t) => t.meta.row === 'scrub' && t.meta.text === 'energy_trace').customdata)"
    expect(convergence.locator(".pcviz-scrub span")).to_have_text("t = 15 of 15")
    at_end = plot(page, "activity-convergence", profile)
    assert len(at_end) == 16 and all(value > 0 for value in at_end)
    slider = convergence.get_by_role("slider")
    slider.focus()
    for _ in range(12):
        slider.press("ArrowLeft")
    expect(convergence.locator(".pcviz-scrub span")).to_have_text("t = 3 of 15")
    heard = [False] * 12 + [True] * 4
    eventually(page, lambda: [value > 0 for value in plot(page, "activity-convergence", profile)] == heard)
    train(fake, experiment, 41, 41)  # and it stays where it was put
    drawn(page, 41)
    expect(convergence.locator(".pcviz-scrub span")).to_have_text("t = 3 of 15")
    line = "Array.from(plot.data.find((t) => t.yaxis === 'y9').x)"
    assert plot(page, "activity-convergence", line) == [3, 3]


def test_csv_of_frames_and_of_the_latest_arrays(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 4)
    drawn(page, 4)

    def table(name: str) -> list[dict[str, str]]:
        with page.expect_download() as download:
            panel(page, name).get_by_role("button", name="Download the data").click()
        when = "step-4-t-15-of-15" if name == "activity-convergence" else "step-4"
        assert download.value.suggested_filename == f"pcviz-{name}-{RUN[:8]}-{when}.csv"
        return list(csv.DictReader(download.value.path().read_text().splitlines()))

    rows = table("energy-balance")
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    energy = train_values(experiment, 4)["energy"]
    assert [float(rows[-1][f"energy_{layer}"]) for layer in range(1, 17)] == energy.tolist()
    assert set(table("learning-curves")[0]) >= {"run", "epoch", "seconds", "train_loss_least", "test_accuracy"}
    trace = train_values(experiment, 4)["energy_trace"]
    cells = [row for row in table("activity-convergence") if row["channel"] == "energy_trace"]
    assert len(cells) == trace.size
    assert all(float(c["value"]) == trace[int(c["row"]) - 1, int(c["column"]) - 1] for c in cells)


def test_landscape_of_a_child_blank_where_not_computed(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 2)
    fake.state("running", 2)
    fake.state("running", 2, run=CHILD, kind="training_plane")
    fake.frame("training_plane", 2, landscape_values(0.5), run=CHILD)
    drawn(page, 2, "landscape")
    blank = plot(page, "landscape", "plot.data[0].z.map((row) => Array.from(row).every(Number.isNaN))")
    assert blank == [False] * 16 + [True] * 15
    assert plot(page, "landscape", "plot.data.at(-1).x.length") == 1
    expect(panel(page, "landscape")).to_contain_text("41 % of the path's length, 93 % of its variance")
    fake.state("failed", 2, run=CHILD, kind="training_plane", message="out of memory")
    expect(panel(page, "landscape")).to_contain_text("out of memory")
    expect(panel(page, "landscape")).to_have_attribute("data-state", "running")


@pytest.mark.parametrize("experiment", [from_paths({**SHORT, "data.name": "moons", "network.depth": 40})])
def test_boundary_and_deep_networks(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 40, 41)
    fake.frame("boundary", 41, boundary_values(), run=CHILD)
    drawn(page, 41, *TRAIN_PANELS, "decision-boundary")
    classes = plot(page, "decision-boundary", "[1, 2].map((i) => plot.data[i].x.length)")
    assert classes == [100, 100]
    axes = "['xaxis', 'yaxis'].map((name) => (({range, _length}) => [...range, _length])(plot._fullLayout[name]))"
    grid = boundary_values()
    scales = []
    for (low, high, length), ticks in zip(plot(page, "decision-boundary", axes), "xy", strict=True):
        at = grid[f"boundary_{ticks}"]
        half = (at[1] - at[0]) / 2
        assert (low, high) == (pytest.approx(at[0] - half, rel=1e-5), pytest.approx(at[-1] + half, rel=1e-5))
        scales.append(length / (high - low))
    assert scales[0] == pytest.approx(scales[1], rel=1e-3) and scales[0] > 20, "circles are round, and seen"
    shape = plot(page, "activity-convergence", "plot.data[0].z.map((row) => row.length)")
    assert shape == [40] * 40  # L rows of T + 1
    panel(page, "activity-convergence").get_by_role("button", name="Logarithmic inference steps").click()
    train(fake, experiment, 42, 42)
    drawn(page, 42)
    assert plot(page, "activity-convergence", "plot._fullLayout.xaxis.type") == "log"


@pytest.mark.parametrize("experiment", [from_paths({**SHORT, "network.depth": 40})])
def test_hover_tells_exact_values_and_stays(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 40, 41)
    drawn(page, 41)
    box = (
        panel(page, "activity-convergence").locator(".xy2 .nsewdrag, .nsewdrag[data-subplot=xy2]").first.bounding_box()
    )
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.3)
    label = panel(page, "activity-convergence").locator(".hovertext")
    expect(label).to_be_visible()
    layer, step, value = (float(part) for part in re.findall(r"[\d.]+(?:e[-−]\d+)?", label.text_content() or "")[:3])
    trace = train_values(experiment, 41)["energy_trace"]
    assert value == pytest.approx(trace[int(step), int(layer) - 1], rel=1e-3)
    for step in range(42, 46):
        train(fake, experiment, step, step)
        drawn(page, step)
        expect(label).to_be_visible()


def test_long_histories_are_thinned_and_keep_their_ends(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    for first in range(1, 8192, 91):
        rows = [history_values(step, test_loss=9.0 if step == 777 else 0.5) for step in range(first, first + 91)]
        fake.frame("train", first + 90, {name: np.concatenate([row[name] for row in rows]) for name in rows[0]})
    page.goto(fake.url)
    drawn(page, 8281, "learning-curves")
    steps, losses = plot(
        page, "learning-curves", "(({x, y}) => [x, y])(plot.data.find((t) => t.meta?.y === 'test_loss_history'))"
    )
    assert steps[0] == 1 and steps[-1] == 8281 and len(steps) <= 4096 and steps == sorted(steps)
    assert max(losses) == 9.0


def test_metric_curve_hover_and_csv_tell_the_same_number(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    """A loss that falls over nine decades: everything shows the last value, not one of the past."""
    page.goto(fake.url)
    for step in range(1, 31):
        loss = 0.5 * 10 ** (-0.3 * step)
        values = {**train_values(experiment, step), **history_values(step, train_loss=[loss] * 3), "train_loss": loss}
        fake.frame("train", step, values)
    drawn(page, 30)
    end = "(({x, y}) => [x.at(-1), y.at(-1)])(plot.data.find((t) => t.name === 'train loss'))"
    assert plot(page, "learning-curves", end) == [30, pytest.approx(5e-10)]
    expect(page.locator("dd", has_text="5e-10").or_(page.get_by_text("5.00e-10")).first).to_be_visible()
    with page.expect_download() as download:
        panel(page, "learning-curves").get_by_role("button", name="Download the data").click()
    *_, last = csv.DictReader(download.value.path().read_text().splitlines())
    assert float(last["train_loss"]) == pytest.approx(5e-10)
    plot(page, "learning-curves", "window.Plotly.Fx.hover(plot, [{curveNumber: 2, pointNumber: 29}])")
    expect(panel(page, "learning-curves").locator(".hovertext").first).to_contain_text("5e-10")


def test_smoothing_counts_weight_steps_not_frames(page: Page, server: FakeStream) -> None:
    """A loss that drops at step 100: thirty steps later 1/e of the way is left, whether frames come often or rarely."""
    experiment, ends = Experiment(), []
    for spacing in (1, 5):
        server.show(experiment, options={"learning-curves": {"smoothing": 30}})
        page.goto(server.url)
        for step in range(spacing, 131, spacing):
            loss = 1.0 if step <= 100 else 0.01
            server.frame(
                "train", step, {**train_values(experiment, step), **history_values(step, train_loss=[loss] * 3)}
            )
        drawn(page, 130)
        ends.append(plot(page, "learning-curves", "plot.data.find((t) => t.name === 'train loss').y.at(-1)"))
    assert ends == [pytest.approx(0.01 ** (1 - np.exp(-1)))] * 2


def test_a_baseline_is_drawn_dashed_over_the_run(page: Page, server: FakeStream) -> None:
    experiment = Experiment()
    server.show(experiment, runs=(RUN, BASELINE))
    page.goto(server.url)
    train(server, experiment, 1, 5, run=BASELINE)
    train(server, experiment, 1, 3)
    drawn(page, 3)
    counts = plot(page, "learning-curves", "plot.data.filter((t) => t.meta?.run === 1).map((t) => t.x.length)")
    assert counts == [5, 5, 5]
    assert plot(page, "energy-balance", "plot.data[0].x.length") == 3


def test_dark_and_light_follow_the_theme(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 2)
    drawn(page, 2)
    assert plot(page, "landscape", "plot._fullLayout.font.color") == "rgb(49, 51, 63)"
    page.evaluate("document.documentElement.classList.add('dark')")
    page.wait_for_function(
        "[...document.querySelectorAll('.pcviz-plot')].every((p) => p._fullLayout.font.color === 'rgb(250, 250, 250)')"
    )
    assert page.evaluate("JSON.stringify(document.querySelector('.pcviz-plot').layout).includes('var(')") is False


def test_a_phone_has_one_column_and_no_sideways_scrolling(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(fake.url)
    train(fake, experiment, 1, 2)
    drawn(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert len({round(box["x"]) for s in page.locator("section").all() if (box := s.bounding_box())}) == 1
    sizes = "all => all.map((made) => made.getBoundingClientRect()).map(({width, height}) => Math.min(width, height))"
    assert min(page.locator(".pcviz-panel button").evaluate_all(sizes)) >= 44, "fingers need 44 px"
    top = "plot.getBoundingClientRect().top - plot.closest('section').getBoundingClientRect().top"
    before = plot(page, "landscape", top)
    fake.frame("training_plane", 2, landscape_values(), run=CHILD)
    drawn(page, 2, "landscape")
    assert plot(page, "landscape", top) == before, "the note's room was kept for it"
    whole = "note => note.scrollWidth <= note.clientWidth && note.scrollHeight <= note.clientHeight"
    note = panel(page, "landscape").locator(".pcviz-note")
    assert note.evaluate(whole)
    assert note.evaluate("note => note.clientHeight") >= 2 * 16, "on two lines"


def test_four_panels_fit_a_projector(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(fake.url)
    train(fake, experiment, 1, 2)
    drawn(page, 2)
    assert page.evaluate("document.documentElement.scrollHeight") <= 900
    assert page.locator(".modebar").count() == 0, "nothing lies over the data"
    assert plot(page, "landscape", "plot._fullLayout.xaxis.tickfont.size") == 11
    full = panel(page, "landscape").get_by_role("button", name="Full size")
    full.click()
    box = panel(page, "landscape").bounding_box()
    assert box and box["width"] > 1400
    fonts = "(({tickfont, title}) => [tickfont.size, title.font.size])(plot._fullLayout.xaxis)"
    eventually(page, lambda: min(plot(page, "landscape", fonts)) >= 20)
    seen = """all => all.map((one) => [one, one.getBoundingClientRect()])
                     .every(([one, {x, y}]) => one.contains(document.elementFromPoint(x + 2, y + 2)))"""
    assert page.locator(".pcviz-metrics > div").evaluate_all(seen), "the metric row stays"
    page.keyboard.press("Escape")
    expect(full).to_have_attribute("aria-pressed", "false")
    eventually(page, lambda: plot(page, "landscape", fonts) == [11, 11])
    panel(page, "landscape").get_by_role("button", name="How to read").click()
    expect(panel(page, "landscape").locator(".pcviz-help")).to_be_visible()
