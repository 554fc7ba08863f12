"""The inference landscape: a quadratic bowl for linear networks; the path of a solver ends where it should."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Inference
from pcviz.frames import trace_rows
from pcviz.numerics.blocktridiagonal import spectrum
from pcviz.numerics.krylov import finish
from pcviz.pcn import linear, relax
from pcviz.pcn.network import Network
from pcviz.probes.activity_plane import activity_plane, energies_on, extent, path_on, solver_path
from pcviz.probes.hessian import hessian_blocks
from pcviz.probes.minimum import Minimum, descend
from tests.pcn import maps as maps_of
from tests.pcn.theory import descent
from tests.probes.nets import pair

AT = np.random.default_rng(0).standard_normal((40, 2))


def one(**options: Any) -> tuple[Network, np.ndarray, np.ndarray, Minimum]:
    _, network, x, y = pair(batch=1, **options)
    return network, x, y, finish(descend(network, x, y))


@pytest.mark.parametrize("options", [{}, {"depth": 2}, {"depth": 16, "width": 8, "skips": True, "precision": 3.0}])
def test_the_energy_of_a_linear_network_is_the_quadratic_of_the_two_curvatures(options: dict[str, Any]) -> None:
    network, x, y, minimum = one(**options)
    plane = activity_plane(network, x, y, minimum)
    values = np.linalg.eigvalsh(maps_of.activity_hessian(maps_of.layer_maps(network), options.get("precision", 1.0)))
    np.testing.assert_allclose(plane.curvatures, values[[-1, 0]], rtol=1e-7)
    assert plane.energy == pytest.approx(float(linear.least_energy(network, x, y)), rel=1e-12)
    found = energies_on(plane, network, x, y, AT, minimum.activities)
    np.testing.assert_allclose(found, AT**2 @ plane.curvatures / 2, rtol=0, atol=1e-10)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-10)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_energy_of_others_is_that_quadratic_nearby(activation: str) -> None:
    network, x, y, minimum = one(activation=activation, loss="ce")
    plane = activity_plane(network, x, y, minimum)
    near = 1e-4 * AT
    found = energies_on(plane, network, x, y, near, minimum.activities)
    np.testing.assert_allclose(found, near**2 @ plane.curvatures / 2, rtol=1e-2, atol=1e-15)
    values = spectrum(hessian_blocks(network, x, y, [z for stack in minimum.activities for z in np.asarray(stack)]))[0]
    if activation == "tanh":
        np.testing.assert_allclose(plane.curvatures, values[[-1, 0]], rtol=1e-7)


@pytest.mark.parametrize("solver", ["gradient_descent", "error_based"])
@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_a_long_path_ends_at_the_equilibrium(activation: str, solver: str) -> None:
    network, x, y, minimum = one(activation=activation, skips=True)
    plane = activity_plane(network, x, y, minimum)
    inference = Inference(solver=solver, step_size=0.2)
    rows = trace_rows(3000, 64)
    path = path_on(plane, network, x, y, finish(solver_path(network, x, y, inference, rows, 0)))
    assert path.at.shape == (len(rows), 2)
    np.testing.assert_allclose(path.at[-1], 0, atol=1e-10)
    assert path.excess[-1] == pytest.approx(0, abs=1e-14) and path.excess[0] > 0
    assert 0 < path.share <= 1
    short = relax(network, x, y, inference, 5)
    np.testing.assert_allclose(path.excess[5] + plane.energy, short.energies[5].sum(), rtol=1e-10)


def test_gradient_descent_shrinks_each_coordinate_by_its_own_curvature() -> None:
    """What ill-conditioning looks like, exactly: a coordinate of curvature c shrinks by 1 - eta c a step."""
    network, x, y, minimum = one(skips=True)
    plane = activity_plane(network, x, y, minimum)
    states = finish(solver_path(network, x, y, descent(0.1), np.arange(9), 0))
    at = path_on(plane, network, x, y, states).at
    expected = at[0] * (1 - 0.1 * plane.curvatures) ** np.arange(9)[:, None]
    np.testing.assert_allclose(at, expected, atol=1e-9)


def test_the_picture_holds_the_path() -> None:
    network, x, y, minimum = one(skips=True)
    plane = activity_plane(network, x, y, minimum)
    states = finish(solver_path(network, x, y, descent(0.1), np.arange(9), 0))
    at = path_on(plane, network, x, y, states).at
    half = extent(plane, at)
    assert (np.abs(at) <= half).all()
    assert half[0] ** 2 * plane.curvatures[0] == pytest.approx(half[1] ** 2 * plane.curvatures[1])
    wild = np.concatenate([at, [[1e9, 1e9]]])
    assert (extent(plane, wild) <= 4.1 * 1.25 * half).all()
    assert (extent(plane, np.zeros((3, 2))) > 0).all()


def test_a_path_that_diverges_ends_where_it_is_finite() -> None:
    network, x, y, _ = one(skips=True)
    states = finish(solver_path(network, x, y, descent(50.0), np.arange(600), 0))
    assert 1 < len(states) < 600
