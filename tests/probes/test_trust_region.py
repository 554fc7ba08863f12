"""Predictive coding as a trust-region step: exact statements for linear networks (theory.md 3.7, 4.8)."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.numerics.krylov import finish, matrix
from pcviz.pcn import backprop, feedforward, linear
from pcviz.pcn.network import Network
from pcviz.probes import curvature, trust_region
from pcviz.probes.hessian import as_stacks
from pcviz.probes.minimum import activity_slope, descend
from tests.pcn import maps as maps_of
from tests.probes.nets import pair

LINEAR = {"depth": 4, "width": 5, "skips": True, "precision": 1.5}


def net(**options: Any) -> tuple[Network, np.ndarray, np.ndarray]:
    _, network, x, y = pair(**{**LINEAR, **options})
    return network, x, y


def test_inference_is_a_newton_step_in_the_activities() -> None:
    network, x, y = net()
    found = trust_region.activity_step(network, x, y, finish(descend(network, x, y)))
    assert found.newton_cosine == pytest.approx(1, abs=1e-12)
    assert found.newton_ratio == pytest.approx(1, abs=1e-12)
    assert 0 < found.gradient_cosine < 1


def test_what_inference_gains_is_the_minimum_of_the_quadratic_model() -> None:
    """F* = loss - 1/2 g H^-1 g."""
    network, x, y = net()
    start, _ = feedforward(network, x)
    slope = np.asarray(activity_slope(network, jnp.asarray(x), jnp.asarray(y), as_stacks(network, start)))
    flat = slope.reshape(len(x), -1)
    hessian = np.asarray(maps_of.activity_hessian(maps_of.layer_maps(network), 1.5))
    gain = 0.5 * np.mean(np.sum(flat * np.linalg.solve(hessian, flat.T).T, 1))
    loss, least = curvature.loss(network, x, y).value, float(linear.least_energy(network, x, y))
    assert loss - gain == pytest.approx(least, rel=1e-12)


def test_the_step_is_backpropagations_with_a_preconditioned_error_and_corrected_activities() -> None:
    """d_l = G_l^T S^-1 r, presynaptic activities z* (theory.md 3.7)."""
    network, x, y = net()
    maps = maps_of.layer_maps(network)
    s = np.asarray(maps_of.rescaling(maps, 1.5))
    output = np.asarray(feedforward(network, x)[1])
    u = np.linalg.solve(s, (y - output).T).T
    settled = maps_of.equilibrium(maps, x, y, 1.5)
    below = [x, *settled.activities]
    signals = [u @ np.asarray(g) for g in maps_of.output_jacobians(maps)] + [u]
    scale = [float(np.ravel(stage.premultiplier[...])[0]) for stage in network.stages for _ in range(stage.count)]
    expected = [a * d.T @ z / len(x) for a, d, z in zip(scale, signals, below, strict=True)]
    found = finish(trust_region.steps(network, x, y, curvature.energy(network, x, y).gradient))
    for ours, theirs in zip(found.pc, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"activation": "tanh", "loss": "ce"}])
def test_steps_are_what_they_are_called(options: dict[str, Any]) -> None:
    network, x, y = net(**options)
    minimum = finish(descend(network, x, y))
    pc = curvature.energy_gradient(network, x, y, minimum.activities)
    found = finish(trust_region.steps(network, x, y, pc))
    for ours, theirs in zip(found.gradient, backprop(network, x, y).gradients, strict=True):
        np.testing.assert_allclose(ours, -1.5 * np.asarray(theirs), atol=1e-13)
    product = curvature.gauss_newton(network, x, y)
    size = sum(w.size for w in found.pc)
    g = finish(matrix(lambda rows: np.stack([product(row) for row in rows]), size, 8))
    assert found.damping == pytest.approx(0.01 * np.linalg.eigvalsh(g)[-1], rel=1e-4)
    flat = {name: np.concatenate([w.ravel() for w in getattr(found, name)]) for name in ("gradient", "newton")}
    expected = np.linalg.solve(g + found.damping * np.eye(size), flat["gradient"])
    np.testing.assert_allclose(flat["newton"], expected, atol=1e-4 * np.abs(expected).max())
    angles = trust_region.angles(found)
    cosine = flat["gradient"] @ -pc / np.linalg.norm(flat["gradient"]) / np.linalg.norm(pc)
    assert angles.to_gradient.total_cosine == pytest.approx(cosine)
    assert angles.newton_to_gradient.total_cosine > 0


def test_wide_networks_learn_like_backpropagation() -> None:
    """Under muPC the step turns towards the gradient as L / N falls (theory.md 4.3)."""
    cosines = []
    for width in (4, 64):
        network, x, y = net(width=width, depth=6, parameterisation="mupc", precision=1.0)
        found = finish(trust_region.steps(network, x, y, curvature.energy(network, x, y).gradient))
        cosines.append(float(trust_region.angles(found).to_gradient.total_cosine))
    assert cosines[0] < cosines[1] and cosines[1] > 0.97
