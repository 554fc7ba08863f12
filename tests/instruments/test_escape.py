"""Reproduction of the escape from saddles: updates, exponents, and when claims are kept."""

import math
from typing import Any

import numpy as np
import pytest

from pcviz.instruments.reproduce.measures.escape import MEASURES, gradient
from pcviz.instruments.reproduce.studies.escape import STUDIES, Chains, Escape
from pcviz.numerics.krylov import finish
from pcviz.probes import chain
from tests.instruments.studies import in_parts

STUDY = STUDIES["escape"]
SMALL = Escape(hidden=(1, 2, 3), starts=(0.1, 0.05), seeds=3, cap=4000)
POWERS = {"bp": lambda hidden: hidden - 1.0, "pc": lambda hidden: 0.1, "equilibrium": lambda hidden: 0.1}


def cells(powers: dict[str, Any] = POWERS, curvature: float = -1.0) -> list[dict[str, Any]]:
    """Updates that follow a power law; each seed has its own constant."""
    found = []
    for cell in SMALL.cells.values():
        updates = [round(1000 * (1 + seed) * (0.1 / cell.start) ** powers[cell.rule](cell.hidden)) for seed in range(3)]
        if cell.rule == "bp":
            updates = [n * 4**cell.hidden for n in updates]
        own = {"updates": updates, "curvature": 0.0 if cell.rule == "bp" else curvature, "power": 1.0}
        found.append(cell._asdict() | own)
    return found


def test_claims_are_kept_and_fail() -> None:
    kept = STUDY.report(cells(), SMALL)
    assert [claim.kept for claim in kept.claims[:-2]] == [True] * 5
    assert kept.claims[1].measured == pytest.approx(1, abs=1e-3) and kept.claims[-2].kept is True
    failed = STUDY.report(cells({name: lambda hidden: 0.6 for name in POWERS}, curvature=-0.5), SMALL)
    assert [claim.kept for claim in failed.claims[:-1]] == [False] * 6


def test_the_advantage_must_grow_with_depth() -> None:
    assert STUDY.report(cells(), SMALL).claims[-1].measured == pytest.approx(4, rel=1e-2)
    flat = cells()
    for cell in flat:
        cell["updates"] = [n + seed for seed, n in enumerate((100, 100, 100))]
    assert STUDY.report(flat, SMALL).claims[-1].kept is None, "ratios are all 1"


def test_chains_that_were_stopped_are_left_out_of_exponents() -> None:
    found = cells()
    for cell in found:
        if (cell["rule"], cell["hidden"], cell["start"]) == ("bp", 3, 0.05):
            cell["updates"][0] = None
    told = STUDY.report(found, SMALL)
    assert told.claims[3].measured == pytest.approx(2, abs=1e-3)
    shown = told.charts[0].curves[0]
    assert math.isnan(shown.middle[2]) and shown.above[2] == 4000 and shown.reference[1] == 70


def test_nothing_is_known_before_all_are_there() -> None:
    none, whole = STUDY.report([], SMALL), STUDY.report(cells(), SMALL)
    assert all(claim.kept is None and claim.measured is None for claim in none.claims)
    assert [claim.text for claim in none.claims] == [claim.text for claim in whole.claims]
    assert len(STUDY.full.cells) == len(STUDY.full.parts) and STUDY.full.seeds >= 3


def test_deep_chains_leave_the_saddle_sooner_by_inference() -> None:
    slow, fast, middle = finish(
        MEASURES["escape"].measure([Chains(rule, 2, 0.1) for rule in ("bp", "equilibrium", "pc")], SMALL)
    )
    assert all(a > b for a, b in zip(slow["updates"], fast["updates"], strict=True)) and None not in middle["updates"]
    assert slow["curvature"] == 0 and fast["curvature"] == pytest.approx(-fast["power"])


def test_gradients_are_those_of_what_is_descended() -> None:
    w, s = np.array([[0.3, -0.4, 0.5]]), 1.01
    for rule, surface in (("bp", chain.loss), ("equilibrium", chain.least_energy)):
        moved = [(surface(w + e, s) - surface(w - e, s))[0] / 2e-6 for e in 1e-6 * np.eye(3)]
        np.testing.assert_allclose(gradient(rule, w)[0], moved, rtol=1e-6)


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("escape", cells(), SMALL)
