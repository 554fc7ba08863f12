"""The equilibrium by Gauss-Newton in error coordinates, then conjugate gradients (theory.md 3.6, performance.md 4).

With G = d output / d errors (K × H N) of one example, the energy's Gauss-Newton Hessian is I + lambda G^T C G, C = I
for the squared error and diag(p) - p p^T for the cross-entropy. Its inverse needs only a K × K solve (Woodbury):

    d = -(a I + lambda G^T C G)^{-1} g = (G^T u - g) / a,   (a I + lambda C G G^T) u = lambda C G g,   a = 1 + damping,

which for the squared error, undamped, is e + d = G^T S^{-1} (y - output + G e), and exact for linear networks. Damping
(Levenberg-Marquardt) and step length belong to each example; a step is taken only if the example's energy decreases.
Gauss-Newton ignores the second-order term and slows down near the minimum; when an iteration lowers the energy by at
most 1 % of the whole decrease, conjugate gradients finish.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.compiling import Program
from pcviz.pcn.coordinates import Place, curvature_product, move
from pcviz.pcn.energy import output_error
from pcviz.pcn.feedforward import output_and_jacobians
from pcviz.pcn.network import Network
from pcviz.pcn.solvers import conjugate_gradient as conjugate
from pcviz.pcn.solvers.base import Solver, repeating
from pcviz.pcn.solvers.conjugate_gradient import Conjugate
from pcviz.pcn.stacks import Activities, flat
from pcviz.pcn.stage import weighed

MEMORY = 2**24
"""Most numbers of Jacobians held at once: examples are taken in groups of MEMORY / (H K N)."""

STALLED = 0.01
"""Conjugate gradients take over where an iteration lowers the energy by at most this share of the whole decrease."""

TRIES = 4


@short
class GaussNewton(NamedTuple):
    """An iteration under way: the `descent` (place, gradient evaluations), the `damping` of each example (B,), and
    whether conjugate gradients have taken over (`polishing`)."""

    descent: Conjugate
    damping: jax.Array
    polishing: jax.Array


def begin(network: Network, x: jax.Array, y: jax.Array) -> GaussNewton:
    """At the feedforward point: all errors zero, no damping."""
    descent = conjugate.begin(network, x, y)
    return GaussNewton(descent, jnp.zeros(x.shape[0], x.dtype), jnp.zeros((), bool))


def step(network: Network, x: jax.Array, y: jax.Array, state: GaussNewton) -> GaussNewton:
    """One iteration of every example."""

    def polish(state: GaussNewton) -> GaussNewton:
        return state._replace(descent=conjugate.step(network, x, y, state.descent))

    return jax.lax.cond(state.polishing, polish, lambda same: _iterate(network, x, y, same), state)


def _iterate(network: Network, x: jax.Array, y: jax.Array, state: GaussNewton) -> GaussNewton:
    place, outputs = state.descent.place, state.descent.place.output.shape[1]
    d = direction(network, x, y, place, 1 + state.damping)
    nowhere = jnp.zeros(x.shape[0], bool)
    reached, taken, passes = move(network, x, y, place, d, jnp.ones_like(x[:, 0]), TRIES, nowhere)
    # A full step divides the damping by 4; a step shortened to `taken` raises it by 1/sqrt(taken), a failed one by 16.
    raised = jnp.maximum(state.damping, 0.05) / jnp.where(taken > 0, jnp.sqrt(taken), 1 / 16)
    damping = jnp.where(taken == 1, state.damping / 4, raised)
    damping = jnp.clip(jnp.where(damping < 1e-3, 0, damping), 0, 1e6)
    gained, total = (jnp.mean(before - reached.energies) for before in (place.energies, state.descent.first))
    done = gained <= STALLED * total
    cost = 0.5 + 0.5 * outputs + 0.5 * passes
    return GaussNewton(conjugate.restarted(state.descent, reached, taken != 0, cost), damping, done)


def direction(network: Network, x: jax.Array, y: jax.Array, place: Place, damped: jax.Array) -> Activities:
    """The Gauss-Newton step d of every example, `damped` = 1 + damping (B,)."""
    inputs = (x, y, place.errors, damped)
    size = place.output.shape[1] * sum(stack[:, 0].size for stack in place.errors)
    group = max(1, MEMORY // size)
    if group >= x.shape[0]:
        return _direction(network, *inputs)

    def alone(x: jax.Array, y: jax.Array, errors: Activities, damped: jax.Array) -> Activities:
        d = _direction(network, x[None], y[None], tuple(e[:, None] for e in errors), damped[None])
        return tuple(stack[:, 0] for stack in d)

    by_example = (x, y, tuple(jnp.moveaxis(e, 1, 0) for e in place.errors), damped)
    d = jax.lax.map(lambda own: alone(*own), by_example, batch_size=group)
    return tuple(jnp.moveaxis(stack, 0, 1) for stack in d)


def _direction(network: Network, x: jax.Array, y: jax.Array, errors: Activities, damped: jax.Array) -> Activities:
    output, jacobians = output_and_jacobians(network, x, errors)
    delta = network.output_precision[...] * output_error(network.loss, output, y)
    pulls = [flat(weighed(stage, e)) for stage, e in zip(network.stages, errors, strict=False)]
    gradient = [pull - jnp.einsum("bk,kcbn->cbn", delta, g) for pull, g in zip(pulls, jacobians, strict=True)]
    product = sum(jnp.einsum("kcbn,jcbn->jbk", g, g) for g in jacobians)
    along = sum(jnp.einsum("kcbn,cbn->bk", g, v) for g, v in zip(jacobians, gradient, strict=True))
    curved = jnp.moveaxis(curvature_product(network, output, y, jnp.asarray(product)), 0, 2)
    matrix = damped[:, None, None] * jnp.eye(output.shape[1], dtype=output.dtype)[None] + curved
    right = curvature_product(network, output, y, jnp.asarray(along))
    u = jnp.linalg.solve(matrix, right[..., None])[..., 0]
    parts = zip(errors, jacobians, gradient, strict=True)
    return tuple(((jnp.einsum("bk,kcbn->cbn", u, g) - v) / damped[None, :, None]).reshape(e.shape) for e, g, v in parts)


SOLVER = Solver(
    Program(lambda network, x, y, by: begin(network, x, y)),
    repeating(step),
    lambda network, x, y, state, step: conjugate.settle(network, y, state.descent),
    lambda state, step: conjugate.cost(state.descent, step),
)
