"""Reproduction of initialisation: what learns, at which rates, and when claims are kept."""

import math
from typing import Any

import pytest

from pcviz.instruments.reproduce.studies.initialisation import STUDIES, Begins, Begun
from tests.instruments.studies import in_parts

STUDY = STUDIES["initialisation"]
SMALL = Begins(depths=(3, 6), kinds=("mupc_skips", "uniform"), rates=(0.1, 1.0, 10.0), seeds=(0, 1))


def cells(lost: dict[str, float], best: float = 1.0, eased: str = "uniform", off: float = 5.0) -> list[dict[str, Any]]:
    """Accuracies that are 90 at the best rate, less what depth costs, and worse by `off` at other rates."""
    found = []
    for cell in SMALL.cells.values():
        points = 90 - (cell.depth == 6) * lost[cell.kind] - off * (cell.rate != best) + cell.seed
        own = {"accuracy": points, "condition": 10.0 if cell.kind == eased else 100.0, "diverged": False}
        found.append(cell._asdict() | own)
    return found


def test_what_learns() -> None:
    full = STUDY.full
    assert len(full.seeds) >= 3 and [*full.parts] == [*full.cells]
    mupc, uniform = (full.experiment_of(Begun(kind, 16, 3.2, 1)) for kind in ("mupc_skips", "uniform"))
    assert (mupc.learning.learning_rate, uniform.learning.learning_rate) == (0.16, 0.0032)
    assert mupc.network.skips and not uniform.network.skips and uniform.network.initialisation == "uniform"
    assert mupc.inference_steps == 15 and mupc.seed == 1


def test_claims_are_kept_and_fail() -> None:
    told = STUDY.report(cells({"mupc_skips": 1.0, "uniform": 40.0}), SMALL)
    assert [claim.kept for claim in told.claims] == [True, True, True]
    assert [claim.measured for claim in told.claims] == pytest.approx([1, 40, 39])
    assert told.charts[0].curves[1].middle == pytest.approx([90.5, 50.5])
    failed = STUDY.report(cells({"mupc_skips": 20.0, "uniform": 2.0}), SMALL)
    assert [claim.kept for claim in failed.claims] == [False, False, False]


def test_a_best_rate_at_an_end_says_nothing_of_depth() -> None:
    told = STUDY.report(cells({"mupc_skips": 1.0, "uniform": 40.0}, best=10.0, off=30.0), SMALL)
    assert [claim.kept for claim in told.claims[:2]] == [None, None]
    nearly = STUDY.report(cells({"mupc_skips": 1.0, "uniform": 40.0}, best=10.0, off=3.0), SMALL)
    assert [claim.kept for claim in nearly.claims[:2]] == [True, True], "the rate beside it is as good"


def test_nothing_is_known_before_all_are_there() -> None:
    found = cells({"mupc_skips": 1.0, "uniform": 40.0})
    none, part, whole = (STUDY.report(some, SMALL) for some in ([], found[:-1], found))
    assert all(claim.kept is None for claim in none.claims) and part.claims[1].kept is None
    assert [claim.text for claim in none.claims] == [claim.text for claim in whole.claims]
    assert math.isnan(none.charts[0].curves[0].middle[0])


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("initialisation", cells({"mupc_skips": 1.0, "uniform": 40.0}), SMALL)
