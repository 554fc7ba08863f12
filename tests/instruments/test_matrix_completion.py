"""Reproduction of matrix completion: its energy against one that relaxes, and when claims are kept."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.instruments.reproduce.measures.matrix_completion import (
    MEASURES,
    least_energy,
    loss,
    problem,
    product_of,
    quickest,
)
from pcviz.instruments.reproduce.studies.matrix_completion import STUDIES, Completion, Learner
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

STUDY = STUDIES["matrix-completion"]
SMALL = Completion(seeds=(0, 1), width=6, start=0.5, size=4, rank=2, bp_steps=200, pc_steps=100)


def cells(stairs: float = 0.95, smooth: float = 0.4, halved: tuple[int | None, int | None] = (900, 100)) -> list[Any]:
    """Cells of both rules; seed 1 needs a little longer."""
    found = []
    for learner in SMALL.cells.values():
        steps = halved[learner.rule == "pc"]
        own = {
            "quickest": stairs if learner.rule == "bp" else smooth,
            "losses": [1.0, 0.5],
            "singular": [[1.0, 0.1]] * 2,
        }
        own["halved"] = None if steps is None else steps + learner.seed
        found.append(learner._asdict() | own)
    return found


def test_claims_are_kept_and_fail() -> None:
    assert [claim.kept for claim in STUDY.report(cells(), SMALL).claims] == [True, True, True]
    failed = STUDY.report(cells(0.5, 0.99, (100, 100)), SMALL).claims
    assert [claim.kept for claim in failed] == [False, False, False]
    assert failed[2].measured == pytest.approx(1)


def test_a_loss_that_was_not_halved_in_time_counts_as_the_cap() -> None:
    assert STUDY.report(cells(halved=(None, 20)), SMALL).claims[2].measured == pytest.approx((10 * 200 / 21) ** 0.5)
    assert STUDY.report(cells(halved=(100, None)), SMALL).claims[2].kept is None


def test_nothing_is_known_before_all_are_there() -> None:
    none, part, whole = (STUDY.report(found, SMALL) for found in ([], cells()[:-1], cells()))
    assert all(claim.kept is None for claim in none.claims) and part.claims[1].kept is None
    assert [curve.name for chart in none.charts for curve in chart.curves] == [
        curve.name for chart in whole.charts for curve in chart.curves
    ]
    assert whole.charts[0].curves[0].middle[1] == pytest.approx(0.5) and math.isnan(none.charts[0].curves[0].middle[0])


def test_the_closed_form_is_the_energy_that_is_left_when_activities_and_hidden_outputs_relax() -> None:
    maps, target, observed = problem(Learner("pc", 0), SMALL)
    weights = [*maps[0], *maps[1], *maps[2]]
    seen, x = jnp.asarray(observed[:, 1]), jnp.eye(4)[1]

    def energy(z: jax.Array) -> jax.Array:
        layers = [x, *z.reshape(3, 6)]
        errors = [above - w @ below for w, below, above in zip(weights, layers, layers[1:], strict=False)]
        top = jnp.where(seen, target[:, 1] - weights[-1] @ layers[-1], 0)
        return 0.5 * (sum(jnp.sum(e**2) for e in errors) + jnp.sum(top**2))

    zero = jnp.zeros(18)
    settled = -jnp.linalg.solve(jax.hessian(energy)(zero), jax.grad(energy)(zero))
    alone = observed & (np.arange(4) == 1)
    assert float(least_energy(maps, target, alone)) == pytest.approx(float(energy(settled)) / 4, rel=1e-10)
    matrix = weights[3] @ weights[2] @ weights[1] @ weights[0]
    np.testing.assert_allclose(product_of(maps), matrix, rtol=1e-12)
    squares = np.where(observed, target - matrix, 0) ** 2
    assert float(loss(maps, target, observed)) == pytest.approx(0.5 * squares.sum() / 4)


def test_stairs_are_quick() -> None:
    assert quickest(np.array([1.0] * 50 + [0.0] * 50)) == 1
    assert quickest(np.linspace(1, 0, 101)) == pytest.approx(0.1)


@pytest.mark.parametrize("rule", ["bp", "pc"])
def test_networks_learn_the_entries(rule: str) -> None:
    (found,) = finish(MEASURES["matrix-completion"].measure([Learner(rule, 0)], SMALL))
    assert found["losses"][-1] < found["losses"][0] and 0 < found["quickest"] <= 1
    assert len(found["losses"]) == len(found["singular"]) and len(found["singular"][0]) == 2


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("matrix-completion", cells(), SMALL)
