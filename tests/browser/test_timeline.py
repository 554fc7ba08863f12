"""The timeline above the Train panels: they show the weight step that it stands on; at its end they are live."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from pcviz.experiment import Experiment
from pcviz.instruments.replay.channels import REPLAYED
from pcviz.instruments.training.reading import story
from tests.browser.fake_stream import BASELINE, CHILD, RUN, SECOND, FakeStream, landscape_values, train_values
from tests.browser.fed_panels import TRAIN_PANELS, drawn, eventually, train
from tests.browser.on_page import SMALL, button, panel, plot, wait_for
from tests.browser.on_page import step as step_of
from tests.browser.test_network_view import relaxed

STEPS = [1, 4, 7, 10, 13, 16, 19, 20]
HELD = ("energy-balance", "activity-convergence")
"""Panels that draw the latest frame."""


def timeline(page: Page) -> Locator:
    return page.locator(".pcviz-timeline")


def opened(page: Page, fake: FakeStream, experiment: Experiment, **options: Any) -> None:
    """A page whose run has made 20 steps."""
    fake.show(experiment, timeline={"at": None}, story=story(experiment), **options)
    page.goto(fake.url)
    train(fake, experiment, 1, 20)
    fake.state("running", 20)


def replayed(fake: FakeStream, experiment: Experiment, count: int, run: str = CHILD) -> None:
    """A frame with the first rows."""
    rows = [train_values(experiment, step) for step in STEPS[:count]]
    stacked = {f"replay_{name}": np.array([row[name] for row in rows]) for name in REPLAYED}
    fake.frame("replay", STEPS[-1], {"replay_steps": np.array(STEPS), **stacked}, run=run)


def known(page: Page) -> None:
    """The page knows the steps of the replay: they are those to choose from."""
    slider = timeline(page).get_by_role("slider", name="Weight step")
    expect(slider).to_have_attribute("max", str(len(STEPS) - 1))


def press(page: Page, name: str) -> None:
    timeline(page).get_by_role("button", name=name).click()


def bars(page: Page) -> list[float]:
    """The energies that the bars show."""
    energies: list[float] = plot(
        page, "energy-balance", "Array.from(plot.data.find((t) => t.type === 'bar').customdata)"
    )
    return energies


def cursors(page: Page, name: str) -> list[str]:
    """Where the visible cursors of a panel stand."""
    found: list[str] = (
        panel(page, name).locator(".pcviz-cursor:not([hidden])").evaluate_all("all => all.map((l) => l.dataset.at)")
    )
    return found


def test_every_panel_shows_the_step_and_at_the_end_the_newest(
    page: Page, fake: FakeStream, experiment: Experiment
) -> None:
    opened(page, fake, experiment)
    drawn(page, 20)
    expect(timeline(page)).to_have_attribute("data-at", "live")
    expect(timeline(page)).to_contain_text("live: step 20")
    press(page, "First weight step")
    expect(timeline(page)).to_have_attribute("data-at", "computing")
    expect(timeline(page)).to_contain_text("step 1 of 20: computing")
    drawn(page, 20)
    eventually(page, lambda: page.evaluate("window.asked") == [{"until": 20, "at": None}])
    replayed(fake, experiment, 3)
    expect(timeline(page)).to_have_attribute("data-at", "past")
    drawn(page, 1, *HELD)
    for step in (4, 7):
        press(page, "One weight step forward (→)")
        drawn(page, step, *HELD)
        expected = train_values(experiment, step)
        np.testing.assert_array_equal(bars(page), expected["energy"])
        trace = plot(page, "activity-convergence", "Array.from(plot.data.find((t) => t.name === 'total F').y)")
        np.testing.assert_array_equal(trace, expected["total_energy_trace"])
        assert cursors(page, "energy-balance") == cursors(page, "learning-curves") == [str(step)]
        expect(page.locator(".pcviz-metrics")).to_contain_text(f"{step} / 200")
        expect(page.locator(".pcviz-metrics")).to_contain_text(f"{100 * expected['test_accuracy']:.1f} %")
        expect(page.locator(".pcviz-story")).to_contain_text(f"Back after {step} of 200 weight steps")
    press(page, "One weight step forward (→)")
    expect(timeline(page)).to_have_attribute("data-at", "computing")
    # What comes live meanwhile goes into the history, and nowhere else.
    train(fake, experiment, 21, 24)
    drawn(page, 24, "learning-curves")
    eventually(page, lambda: plot(page, "energy-balance", "plot.data[0].x.length") == 24)  # panels draw one by one
    drawn(page, 7, *HELD)
    np.testing.assert_array_equal(bars(page), train_values(experiment, 7)["energy"])
    replayed(fake, experiment, len(STEPS))
    drawn(page, 10, *HELD)
    press(page, "Last weight step")
    drawn(page, 24)
    np.testing.assert_array_equal(bars(page), train_values(experiment, 24)["energy"])
    assert cursors(page, "energy-balance") == cursors(page, "learning-curves") == []
    expect(page.locator(".pcviz-metrics")).to_contain_text("24 / 200")
    expect(page.locator(".pcviz-story")).to_contain_text("Training: after 24 of 200")
    train(fake, experiment, 25, 25)
    drawn(page, 25)
    assert page.evaluate("window.asked.length") == 1, "once"
    press(page, "One weight step back (←)")
    assert page.evaluate("window.asked[1]") == {"until": 25, "at": None}, "the run has gone on"


def test_a_replay_of_the_baseline_is_not_its_own(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    opened(page, fake, experiment, runs=(RUN, BASELINE))
    replayed(fake, experiment, len(STEPS), run=BASELINE)
    fake.state("paused", 20)
    expect(panel(page, "energy-balance")).to_have_attribute("data-state", "paused")
    press(page, "First weight step")
    expect(timeline(page)).to_have_attribute("data-at", "computing")
    eventually(page, lambda: page.evaluate("window.asked") == [{"until": 20, "at": None}])


def test_one_that_is_live_lets_go_of_what_was_asked_before(
    page: Page, fake: FakeStream, experiment: Experiment
) -> None:
    fake.show(experiment, timeline={"at": 4})
    page.goto(fake.url)
    nothing = {"until": 0, "at": None}
    eventually(page, lambda: page.evaluate("window.asked") == [nothing])
    remount = "(data) => window.remount(data)"
    page.evaluate(remount, {**fake.data, "nonce": 1})
    page.evaluate(remount, {**fake.data, "nonce": 2, "timeline": {"at": None}})
    assert page.evaluate("window.asked") == [nothing], "once"
    train(fake, experiment, 1, 20)
    drawn(page, 20)
    press(page, "First weight step")
    page.evaluate(remount, {**fake.data, "nonce": 3, "timeline": {"at": 1}})
    assert nothing not in page.evaluate("window.asked")[1:], "it stands there"
    fake.state("idle", 0, generation=1)
    expect(timeline(page)).to_have_attribute("data-at", "live")
    page.evaluate(remount, {**fake.data, "nonce": 4, "timeline": {"at": 1}})
    assert page.evaluate("window.asked").count(nothing) == 2


@pytest.mark.parametrize(("x", "place"), [("epoch", 10 / 22), ("seconds", 10 * 0.08)])
def test_the_cursor_stands_on_the_axis_of_the_curves(
    page: Page, fake: FakeStream, experiment: Experiment, x: str, place: float
) -> None:
    opened(page, fake, experiment, options={"learning-curves": {"x": x}})
    replayed(fake, experiment, len(STEPS))
    known(page)
    drawn(page, 20)
    for _ in range(4):
        press(page, "One weight step back (←)")
    drawn(page, 10, *HELD)
    assert float(cursors(page, "learning-curves")[0]) == pytest.approx(place)
    assert cursors(page, "energy-balance") == ["10"]
    assert page.evaluate("window.asked") == [], "it was there"


def test_keys_act_while_it_has_the_focus(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    opened(page, fake, experiment)
    replayed(fake, experiment, len(STEPS))
    known(page)
    drawn(page, 20)
    page.keyboard.press("ArrowLeft")
    expect(timeline(page)).to_have_attribute("data-at", "live")
    slider = timeline(page).get_by_role("slider", name="Weight step")
    slider.focus()
    for step in (19, 16):
        page.keyboard.press("ArrowLeft")
        expect(timeline(page)).to_have_attribute("data-step", str(step))
    page.keyboard.press("ArrowRight")
    drawn(page, 19, *HELD)
    expect(slider).to_have_attribute("aria-valuetext", "step 19 of 20")
    page.keyboard.press(" ")
    expect(timeline(page)).to_have_attribute("data-at", "live")
    drawn(page, 20)


def test_it_plays_again_and_waits_for_rows(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    opened(page, fake, experiment)
    drawn(page, 20)
    timeline(page).get_by_role("combobox", name="Speed").select_option("20")
    press(page, "Play the training again (Space)")
    expect(timeline(page)).to_have_attribute("data-at", "computing")
    replayed(fake, experiment, 3)
    expect(timeline(page)).to_have_attribute("data-step", "7")
    page.wait_for_timeout(300)
    expect(timeline(page)).to_have_attribute("data-step", "7")
    replayed(fake, experiment, len(STEPS))
    expect(timeline(page)).to_have_attribute("data-at", "live")
    drawn(page, 20)
    assert page.evaluate("window.asked.length") == 1


def test_other_views_stay_at_the_step_and_another_run_does_not(
    page: Page, fake: FakeStream, experiment: Experiment
) -> None:
    opened(page, fake, experiment)
    replayed(fake, experiment, len(STEPS))
    drawn(page, 20)
    press(page, "First weight step")
    drawn(page, 1, *HELD)
    events, seq = fake.events, fake.seq
    fake.show(experiment, timeline={"at": None}, options={"learning-curves": {"x": "epoch"}})
    fake.events, fake.seq = events, seq
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")
    drawn(page, 1, *HELD)
    expect(panel(page, "learning-curves")).to_have_attribute("data-step", "20")
    eventually(page, lambda: cursors(page, "learning-curves") == [str(1 / 22)])
    fake.show(experiment, runs=(BASELINE,), timeline={"at": None})
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")
    train(fake, experiment, 1, 2, run=BASELINE)
    drawn(page, 2)
    expect(timeline(page)).to_have_attribute("data-at", "live")


def test_a_new_generation_is_live_and_a_failure_is_told(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    opened(page, fake, experiment)
    drawn(page, 20)
    press(page, "First weight step")
    fake.state("failed", 0, run=CHILD, kind="replay", message="out of memory")
    expect(timeline(page)).to_contain_text("out of memory")
    fake.state("idle", 0, generation=1)
    fake.seq.clear()
    train(fake, experiment, 1, 2, generation=1)
    drawn(page, 2)
    expect(timeline(page)).to_contain_text("live: step 2")


def test_without_a_callback_there_is_none(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 2)
    drawn(page, 2)
    assert timeline(page).count() == 0


def test_the_network_view_follows_once_it_rests(page: Page, fake: FakeStream) -> None:
    experiment, _, picture = relaxed(False)
    page.emulate_media(reduced_motion="reduce")
    opened(page, fake, experiment, panels=["network", *TRAIN_PANELS])
    fake.frame("network", 20, picture | {"asked_at": np.nan}, run=SECOND)
    view = panel(page, "network")
    expect(view).to_have_attribute("data-step", "20")
    replayed(fake, experiment, len(STEPS))
    known(page)
    expect(timeline(page)).to_contain_text("live")
    press(page, "First weight step")
    press(page, "One weight step forward (→)")
    eventually(page, lambda: page.evaluate("window.asked.at(-1)") == {"until": 20, "at": 4})
    expect(view).to_contain_text("Computing weight step 4 …")
    fake.frame("network", 20, picture | {"asked_at": np.nan}, run=SECOND)
    fake.frame("network", 7, picture | {"asked_at": 7.0}, run=SECOND)
    expect(view).to_have_attribute("data-step", "20")
    other = picture | {"asked_at": 4.0}
    fake.frame("network", 4, other, run=SECOND)
    expect(view).to_have_attribute("data-step", "4")
    expect(view).to_contain_text("After weight step 4.")
    press(page, "Last weight step")
    expect(view).to_have_attribute("data-step", "20")
    eventually(page, lambda: page.evaluate("window.asked.at(-1)") == {"until": 20, "at": None})


@pytest.mark.parametrize("width", [1440, 390])
def test_it_fits(page: Page, fake: FakeStream, experiment: Experiment, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, fake, experiment)
    drawn(page, 20)
    press(page, "First weight step")
    assert timeline(page).evaluate("(bar) => bar.scrollWidth <= bar.clientWidth")
    if width == 1440:
        box = panel(page, "learning-curves").bounding_box()
        assert box and box["y"] + box["height"] <= 900


def test_a_run_is_played_again_and_stepped_back(page: Page) -> None:
    page.goto(f"/train?{SMALL}&learning_steps=40")
    expect(button(page, "play")).to_be_visible(timeout=30_000)
    button(page, "play").click()
    wait_for(page, lambda: panel(page, "energy-balance").get_attribute("data-state") == "done")
    drawn(page, 40)
    last, metrics = bars(page), page.locator(".pcviz-metrics")
    timeline(page).get_by_role("combobox", name="Speed").select_option("1")  # it cannot reach the end meanwhile
    press(page, "Play the training again (Space)")
    expect(timeline(page)).to_have_attribute("data-at", "past")
    press(page, "Play the training again (Space)")
    press(page, "Last weight step")
    eventually(page, lambda: bars(page) == last)
    drawn(page, 40)
    seen = [last]
    for step in (39, 38):
        press(page, "One weight step back (←)")
        expect(timeline(page)).to_have_attribute("data-at", "past", timeout=30_000)
        drawn(page, step, *HELD)
        expect(metrics).to_contain_text(re.compile(rf"{step} / 40"))
        assert bars(page) not in seen
        seen.append(bars(page))
    press(page, "Last weight step")
    drawn(page, 40)
    assert bars(page) == last


def test_the_path_shows_where_the_timeline_stands(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    opened(page, fake, experiment)
    values = landscape_values()
    fake.frame("training_plane", 20, values, run=SECOND)
    dot = panel(page, "landscape").locator(".pcviz-dot")
    eventually(page, lambda: step_of(page, "landscape") == 20)
    expect(dot).to_be_hidden()
    replayed(fake, experiment, len(STEPS))
    known(page)
    press(page, "First weight step")
    press(page, "One weight step forward")
    press(page, "One weight step forward")
    last = max(step for step in values["path_steps"] if step <= STEPS[2])
    expect(dot).to_have_attribute("data-at", f"{last:g}")
    box, area = dot.bounding_box(), panel(page, "landscape").locator(".pcviz-plot").bounding_box()
    assert box and area
    place = "['xaxis', 'yaxis'].map((a, i) => plot._fullLayout[a].p2d(argument[i] - plot._fullLayout[a]._offset))"
    middle = [box["x"] + box["width"] / 2 - area["x"], box["y"] + box["height"] / 2 - area["y"]]
    at = list(values["path_steps"]).index(last)
    expected = [values["path_x"][at], values["path_y"][at]]
    assert plot(page, "landscape", place, middle) == pytest.approx(expected, abs=0.02)
    zoomed = (
        "(await argument.reduce((before, to) => before.then(() => Plotly.relayout(plot, to)), Promise.resolve()), 1)"
    )
    beyond = [expected[1] + 0.1, expected[1] + 0.3]
    plot(page, "landscape", zoomed, [{"yaxis.range": beyond}])
    expect(dot).to_be_hidden()
    plot(page, "landscape", zoomed, [{"yaxis.autorange": True}])
    expect(dot).to_be_visible()
    broken = np.where(values["path_steps"] == last, np.nan, values["path_x"])
    fake.frame("training_plane", 20, {**values, "path_x": broken}, run=SECOND)
    expect(dot).to_be_hidden()
    fake.frame("training_plane", 20, values, run=SECOND)
    expect(dot).to_be_visible()
    press(page, "Last weight step")
    expect(dot).to_be_hidden()
