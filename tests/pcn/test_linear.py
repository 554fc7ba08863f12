"""Linear theory (pcviz.pcn.linear) against dense linear algebra and the numpy reference, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcviz.pcn import linear
from tests.pcn import maps as maps_of
from tests.pcn.pairs import pair
from tests.pcn.reference import ReferencePCN, half_square, random_batch, random_pcn

RANDOM_NETS = [
    pytest.param(parameterisation, skips, precision, gamma, id=f"{parameterisation}-{skips=}-λ{precision}-γ{gamma}")
    for parameterisation in ("sp", "ntp", "mupc")
    for skips in (False, True)
    for precision in (1.0, 3.0)
    for gamma in (1.0, 1.3)
]
Problem = tuple[ReferencePCN, np.ndarray, np.ndarray]


def problem(parameterisation: str, skips: bool, precision: float, gamma: float, **sizes: int) -> Problem:
    """A random linear network and batch; D=7, N=6, K=3, L=5, B=4 unless given."""
    rng = np.random.default_rng([*map(ord, parameterisation), skips, int(10 * precision), int(10 * gamma)])
    batch = sizes.pop("batch", 4)
    net = random_pcn(rng, parameterisation=parameterisation, skips=skips, precision=precision, gamma=gamma, **sizes)
    return net, *random_batch(rng, net, batch)


def dense_hessian(net: ReferencePCN) -> np.ndarray:
    """H_z = P^T P + lambda C^T C; P unit lower block bidiagonal, -M_{l+1} below; C = [0 … 0 M_L] (theory.md 4.1)."""
    _, *hidden, last = net.maps()
    width, count = last.shape[1], len(hidden) + 1
    p = np.eye(count * width)
    for l, m in enumerate(hidden):
        p[(l + 1) * width : (l + 2) * width, l * width : (l + 1) * width] = -m
    c = np.hstack([np.zeros((len(last), (count - 1) * width)), last])
    return p.T @ p + net.precision * c.T @ c


def dense_solution(net: ReferencePCN, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """z* from the linear system H_z z* = b."""
    first, *_, last = net.maps()
    width, count = last.shape[1], net.depth - 1
    b = np.zeros((len(x), count * width))
    b[:, :width] += x @ first.T
    b[:, -width:] += net.precision * y @ last
    return np.split(np.linalg.solve(dense_hessian(net), b.T).T, count, axis=1)


def solve(net: ReferencePCN, x: np.ndarray, y: np.ndarray) -> maps_of.Equilibrium:
    return maps_of.equilibrium(net.maps(), x, y, net.precision)


@pytest.mark.parametrize(("parameterisation", "skips", "precision", "gamma"), RANDOM_NETS)
class TestRandomNetworks:
    def test_hessian_is_that_of_the_energy(self, parameterisation, skips, precision, gamma) -> None:
        net, _, _ = problem(parameterisation, skips, precision, gamma)
        hessian = np.asarray(maps_of.activity_hessian(net.maps(), precision))
        np.testing.assert_allclose(hessian, dense_hessian(net), rtol=1e-12, atol=1e-13)

        # The energy is quadratic: its gradient (one example) at unit vectors minus that at zero is the Hessian.
        width, count = net.weights[-1].shape[1], net.depth - 1
        x, y = np.zeros((1, 7)), np.zeros((1, 3))
        columns = [
            np.hstack(net.activity_gradients(x, y, np.split(unit[None], count, axis=1)))[0]
            for unit in np.eye(count * width)
        ]
        np.testing.assert_allclose(hessian, np.array(columns).T, rtol=1e-12, atol=1e-13)

    def test_hessian_is_symmetric_positive_and_block_tridiagonal(
        self, parameterisation, skips, precision, gamma
    ) -> None:
        net, _, _ = problem(parameterisation, skips, precision, gamma)
        hessian = np.asarray(maps_of.activity_hessian(net.maps(), precision))
        width, count = net.weights[-1].shape[1], net.depth - 1
        np.testing.assert_array_equal(hessian, hessian.T)
        assert np.linalg.eigvalsh(hessian).min() > 0
        blocks = hessian.reshape(count, width, count, width)
        assert not any(blocks[l, :, k].any() for l in range(count) for k in range(count) if abs(l - k) > 1)

    def test_equilibrium_solves_the_linear_system(self, parameterisation, skips, precision, gamma) -> None:
        net, x, y = problem(parameterisation, skips, precision, gamma)
        for z, expected in zip(solve(net, x, y).activities, dense_solution(net, x, y), strict=True):
            np.testing.assert_allclose(z, expected, rtol=0, atol=1e-12)

    def test_equilibrium_is_stationary(self, parameterisation, skips, precision, gamma) -> None:
        net, x, y = problem(parameterisation, skips, precision, gamma)
        for gradient in net.activity_gradients(x, y, [np.asarray(z) for z in solve(net, x, y).activities]):
            np.testing.assert_allclose(gradient, 0, atol=1e-12)

    def test_errors_and_energies_are_those_of_the_activities(self, parameterisation, skips, precision, gamma) -> None:
        net, x, y = problem(parameterisation, skips, precision, gamma)
        found = solve(net, x, y)
        activities = [np.asarray(z) for z in found.activities]
        for e, expected in zip(found.errors, net.errors(x, y, activities), strict=True):
            np.testing.assert_allclose(e, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.energies, net.energies(x, y, activities), rtol=1e-12)

    def test_energy_is_half_the_rescaled_residual(self, parameterisation, skips, precision, gamma) -> None:
        net, x, y = problem(parameterisation, skips, precision, gamma)
        r = y - net.forward(x)[1]
        s = np.asarray(maps_of.rescaling(net.maps(), precision))
        expected = 0.5 * np.mean(np.sum(r * np.linalg.solve(s, r.T).T, axis=1))
        found = solve(net, x, y)
        assert found.energy == pytest.approx(expected, rel=1e-12)
        assert np.sum(found.energies) == pytest.approx(expected, rel=1e-12)
        assert maps_of.equilibrium_energy(net.maps(), x, y, precision) == pytest.approx(expected, rel=1e-12)

    def test_jacobians_are_products_of_the_maps_above(self, parameterisation, skips, precision, gamma) -> None:
        net, _, _ = problem(parameterisation, skips, precision, gamma)
        maps = net.maps()
        jacobians = maps_of.output_jacobians(maps)
        assert len(jacobians) == net.depth - 1
        for l, jacobian in enumerate(jacobians, 1):
            expected = np.linalg.multi_dot([*maps[:l:-1], maps[l]]) if l < net.depth - 1 else maps[-1]
            np.testing.assert_allclose(jacobian, expected, rtol=1e-12, atol=1e-14)

    def test_determinants_of_hessian_and_scaled_rescaling_agree(
        self, parameterisation, skips, precision, gamma
    ) -> None:
        net, _, _ = problem(parameterisation, skips, precision, gamma)
        _, of_hessian = np.linalg.slogdet(maps_of.activity_hessian(net.maps(), precision))
        _, of_rescaling = np.linalg.slogdet(precision * maps_of.rescaling(net.maps(), precision))
        assert of_hessian == pytest.approx(of_rescaling, abs=1e-10)

    def test_energy_lies_between_the_loss_over_the_eigenvalues_of_the_rescaling(
        self, parameterisation, skips, precision, gamma
    ) -> None:
        net, x, y = problem(parameterisation, skips, precision, gamma)
        loss, energy = half_square(y - net.forward(x)[1]), float(solve(net, x, y).energy)
        assert 0 <= energy <= precision * loss
        eigenvalues = np.linalg.eigvalsh(maps_of.rescaling(net.maps(), precision))
        assert eigenvalues[0] - 1e-12 <= loss / energy <= eigenvalues[-1] + 1e-12

    def test_one_output_divides_the_loss_by_the_rescaling(self, parameterisation, skips, precision, gamma) -> None:
        net, x, y = problem(parameterisation, skips, precision, gamma, output_dim=1)
        loss, (((s,),)) = half_square(y - net.forward(x)[1]), np.asarray(maps_of.rescaling(net.maps(), precision))
        assert loss / float(solve(net, x, y).energy) == pytest.approx(s, rel=1e-12)

    def test_own_outputs_as_targets_leave_no_error(self, parameterisation, skips, precision, gamma) -> None:
        net, x, _ = problem(parameterisation, skips, precision, gamma)
        activities, y = net.forward(x)
        found = solve(net, x, y)
        assert found.energy == pytest.approx(0, abs=1e-28)
        assert max(np.abs(e).max() for e in found.errors) < 1e-14
        for z, expected in zip(found.activities, activities, strict=True):
            np.testing.assert_allclose(z, expected, rtol=0, atol=1e-13)

    def test_local_weight_gradient_is_the_slope_of_the_equilibrium_energy(
        self, parameterisation, skips, precision, gamma
    ) -> None:
        net, x, y = problem(parameterisation, skips, precision, gamma)

        def energy(weights: list[jax.Array]) -> jax.Array:
            parts = zip(net.premultipliers, weights, net.skips, strict=True)
            return maps_of.equilibrium_energy([a * w + tau * jnp.eye(*w.shape) for a, w, tau in parts], x, y, precision)

        slopes = jax.grad(energy)([jnp.asarray(w) for w in net.weights])
        local = net.weight_gradients(x, y, [np.asarray(z) for z in solve(net, x, y).activities])
        for slope, gradient in zip(slopes, local, strict=True):
            np.testing.assert_allclose(slope, gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("parameterisation", ["sp", "ntp", "mupc"])
@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize("precision", [1.0, 3.0])
def test_gradient_descent_arrives_at_the_equilibrium(parameterisation: str, skips: bool, precision: float) -> None:
    net, x, y = problem(parameterisation, skips, precision, 1.0, depth=4)
    eigenvalues = np.linalg.eigvalsh(maps_of.activity_hessian(net.maps(), precision))
    steps = int(10 * eigenvalues[-1] / eigenvalues[0])
    reached = net.relax(x, y, 1 / eigenvalues[-1], steps)
    found = solve(net, x, y)
    np.testing.assert_allclose(reached.energies[-1].sum(), found.energy, rtol=1e-6)
    for z, expected in zip(reached.activities, found.activities, strict=True):
        np.testing.assert_allclose(z, expected, atol=1e-4)


@pytest.mark.parametrize("skips", [False, True])
def test_error_based_inference_arrives_at_the_same_equilibrium(skips: bool) -> None:
    net, x, y = problem("mupc", skips, 3.0, 1.3)
    largest = np.linalg.eigvalsh(net.precision * np.asarray(maps_of.rescaling(net.maps(), net.precision)))[-1]
    errors = net.relax_errors(x, y, 1 / largest, 400)
    found = solve(net, x, y)
    for e, expected in zip(errors, found.errors, strict=False):
        np.testing.assert_allclose(e, expected, rtol=0, atol=1e-10)
    for z, expected in zip(net.forward(x, errors)[0], found.activities, strict=True):
        np.testing.assert_allclose(z, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("parameterisation", ["sp", "ntp", "mupc"])
@pytest.mark.parametrize("skips", [False, True])
def test_doubling_gamma_quarters_the_rescaling_above_one(parameterisation: str, skips: bool) -> None:
    rng = [np.random.default_rng(3) for _ in range(2)]
    once, twice = (
        random_pcn(r, parameterisation=parameterisation, skips=skips, gamma=g).maps()
        for r, g in zip(rng, (1.0, 2.0), strict=True)
    )
    above_one = np.asarray(maps_of.rescaling(once)) - np.eye(3)
    np.testing.assert_allclose(np.asarray(maps_of.rescaling(twice)) - np.eye(3), above_one / 4, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("precision", [0.1, 3.0])
def test_output_precision_shifts_the_rescaling(precision: float) -> None:
    maps = random_pcn(np.random.default_rng(4)).maps()
    shift = np.asarray(maps_of.rescaling(maps, precision)) - np.asarray(maps_of.rescaling(maps))
    np.testing.assert_allclose(shift, (1 / precision - 1) * np.eye(3), rtol=1e-12, atol=1e-13)


def test_one_hidden_unit_has_the_textbook_equilibrium() -> None:
    w1, w2 = 0.7, -1.9
    x, y = np.array([[1.3], [-0.4]]), np.array([[0.2], [2.5]])
    maps = [np.array([[w1]]), np.array([[w2]])]
    found = maps_of.equilibrium(maps, x, y)
    np.testing.assert_allclose(found.activities[0], (w1 * x + w2 * y) / (1 + w2**2), rtol=1e-12)
    assert found.energy == pytest.approx(np.mean((y - w2 * w1 * x) ** 2) / (2 * (1 + w2**2)), rel=1e-12)
    np.testing.assert_allclose(maps_of.activity_hessian(maps), [[1 + w2**2]], rtol=1e-12)


def test_two_hidden_units_have_the_textbook_energy() -> None:
    w1, w2, w3 = 0.7, -1.9, 0.6
    x, y = np.array([[1.3], [-0.4]]), np.array([[0.2], [2.5]])
    energy = maps_of.equilibrium_energy([np.array([[w]]) for w in (w1, w2, w3)], x, y)
    s = 1 + w3**2 + w3**2 * w2**2
    assert energy == pytest.approx(np.mean((y - w3 * w2 * w1 * x) ** 2) / (2 * s), rel=1e-12)


@pytest.mark.parametrize("hidden", [2, 5, 16])
def test_orthogonal_networks_have_the_exact_extreme_eigenvalues(hidden: int) -> None:
    """Square orthogonal hidden maps and orthonormal rows on top split the activities into chains of H springs.

    K of them end at the clamped output (eigenvalues 4 sin²(k π / 2(H + 1))), N - K are free (4 sin²((2k - 1) π / (4H +
    2))): for 0 < K < N the smallest eigenvalue belongs to a free chain, the largest to a clamped one.
    """
    rng, width = np.random.default_rng(hidden), 8
    orthogonal = [np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in range(hidden)]
    maps = [rng.standard_normal((width, 5)), *orthogonal[:-1], orthogonal[-1][:3]]
    eigenvalues = np.linalg.eigvalsh(maps_of.activity_hessian(maps))
    assert eigenvalues[0] == pytest.approx(4 * np.sin(np.pi / (4 * hidden + 2)) ** 2, rel=1e-10)
    assert eigenvalues[-1] == pytest.approx(4 * np.cos(np.pi / (2 * (hidden + 1))) ** 2, rel=1e-10)


@pytest.mark.parametrize("hidden", [2, 3])
def test_at_the_origin_the_energy_is_a_strict_saddle_where_the_loss_is_flat(hidden: int) -> None:
    """Hessian of F* at W = 0: -eig(<y y^T>), each N times, in the top layer; all zero for the loss (theory.md 4.7)."""
    width, rng = 4, np.random.default_rng(hidden)
    x, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    shapes = [(width, 3), *[(width, width)] * (hidden - 1), (2, width)]
    edges = np.cumsum([0, *(a * b for a, b in shapes)])

    def energy(flat: jax.Array, precision: float = 1.0) -> jax.Array:
        maps = [flat[i:j].reshape(shape) for i, j, shape in zip(edges, edges[1:], shapes, strict=False)]
        return maps_of.equilibrium_energy(maps, x, y, precision) / precision

    found = np.linalg.eigvalsh(jax.hessian(energy)(jnp.zeros(edges[-1])))
    negative = np.repeat(-np.linalg.eigvalsh(y.T @ y / len(y)), width)
    np.testing.assert_allclose(found, np.sort(np.pad(negative, (0, edges[-1] - len(negative)))), atol=1e-8)
    # As lambda goes to 0 no hidden error is worth its energy: F* / lambda becomes the loss.
    np.testing.assert_allclose(jax.hessian(lambda w: energy(w, 1e-12))(jnp.zeros(edges[-1])), 0, atol=1e-8)


def test_at_the_origin_a_scalar_chain_has_golden_curvatures() -> None:
    x = np.array([[0.7], [-1.2], [0.4]])
    hessian = jax.hessian(lambda w: maps_of.equilibrium_energy([w[:1, None], w[1:, None]], x, -x))(jnp.zeros(2))
    s = np.mean(x**2)
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [s * (-1 - 5**0.5) / 2, s * (-1 + 5**0.5) / 2], rtol=1e-8)


@settings(max_examples=20)  # every shape is compiled
@given(
    depth=st.integers(2, 9),
    width=st.integers(1, 9),
    input_dim=st.integers(1, 9),
    output_dim=st.integers(1, 9),
    batch=st.integers(1, 5),
    parameterisation=st.sampled_from(["sp", "ntp", "mupc"]),
    skips=st.booleans(),
    precision=st.floats(0.1, 10),
    gamma=st.floats(0.3, 3),
)
def test_any_shape_is_solved(parameterisation, skips, precision, gamma, **sizes) -> None:
    net, x, y = problem(parameterisation, skips, precision, gamma, **sizes)
    found, expected = solve(net, x, y), dense_solution(net, x, y)
    largest = max(np.abs(z).max() for z in expected)
    for z, z_expected in zip(found.activities, expected, strict=True):
        np.testing.assert_allclose(z, z_expected, rtol=0, atol=1e-10 * largest)
    assert [np.shape(e) for e in found.errors] == [*(np.shape(z) for z in expected), y.shape]
    assert found.energy == pytest.approx(net.energies(x, y, expected).sum(), rel=1e-10)


@pytest.mark.parametrize("parameterisation", ["sp", "ntp", "mupc"])
@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize("depth", [2, 3, 6])
def test_layer_maps_fold_premultipliers_and_skips_in(parameterisation: str, skips: bool, depth: int) -> None:
    reference, network, x, _ = pair(parameterisation=parameterisation, skips=skips, depth=depth, gamma=1.3)
    maps = maps_of.layer_maps(network)
    for m, expected in zip(maps, reference.maps(), strict=True):
        np.testing.assert_allclose(m, expected, rtol=1e-12)
    output = x
    for m in maps:
        output = output @ m.T
    np.testing.assert_allclose(output, reference.forward(x)[1], rtol=1e-12)


def test_only_linear_networks_have_layer_maps() -> None:
    _, network, _, _ = pair(activation="tanh")
    with pytest.raises(ValueError, match="closed form; this one uses linear, tanh, mse"):
        linear.layer_maps(network)


def test_float32_maps_are_solved_in_float64() -> None:
    net, x, y = problem("mupc", True, 1.0, 1.0)
    single = [m.astype(np.float32) for m in net.maps()]
    found = maps_of.equilibrium(single, x.astype(np.float32), y.astype(np.float32))
    arrays = [*found.activities, *found.errors, found.energies, found.energy]
    assert {str(a.dtype) for a in arrays} == {"float64"}
    assert maps_of.rescaling(single).dtype == maps_of.activity_hessian(single).dtype == np.float64
    exact = maps_of.equilibrium([m.astype(np.float64) for m in single], np.float32(x), np.float32(y))
    assert found.energy == exact.energy


def test_512_layers_keep_the_energy_identity() -> None:
    """Nothing of size (N H)² is formed: that matrix would take half a gigabyte here and be singular to rounding."""
    net, x, y = problem("mupc", True, 1.0, 1.0, depth=512, width=16, input_dim=10, output_dim=4)
    found = solve(net, x, y)
    assert np.sum(found.energies) == pytest.approx(float(found.energy), rel=1e-10)
    gradients = net.activity_gradients(x, y, [np.asarray(z) for z in found.activities])
    assert max(np.abs(g).max() for g in gradients) < 1e-12
