"""What is derived of members, as the panels draw it: curves, exponents, and the class of every point of a plane."""

import numpy as np

from pcviz.experiment.family import RULES, Member, class_of, log_expected, slopes
from pcviz.instruments.family.options import LIMITS, PATHS, Options

STEEP = 3.0
"""Greatest exponent shown: with L, some quantities grow exponentially."""
POINTS = 76
"""Points of the plane along each axis."""


def curves(member: Member) -> list[np.ndarray]:
    """Expected values along N and along L, (8, sizes) each: the QUANTITIES of both RULES."""
    return [np.exp(np.concatenate([_logs(member, axis, bool(pc)) for pc in range(len(RULES))])) for axis in range(2)]


def exponents(member: Member) -> np.ndarray:
    """Exponents of N and of L that follow, (2, 8)."""
    rows = [[_slopes(member, axis, bool(pc)) for pc in range(len(RULES))] for axis in range(2)]
    return np.array(rows).reshape(2, -1)


def plane(options: Options) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of both exponents along the axes, and the class of every point by both RULES, (2, y, x)."""
    x, y = (np.linspace(*LIMITS[name], POINTS) for name in (options.x, options.y))
    first, second = np.meshgrid(x, y)
    spread = {name: value + np.zeros_like(first) for name, value in options.member._asdict().items()}
    member = Member(**(spread | {options.x: first} | {options.y: second}))
    classes = []
    for pc in range(len(RULES)):
        of = Member(*(np.asarray(value)[..., None] for value in member))
        classes.append(class_of(np.array([_slopes(of, axis, bool(pc)) for axis in range(2)])))
    return x, y, np.array(classes)


def _logs(member: Member, axis: int, pc: bool) -> np.ndarray:
    width, depth = np.array(PATHS[axis]).T
    return log_expected(member, width, depth, pc=pc)


def _slopes(member: Member, axis: int, pc: bool) -> np.ndarray:
    """Exponents of the QUANTITIES, (4, …)."""
    sizes = np.array([size[axis] for size in PATHS[axis]], float)
    return slopes(np.log(sizes), _logs(member, axis, pc))
