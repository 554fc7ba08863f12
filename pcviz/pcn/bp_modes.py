"""Predictive coding in the regimes where it equals backpropagation: for teaching and for tests (theory.md 5).

All start from the feedforward activities z(0). A `Mode` holds signals d_l, of which the weight gradients are made,
and weight gradients in the convention of the energy: dF/dW_l = -(a_l / B) d_l^T phi(z_{l-1}), d_l = -delta_l for
backpropagation, delta_l = dLoss/dz_l of each example. The output precision counts as a factor of the loss unless
stated otherwise.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.pcn.batch import as_batch
from pcviz.pcn.energy import output_error
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import errors_of, weight_gradient
from pcviz.pcn.messages import output_signal, received
from pcviz.pcn.network import Network, with_precision
from pcviz.pcn.stacks import Activities, of_layers, unstack


@short
class Mode(NamedTuple):
    """Signals [d_1 … d_L], each (B, N_l), and weight gradients [(N_l, N_{l-1})], batch means."""

    signals: list[jax.Array]
    gradients: list[jax.Array]


def _mode(network: Network, x: jax.Array, z: Activities, signals: Activities) -> Mode:
    return Mode(unstack(signals), unstack(weight_gradient(with_precision(network, 1), x, z, signals)))


@jax.jit
def _fixed_prediction(network: Network, x: jax.Array, y: jax.Array, step_size: jax.Array, sweeps: jax.Array) -> Mode:
    z, _ = forward(network, x)
    _, top = output_signal(network, z, y)

    def sweep(_: int, signals: Activities) -> Activities:
        messages = received(network, x, z, (*signals, top))
        return tuple(d - step_size * (d - m) for d, m in zip(signals, messages, strict=True))

    signals = jax.lax.fori_loop(0, sweeps, sweep, jax.tree.map(jnp.zeros_like, z))
    return _mode(network, x, z, (*signals, top))


def fixed_prediction(network: Network, x: jax.Array, y: jax.Array, *, step_size: float = 1.0, sweeps: int) -> Mode:
    """Relaxation with predictions and Jacobians frozen at their feedforward values (Millidge et al. 2020).

    The relaxation is linear, d_l <- d_l - step_size (d_l - J_{l+1}^T d_{l+1}), all layers at once; its fixed point is
    backpropagation for any stable step size, reached exactly at step_size 1 after H = L - 1 sweeps: one for each hidden
    layer. (Torch2PC counts the output's error, known from the start, as a sweep: L sweeps.)
    """
    return _fixed_prediction(network, *as_batch(network, x, y), step_size, sweeps)


@jax.jit
def _zero_divergence(network: Network, x: jax.Array, y: jax.Array, step_size: jax.Array) -> Mode:
    start, _ = forward(network, x)
    correction = errors_of(network, x, start, None, None)
    layers = jnp.arange(1, network.depth)
    below, count = [], 0
    for stack in start:
        below.append(layers[count : count + stack.shape[0]])
        count += stack.shape[0]
    _, first = output_signal(network, start, y)

    def step(t: jax.Array, carry: tuple[Activities, Activities]) -> tuple[Activities, Activities]:
        z, caught = carry
        arrived = tuple(network.depth - l <= t for l in below)
        errors = errors_of(network, x, z, correction, arrived)
        caught = tuple(
            jnp.where(of_layers(network.depth - l == t, e), e, c) for l, e, c in zip(below, errors, caught, strict=True)
        )
        messages = received(network, x, z, (*errors, output_signal(network, z, y)[1]))
        z = tuple(a - step_size * (e - m) for a, e, m in zip(z, errors, messages, strict=True))
        return z, caught

    nothing = jax.tree.map(jnp.zeros_like, start)
    _, caught = jax.lax.fori_loop(0, network.depth, step, (start, nothing))
    return _mode(network, x, start, (*caught, first))


def zero_divergence(network: Network, x: jax.Array, y: jax.Array, *, step_size: float = 1.0) -> Mode:
    """Z-IL (Song et al. 2020): layer l learns once, at step t = L - l, when its first error arrives.

    At step_size 1 every gradient is backpropagation's; at other step sizes layer l's is step_size^(L-l) times that.
    When layer l learns, the layer below has not moved yet: the presynaptic activity is the feedforward one.
    """
    return _zero_divergence(network, *as_batch(network, x, y), step_size)


@jax.jit
def _soft_nudge(
    network: Network, x: jax.Array, y: jax.Array, strength: jax.Array, step_size: jax.Array, steps: jax.Array
) -> Mode:
    start, output = forward(network, x)
    plain = with_precision(network, 1)
    precision = network.output_precision[...]

    def energy(free: tuple[Activities, jax.Array]) -> jax.Array:
        z, top = free
        errors = errors_of(plain, x, z, None, None)
        prediction = plain.output(z)
        hidden = sum((0.5 * jnp.sum(e * e) for e in errors), start=0.5 * jnp.sum((top - prediction) ** 2))
        if network.loss == "mse":
            return hidden + 0.5 * strength * precision * jnp.sum((y - top) ** 2)
        return hidden - strength * precision * jnp.sum(y * jax.nn.log_softmax(top))

    def step(_: int, free: tuple[Activities, jax.Array]) -> tuple[Activities, jax.Array]:
        return jax.tree.map(lambda a, g: a - step_size * g, free, jax.grad(energy)(free))

    z, top = jax.lax.fori_loop(0, steps, step, (start, output))
    prediction = plain.output(z)
    errors = (*errors_of(plain, x, z, None, None), (top - prediction)[None])
    return _mode(network, x, z, tuple(e / strength for e in errors))


def soft_nudge(
    network: Network, x: jax.Array, y: jax.Array, *, strength: float, step_size: float = 0.3, steps: int = 5000
) -> Mode:
    """Equilibrium propagation's nudge: the output z_L is free, and the loss at z_L counts `strength` (beta) times.

    Relaxed by `steps` steps from the feedforward point; signals are errors / beta. They tend to backpropagation's
    with an error of order beta. A negative strength pushes away from the target. The output energy is 1/2 |z_L -
    mu_L|² for both losses. Raises ValueError for strength 0.
    """
    if strength == 0:
        raise ValueError("strength: 0 is no nudge (any other number is allowed)")
    return _soft_nudge(network, *as_batch(network, x, y), strength, step_size, steps)


def centred_nudge(
    network: Network, x: jax.Array, y: jax.Array, *, strength: float, step_size: float = 0.3, steps: int = 5000
) -> Mode:
    """Mean of the gradients of two opposite soft nudges: their error is of order strength²."""
    up, down = (soft_nudge(network, x, y, strength=s, step_size=step_size, steps=steps) for s in (strength, -strength))
    mean = [[(a + b) / 2 for a, b in zip(*pair, strict=True)] for pair in zip(up, down, strict=True)]
    return Mode(*mean)


def clamped_nudge(network: Network, x: jax.Array, y: jax.Array, *, strength: float) -> jax.Array:
    """The target y~ = o - strength (o - y) of the hard-clamped nudge (Pinchetti et al. 2024), o the feedforward output.

    Relax on it as on y and divide weight gradients by the strength. Its limit is not backpropagation but the
    equilibrium of the linearised network: output errors are shrunk by S^-1. Only for the squared error.
    """
    if network.loss != "mse":
        raise ValueError("clamped_nudge: the output energy must be mse")
    x, y = as_batch(network, x, y)
    output = _output(network, x)
    return output - strength * (output - y)


@jax.jit
def _output(network: Network, x: jax.Array) -> jax.Array:
    return forward(network, x)[1]


@jax.jit
def _spiking(
    network: Network, x: jax.Array, y: jax.Array, step_size: jax.Array, alpha: jax.Array, steps: jax.Array
) -> tuple[Activities, Activities, jax.Array]:
    start, output = forward(network, x)
    correction = errors_of(network, x, start, None, None)
    counts = [stack.shape[0] for stack in start]
    spans = [jnp.arange(sum(counts[:i]) + 1, sum(counts[: i + 1]) + 1) for i in range(len(counts))]

    def step(t: jax.Array, z: Activities) -> Activities:
        weights = [jnp.where(network.depth - l == t, 1, alpha).astype(x.dtype) for l in spans]
        arrived = tuple(network.depth - l <= t for l in spans)
        found = errors_of(network, x, z, correction, arrived)
        errors = tuple(of_layers(w, e) * e for w, e in zip(weights, found, strict=True))
        top = jnp.where(t == 0, 1, alpha).astype(x.dtype) * output_signal(network, z, y)[1]
        messages = received(network, x, z, (*errors, top))
        return tuple(a - step_size * (e - m) for a, e, m in zip(z, errors, messages, strict=True))

    return start, jax.lax.fori_loop(0, steps, step, start), output


def spiking_forward_update(
    network: Network, x: jax.Array, y: jax.Array, *, step_size: float, alpha: float = 0.0, steps: int | None = None
) -> Mode:
    """Spiking precision with forward update (theory.md 5.4; Qi et al. 2025): layer-wise rescaled backpropagation.

    Layer l relaxes with precision 1 at t = L - l and `alpha` otherwise; the weights then learn from the whole
    displacement z_l(T) - z_l(0) with feedforward inputs. With alpha 0 and T ≥ L steps (the default) the gradient of
    hidden layer l is step_size^(L-l) (1 - step_size) times backpropagation's, the output's is backpropagation's.
    """
    x, y = as_batch(network, x, y)
    total = network.depth if steps is None else steps
    start, end, output = _spiking(network, x, y, step_size, alpha, total)
    moved = tuple(b - a for a, b in zip(start, end, strict=True))
    top = network.output_precision[...] * output_error(network.loss, output, y)[None]
    return _mode(network, x, start, (*moved, top))
