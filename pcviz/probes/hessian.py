"""The activity Hessian of one example's energy: blocks, products with vectors, largest eigenvalue (theory.md 4.1).

With the local Jacobians J_l = dmu_l / dz_{l-1} = a_l W_l diag(phi'(z_{l-1})) + tau_l I, and with the errors d_l = e_l
of hidden layers and d_L = lambda e_L, the second derivatives of the energy in the hidden activities z_1 … z_H are
block tridiagonal:

    (l, l):     I + J_{l+1}^T C_{l+1} J_{l+1} - d² (d_{l+1} · mu_{l+1}) / dz_l²
    (l + 1, l): -J_{l+1}

C_l = I for hidden layers; for the output lambda I (mse) or lambda sum(y) (diag p - p p^T), p = softmax(mu_L) (ce).
The last term holds phi''; the Gauss-Newton variant leaves it out. It vanishes for piecewise linear activations and can
make eigenvalues negative for the others: these are results and are not clipped. All per example (the batch-mean energy
has 1/B of it), in float64 whatever the network's format.
"""

import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.numerics.blocktridiagonal import Blocks, top_eigenvalue
from pcviz.numerics.compiling import compiled
from pcviz.pcn import batch
from pcviz.pcn.energy import output_error
from pcviz.pcn.gradients import activity_gradient, inputs_of
from pcviz.pcn.network import Network, as_float64
from pcviz.pcn.stacks import Activities, stacked
from pcviz.pcn.stage import Stage

BLOCK_NUMBERS_MAX = 2**27
"""Most numbers in the blocks of one call: a gigabyte."""

Array = np.ndarray | jax.Array


def hessian_blocks(
    network: Network,
    x: Array,
    y: Array,
    activities: Sequence[Array],
    *,
    gauss_newton: bool = False,
) -> Blocks:
    """The Hessian of each example's energy at `activities` [z_1 … z_H], each (B, N), for x (B, D) and y (B, K).

    Raises ValueError unless all hidden layers are equally wide and the blocks fit into a gigabyte.
    """
    widths = [math.prod(z.shape[1:]) for z in activities]
    examples, count, width = np.shape(x)[0], len(widths), widths[0]
    if len(set(widths)) > 1:
        raise ValueError(f"hidden layers must be equally wide, got {widths}")
    if (size := examples * (2 * count - 1) * width**2) > BLOCK_NUMBERS_MAX:
        raise ValueError(
            f"the activity Hessians of {examples} examples, {count} layers and width {width} hold {size} numbers "
            f"(allowed: {BLOCK_NUMBERS_MAX}, which fits {BLOCK_NUMBERS_MAX * examples // size} examples)"
        )
    stacks = as_stacks(network, activities)
    return _blocks(as_float64(network), *as_batch(network, x, y), stacks, gauss_newton)


def largest_eigenvalue(network: Network, x: Array, y: Array, activities: Sequence[Array]) -> np.ndarray:
    """The largest eigenvalue of each example's exact Hessian, (B,), by Lanczos on Hessian-vector products.

    For networks of any size: neither blocks nor matrix are formed.
    """
    network, (x, y), stacks = as_float64(network), as_batch(network, x, y), as_stacks(network, activities)
    found = []
    for i in range(x.shape[0]):
        product = _operator(network, x[i : i + 1], y[i : i + 1], tuple(z[:, i : i + 1] for z in stacks))
        found.append(top_eigenvalue(product, sum(z[:, i].size for z in stacks)))
    return np.array(found)


def _operator(network: Network, x: jax.Array, y: jax.Array, stacks: Activities) -> Callable[[np.ndarray], np.ndarray]:
    """The Hessian of one example as a function of flat vectors (H N,)."""
    edges = np.cumsum([0, *(z.size for z in stacks)])

    def product(flat: np.ndarray) -> np.ndarray:
        pieces = zip(edges, edges[1:], stacks, strict=False)
        tangent = tuple(flat[i:j].reshape(z.shape) for i, j, z in pieces)
        result = _product(network, x, y, stacks, tangent)
        return np.concatenate([np.asarray(part).ravel() for part in result])

    return product


