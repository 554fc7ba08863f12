"""Scalar chains: linear networks with one unit in each layer that learn y = -x, in closed form (theory.md 4.2, 4.7).

Weights w = (w_1 … w_L) are arrays (…, L), the data enter through <x²> = s alone: every activity is a multiple of the
input, z_l = c_l x with c_0 = 1 and c_L = -1 (the target). With the product P = w_1 … w_L and the products above
each hidden unit g_l = w_{l+1} … w_L

    loss = s (1 + P)² / 2,    F* = s (1 + P)² / (2 S),    S = 1 + g_1² + … + g_H².
"""

from typing import NamedTuple

import numpy as np

from pcviz.brief import short

MINIMUM, STRICT, DEGENERATE = 0, 1, 2
"""Types of critical points, positions in `pcviz.instruments.chain.options.POINT_TYPES`."""


def above(w: np.ndarray) -> np.ndarray:
    """g_1 … g_L: the products of the weights above each layer, (…, L); g_L = 1."""
    products = np.ones_like(w)
    products[..., :-1] = np.cumprod(w[..., :0:-1], -1)[..., ::-1]
    return products


def rescaling(w: np.ndarray) -> np.ndarray:
    """S = 1 + sum_l g_l², (…): F* is the loss divided by S."""
    return np.sum(above(w) ** 2, -1)


def loss(w: np.ndarray, s: float | np.ndarray = 1.0) -> np.ndarray:
    """<(y - P x)²> / 2, (…)."""
    return 0.5 * s * (1 + np.prod(w, -1)) ** 2


def least_energy(w: np.ndarray, s: float | np.ndarray = 1.0) -> np.ndarray:
    """F*, the energy at the equilibrium of the activities, (…)."""
    return loss(w, s) / rescaling(w)


def feedforward(w: np.ndarray) -> np.ndarray:
    """c_0 … c_L at the start of inference, (…, L + 1): each unit at its prediction, the output at the target."""
    c = np.ones((*w.shape[:-1], w.shape[-1] + 1))
    c[..., 1:] = np.cumprod(w, -1)
    c[..., -1] = -1
    return c


def equilibrium(w: np.ndarray) -> np.ndarray:
    """c_0 … c_L where the energy is least, (…, L + 1): e_L = (y - P x) / S, e_l = g_l e_L (theory.md 3.7)."""
    e = above(w) * (-(1 + np.prod(w, -1)) / rescaling(w))[..., None]
    c = feedforward(w)
    for l in range(1, w.shape[-1]):
        c[..., l] = w[..., l - 1] * c[..., l - 1] + e[..., l - 1]
    return c


def inferred(w: np.ndarray, steps: int, dt: float) -> np.ndarray:
    """c_0 … c_L after Euler steps of the gradient flow on the energy, from the feedforward start, (…, L + 1).

    Every step multiplies c by the same matrix, so that all steps together are a power of it.
    """
    count = w.shape[-1]
    errors = np.zeros((*w.shape[:-1], count, count + 1))  # e = errors c
    layer = np.arange(count)
    errors[..., layer, layer], errors[..., layer, layer + 1] = -w, 1
    step = -dt * errors.swapaxes(-1, -2) @ errors
    step[..., (0, -1), :] = 0  # input and target are clamped
    step += np.eye(count + 1)
    moved: np.ndarray = np.linalg.matrix_power(step, steps) @ feedforward(w)[..., None]
    return moved[..., 0]


def pc_gradient(w: np.ndarray, c: np.ndarray, s: float | np.ndarray = 1.0) -> np.ndarray:
    """dF/dw_l = -<e_l z_{l-1}> at the activities c, (…, L). At the equilibrium it is dF*/dw."""
    return -np.asarray(s)[..., None] * (c[..., 1:] - w * c[..., :-1]) * c[..., :-1]


def loss_gradient(w: np.ndarray, s: float | np.ndarray = 1.0) -> np.ndarray:
    """dloss/dw, backpropagation's gradient, (…, L)."""
    below = feedforward(w)[..., :-1]
    return (s * (1 + np.prod(w, -1)))[..., None] * below * above(w)


class _Product(NamedTuple):
    value: float
    gradient: np.ndarray
    hessian: np.ndarray


