"""Reproduction of AdamW's weight rates over width: what is trained, when a claim is kept, what is measured."""

from typing import Any

import pytest

from pcviz.instruments.reproduce.measures import MEASURES
from pcviz.instruments.reproduce.studies.adamw_width import STUDIES, Trial, Widths, report
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

SMALL = Widths(widths=(8, 32, 128), rates=(1e-4, 1e-3, 4e-3, 1.6e-2, 6.4e-2, 1.0), seeds=(0, 1, 2))


def cells(pc: tuple[float, ...], bp: tuple[float, ...]) -> list[dict[str, Any]]:
    """Networks that learn up to a rate for each width, and diverge above."""
    found = []
    for trial in SMALL.cells.values():
        edge = (pc if trial.rule == "pc" else bp)[SMALL.widths.index(trial.width)]
        works = trial.rate <= edge
        found.append({**trial._asdict(), "diverged": not works, "test_accuracy": 0.95 if works else 0.1})
    return found


def kept(found: list[dict[str, Any]]) -> list[bool | None]:
    return [claim.kept for claim in report(found, SMALL).claims]


def test_what_is_trained() -> None:
    wide = STUDIES["adamw-width"].full.experiment_of(Trial("pc", 512, 1e-2, 1))
    assert (wide.network.width, wide.hidden_layers, wide.learning.optimiser, wide.seed) == (512, 3, "adamw", 1)
    assert wide.inference.step_size == 0.01 and wide.learning.learning_rate == 1e-2


def test_claims() -> None:
    falls, stays = (6.4e-2, 1.6e-2, 4e-3), (1.6e-2, 1.6e-2, 1.6e-2)
    assert kept(cells(falls, stays)) == [True, True]
    assert kept(cells(stays, stays)) == [False, False]
    assert kept(cells(falls, falls)) == [True, False]
    assert kept(cells((1.0, 1.6e-2, 4e-3), stays)) == [None, None], "the edge of the rates that were tried"
    assert kept(cells(falls, stays)[:-1]) == [None, None]
    told = report(cells(falls, stays), SMALL)
    assert told.claims[0].measured == pytest.approx(-1, abs=0.01), "a quarter at four times the width"
    assert told.charts[0].curves[0].middle == pytest.approx(falls)


def test_charts_have_the_same_form_before_anything_is_known() -> None:
    forms = [
        [(chart.title, chart.places, [curve.name for curve in chart.curves]) for chart in report(found, SMALL).charts]
        for found in (cells((1e-3,) * 3, (1e-3,) * 3), [])
    ]
    assert forms[0] == forms[1]


def test_a_rate_that_is_too_high_fails_and_one_that_fits_works() -> None:
    protocol = SMALL._replace(weight_steps=40)
    trials = [Trial("bp", 32, rate, 0) for rate in (4e-3, 30.0)]
    good, bad = finish(MEASURES["adamw-width"].measure(trials, protocol))
    assert good["test_accuracy"] > 0.8
    assert bad["diverged"] or bad["test_accuracy"] < 0.5


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("adamw-width", cells((6.4e-2, 1.6e-2, 4e-3), (1.6e-2, 1.6e-2, 1.6e-2)), SMALL)
