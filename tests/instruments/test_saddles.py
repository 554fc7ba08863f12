"""Reproduction of saddle to saddle: what is trained, when a claim is kept, what is measured."""

import math
from typing import Any

import numpy as np
import pytest

from pcviz.instruments.reproduce.measures import courses
from pcviz.instruments.reproduce.studies.saddles import STUDIES, Saddles, Trial, report
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

SMALL = Saddles(hidden=(1, 3), widths=(1, 2), seeds=(0, 1, 2), wide=8, steps=100, wide_steps=50)


def cells(ratios: dict[int, float], stay: float = 10.0) -> list[dict[str, Any]]:
    """PC leaves at `stay`, backpropagation later by the ratio of its depth; seeds differ a little."""
    found = []
    for trial in SMALL.cells.values():
        ratio = ratios[trial.hidden] + 0.2 * (trial.seed - 1) * (trial.hidden - 2)
        leaves = stay * (1 + 0.05 * trial.seed) * (ratio if trial.rule == "bp" else 1)
        losses = np.where(np.array(SMALL.times) < leaves, 0.5, 0.0)
        found.append({**trial._asdict(), "losses": losses.tolist(), "diverged": False})
    return found


def kept(found: list[dict[str, Any]]) -> list[bool | None]:
    return [claim.kept for claim in report(found, SMALL).claims]


def test_what_is_trained() -> None:
    full = STUDIES["saddle-to-saddle"].full
    assert full.hidden == (1, 3, 5, 7) and full.widths == (1, 4, 8)
    narrow = full.experiment_of(Trial("pc", 7, 1, 3))
    assert (narrow.network.depth, narrow.network.width, narrow.network.skips, narrow.seed) == (8, 1, False, 3)
    assert narrow.learning.steps == 1000 and narrow.data.name == "regression"
    wide = [trial for trial in full.cells.values() if trial.width == full.wide]
    assert [(trial.hidden, trial.rule) for trial in wide] == [(1, "bp"), (1, "pc"), (7, "bp"), (7, "pc")]
    assert {full.experiment_of(trial).learning.steps for trial in wide} == {full.wide_steps}


def test_claims() -> None:
    assert kept(cells({1: 1.2, 3: 4.0})) == [True, True]
    assert kept(cells({1: 4.0, 3: 1.2})) == [False, False]
    assert kept(cells({1: 3.0, 3: 3.0})) == [True, None], "no growth that could be told from 0"
    assert kept(cells({1: 1.2, 3: 4.0})[:-1]) == [None, None]
    never = report(cells({1: 1.2, 3: 100.0}, stay=20.0), SMALL)
    assert never.claims[0].measured == pytest.approx(5, rel=0.15), "at least as long as the training"
    stays = {curve.name: curve for curve in never.charts[2].curves}
    assert stays["N = 1, BP"].above[1] == 100 and math.isnan(stays["N = 1, PC"].above[1])


def test_charts_have_the_same_form_before_anything_is_known() -> None:
    forms = [
        [(chart.title, chart.places, [curve.name for curve in chart.curves]) for chart in report(found, SMALL).charts]
        for found in (cells({1: 1.2, 3: 4.0}), [])
    ]
    assert forms[0] == forms[1]


def test_the_loss_starts_at_that_of_the_untrained_network_and_both_rules_begin_alike() -> None:
    losses = [finish(courses.measure_exact(Trial(rule, 1, 2, 0), SMALL))["losses"] for rule in ("bp", "pc")]
    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-6)
    assert len(losses[0]) == len(SMALL.times) and losses[0][-1] < losses[0][0]


@pytest.mark.parametrize("rule", ["bp", "pc"])
def test_nothing_is_known_after_the_end_and_what_diverged_is_lost(rule: str) -> None:
    times = np.array(SMALL.times)
    ended = finish(courses.measure_exact(Trial(rule, 1, SMALL.wide, 0), SMALL))
    assert not ended["diverged"] and np.isfinite(ended["losses"]).tolist() == (times <= SMALL.wide_steps).tolist()
    lost = finish(courses.measure_exact(Trial(rule, 3, 2, 0), SMALL._replace(rate=100.0)))
    assert lost["diverged"] and lost["losses"][-1] == math.inf


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("saddle-to-saddle", cells({1: 1.2, 3: 4.0}), SMALL)