def _product(w: np.ndarray, first: int) -> _Product:
    """w_{first+1} … w_L as a function of all weights w (L,), which may be zero."""
    count = len(w)

    def without(*left_out: int) -> float:
        inside = all(k >= first for k in left_out) and len({*left_out}) == len(left_out)
        return float(np.prod([w[k] for k in range(first, count) if k not in left_out])) if inside else 0.0

    layers = range(count)
    gradient = np.array([without(i) for i in layers])
    return _Product(without(), gradient, np.array([[without(i, j) for j in layers] for i in layers]))


def loss_hessian(w: np.ndarray, s: float = 1.0) -> np.ndarray:
    """The Hessian of the loss in all weights, (L, L), at w (L,)."""
    p = _product(w, 0)
    return s * (np.outer(p.gradient, p.gradient) + (1 + p.value) * p.hessian)


def energy_hessian(w: np.ndarray, s: float = 1.0) -> np.ndarray:
    """The Hessian of F* in all weights, (L, L), at w (L,)."""
    n, gradient, hessian = _product(w, 0)
    n += 1
    tails = [_product(w, first) for first in range(1, len(w))]
    big = 1 + sum(t.value**2 for t in tails)
    slope = 2 * sum(t.value * t.gradient for t in tails)
    bend = 2 * sum(np.outer(t.gradient, t.gradient) + t.value * t.hessian for t in tails)
    cross = np.outer(gradient, slope)
    result: np.ndarray = (
        (np.outer(gradient, gradient) + n * hessian) / big
        - n * (cross + cross.T) / big**2
        - n**2 * bend / (2 * big**2)
        + n**2 * np.outer(slope, slope) / big**3
    )
    return s * result


def point_type(value: float, gradient: np.ndarray, hessian: np.ndarray, tolerance: float = 1e-9) -> int:
    """The type of a point from value, gradient (L,) and Hessian (L, L) of the loss or F*; -1 if it is not critical.

    A saddle is strict if the Hessian has a negative eigenvalue, else degenerate. Linear networks have no minima but
    those of value 0.
    """
    if np.abs(gradient).max() > tolerance:
        return -1
    if np.linalg.eigvalsh(hessian)[0] < -tolerance:
        return STRICT
    return MINIMUM if value <= tolerance else DEGENERATE


@short
class Points(NamedTuple):
    """Critical points of loss or F*: weights (C, L) and the types of each as a point of the loss and of F*, (C,)."""

    weights: np.ndarray
    loss_types: np.ndarray
    energy_types: np.ndarray


def in_plane(x: np.ndarray, y: np.ndarray, hidden: int, fixed: float) -> np.ndarray:
    """Weights (…, L) of chains with w_{L-1} = x, w_L = y and all others `fixed`; x and y of one shape."""
    w = np.full((*np.shape(x), hidden + 1), float(fixed))
    w[..., -2], w[..., -1] = x, y
    return w


def critical_points(hidden: int, fixed: float, span: float, count: int = 7) -> Points:
    """Critical points in the plane of the last two weights, each up to `span`.

    Two weights of a saddle of the loss are 0: the middle of the plane, and all of its axes if the `fixed` ones are 0.
    (Those of F* are saddles of the loss with w_L = 0.) The minima, P = -1, are a hyperbola: `count` points of each
    branch.
    """
    places = [(0.0, 0.0)]
    others = float(fixed) ** (hidden - 1)
    if others == 0:
        along = [a for a in np.linspace(-span, span, count) if a]
        places += [(float(a), 0.0) for a in along] + [(0.0, float(a)) for a in along]
    elif 1 / abs(others) < span**2:
        x = np.geomspace(1 / abs(others) / span, span, count + 2)[1:-1]
        y = -1 / (others * x)
        places += [*zip(x, y, strict=True), *zip(-x, -y, strict=True)]
    x, y = np.array(places).T
    weights = in_plane(x, y, hidden, fixed)
    at_loss = [point_type(float(loss(w)), loss_gradient(w), loss_hessian(w)) for w in weights]
    at_energy = [point_type(float(least_energy(w)), pc_gradient(w, equilibrium(w)), energy_hessian(w)) for w in weights]
    return Points(weights, np.array(at_loss), np.array(at_energy))
