"""What theory predicts for a relaxation before it runs: signal, rate of convergence, error coordinates.

From a feedforward start the output error moves down one layer per step. What arrives follows from a chain of scalars
with the network's own gains: each layer of the chain passes its message on with the gain |delta_{l-1}| / |delta_l| of
backpropagation and relaxes like a layer.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.numerics.blocktridiagonal import Measure
from pcviz.numerics.compiling import compiled
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import errors_of
from pcviz.pcn.network import Network, as_float64
from pcviz.pcn.stacks import Activities
from pcviz.probes.hessian import Array, as_batch, as_stacks

STEPS_MAX = 65_536
"""Most inference steps that a search tries."""


# --- the front and the signal behind it


def chain_signal(
    deltas: Sequence[Array],
    step_size: float,
    steps: Sequence[int] | np.ndarray,
    output_precision: float = 1.0,
    momentum: float = 0.0,
    precisions: np.ndarray | None = None,
) -> np.ndarray:
    """log10 rms(e_l) after `steps` steps of gradient descent, or with momentum, by the scalar chain, (len(steps), L).

    `precisions` (T, L): how much the error of each layer counts in each step, if they do not count alike.

    The chain has one unit for each layer and the gains |delta_{l-1}| / |delta_l|: to leading order in eta it gives the
    binomial law, and it stays close to the network where that fails (within a factor of 10 where it is off by 10^20).
    """
    wanted = np.asarray(steps, np.int64)
    sizes = np.array([d.shape[-1] for d in deltas]) ** 0.5
    chain = _Chain(_rms(deltas) * sizes, step_size, output_precision, momentum)
    rows = {0: chain.errors()}
    recorded = set(wanted.tolist())
    for t in range(1, int(wanted.max(initial=0)) + 1):
        chain.step(None if precisions is None else precisions[t - 1])
        if t in recorded:
            rows[t] = chain.errors()
    return _log10(np.stack([rows[int(t)] for t in wanted]) / sizes)


def steps_until_signal(
    deltas: Sequence[Array],
    step_size: float,
    floor: float,
    *,
    layer: int = 1,
    output_precision: float = 1.0,
    most: int = STEPS_MAX,
) -> int | None:
    """Steps of gradient descent until rms(e_layer) exceeds `floor`, by the scalar chain; None if not within `most`.

    With a floor of 10 eps rms(z_l) this is when the layer counts as having a signal. In float32 the network itself can
    be later still: what a layer receives in one step is lost where it is below the rounding of its activity.
    """
    size = deltas[layer - 1].shape[-1] ** 0.5
    norms = _rms(deltas) * np.array([d.shape[-1] for d in deltas]) ** 0.5
    chain = _Chain(norms, step_size, output_precision)
    for t in range(most + 1):
        if chain.errors()[layer - 1] > floor * size:
            return t
        chain.step()
    return None


class _Chain:
    """Gradient descent on a chain of scalars with the gains of `norms` = |delta_l|, from its feedforward state."""

    def __init__(self, norms: np.ndarray, step_size: float, output_precision: float, momentum: float = 0.0) -> None:
        above = np.where(norms[1:] > 0, norms[1:], 1)
        self._gains = norms[:-1] / above
        self._error = norms[-1]
        self._step_size, self._momentum = step_size, momentum
        self._precision = np.append(np.ones(len(norms) - 2), output_precision)
        self._moved = np.zeros(len(norms) - 1)
        self._velocity = np.zeros(len(norms) - 1)

    def _signed(self) -> np.ndarray:
        """Errors of layers 1 … L (signs so that all messages are positive)."""
        predicted = np.append(0, self._gains * self._moved)
        own = np.append(self._moved, self._error)
        return own - predicted

    def errors(self) -> np.ndarray:
        return np.abs(self._signed())

    def step(self, precisions: np.ndarray | None = None) -> None:
        e = self._signed() if precisions is None else precisions * self._signed()
        gradient = e[:-1] - self._gains * self._precision * e[1:]
        self._velocity = self._momentum * self._velocity + gradient
        self._moved -= self._step_size * self._velocity


def _rms(layers: Sequence[Array]) -> np.ndarray:
    return np.array([_rms_of(np.asarray(layer, np.float64)) for layer in layers])


def _rms_of(layer: np.ndarray) -> float:
    """Root mean square, scaled by the largest entry so that tiny values do not vanish when squared."""
    largest = np.abs(layer).max()
    return float(largest * np.sqrt(np.mean(np.square(layer / (largest or 1)))))


def _log10(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log10(values)


# --- the rate of gradient descent on activities


def condition_number(smallest: float, largest: float) -> float:
    """kappa = lambda_max / lambda_min; infinite where lambda_min is not positive."""
    return largest / smallest if smallest > 0 else float("inf")


def step_limit(largest: float, momentum: float = 0.0) -> float:
    """2 (1 + beta) / lambda_max: gradient descent, with heavy-ball momentum beta, diverges with a larger step."""
    return 2 * (1 + momentum) / largest


def contraction(smallest: float, largest: float, step_size: float, momentum: float = 0.0) -> float:
    """The factor by which one step shrinks the slowest component in the long run; 1 or more: no convergence.

    Gradient descent: max |1 - eta lambda|. With heavy-ball momentum beta a component follows
    z_{t+1} = (1 + beta - eta lambda) z_t - beta z_{t-1}; the factor is the greatest |root| of its characteristic
    polynomial, which is greatest at an end of the spectrum (Polyak 1964).
    """

    def radius(curvature: float) -> float:
        trace = 1 + momentum - step_size * curvature
        discriminant = trace**2 - 4 * momentum
        return momentum**0.5 if discriminant < 0 else (abs(trace) + discriminant**0.5) / 2

    return max(radius(smallest), radius(largest))


def excess_energy(measures: Sequence[Measure], step_size: float, steps: Sequence[int] | np.ndarray) -> np.ndarray:
    """The energy above the minimum after `steps` steps of gradient descent, (len(steps),), mean over the examples.

    1/2 sum_i w_i / lambda_i (1 - eta lambda_i)^2t with the spread of the start's gradient from `gradient_measure`:
    exact for linear networks, the quadratic model of others.
    """
    t = np.asarray(steps, np.float64)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        energies = [
            np.sum(m.weights / (2 * m.nodes) * np.abs(1 - step_size * m.nodes) ** (2 * t), axis=1) for m in measures
        ]
    return np.mean(energies, axis=0)


def steps_to_share(measures: Sequence[Measure], step_size: float, share: float = 0.01, most: int = 2**40) -> int | None:
    """The first step at which the excess energy is at most `share` of that at the start; None if not within `most`.

    For a start that is random in the activities rather than a given one, take `Measure(eigenvalues, eigenvalues**2)`.
    """
    if any(np.any(m.nodes <= 0) for m in measures):
        return None
    target = share * excess_energy(measures, step_size, [0])[0]

    def arrived(t: int) -> bool:
        return bool(excess_energy(measures, step_size, [t])[0] <= target)

    if arrived(0):
        return 0
    low, high = 0, 1
    while not arrived(high):
        if high >= most:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if arrived(middle) else (middle, high)
    return high


# --- error coordinates


def error_spectrum(network: Network, x: Array, y: Array, activities: Sequence[Array]) -> np.ndarray:
    """Eigenvalues of each example's Hessian in the hidden errors (ePC) that differ from 1, ascending, (B, min(K, H N)).

    The other H N - K are 1. For a linear network with mse these are the eigenvalues of lambda S, whatever the
    activities; else of its Gauss-Newton form at `activities` [z_1 … z_H], each (B, N): I + G^T C G with the output's
    Jacobian G in the errors and the curvature C of its energy (theory.md 3.6). 2 over the largest (`step_limit`)
    bounds the step of error-based inference.
    """
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    values = np.asarray(_error_eigenvalues(network, x, y, as_stacks(network, activities)))
    return values[:, -min(values.shape[1], sum(z[0].size for z in activities)) :]


@compiled()
def _error_eigenvalues(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> jax.Array:
    precision = network.output_precision[...]

    def eigenvalues(x: jax.Array, y: jax.Array, errors: Activities) -> jax.Array:
        def output(errors: Activities) -> jax.Array:
            return forward(network, x[None], tuple(e[:, None] for e in errors))[1][0]

        jacobian = jnp.concatenate([g.reshape(g.shape[0], -1) for g in jax.jacrev(output)(errors)], axis=1)
        identity = jnp.eye(y.shape[0])
        if network.loss == "mse":
            root = jnp.sqrt(precision) * identity
        else:
            p = jax.nn.softmax(output(errors))
            # root root^T = lambda sum(y) (diag p - p p^T)
            root = jnp.sqrt(precision * jnp.sum(y)) * (identity - p[:, None]) * jnp.sqrt(p)[None]
        scaled = root.T @ jacobian
        return jnp.linalg.eigvalsh(identity + scaled @ scaled.T)

    return jax.vmap(eigenvalues, in_axes=(0, 0, 1))(x, y, errors_of(network, x, z, None, None))
