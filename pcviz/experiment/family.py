"""The family of parameterisations of linear residual networks, and how its members scale with width N and depth L
(theory.md 2.5): derived for small weight steps from the feedforward start, to leading order in 1/N."""

from typing import NamedTuple, TypeAlias

import numpy as np

QUANTITIES = ("forward", "output", "update", "features")
"""What is looked at, as root mean squares: the last hidden activities and the output at the start; then, for a small
weight step and divided by its size, the change of the output, and the change of the last hidden activities by the steps
of the hidden layers, as a share of these activities."""
RULES = ("BP", "PC")
"""PC at the equilibrium of inference."""
CLASSES = ("unstable", "vanishing", "lazy", "stable, feature-learning")
"""Something grows; activities or updates of the output vanish; only features freeze; nothing of all this."""
ZERO = (0.25, 0.5)
"""Exponents in N and in L within these count as zero: half of what members that are told apart differ by."""
INPUTS, OUTPUTS = 8, 4
"""Of all networks that are measured; there are as many examples as inputs."""
Sizes: TypeAlias = int | np.ndarray


class Size(NamedTuple):
    """One network, whose standard normal weights all members of the family scale: width N, depth L, seed."""

    width: int
    depth: int
    seed: int

    @property
    def name(self) -> str:
        """Its name as a member of a group."""
        return f"N={self.width} L={self.depth} seed {self.seed}"


class Member(NamedTuple):
    """Exponents of a member, or arrays of them.

    Hidden layers and the read-out have the premultiplier N^-a and weights of variance N^-b; hidden ones are divided by
    L^depth too, the output by N^d. All learn at the rate N^(2d - c). The read-in, whose number of inputs D does not
    grow, is divided by D^1/2 instead of N^1/2.
    """

    a: float | np.ndarray
    b: float | np.ndarray
    c: float | np.ndarray
    d: float | np.ndarray
    depth: float | np.ndarray

    @property
    def passing(self) -> float | np.ndarray:
        """w: every layer's share of the mean square grows as N^w."""
        return 1 - 2 * self.a - self.b

    @property
    def learning(self) -> float | np.ndarray:
        """u: what its own weight step changes in the prediction of a layer grows as N^u, for signals of order one."""
        return 1 - 2 * self.a - self.c


class Named(NamedTuple):
    """A member that has a name."""

    label: str
    member: Member


MEMBERS: dict[str, Named] = {
    "sp": Named("standard", Member(0.0, 1.0, 0.0, 0.0, 0.0)),
    "ntp": Named("NTP", Member(0.5, 0.0, 0.0, 0.0, 0.0)),
    "lazy": Named("NTP, branches 1/√L", Member(0.5, 0.0, 0.0, 0.0, 0.5)),
    "mup": Named("μP", Member(0.0, 1.0, 1.0, 0.5, 0.0)),
    "depth_mup": Named("depth-μP", Member(0.0, 1.0, 1.0, 0.5, 0.5)),
    "mupc": Named("μPC", Member(0.5, 0.0, 0.0, 0.5, 0.5)),
    "mean_field": Named("mean field, branches 1/L", Member(0.5, 0.0, 0.0, 0.5, 1.0)),
    "fast": Named("μPC, rates × √N", Member(0.5, 0.0, -0.5, 0.5, 0.5)),
}
"""Depth-μP and μPC are one member written in two ways: a → a + t, b → b - 2t, c → c - 2t changes nothing."""


def log_expected(member: Member, width: Sizes, depth: Sizes, *, pc: bool) -> np.ndarray:
    """Natural logarithms of QUANTITIES, (4, …), expected of networks of depth >= 3 and N >> L. The examples have
    orthogonal inputs of mean square 1 and targets ±1; gradients are their means."""
    n, layers = np.log(width), np.asarray(depth) - 2
    w, u, d = member.passing, member.learning, member.d
    log_s = w * n - 2 * member.depth * np.log(depth)
    growth = np.logaddexp(0, log_s)  # of the mean square in one hidden layer
    forward = (w * n + layers * growth) / 2
    output = forward + (w / 2 - d) * n
    error = np.logaddexp(0, 2 * output) / 2
    if pc:
        paths = (layers + 1) * growth
        error = error - np.logaddexp(0, (w - 2 * d) * n + paths + np.log(-np.expm1(-paths)) - log_s)
    update = (u + w) * n + layers * growth + np.log(2 + layers * np.exp(log_s - growth)) - np.log(INPUTS)
    shared = (1 - np.exp(-2 * growth)) * (layers - 1) * (2 * layers - 1) / (6 * layers)
    features = (u + d - 0.5) * n + log_s + (layers / 2 - 1) * growth + np.log(layers) + np.log1p(shared) / 2
    features = features + np.log(OUTPUTS) / 2 - np.log(INPUTS)
    return np.array(np.broadcast_arrays(forward, output, update + error, features + error))


def width_exponents(member: Member, layers: int, *, pc: bool) -> np.ndarray:
    """Exponents of QUANTITIES in N, (4,), as N grows, with `layers` hidden layers that have skips."""
    w, u, d = (round(float(value), 9) for value in (member.passing, member.learning, member.d))
    growth = layers * max(w, 0.0)
    forward = (w + growth) / 2
    output = forward + w / 2 - d
    error = max(0.0, output) - (max(0.0, w - 2 * d + growth) if pc else 0.0)
    features = u + d - 0.5 + w + (layers / 2 - 1) * max(w, 0.0)
    return np.array([forward, output, u + w + growth + error, features + error])


def depth_exponents(member: Member, *, pc: bool) -> np.ndarray:
    """Exponents of QUANTITIES in L, (4,), as L grows but stays far below N; infinite where one grows exponentially."""
    w, alpha, d = (round(float(value), 9) for value in (member.passing, member.depth, member.d))
    curbed = pc and (w > 0 or w >= 2 * d)
    if w > 0 or (w == 0 and alpha < 0.5):  # where S grows with depth, it does so as the square of what features change
        return np.array([np.inf, np.inf, np.inf, 1.5 - (0 if w else 5 * alpha) if curbed else np.inf])
    return np.array([0.0, 0.0, -1.0 * curbed, 1 - 2 * alpha - 1.0 * curbed])


def slopes(log_sizes: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Exponents in a size by least squares on logarithms: the last axis of `logs` is that of sizes."""
    centred = log_sizes - log_sizes.mean()
    found: np.ndarray = logs @ centred / (centred @ centred)
    return found


def class_of(exponents: np.ndarray, zero: tuple[float, float] = ZERO) -> np.ndarray:
    """Place in CLASSES, for exponents in N and in L of QUANTITIES, (2, 4, …)."""
    share = (exponents.T / zero).T
    grows = (share > 1).any((0, 1))
    falls = np.asarray((share < -1).any(0))
    forward, _, update, features = falls
    return np.where(grows, 0, np.where(forward | update, 1, np.where(features, 2, 3)))
