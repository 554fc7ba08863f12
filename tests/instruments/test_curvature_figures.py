"""Panels of curvature: bindings of one kind, a second cue beside colour, what is drawn for which network."""

import plotly.graph_objects as go
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.activations import ACTIVATIONS
from pcviz.figures import bindings
from pcviz.instruments.curvature.figures import PANELS as CURVATURE_PANELS
from pcviz.instruments.curvature.options import GRID, place
from pcviz.instruments.panels import panel

SMALL = from_paths({"network.depth": 3, "network.width": 6, "network.activation": "tanh"})
TANH = from_paths({"network.activation": "tanh"})


@pytest.mark.parametrize("depth", (2, 16, 129))
@pytest.mark.parametrize("name", CURVATURE_PANELS)
def test_all_listen_to_a_run_of_their_kind(name: str, depth: int) -> None:
    made = panel(name, from_paths({"network.depth": depth}), run=1)
    assert {(binding.kind, binding.run) for binding in bindings(made.figure)} == {("curvature", 1)}
    assert made.idle == "Press Compute to begin."


@pytest.mark.parametrize("name", CURVATURE_PANELS)
def test_colour_is_never_the_only_difference(name: str) -> None:
    figure = panel(name, SMALL).figure
    lines = [t for t in figure.data if isinstance(t, go.Scatter) and t.meta and t.showlegend is not False]
    cues = [(trace.line.dash, trace.marker.symbol) for trace in lines]
    assert len(set(cues)) == len(cues)
    bars = [trace.marker.pattern.shape for trace in figure.data if isinstance(trace, go.Bar)]
    assert len(set(bars)) in (0, 2)


def test_the_equilibrium_is_the_middle_of_the_plane() -> None:
    figure = panel("activity-landscape", Experiment()).figure
    (star,) = [trace for trace in figure.data if trace.name == "equilibrium"]
    assert GRID % 2 == 1 and star.meta["index"] == GRID // 2
    assert figure.layout.yaxis.scaleanchor is None  # two scales: the curvatures differ by orders of magnitude


@pytest.mark.parametrize("activation", ["tanh", *(name for name, facts in ACTIVATIONS.items() if facts.kinked)])
def test_only_smooth_activations_have_an_origin(activation: str) -> None:
    made = panel("weight-curvature", from_paths({"network.activation": activation}))
    drawn = any((binding.y or "").startswith("origin_") for binding in bindings(made.figure))
    assert drawn == ("flat there" in made.help) == (activation == "tanh")


def test_with_biases_the_origin_is_no_saddle() -> None:
    experiment = from_paths({"network.activation": "tanh", "network.biases": True})
    curvature, gradient = (panel(name, experiment) for name in ("weight-curvature", "saddle-gradient"))
    assert not any((binding.y or "").startswith("origin_") for binding in bindings(curvature.figure))
    assert all("no saddle" in made.help and "stuck" not in made.help for made in (curvature, gradient))


def test_counts_have_ticks_where_there_are_bars() -> None:
    axes = [panel("weight-curvature", experiment).figure.layout.yaxis.showticklabels for experiment in (SMALL, TANH)]
    assert axes == [True, False]


def test_eigenvalues_of_both_signs_have_ticks() -> None:
    axis = panel("weight-curvature", Experiment()).figure.layout.xaxis
    ticks = dict(zip(axis.ticktext, axis.tickvals, strict=True))
    assert ticks["0"] == 0
    assert ticks["10<sup>-3</sup>"] == -ticks["-10<sup>-3</sup>"] == float(place(1e-3))
