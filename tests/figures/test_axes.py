"""Axes of steps end where the run does and count in whole numbers; bars on a logarithm begin at a stated place."""

import math
import re

import plotly.graph_objects as go
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.figures import style
from pcviz.instruments.panels import PANELS, panel

DEEP = from_paths({"network.depth": 40, "inference.steps": 300, "learning.steps": 7})


def axes(figure: go.Figure) -> dict[str, go.layout.XAxis]:
    return {name: figure.layout[name] for name in figure.layout if name[1:5] == "axis"}


@pytest.mark.parametrize("experiment", [Experiment(), DEEP])
def test_steps_and_layers_are_whole_numbers(experiment: Experiment) -> None:
    every = [axis for name in PANELS for axis in axes(panel(name, experiment).figure).values() if axis.title.text]
    steps = [axis for axis in every if re.search(r"(?<!at )step\b", axis.title.text) and axis.type != "log"]
    layers = [axis for axis in every if axis.title.text.startswith("layer")]
    assert len(steps) >= 5 and all(axis.tickformat == ",d" for axis in steps)
    assert len(layers) >= 6 and all(axis.tickmode == "array" for axis in layers)
    assert all(tick == int(tick) for axis in layers for tick in axis.tickvals)


@pytest.mark.parametrize(
    ("name", "options", "rule", "last"),
    [
        ("energy-balance", {}, "pc", 7.5),
        ("learning-curves", {}, "pc", 7.5),
        ("learning-curves", {"x": "epoch"}, "pc", 7 / 22),  # 1,437 digits are 22 whole batches of 64
        ("activity-convergence", {}, "pc", 300.5),
        ("relaxation-map", {}, "pc", 300.5),
        ("relaxation-map", {}, "bp", 300.5),
    ],
)
def test_steps_end_with_the_run(name: str, options: dict[str, str], rule: str, last: float) -> None:
    figure = panel(name, DEEP.changed({"learning.rule": rule}), **options).figure
    assert figure.layout.xaxis.autorangeoptions.clipmax == pytest.approx(last)


@pytest.mark.parametrize("name", PANELS)
def test_bars_on_a_logarithm_have_ends_of_their_own(name: str) -> None:
    figure = panel(name, from_paths({"network.activation": "tanh"})).figure
    own = (figure.layout.meta or {}).get("decades", {})
    for trace in figure.data:
        if isinstance(trace, go.Bar):
            side = "x" if trace.orientation == "h" else "y"
            axis = (trace[f"{side}axis"] or side).replace(side, f"{side}axis")
            if figure.layout[axis].type != "log":  # then they stand on zero
                assert figure.layout[axis].rangemode == "tozero" or figure.layout[axis].range[0] == 0
                continue
            assert axis in own
    for axis in own:
        assert figure.layout[axis].type == "log" and figure.layout[axis].range
    assert name != "energy-balance" or own == {"xaxis2": None}
    assert name != "activity-spectrum" or own == {"yaxis": pytest.approx(math.log10(0.5))}


def test_profiles_of_deep_networks_end_at_whole_decades() -> None:
    assert set(panel("activity-convergence", DEEP).figure.layout.meta["decades"]) == {"xaxis4", "xaxis6"}
    assert style.decades("xaxis2") == {"decades": {"xaxis2": None}}
