"""Reproduction of "PC becomes backprop": what is compared, the fit, when a claim is kept, what the command prints."""

from typing import Any

import numpy as np
import pytest

from pcviz.cli.findings import summary
from pcviz.instruments.reproduce.measures import backprop
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.studies.backprop import Backprop, Pair
from pcviz.numerics.krylov import finish
from tests.instruments.studies import document as made

FULL, QUICK = STUDIES["pc-is-bp"].full, STUDIES["pc-is-bp"].quick
SMALL = Backprop(widths=(16, 64, 256), depths=(2, 4), data=("digits",), seeds=(0, 1), times=(0, 3))


def cells(power: float, factor: float = 1.0, seeds: int = 2, worse: float = 3.0) -> list[dict[str, Any]]:
    """Cells whose 1 - cos is a power of L/N, a little different for each seed."""
    found = []
    for pair in SMALL.cells.values():
        if pair.seed < seeds:
            off = factor * (pair.depth / pair.width) ** power * (1 + 0.02 * pair.seed)
            seen = {"total": 1 - off, "worst": 1 - worse * off, "quartiles": [], "ratio": 1.1}
            found.append({**pair._asdict(), "times": [{"time": time, **seen} for time in SMALL.times]})
    return found


def test_what_is_compared() -> None:
    assert {pair.data for pair in FULL.cells.values()} == {"digits", "regression"}
    assert len(FULL.seeds) == 3 and FULL.times == (0, 50, 100)
    assert any(width >= 32 * depth for width in QUICK.widths for depth in QUICK.depths)
    for pair in QUICK.cells.values():
        experiment = QUICK.experiment_of(pair)
        assert experiment.network.has_closed_form and experiment.network.skips and experiment.dtype == "float64"
        assert (experiment.network.width, experiment.network.depth) == (pair.width, pair.depth)


def test_a_power_law_is_found_and_judged() -> None:
    document = made("pc-is-bp", cells(2.0), SMALL)
    (fit,) = document["fits"]
    assert fit["slope"] == pytest.approx(2.0, abs=0.01) and fit["factor"] == pytest.approx(1.0, abs=0.05)
    assert fit["points"] == 2 * 5, "16 units for 2 layers, 64 and 256 for 2 and 4"
    assert [claim["kept"] for claim in document["verdict"]] == [True, True, True]
    assert document["verdict"][1]["measured"] == pytest.approx(1 - 1.01 * (2 / 64) ** 2)
    text = summary(document | {"seconds": 1.0})
    assert "kept: digits: from 8 units for each layer on 1 - cos grows as (L/N)^p" in text and "L = 4" in text


@pytest.mark.parametrize(("power", "kept"), [(1.0, [False, False, False]), (3.0, [False, True, True])])
def test_other_powers_fail(power: float, kept: list[bool]) -> None:
    document = made("pc-is-bp", cells(power), SMALL)
    assert [claim["kept"] for claim in document["verdict"]] == kept


def test_a_slope_that_is_not_known_well_enough_is_not_judged() -> None:
    found = cells(2.5)
    noise = np.random.default_rng(0).normal(size=len(found))
    for cell, off in zip(found, noise, strict=True):
        cell["times"][0]["total"] = 1 - (1 - cell["times"][0]["total"]) * np.exp(off)
    document = made("pc-is-bp", found, SMALL)
    low, high = document["fits"][0]["interval"]
    assert low < 2.25 and high > 1.75
    assert document["verdict"][0]["kept"] in (None, abs(document["fits"][0]["slope"] - 2) <= 0.25)


def test_nothing_is_judged_before_all_is_there() -> None:
    document = made("pc-is-bp", cells(2.0, seeds=1), SMALL)
    assert document["status"] == "stopped" and {claim["kept"] for claim in document["verdict"]} == {None}
    assert made("pc-is-bp", [], SMALL)["fits"][0]["slope"] is None
    assert "not known" in summary(made("pc-is-bp", [], SMALL) | {"seconds": 0.0})


def test_a_wide_network_is_backprop_and_a_narrow_one_is_not() -> None:
    """theory.md 4.3: 1 - cos about (L/N)², and loss over F* - 1 about (e - 1) L/N, for digits at the start."""
    wide = finish(backprop.measure(Pair("digits", 256, 2, 0), SMALL))
    narrow = finish(backprop.measure(Pair("digits", 16, 4, 0), SMALL))
    assert [seen["time"] for seen in wide["times"]] == [0, 3]
    for seen in wide["times"]:
        assert seen["total"] > 0.9999 and seen["worst"] > 0.999
    assert narrow["times"][0]["total"] < 0.99
    start = wide["times"][0]
    assert 0.1 < (1 - start["total"]) / (2 / 256) ** 2 < 3
    assert start["ratio"] - 1 == pytest.approx(2 / 256 * ((1 + 1 / 2) - 1), rel=0.3), "E[S] - 1"
    assert narrow["times"][1]["ratio"] != narrow["times"][0]["ratio"], "the weights have moved"
