"""Laws of theory.md that pcviz keeps to but does not show: front, binomial signal, rates, rescaling at the start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from pcviz.experiment import Network as NetworkOptions
from pcviz.pcn.parameterisation import premultipliers
from pcviz.probes import theory
from pcviz.probes.hessian import Array


def arrival(depth: int) -> np.ndarray:
    """The step at which layers 1 … L can first have an error, t = L - l, (L,): the front line."""
    return np.arange(depth - 1, -1, -1)


def front_layer(depth: int, steps: int) -> int:
    """The lowest layer that can have an error after `steps` steps, from 1 to L."""
    return max(1, depth - steps)


def attenuation(depth: int, step_size: float, steps: Sequence[int] | np.ndarray) -> np.ndarray:
    """log10 of binom(t, L - l) eta^(L - l), (len(steps), L): the share of delta_l in e_l(t), to leading order.

    -inf ahead of the front. It neglects that errors decay, so it is an upper bound, useless once eta t is large.
    Source: theory.md 6.2.
    """
    t, k = np.asarray(steps, np.float64)[:, None], arrival(depth).astype(np.float64)
    reached = t >= k
    ahead = np.where(reached, t - k, 0)
    log = (gammaln(t + 1) - gammaln(k + 1) - gammaln(ahead + 1)) / np.log(10) + k * np.log10(step_size)
    return np.where(reached, log, -np.inf)


def binomial_signal(
    deltas: Sequence[Array], step_size: float, steps: Sequence[int] | np.ndarray, output_precision: float = 1.0
) -> np.ndarray:
    """log10 rms(e_l) after `steps` steps of gradient descent by the binomial law, (len(steps), L).

    `deltas` are backpropagation's [delta_1 … delta_L], each (B, N_l) (`backprop(...).deltas`). Within 5 % for
    eta = 1e-3 and L - l ≤ 6; -inf ahead of the front and where delta is zero.
    """
    return attenuation(len(deltas), step_size, steps) + theory._log10(
        theory._rms(deltas) * _precisions(deltas, output_precision)
    )


def _precisions(deltas: Sequence[Array], output_precision: float) -> np.ndarray:
    """What multiplies delta_l in the energy's gradient: lambda for hidden layers; e_L itself has no lambda."""
    return np.append(np.full(len(deltas) - 1, output_precision), 1.0)


def best_step(smallest: float, largest: float) -> float:
    """2 / (lambda_max + lambda_min), the step per example with the fastest contraction."""
    return 2 / (largest + smallest)


def estimated_steps(kappa: float, share: float = 0.01) -> float:
    """(kappa / 2) ln(1 / share): steps at eta = 1 / lambda_max until the slowest energy falls to `share` of itself."""
    return kappa / 2 * float(np.log(1 / share))


def expected_rescaling(options: NetworkOptions, output_dim: int) -> float:
    """E[tr S / K] of a linear network as initialised (theory.md 4.3), S = I / lambda + sum_l G_l G_l^T.

    With the variance v of the weights, a hidden layer multiplies squares by tau + s, s = a² N v, and the read-out turns
    them into r = a_L² N v_L (which holds gamma), so that E = 1 / lambda + r ((tau + s)^H - 1) / (tau + s - 1).
    """
    width, hidden = options.width, options.depth - 1
    scales = premultipliers(options, 1)
    gain = {"uniform": 1 / 3, "lecun_normal": 1.0, "orthogonal": 1.0, "normal": float(width)}[options.initialisation]
    # Rows of an orthogonal read-out are orthonormal; with more rows than columns its columns are.
    readout_gain = min(1.0, width / output_dim) if options.initialisation == "orthogonal" else gain
    readout = scales[-1] ** 2 * readout_gain
    growth = float(options.skips) + (scales[1] ** 2 * gain if hidden > 1 else 0.0)
    powers = float(hidden) if growth == 1 else (growth**hidden - 1) / (growth - 1)
    return 1 / options.output_precision + readout * powers
