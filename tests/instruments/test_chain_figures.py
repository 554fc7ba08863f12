"""Panels of the chains: every column of the race is drawn once, every type of point has a mark of its own."""

import numpy as np
import pytest

from pcviz.experiment import Experiment
from pcviz.figures import bindings
from pcviz.instruments import CHANNELS
from pcviz.instruments.chain.figures.chain_surface import MARKS
from pcviz.instruments.chain.figures.escape_race import LOOKS
from pcviz.instruments.chain.options import DEEPEST, POINT_TYPES, RULES, SPAN, Options
from pcviz.instruments.panels import panel

NAMES = ("chain-surface", "escape-race")


@pytest.mark.parametrize("hidden", range(1, DEEPEST + 1))
@pytest.mark.parametrize("name", NAMES)
def test_all_listen_to_a_chain(name: str, hidden: int) -> None:
    made = panel(name, Experiment(), options=Options(hidden=hidden, seeds=10, fixed=0))
    assert {binding.kind for binding in bindings(made.figure)} == {"chain"}
    assert made.idle.startswith("Press Start")
    assert len(made.figure.to_json()) < 48_000
    assert set(made.csv) <= set(CHANNELS)


@pytest.mark.parametrize(("hidden", "seeds"), [(1, 1), (3, 5), (5, 10)])
def test_each_start_has_its_line_and_its_dots(hidden: int, seeds: int) -> None:
    bound = bindings(panel("escape-race", Experiment(), options=Options(hidden=hidden, seeds=seeds)).figure)
    columns = np.arange(DEEPEST * len(RULES) * seeds).reshape(DEEPEST, -1)  # F: chains, then rules, then seeds
    assert [b.index for b in bound if b.y == "race_loss"] == columns[hidden - 1].tolist()
    for channel in ("race_counts", "race_capped"):
        assert [b.index for b in bound if b.y == channel] == list(range(len(RULES) * seeds))
    assert [b.index for b in bound if b.y == "race_median"] == list(range(len(RULES)))


def test_no_two_rules_and_no_two_types_look_alike() -> None:
    assert len(LOOKS) == len(RULES) and len(MARKS) == len(POINT_TYPES)
    for key in ("color", "dash", "symbol", "sign"):
        assert len({look[key] for look in LOOKS}) == len(LOOKS)
    for key in ("color", "symbol"):
        assert len({mark[key] for mark in MARKS}) == len(MARKS)


def test_every_type_is_drawn_on_both_surfaces_and_named_once() -> None:
    figure = panel("chain-surface", Experiment()).figure
    points = [trace for trace in figure.data if "where" in trace.meta]
    assert [(p.name, p.meta["where"]["channel"], p.meta["where"]["equals"]) for p in points] == [
        (label, f"chain_type_{name}", code) for name in ("loss", "energy") for code, label in enumerate(POINT_TYPES)
    ]
    assert [p.name for p in points if p.showlegend] == list(POINT_TYPES)


def test_surfaces_share_axes_and_colours() -> None:
    figure = panel("chain-surface", Experiment(), options=Options(hidden=2)).figure
    layout = figure.layout
    assert (layout.xaxis2.matches, layout.yaxis2.matches) == ("x", "y")
    assert layout.xaxis.range == layout.yaxis2.range == (-SPAN, SPAN)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len({(trace.zmin, trace.zmax) for trace in maps}) == 1
    assert [trace.meta["transform"] for trace in maps] == ["log10"] * 2
    # The greatest loss of the plane is in its corners.
    assert maps[0].zmax == pytest.approx(np.log10(1.01 / 2 * (1 + 0.5 * SPAN**2) ** 2))
    plain = panel("chain-surface", Experiment(), log=False).figure
    assert not any(trace.meta.get("transform") for trace in plain.data)


@pytest.mark.parametrize(
    ("hidden", "title", "axes"),
    [
        (1, "A chain with 1 hidden unit", ("w₁", "w₂")),
        (2, "A chain with 2 hidden units, w₁ = 0.5", ("w₂", "w₃")),
        (3, "A chain with 3 hidden units, w₁, w₂ = 0.5", ("w₃", "w₄")),
        (5, "A chain with 5 hidden units, w₁ … w₄ = 0.5", ("w₅", "w₆")),
    ],
)
def test_the_plane_says_which_weights_it_holds(hidden: int, title: str, axes: tuple[str, str]) -> None:
    made = panel("chain-surface", Experiment(), options=Options(hidden=hidden))
    assert made.title == title
    assert (made.figure.layout.xaxis.title.text, made.figure.layout.yaxis.title.text) == axes


def test_the_cap_is_named() -> None:
    figure = panel("escape-race", Experiment(), options=Options(cap=1500)).figure
    assert {trace.text[0] for trace in figure.data if trace.type == "scatter" and trace.mode == "text"} == {">1.5k"}