def as_batch(network: Network, x: Array, y: Array) -> tuple[jax.Array, jax.Array]:
    """Inputs and targets in float64. Raises ValueError if they do not fit (pcviz.pcn.batch)."""
    return batch.as_batch(network, x, y, jnp.float64)


def as_stacks(network: Network, layers: Sequence[Array]) -> Activities:
    """The layers [z_1 … z_H] as one float64 stack for each hidden stage. Raises ValueError if their number does not
    fit."""
    if len(layers) != network.depth - 1:
        raise ValueError(f"{network.depth - 1} hidden layers needed, {len(layers)} given")
    return stacked(layers, [stage.count for stage in network.stages[:-1]], jnp.float64)


@compiled("gauss_newton")
def _blocks(network: Network, x: jax.Array, y: jax.Array, z: Activities, gauss_newton: bool) -> Blocks:
    below = inputs_of(x, z)[1:]
    stages = list(network.stages)[1:]
    # d_l of the layers above the first: the hidden stages but the read-in, then the output
    errors = [own - stage(b) for stage, own, b in zip(stages[:-1], z[1:], below, strict=False)]
    output = stages[-1](below[-1])[0]
    precision = network.output_precision[...]
    errors.append((precision * output_error(network.loss, output, y))[None])

    jacobians = [_of_layers(_jacobian, stage, b, d) for stage, b, d in zip(stages, below, errors, strict=True)]
    last = jacobians[-1][:, 0]
    if network.loss == "mse":
        metric = precision * last
    else:
        p = jax.nn.softmax(output)
        mean = jnp.einsum("bk,bkn->bn", p, last)
        metric = precision * jnp.sum(y, -1)[:, None, None] * p[:, :, None] * (last - mean[:, None])
    above = [
        *(jnp.einsum("bcoi,bcoj->bcij", j, j) for j in jacobians[:-1]),
        jnp.einsum("boi,boj->bij", last, metric)[:, None],
    ]
    diagonal = jnp.concatenate(above, axis=1)
    width = diagonal.shape[-1]
    diagonal += jnp.eye(width)[None, None]
    if not gauss_newton:
        curvature = [_of_layers(_curvature, stage, b, d) for stage, b, d in zip(stages, below, errors, strict=True)]
        diagonal -= jnp.concatenate(curvature, axis=1)
    hidden = [-j for j in jacobians[:-1]]
    lower = jnp.concatenate(hidden, axis=1) if hidden else jnp.zeros((x.shape[0], 0, width, width))
    return Blocks((diagonal + diagonal.mT) / 2, lower)


def _of_layers(
    function: Callable[[Stage, jax.Array, jax.Array], jax.Array], stage: Stage, below: jax.Array, error: jax.Array
) -> jax.Array:
    """`function` of each layer, the activity below it and its error, one example at a time: (B, count, …)."""
    return jax.vmap(jax.vmap(function), in_axes=(None, 1, 1))(stage, below, error)


def _jacobian(layer: Stage, z: jax.Array, error: jax.Array) -> jax.Array:
    del error
    return jax.jacrev(_prediction(layer, z))(z.ravel())


def _curvature(layer: Stage, z: jax.Array, error: jax.Array) -> jax.Array:
    predict = _prediction(layer, z)
    return jax.hessian(lambda below: jnp.vdot(error, predict(below)))(z.ravel())


def _prediction(layer: Stage, z: jax.Array) -> Callable[[jax.Array], jax.Array]:
    """One layer as a function of vectors, for an activity below shaped like z."""
    return lambda below: layer(below.reshape(1, *z.shape)).ravel()


@compiled()
def _product(network: Network, x: jax.Array, y: jax.Array, z: Activities, vector: Activities) -> Activities:
    return jax.jvp(lambda at: activity_gradient(network, x, y, at).gradient, (z,), (vector,))[1]
