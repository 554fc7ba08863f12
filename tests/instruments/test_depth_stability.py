"""Reproduction of depth stability: what is trained, the best rates, when a claim is kept, what is measured."""

import math
from typing import Any

import numpy as np
import pytest

from pcviz.instruments.reproduce.measures import depth_stability as measures
from pcviz.instruments.reproduce.studies.depth_stability import KINDS, STUDIES, DepthStability, Trial, report
from pcviz.instruments.reproduce.studies.start import orthogonal_curvatures
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

SMALL = DepthStability(hidden=(2, 4), deep=(8,), seeds=(0, 1, 2), width=16, times=(0, 4, 8))
LIKE = {"mupc": 96.0, "bp": 97.0, "sp": 60.0, "orthogonal": 80.0}


def cells(best: float = 1e-3, growth: float = 3.0, **accuracies: float) -> list[dict[str, Any]]:
    """Accuracies at the end by kind, ten points less at other rates than the best; seeds are half a point apart."""
    found = []
    for trial in SMALL.cells.values():
        rated = len(KINDS[trial.kind].rates) > 1 and trial.rate != best
        last = (LIKE | accuracies)[trial.kind] - 10 * rated + 0.5 * trial.seed
        seen = {"accuracy": [10.0, 50.0, last], "signal": [math.nan, 50.0, 40.0], "condition": [10.0, 10 * growth, 9.0]}
        found.append({**trial._asdict(), **seen, "diverged": False})
    return found


def kept(found: list[dict[str, Any]]) -> list[bool | None]:
    return [claim.kept for claim in report(found, SMALL).claims]


def test_what_is_trained() -> None:
    full = STUDIES["depth-stability"].full
    assert full.depths == (8, 16, 32, 64, 128, 511) and len(full.seeds) == 3
    assert {trial.kind for trial in full.cells.values() if trial.hidden == 511} == {"mupc", "bp"}, "one rate each"
    deep = full.experiment_of(Trial("mupc", 64, 0.1, 2))
    assert (deep.network.depth, deep.inference_steps, deep.learning.steps, deep.seed) == (65, 64, 300, 2)
    assert deep.network.skips and deep.network.parameterisation == "mupc" and deep.network.activation == "relu"
    orthogonal = full.experiment_of(Trial("orthogonal", 8, 0.1, 0)).network
    assert (orthogonal.initialisation, orthogonal.skips, orthogonal.activation) == ("orthogonal", False, "tanh")
    assert full.experiment_of(Trial("bp", 8, 0.1, 0)).learning.rule == "bp"


def test_claims() -> None:
    assert kept(cells()) == [True, True, True, True]
    assert kept(cells(mupc=90.0)) == [False, True, True, False]
    assert kept(cells(sp=95.0)) == [True, False, True, True]
    assert kept(cells(growth=1.2)) == [True, True, False, True]
    assert kept(cells(best=0.1)) == [True, None, True, True], "the best rate is at the edge of those tried"
    assert kept(cells()[:-1]) == [True, True, True, None], "the deep ones come last"
    assert kept(cells()[1:]) == [None] * 4


def test_the_best_rate_decides_and_charts_have_the_same_form_before_anything_is_known() -> None:
    told, empty = report(cells(), SMALL), report([], SMALL)
    by_depth = {curve.name: curve for curve in told.charts[0].curves}
    assert by_depth["PC, SP with skips"].middle == pytest.approx([60.5, 60.5, math.nan], nan_ok=True)
    assert by_depth["μPC"].middle == pytest.approx([96.5, 96.5, 96.5])
    assert {row["rate"] for row in told.parts["best_rates"] if row["kind"] == "sp"} == {1e-3}
    form = [[(chart.title, chart.places, [c.name for c in chart.curves]) for chart in r.charts] for r in (told, empty)]
    assert form[0] == form[1] and np.isnan(empty.charts[0].curves[0].middle).all()
    assert [claim.text for claim in told.claims] == [claim.text for claim in empty.claims]


def test_orthogonal_networks_begin_with_the_condition_number_of_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    linear = {**KINDS["orthogonal"].changes, "network.activation": "linear"}
    monkeypatch.setitem(KINDS, "orthogonal", KINDS["orthogonal"]._replace(changes=linear))
    seen = finish(measures.measure(Trial("orthogonal", 2, 1e-3, 0), SMALL))
    least, greatest = orthogonal_curvatures(2)
    assert seen["condition"][0] == pytest.approx(greatest / least, rel=0.05)
    assert len(seen["accuracy"]) == 3 and not seen["diverged"] and seen["accuracy"][-1] > seen["accuracy"][0]
    assert math.isnan(seen["signal"][0]) and 0 < seen["signal"][-1] <= 100


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("depth-stability", cells(), SMALL)
