"""Reproduction of the trust region: what learns, when claims are kept, and what is exact in linear networks."""

import math
from typing import Any

import pytest

from pcviz.instruments.reproduce.measures.trust_region import MEASURES
from pcviz.instruments.reproduce.studies.trust_region import INFERENCE_STEPS, STUDIES, Learner, Race
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

STUDY = STUDIES["trust-region"]
SMALL = Race(depths=(3,), activations=("linear", "tanh"), rates=(0.1, 0.3, 1.0), seeds=(0, 1), weight_steps=40)


def cells(steps: dict[str, tuple[int | None, ...]], newton: float = 1.0, pc: float = 0.5) -> list[dict[str, Any]]:
    """Steps of each rule at each rate (seed 1 needs one more), cosines with the Newton steps."""
    found = []
    for learner in SMALL.cells.values():
        if learner.rule == "start":
            own: dict[str, Any] = {"newton_cosine": newton, "newton_ratio": 1.0, "pc_newton": pc + learner.seed / 100}
            own |= {"gradient_newton": 0.4, "pc_gradient": 0.9}
        else:
            count = steps[learner.rule][SMALL.rates.index(learner.rate)]
            own = {"learnt": None if count is None else count + learner.seed}
        found.append(learner._asdict() | own)
    return found


BETTER = {"bp": (80, 60, None), "pc": (50, 20, 40)}


def test_what_learns() -> None:
    full = STUDY.full
    assert len(full.seeds) >= 3 and [*full.parts] == [*full.cells]
    experiment = full.experiment_of(Learner("tanh", 10, "pc", 3.16, 2))
    assert (experiment.network.depth, experiment.seed, experiment.learning.learning_rate) == (10, 2, 3.16)
    assert experiment.learning.optimiser == "sgd" and not experiment.network.skips


def test_claims_are_kept_and_fail() -> None:
    kept = STUDY.report(cells(BETTER), SMALL)
    assert [claim.kept for claim in kept.claims] == [True] * 6
    assert kept.claims[2].measured == pytest.approx((60 / 20 * 61 / 21) ** 0.5)
    failed = STUDY.report(cells({"bp": BETTER["pc"], "pc": BETTER["bp"]}, newton=0.9, pc=0.2), SMALL)
    assert [claim.kept for claim in failed.claims] == [False] * 6


def test_a_best_rate_at_an_end_says_nothing() -> None:
    told = STUDY.report(cells({"bp": (50, 60, None), "pc": BETTER["pc"]}), SMALL)
    assert [told.claims[at].kept for at in (2, 5)] == [None, None]
    assert math.isnan(told.charts[0].curves[0].middle[2]), "a network that did not learn has no number of steps"


def test_nothing_is_known_before_all_are_there() -> None:
    none, part, whole = (STUDY.report(found, SMALL) for found in ([], cells(BETTER)[:-1], cells(BETTER)))
    assert all(claim.kept is None for claim in none.claims) and part.claims[-1].kept is None
    assert [claim.text for claim in none.claims] == [claim.text for claim in whole.claims]
    assert [chart.places for chart in none.charts] == [chart.places for chart in whole.charts]


def test_inference_of_a_linear_network_is_the_newton_step() -> None:
    (found,) = finish(MEASURES["trust-region"].measure([Learner("linear", 3, "start", 0.0, 0)], SMALL))
    assert found["newton_cosine"] == pytest.approx(1, abs=1e-9) and found["newton_ratio"] == pytest.approx(1, abs=1e-9)
    assert 0 < found["pc_gradient"] < 1


@pytest.mark.parametrize("rule", ["bp", "pc"])
def test_networks_learn_within_some_steps(rule: str) -> None:
    found = finish(MEASURES["trust-region"].measure([Learner("tanh", 3, rule, rate, 0) for rate in (0.3, 1e-4)], SMALL))
    assert INFERENCE_STEPS > 0 and 5 <= found[0]["learnt"] < 40 and found[1]["learnt"] is None


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("trust-region", cells(BETTER), SMALL)
