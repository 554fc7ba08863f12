"""Reproduction of lazy and rich learning: what is trained, halvings, when a claim is kept, what is measured."""

import math
from typing import Any

import numpy as np
import pytest

from pcviz.instruments.reproduce.measures import courses
from pcviz.instruments.reproduce.studies.gamma0 import STUDIES, Gammas, Trial, halvings, report, time_until, times_of
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

SMALL = Gammas(widths=(8, 64), gammas=(0.1, 4.0), seeds=(0, 1, 2), steps=120)
TIMES = np.array(SMALL.times)
EXPONENTIAL, SIGMOID = np.exp(-TIMES / 40), 1 / (1 + np.exp((TIMES - 40) / 6))


def cells(lazy: Any = EXPONENTIAL, rich: Any = SIGMOID, apart: float = 0.01) -> list[dict[str, Any]]:
    """Losses of such a course, a little slower with every seed, those of PC `apart` above those of BP."""
    found = []
    for trial in SMALL.cells.values():
        course = lazy if trial.gamma < 1 else rich
        losses = np.interp(TIMES / (1 + 0.02 * trial.seed), TIMES, course) + apart * (trial.rule == "pc")
        found.append({**trial._asdict(), "losses": losses.tolist(), "diverged": False})
    return found


def kept(found: list[dict[str, Any]]) -> list[bool | None]:
    return [claim.kept for claim in report(found, SMALL).claims]


def test_what_is_trained() -> None:
    full = STUDIES["gamma0"].full
    rich = full.experiment_of(Trial("pc", 1024, 4.0, 2))
    assert (rich.learning.optimiser, rich.learning.lr_scaling) == ("sgd", "width_depth")
    assert (rich.network.gamma, rich.network.width, rich.seed) == (4.0, 1024, 2)
    assert rich.learning.batch_size == rich.data.train_count, "full batch"
    assert full.experiment_of(Trial("bp", 64, 0.1, 0)).learning.rule == "bp"


def test_halvings_tell_exponentials_from_sigmoids() -> None:
    times = times_of(1000, 200)
    assert times[0] == 1 and times[-1] == 1000
    at = np.array(times)
    assert halvings(times, list(np.exp(-at / 100))) == pytest.approx(1, abs=0.03)
    assert halvings(times, list(np.exp(-at / 20) + np.exp(-at / 900))) < 0.8, "a sum of exponentials"
    assert halvings(times, list(1 / (1 + np.exp((at - 200) / 20)))) > 5
    assert math.isnan(halvings(times, [1.0] * len(at)))
    assert time_until(0.5, (0, 10), (1.0, 0.0)) == 5 and math.isinf(time_until(0.5, (0, 10), (1.0, 0.9)))


def test_claims() -> None:
    assert kept(cells()) == [True, True, True]
    assert kept(cells(lazy=SIGMOID)) == [False, True, True]
    assert kept(cells(rich=EXPONENTIAL)) == [True, False, True]
    assert kept(cells(apart=0.2))[2] is False
    assert kept(cells()[:-1]) == [None, None, None]


def test_charts_have_the_same_form_before_anything_is_known() -> None:
    forms = [
        [(chart.title, chart.places, [curve.name for curve in chart.curves]) for chart in report(found, SMALL).charts]
        for found in (cells(), [])
    ]
    assert forms[0] == forms[1]


def test_predictive_coding_follows_backpropagation_where_the_output_is_small() -> None:
    """S - 1 is of order L / (γ² N): 0.004 here."""
    losses = [
        np.array(finish(courses.measure(Trial(rule, 64, 4.0, 0), SMALL._replace(rate=0.02)))["losses"])
        for rule in ("bp", "pc")
    ]
    assert losses[0][-1] < 0.5 * losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], atol=0.05 * losses[0][0])


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("gamma0", cells(), SMALL)
