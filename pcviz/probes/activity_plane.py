"""Inference seen from above: the energy of one example on a plane through its equilibrium, with a solver's path.

The plane z* + a v_max + b v_min is spanned by the eigenvectors of the activity Hessian with the largest and the
smallest eigenvalue. For linear networks the energy above equilibrium is (lambda_max a² + lambda_min b²) / 2 exactly:
contours are ellipses whose axes are as 1 to the root of the condition number. A path is drawn as its projection on
the plane; `share` is the part of it that the plane holds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Inference
from pcviz.numerics.blocktridiagonal import extreme_eigenpairs
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn.coordinates import energies_at
from pcviz.pcn.gradients import errors_of
from pcviz.pcn.network import Network, as_float64
from pcviz.pcn.stacks import Activities
from pcviz.pcn.trajectory import trajectory
from pcviz.probes.hessian import as_batch
from pcviz.probes.minimum import Array, Minimum, free_blocks

MARGIN = 1.25
"""Ratio of the extent of the picture to that of the path."""
CHUNK = 256
"""Most inference steps in one call."""
ROUNDING = 64 * np.finfo(np.float64).eps
"""An energy difference below this share of the energy is rounding."""


@short
class ActivityPlane(NamedTuple):
    """`center` and the two `directions` (2, H N), orthonormal: of the largest curvature, then of the smallest;
    `curvatures` (2,) along them; `energy` at the center; `gradient_rms` there, 0 but for rounding."""

    center: np.ndarray
    directions: np.ndarray
    curvatures: np.ndarray
    energy: float
    gradient_rms: float

    @property
    def condition(self) -> float:
        """Ratio of the curvatures."""
        return float(self.curvatures[0] / self.curvatures[1])


@short
class PlanePath(NamedTuple):
    """A path on the plane: coordinates `at` (S, 2); `excess` (S,), energy of its states (not projected) above the
    center's; `share`: part of the squared distance from start to equilibrium that lies in the plane."""

    at: np.ndarray
    excess: np.ndarray
    share: float


def activity_plane(network: Network, x: Array, y: Array, minimum: Minimum) -> ActivityPlane:
    """The plane of extreme curvatures through the equilibrium of one example, x (1, D), y (1, K).

    Signs of the directions make their largest entry positive.
    """
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    values, vectors = extreme_eigenpairs(free_blocks(network, x, y, minimum.activities, minimum.free))
    directions = vectors[::-1].reshape(2, -1)
    largest = directions[[0, 1], np.abs(directions).argmax(1)]
    center = flat_activities(minimum.activities)
    (energy,) = np.asarray(_energies(network, x, y, minimum.activities))
    return ActivityPlane(
        center, directions * np.sign(largest)[:, None], values[::-1], float(energy), minimum.gradient_rms
    )


def flat_activities(z: Activities) -> np.ndarray:
    """Activities of one example, one stack for each stage, as one vector (H N,), layer after layer."""
    return np.concatenate([np.asarray(stack, np.float64).ravel() for stack in z])


def path_on(plane: ActivityPlane, network: Network, x: Array, y: Array, path: Sequence[Activities]) -> PlanePath:
    """Where the states of a path, each one stack for each stage, lie on the plane."""
    points = np.stack([flat_activities(z) for z in path])
    relative = points - plane.center
    at = relative @ plane.directions.T
    excess = _excess(network, x, y, points, path[0], plane)
    squared = float(relative[0] @ relative[0])
    return PlanePath(at, excess, float(at[0] @ at[0] / squared) if squared else float("nan"))


def extent(plane: ActivityPlane, at: np.ndarray) -> np.ndarray:
    """Half the width and half the height of a picture that holds the path `at` (S, 2), (2,).

    The level line of the quadratic energy through the path's outermost point fits in, so that both directions have the
    same energy at the picture's edge; a path that diverges is cut off at 16 times its first energy.
    """
    curvatures = np.maximum(np.abs(plane.curvatures), 1e-12)
    energies = (at**2) @ curvatures / 2
    first = energies[0] if energies[0] > 0 else np.max(energies, initial=0.0)
    outermost = min(np.max(energies[np.isfinite(energies)], initial=0.0), 16 * first)
    return np.asarray(MARGIN * np.sqrt(2 * (outermost or 1.0) / curvatures))


def energies_on(
    plane: ActivityPlane, network: Network, x: Array, y: Array, at: np.ndarray, like: Activities
) -> np.ndarray:
    """Energy above the center's at the points `at` (M, 2) of the plane, (M,); differences within rounding are 0.

    `like` gives the shapes of the stacks.
    """
    return _excess(network, x, y, plane.center + at @ plane.directions, like, plane)


def _excess(
    network: Network, x: Array, y: Array, points: np.ndarray, like: Activities, plane: ActivityPlane
) -> np.ndarray:
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    count = len(points)
    edges = np.cumsum([stack.size for stack in like])[:-1]
    parts = zip(np.split(points, edges, axis=1), like, strict=True)
    stacks = tuple(jnp.asarray(np.swapaxes(p.reshape(count, len(z), *z.shape[2:]), 0, 1)) for p, z in parts)
    many = [jnp.broadcast_to(a, (count, *a.shape[1:])) for a in (x, y)]
    excess = np.asarray(_energies(network, many[0], many[1], stacks)) - plane.energy
    return np.where(np.abs(excess) <= ROUNDING * abs(plane.energy), 0.0, excess)


@compiled()
def _energies(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> jax.Array:
    """Energy of each example, (B,)."""
    output = network.output(z)
    return energies_at(network, errors_of(network, x, z, None, None), output, y)


def solver_path(
    network: Network, x: Array, y: Array, inference: Inference, rows: np.ndarray, seed: int
) -> Work[list[Activities]]:
    """The activities of one relaxation after the steps in `rows`, ascending from 0.

    In the network's own number format, from the start that `inference` and `seed` give; ends early where it stops
    being finite. A generator that pauses on the way.
    """
    x, y = jnp.asarray(x, network.dtype), jnp.asarray(y, network.dtype)
    found: list[Activities] = []
    for at in trajectory(network, x, y, inference, seed=seed).iterates(rows, CHUNK):
        if at.step:
            yield
        if at.recorded:
            if not all(np.isfinite(stack).all() for stack in at.settled.activities):
                break
            found.append(
                tuple(stack[:, : len(x)] for stack in at.settled.activities)
            )  # of a centred nudge the positive
    return found
