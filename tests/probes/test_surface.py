"""Loss and F* over planes through weight space, against closed forms, long relaxations and finite differences."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.data import load
from pcviz.experiment import Experiment, from_paths
from pcviz.numerics.krylov import finish
from pcviz.pcn import Network, build
from pcviz.pcn.energy import layer_energies
from pcviz.pcn.gradients import errors_of
from pcviz.pcn.network import stacked_weights, with_flat_weights
from pcviz.probes.arrows import arrows
from pcviz.probes.directions import directions_of
from pcviz.probes.minimum import descend
from pcviz.probes.plane import random_directions, shadow
from pcviz.probes.surface import (
    SETTLED,
    equilibrated,
    equilibrated_energy,
    flat_descent,
    loss_of,
    plane_heights,
    settled,
)
from tests.pcn import maps as maps_of

POINTS = np.array([(0.0, 0.0), (0.7, -0.4), (-1.0, 1.0)])


def small(activation: str) -> tuple[Network, np.ndarray, jnp.ndarray, jnp.ndarray]:
    """A float64 network, its flat weights, and a batch."""
    experiment = from_paths(
        {"network.depth": 5, "network.width": 6, "network.activation": activation, "dtype": "float64"}
    )
    network = build(experiment, 7, 3)
    rng = np.random.default_rng(0)
    flat = np.concatenate([np.asarray(stack).ravel() for stack in stacked_weights(network)])
    return network, flat, jnp.asarray(rng.standard_normal((4, 7))), jnp.asarray(rng.standard_normal((4, 3)))


def test_energy_on_a_slice_of_a_linear_network_is_the_closed_form() -> None:
    network, flat, x, y = small("linear")
    directions = random_directions(network, 3)
    found, tolerances = plane_heights("energy", network, *map(jnp.asarray, (flat, directions, POINTS)), x, y)
    for at, energy in zip(POINTS, found, strict=True):
        maps = maps_of.layer_maps(with_flat_weights(network, jnp.asarray(flat + at @ directions)))
        assert float(energy) == pytest.approx(float(maps_of.equilibrium(maps, x, y).energies.sum()), rel=1e-10)
    assert not np.asarray(tolerances).any()
    assert not tolerances.any()


def test_energy_on_a_slice_of_a_tanh_network_is_where_a_long_relaxation_ends() -> None:
    network, flat, x, y = small("tanh")
    directions = random_directions(network, 3)
    found, tolerances = plane_heights("energy", network, *map(jnp.asarray, (flat, directions, POINTS)), x, y)
    for at, energy in zip(POINTS, found, strict=True):
        there = with_flat_weights(network, jnp.asarray(flat + at @ directions))
        relaxed = solve("gradient_descent", there, x, y, step_size=0.2, steps=4000, rows=4)
        assert float(energy) == pytest.approx(relaxed.energies[-1].sum(), rel=1e-5)
        assert energy <= loss_of(there, x, y)
    assert (np.asarray(tolerances) <= SETTLED).all()


def slow_problem(activation: str, data: str = "digits", **options: object) -> tuple[Network, jnp.ndarray, jnp.ndarray]:
    """One step gains little long before the minimum."""
    network = {"depth": 7, "width": 16, "activation": activation, "parameterisation": "sp", **options}
    experiment = Experiment.model_validate({"network": network, "data": {"name": data}, "dtype": "float64"})
    loaded = load(experiment.data, 0, "float64")
    return build(experiment), jnp.asarray(loaded.x_train[:32]), jnp.asarray(loaded.y_train[:32])


@pytest.mark.parametrize(
    ("activation", "options"),
    [("gelu", {"parameterisation": "mupc"}), ("gelu", {}), ("silu", {"data": "moons"}), ("tanh", {})],
)
def test_energy_is_the_minimum_also_where_descent_is_slow(activation: str, options: dict[str, Any]) -> None:
    network, x, y = slow_problem(activation, **options)
    energy, tolerance = equilibrated(network, x, y)
    assert tolerance <= SETTLED
    z = finish(descend(network, x, y)).activities
    least = layer_energies(network, errors_of(network, x, z, None, None), network.stages[-1](z[-1][-1:])[0], y).sum()
    assert float(energy) == pytest.approx(float(least), rel=1e-5)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "selu"])
def test_energy_is_a_minimum_where_kinks_make_several(activation: str) -> None:
    """From where it ends, no small step in the activities leads lower."""
    network, x, y = slow_problem(activation, "moons", width=8)
    place, tolerance = settled(network, x, y)
    assert tolerance <= SETTLED
    rng, energies = np.random.default_rng(0), []
    for size in (0.0, *[1e-3] * 20, *[1e-5] * 20):
        z = tuple(a + size * rng.standard_normal(a.shape) for a in place.activities)
        errors = errors_of(network, x, z, None, None)
        energies.append(float(layer_energies(network, errors, network.stages[-1](z[-1][-1:])[0], y).sum()))
    assert min(energies[1:]) > energies[0] * (1 - SETTLED)


@pytest.mark.parametrize(("kind", "surface"), [("loss", loss_of), ("energy", equilibrated_energy)])
def test_descents_are_minus_the_slopes(kind: str, surface) -> None:  # type: ignore[no-untyped-def]
    network, flat, x, y = small("linear")
    down = np.asarray(flat_descent(kind, network, x, y))
    rng = np.random.default_rng(1)
    for _ in range(3):
        along = rng.standard_normal(len(flat))
        up, low = (
            float(surface(with_flat_weights(network, jnp.asarray(flat + h * along)), x, y)) for h in (1e-5, -1e-5)
        )
        assert -down @ along == pytest.approx((up - low) / 2e-5, rel=2e-4)


def test_the_same_seed_gives_the_same_plane_on_every_machine() -> None:
    network, *_ = small("linear")
    unit = random_directions(network, 11) / np.linalg.norm(random_directions(network, 11), axis=1, keepdims=True)
    draws = np.random.default_rng([11, 3]).standard_normal((6, 7))
    row = unit[0][:7]
    np.testing.assert_allclose(row / np.linalg.norm(row), draws[0] / np.linalg.norm(draws[0]), rtol=1e-12)
    np.testing.assert_allclose(draws[0, :3], [0.33209961, 0.64486092, 0.01571346], rtol=1e-6)


def test_gradient_directions_are_orthogonal_and_as_long_as_the_weights() -> None:
    network, flat, x, y = small("tanh")
    pair = directions_of("gradients", network, x, y, flat[None], random_directions(network, 0))
    gram = pair @ pair.T
    np.testing.assert_allclose(gram, np.eye(2) * (flat @ flat), atol=1e-9 * (flat @ flat))
    down = np.asarray(flat_descent("loss", network, x, y))
    assert down @ pair[0] == pytest.approx(np.linalg.norm(down) * np.linalg.norm(flat))


def test_curvature_directions_are_eigenvectors_of_the_loss() -> None:
    network, flat, x, y = small("tanh")
    pair = directions_of("curvature", network, x, y, flat[None], random_directions(network, 0))
    hessian = np.asarray(jax.hessian(lambda w: loss_of(with_flat_weights(network, w), x, y))(jnp.asarray(flat)))
    values, vectors = np.linalg.eigh(hessian)
    for direction, exact in zip(pair, (vectors[:, -1], vectors[:, 0]), strict=True):
        assert abs(direction @ exact) == pytest.approx(np.linalg.norm(flat), rel=1e-6)
    assert values[0] < 0 < values[-1]


def test_another_run_with_the_same_weights_spans_no_plane() -> None:
    network, flat, x, y = small("tanh")
    with pytest.raises(ValueError, match="same weights"):
        directions_of("run", network, x, y, flat[None], random_directions(network, 0), flat)


def test_a_shadow_by_inner_products_is_the_projection() -> None:
    rng = np.random.default_rng(2)
    points, directions = rng.standard_normal((6, 40)), rng.standard_normal((2, 40))
    path, variance, length = shadow(points, directions)
    relative = points - points[-1]
    expected = np.linalg.lstsq(directions.T, relative.T, rcond=None)[0].T
    np.testing.assert_allclose(path, expected, atol=1e-12)
    flat = expected @ directions
    total = np.sum((relative - relative.mean(0)) ** 2)
    assert variance == pytest.approx(np.sum((flat - flat.mean(0)) ** 2) / total)
    steps = [np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for p in (flat, relative)]
    assert length == pytest.approx(steps[0] / steps[1])


def test_arrows_point_downhill_and_leave_out_what_is_not_known() -> None:
    x, y = np.linspace(-1, 1, 5), np.linspace(0, 2, 5)
    heights = np.tile(x, (5, 1))
    line_x, line_y = arrows(x, y, heights)
    tails, tips = (np.stack([line_x[i::6], line_y[i::6]], 1) for i in (0, 1))
    assert len(tails) == 25
    np.testing.assert_allclose((tips - tails)[:, 1], 0, atol=1e-12)
    assert ((tips - tails)[:, 0] < 0).all()
    heights[2, 2] = np.nan
    assert len(arrows(x, y, heights)[0]) < len(line_x)
    assert len(arrows(x, y, np.zeros((5, 5)))[0]) == 0
