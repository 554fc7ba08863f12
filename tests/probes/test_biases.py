"""What is measured on a network with biases, whose weights are trees of arrays."""

import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.numerics.krylov import finish
from pcviz.pcn import Network, backprop, relax, weight_gradients, weights, with_weights
from pcviz.pcn.network import flat_weights, with_flat_weights
from pcviz.pcn.stacks import vector
from pcviz.probes import curvature, trust_region
from pcviz.probes.hessian import hessian_blocks
from pcviz.probes.minimum import descend
from pcviz.probes.plane import random_directions
from pcviz.probes.surface import flat_descent
from tests.pcn.biased import biased
from tests.pcn.theory import descent
from tests.probes.aligned import alignment


@pytest.fixture(scope="module")
def net() -> tuple[Network, np.ndarray, np.ndarray]:
    _, network, x, y = biased(depth=4, output_precision=3.0)
    return network, np.asarray(x), np.asarray(y)


def f_star(network: Network, x: np.ndarray, y: np.ndarray) -> curvature.Function:
    return curvature.energy(network, x, y, finish(descend(network, x, y)))


def test_gradients_align_as_one_vector_for_each_layer(net: tuple) -> None:
    network, x, y = net
    found = alignment(network, x, y, descent(0.2), [7])
    gradients = weight_gradients(network, x, y, relax(network, x, y, descent(0.2), 7))
    for l, (g, r) in enumerate(zip(gradients, backprop(network, x, y).gradients, strict=True)):
        g, r = vector(g), 3 * vector(r)
        assert found.cosine[0, l] == pytest.approx(g @ r / np.linalg.norm(g) / np.linalg.norm(r))
        assert found.norm_ratio[0, l] == pytest.approx(np.linalg.norm(g) / np.linalg.norm(r))


@pytest.mark.parametrize("of", [curvature.loss, f_star], ids=["loss", "energy"])
def test_gradient_and_hessian_are_slopes_in_biases_too(net: tuple, of) -> None:
    network, x, y = net
    flat, h = flat_weights(network), 1e-5
    v = np.random.default_rng(5).standard_normal(flat.size)
    up, down = (of(with_flat_weights(network, jnp.asarray(flat + s * v)), x, y) for s in (h, -h))
    here = of(network, x, y)
    assert here.gradient @ v == pytest.approx((up.value - down.value) / (2 * h), rel=1e-7)
    np.testing.assert_allclose(here.product(v), (up.gradient - down.gradient) / (2 * h), rtol=1e-5, atol=1e-7)


def test_surfaces_descend_along_all_weights(net: tuple) -> None:
    network, x, y = net
    np.testing.assert_allclose(
        flat_descent("loss", network, x, y), -curvature.loss(network, x, y).gradient / 3, rtol=1e-9, atol=1e-12
    )
    found, expected = np.asarray(flat_descent("energy", network, x, y)), -f_star(network, x, y).gradient
    assert np.linalg.norm(found - expected) < 0.05 * np.linalg.norm(expected), "as far as inference has settled"


def test_steps_of_layers_have_their_biases(net: tuple) -> None:
    network, x, y = net
    found = finish(trust_region.steps(network, x, y, f_star(network, x, y).gradient))
    for ours, theirs in zip(found.gradient, backprop(network, x, y).gradients, strict=True):
        np.testing.assert_allclose(vector(ours), -3 * vector(theirs), atol=1e-12)
    assert trust_region.angles(found).to_gradient.cosine.shape == (4,)


def test_a_bias_does_not_bend_the_energy_in_the_activities() -> None:
    """Linear networks: the activity Hessian is that of the matrices alone."""
    _, network, x, y = biased(activation="linear")
    bare = with_weights(network, [{**own, "bias": 0 * own["bias"]} for own in weights(network)])
    z = [np.ones((4, 6))] * 4
    for one, other in zip(hessian_blocks(network, x, y, z), hessian_blocks(bare, x, y, z), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_origin_is_no_critical_point(net: tuple) -> None:
    network, x, y = net
    assert curvature.origin(network, x, y) is None
    zero = with_flat_weights(network, jnp.zeros(flat_weights(network).size))
    slope = [layer["bias"] for layer in curvature.by_layer(zero, curvature.loss(zero, x, y).gradient)]
    np.testing.assert_allclose(slope[-1], -3 * y.mean(0), rtol=1e-12)
    assert not any(np.any(other) for other in slope[:-1])


def test_the_biases_of_a_layer_are_one_row_of_a_random_direction(net: tuple) -> None:
    network, _, _ = net
    for direction in random_directions(network, 0):
        own = weights(with_flat_weights(network, jnp.asarray(direction)))
        for made, reference in zip(own, weights(network), strict=True):
            for part in ("weight", "bias"):
                norms = [np.linalg.norm(tree[part], axis=-1) for tree in (made, reference)]
                np.testing.assert_allclose(*norms, rtol=1e-10)
