"""Panels of the Inference page: bindings of one kind, one slider, what is drawn at every depth."""

import plotly.graph_objects as go
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.solvers import SOLVERS
from pcviz.figures import bindings
from pcviz.instruments import CHANNELS
from pcviz.instruments.panels import panel
from pcviz.instruments.relaxation.figures import PANELS as INFERENCE_PANELS
from pcviz.instruments.relaxation.options import Options

DEPTHS = (2, 16, 129, 512)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", INFERENCE_PANELS)
def test_all_listen_to_a_relaxation(name: str, depth: int) -> None:
    made = panel(name, from_paths({"network.depth": depth}))
    assert {binding.kind for binding in bindings(made.figure)} == {"relax"}
    assert made.idle == "Press Relax to begin."


@pytest.mark.parametrize("name", INFERENCE_PANELS)
def test_what_the_slider_moves(name: str) -> None:
    made = panel(name, Experiment())
    scrubbed = [binding for binding in bindings(made.figure) if binding.row == "scrub"]
    assert bool(scrubbed) == (made.scrub is not None)
    axes = made.for_client()["cursor_axes"]
    assert bool(axes) == (made.cursor is not None)
    assert all(axis in made.figure.layout for axis in axes)
    for channel in (made.scrub, made.cursor):
        assert channel is None or CHANNELS[channel].dims == ("R",)
    # A heat map never depends on the slider: only lines are drawn anew while it moves.
    assert all(trace.meta.get("row") is None for trace in made.figure.data if isinstance(trace, go.Heatmap))


@pytest.mark.parametrize("x", ["steps", "passes", "ms"])
def test_each_solver_has_its_column(x: str) -> None:
    names = Options(solvers=tuple(SOLVERS)).compared(from_paths({"network.activation": "linear"}))
    figure = panel("solver-race", Experiment(), solvers=names, x=x).figure
    drawn = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.name for trace in drawn] == [SOLVERS[name].label for name in names]
    assert [trace.meta["index"] for trace in drawn] == list(range(len(names)))
    assert {trace.meta["x"] for trace in drawn} == {f"solver_{x}"}


def test_no_two_solvers_look_alike() -> None:
    assert len({(facts.colour, facts.dash) for facts in SOLVERS.values()}) == len(SOLVERS)


@pytest.mark.parametrize(
    ("solver", "line", "limit"),
    [
        ("gradient_descent", "2/η: unstable beyond", "step size limit 2/λmax {"),
        ("momentum", "2(1 + β)/η: unstable beyond", "step size limit 2(1 + β)/λmax {"),
        ("error_based", None, "step size limit 2/λmax in the errors {"),
        ("adam", None, None),
    ],
)
def test_each_solver_has_its_own_bound(solver: str, line: str | None, limit: str | None) -> None:
    made = panel("activity-spectrum", from_paths({"inference.solver": solver}))
    bounds = [trace.name for trace in made.figure.data if "unstable" in (trace.name or "")]
    assert bounds == ([line] if line else [])
    assert made.note is not None
    assert made.note.startswith(limit) if limit else "limit" not in made.note


@pytest.mark.parametrize("name", ["activity-convergence", "relaxation-map"])
def test_zeros_are_promised_where_the_error_travels_alone(name: str) -> None:
    zero = "until it arrives, a layer's error is exactly 0"
    for changes, promised in (
        ({}, True),
        ({"inference.solver": "adam"}, True),
        ({"inference.solver": "error_based"}, False),
        ({"inference.initial": "normal"}, False),
    ):
        assert (zero in panel(name, from_paths(changes)).help) is promised
