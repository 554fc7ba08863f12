"""Matrix completion by deep linear networks, with the equilibrium in closed form, float64.

Column j of the matrix is the target of the j-th unit vector. Of a column only the observed entries O are clamped;
outputs that nothing clamps stay at their predictions and have no energy. With S of theory.md 4.2 and the error r,

    loss = 1/n sum_j |r_O|² / 2,    F* = 1/n sum_j r_O^T S_OO^{-1} r_O / 2.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.matrix_completion import EVERY, HALF, TENTH, Completion, Learner
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn.linear import output_jacobians, rescaling

Maps = tuple[jax.Array, ...]
ENOUGH = 0.01
"""Share of the first loss at which a run ends."""


def loss(maps: Maps, target: jax.Array, observed: jax.Array) -> jax.Array:
    """Half the squared error of the observed entries, mean over columns."""
    return 0.5 * jnp.mean(jnp.sum(jnp.where(observed, target - product_of(maps), 0) ** 2, 0))


def least_energy(maps: Maps, target: jax.Array, observed: jax.Array) -> jax.Array:
    """F*, mean over columns."""
    s = rescaling(output_jacobians(maps))

    def of_column(error: jax.Array, seen: jax.Array) -> jax.Array:
        """Rows and columns of S that are not observed become those of the identity."""
        own = jnp.where(seen[:, None] & seen[None], s, jnp.eye(len(s)))
        return 0.5 * error @ jax.scipy.linalg.solve(own, error, assume_a="pos")

    errors = jnp.where(observed, target - product_of(maps), 0)
    return jnp.mean(jax.vmap(of_column)(errors.T, observed.T))


def product_of(maps: Maps) -> jax.Array:
    """The matrix that the network has learnt."""
    return output_jacobians(maps)[0][0] @ maps[0][0]


SURFACES = {"bp": loss, "pc": least_energy}


@compiled("rule")
def _advanced(
    rule: str, maps: Maps, target: jax.Array, observed: jax.Array, rate: jax.Array
) -> tuple[Maps, jax.Array, jax.Array]:
    """The maps after EVERY weight steps, the loss before them, and the singular values of the product there."""

    def step(_: jax.Array, maps: Maps) -> Maps:
        slopes = jax.grad(SURFACES[rule])(maps, target, observed)
        return jax.tree.map(lambda w, slope: w - rate * slope, maps, slopes)

    now = loss(maps, target, observed), jnp.linalg.svd(product_of(maps), compute_uv=False)
    return jax.lax.fori_loop(0, EVERY, step, maps), *now


def problem(learner: Learner, protocol: Completion) -> tuple[Maps, np.ndarray, np.ndarray]:
    """The fresh network, the matrix, and which of its entries are observed."""
    rng, size, width = np.random.default_rng(learner.seed), protocol.size, protocol.width
    target = rng.standard_normal((size, protocol.rank)) @ rng.standard_normal((protocol.rank, size))
    observed = rng.random((size, size)) < protocol.share
    shapes = (1, width, size), (protocol.hidden - 1, width, width), (1, size, width)
    return tuple(jnp.asarray(protocol.start * rng.standard_normal(shape)) for shape in shapes), target, observed


def measure(learner: Learner, protocol: Completion) -> Work[dict[str, Any]]:
    """Losses and singular values at the places of the protocol, as long as it learns; the step at which the loss was
    halved, None: it was not; the part of its fall that the quickest tenth of the steps holds."""
    maps, target, observed = problem(learner, protocol)
    losses: list[float] = []
    singular: dict[int, list[float]] = {}
    places = set(protocol.places)
    for step in range(0, protocol.steps(learner.rule) + 1, EVERY):
        maps, now, values = _advanced(learner.rule, maps, target, observed, jnp.asarray(protocol.rate))
        losses.append(float(now))
        if step in places:
            singular[step] = [float(value) for value in values[: protocol.rank]]
        if losses[-1] < ENOUGH * losses[0]:
            break
        yield
    shares = np.array(losses) / losses[0]
    halved = np.flatnonzero(shares < HALF)
    return {
        "losses": [float(shares[step // EVERY]) for step in singular],
        "singular": [*singular.values()],
        "halved": int(halved[0]) * EVERY if len(halved) else None,
        "quickest": quickest(shares),
    }


def quickest(shares: np.ndarray) -> float:
    """The part of the fall that the quickest tenth of the steps holds."""
    falls = np.sort(-np.diff(shares))[::-1]
    return float(falls[: max(1, round(TENTH * len(falls)))].sum() / falls.sum())


MEASURES = {"matrix-completion": Measure(one_by_one(measure), lambda learner, protocol: learner.rule)}
