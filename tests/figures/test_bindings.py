"""The schema of bindings: one test for each field, against the table of channels."""

from typing import Any

import plotly.graph_objects as go
import pytest
from pydantic import ValidationError

from pcviz.figures import Binding, bindings

ENERGY = {"x": "step_history", "z": "energy_history", "mode": "append"}
LOSS = {"x": "step_history", "y": "test_loss_history", "mode": "append"}
TRACE = {"x": "trace_steps", "y": "energy_trace"}


def refused(**options: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Binding(**options)
    return str(caught.value)


@pytest.mark.parametrize("attribute", ["x", "y", "z", "text"])
def test_channels_exist(attribute: str) -> None:
    assert "no_such_channel is no channel" in refused(**{attribute: "no_such_channel"})


def test_only_kinds_of_runs() -> None:
    assert "landscape is no kind of run" in refused(kind="landscape", y="energy")


def test_something_is_bound() -> None:
    assert "at least one channel" in refused()


def test_run_is_a_position() -> None:
    assert Binding(run=1, **ENERGY).run == 1
    refused(run=-1, **ENERGY)


def test_kind_is_known() -> None:
    refused(kind="nonsense", **ENERGY)


def test_index_takes_an_entry_of_the_last_dimension() -> None:
    assert Binding(**TRACE, index=3).dims() == {"x": ("R",), "y": ("R",)}
    assert Binding(kind="training_plane", x="path_x", y="path_y", index=-1).dims() == {"x": (), "y": ()}
    assert Binding(x="step_history", y="train_loss_history", index=0, mode="append").dims() == {"x": (), "y": ()}
    assert "index needs" in refused(x="path_span", y="test_loss", index=0)


def test_without_index_a_matrix_is_no_line() -> None:
    assert "would be a matrix" in refused(**TRACE)
    assert Binding(**TRACE, zero="only").dims()["y"] == ("R", "L")


def test_row_takes_a_row() -> None:
    assert Binding(y="energy_trace", row="scrub").dims() == {"y": ("L",)}
    assert Binding(x="trace_steps", row="last").dims() == {"x": ()}
    assert "row needs channels with rows" in refused(y="energy", row="last")
    refused(y="energy_trace", row="first")


def test_where_names_a_channel() -> None:
    points = {"kind": "boundary", "x": "points_x", "y": "points_y"}
    Binding(**points, where={"channel": "points_class", "equals": 1})
    refused(**points, where={"channel": "nope", "equals": 1})


def test_transform() -> None:
    assert Binding(**ENERGY, transform="log10").transform == "log10"
    smoothing = {"steps": 9, "at": "step_history", "log": False}
    assert Binding(**LOSS, transform={"steps": 9}).meta()["transform"] == smoothing
    for bad in ("log2", {"steps": 0}, {"ema": 0.5}):
        refused(**ENERGY, transform=bad)


def test_transpose_turns_replaced_maps() -> None:
    assert Binding(x="trace_steps", z="energy_trace", transpose=True).transpose
    assert "turns a replaced map" in refused(**ENERGY, transpose=True)
    assert "turns a replaced map" in refused(y="energy", transpose=True)


def test_zero() -> None:
    for choice in ("omit", "only", None):
        Binding(**ENERGY, zero=choice)
    refused(**ENERGY, zero="hide")


def test_mode_fits_the_dimensions() -> None:
    assert "append needs channels by weight step" in refused(x="trace_steps", z="energy_trace", mode="append")
    assert "replace needs z with 2" in refused(x="path_span", z="energy")
    assert "x and y are numbers" in refused(x="step_history", y="energy_history", mode="append")
    refused(**{**ENERGY, "mode": "prepend"})


def test_x_and_y_have_one_length() -> None:
    assert "differ in length" in refused(x="path_x", y="energy")
    Binding(x="trace_steps", y="equilibrium_energy")  # a number is repeated


def test_keep_leaves_room_for_extremes() -> None:
    assert Binding(**ENERGY, keep=100).keep == 100
    refused(**ENERGY, keep=2)


def test_meta_round_trip() -> None:
    binding = Binding(run=1, transform="log10", zero="omit", text="energy_history", keep=64, **ENERGY)
    figure = go.Figure(go.Heatmap(meta=binding.meta()))
    figure.add_scatter(y=[1])
    assert bindings(figure) == [binding]
