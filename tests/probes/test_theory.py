"""Predictions against what networks do: front, signal laws, rates, rescaling, error coordinates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.measured import signal_floor
from pcviz.experiment import Inference
from pcviz.experiment import Network as NetworkOptions
from pcviz.numerics.blocktridiagonal import Measure, extreme_eigenvalues, gradient_measure, spectrum
from pcviz.pcn import Network, relax
from pcviz.pcn.feedforward import error_energy_gradient
from pcviz.probes import theory
from pcviz.probes.hessian import hessian_blocks
from tests.pcn import maps as maps_of
from tests.pcn.pairs import stacked_by_stage
from tests.pcn.reference import ReferencePCN, half_square
from tests.probes import laws
from tests.probes.nets import initialised, network_of, pair, problem

KINDS = [(p, s) for p in ("sp", "ntp", "mupc") for s in (False, True)]


def signal(layers: list[np.ndarray]) -> np.ndarray:
    return np.array([np.sqrt(np.mean(np.square(layer))) for layer in layers])


def relaxed_signal(net: ReferencePCN, x: np.ndarray, y: np.ndarray, step_size: float, steps: int) -> np.ndarray:
    """rms(e_l) of the numpy network after `steps` steps of gradient descent."""
    return signal(net.errors(x, y, net.relax(x, y, step_size, steps).activities))


class TestSignal:
    def test_the_front_falls_by_one_layer_a_step(self) -> None:
        np.testing.assert_array_equal(laws.arrival(5), [4, 3, 2, 1, 0])
        assert [laws.front_layer(5, t) for t in (0, 1, 4, 9)] == [5, 4, 1, 1]
        reached = np.isfinite(laws.attenuation(5, 0.3, np.arange(7)))
        np.testing.assert_array_equal(reached, np.arange(7)[:, None] >= laws.arrival(5))

    def test_attenuation_is_a_binomial(self) -> None:
        np.testing.assert_allclose(10 ** laws.attenuation(4, 0.1, [6]), [[20e-3, 15e-2, 6e-1, 1]], rtol=1e-12)
        deep = laws.attenuation(512, 1e-3, [511])
        assert deep[0, 0] == pytest.approx(-3 * 511)

    @pytest.mark.parametrize("precision", [1.0, 3.0])
    def test_the_binomial_law_holds_for_small_steps(self, precision: float) -> None:
        """Within 5 % for eta = 1e-3, T = 20, L - l in 1 … 6 (theory.md 6.2). lambda multiplies hidden signals."""
        net, _, x, y = pair(depth=8, width=12, parameterisation="ntp", precision=precision)
        # Large targets (and no activation that saturates): deep errors must be more than the rounding of activities.
        y, eta = 1e4 * y, 1e-3 / precision
        found, deltas = relaxed_signal(net, x, y, eta, 20), net.backprop(x, y)[2]
        for law in (laws.binomial_signal, theory.chain_signal):
            ((*predicted, _),) = law(deltas, eta, [20], precision)
            np.testing.assert_allclose(np.log10(found[1:-1]), predicted[1:], rtol=0, atol=np.log10(1.05))

    @pytest.mark.parametrize(("parameterisation", "skips"), [("mupc", True), ("sp", False), ("ntp", True)])
    def test_the_chain_keeps_to_the_network_where_the_binomial_law_fails(
        self, parameterisation: str, skips: bool
    ) -> None:
        net = initialised(parameterisation, skips, 16, 32, activation="tanh", input_dim=20)
        x, y = np.random.default_rng(5).standard_normal((8, 20)), np.eye(10)[:8]
        found, deltas = np.log10(relaxed_signal(net, x, y, 0.3, 60)), net.backprop(x, y)[2]
        (chain,), (law,) = (f(deltas, 0.3, [60]) for f in (theory.chain_signal, laws.binomial_signal))
        assert np.abs(chain - found)[:-1].max() < 1
        assert (law - found)[4:8].min() > 4

    def test_steps_until_the_first_layer_hears_are_those_of_the_network(self) -> None:
        net = initialised("mupc", True, 16, 32, activation="tanh", input_dim=20)
        x, y = np.random.default_rng(5).standard_normal((8, 20)), np.eye(10)[:8]
        first, deltas = net.forward(x)[0][0], net.backprop(x, y)[2]
        floor = signal_floor(jnp.asarray(first, jnp.float32))
        assert floor == pytest.approx(10 * 2**-23 * np.sqrt(np.mean(np.square(first))), rel=1e-6)
        predicted = theory.steps_until_signal(deltas, 0.1, floor)
        assert predicted is not None
        before, after = (relaxed_signal(net, x, y, 0.1, int(factor * predicted))[0] for factor in (0.8, 1.25))
        assert before < floor < after
        assert theory.steps_until_signal(deltas, 0.1, floor, most=10) is None
        assert theory.steps_until_signal(deltas, 0.1, 1e-3, layer=16) == 0

    def test_no_error_is_no_signal(self) -> None:
        net, _, x, _ = pair()
        deltas = net.backprop(x, net.forward(x)[1])[2]
        assert np.all(np.isneginf(theory.chain_signal(deltas, 0.3, [0, 9])))
        assert theory.steps_until_signal(deltas, 0.3, 1e-9, most=20) is None


class TestRate:
    def test_one_step_contracts_the_slowest_component(self) -> None:
        assert theory.contraction(0.5, 4.0, laws.best_step(0.5, 4.0)) == pytest.approx(7 / 9)
        assert theory.contraction(0.5, 4.0, theory.step_limit(4.0)) == pytest.approx(1)
        assert theory.contraction(-0.1, 4.0, 0.3) > 1
        assert theory.condition_number(0.5, 4.0) == 8
        assert theory.condition_number(-1e-9, 4.0) == np.inf
        assert laws.estimated_steps(100) == pytest.approx(50 * np.log(100))

    @pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9, 0.99])
    @pytest.mark.parametrize("factor", [0.01, 0.3, 0.97, 1.03])
    def test_a_step_with_momentum_is_a_linear_map(self, momentum: float, factor: float) -> None:
        """The rate is the spectral radius of (z_t, z_{t-1}) -> (z_{t+1}, z_t), over all curvatures in between."""
        eta = factor * theory.step_limit(4.0, momentum)
        maps = [np.array([[1 + momentum - eta * c, -momentum], [1, 0]]) for c in np.linspace(0.05, 4.0, 400)]
        radius = max(np.abs(np.linalg.eigvals(each)).max() for each in maps)
        assert theory.contraction(0.05, 4.0, eta, momentum) == pytest.approx(radius, rel=1e-12)
        assert bool(radius < 1) is (factor < 1)

    @pytest.mark.parametrize("momentum", [0.3, 0.9])
    def test_the_momentum_solver_diverges_above_its_limit(self, momentum: float) -> None:
        """On a linear network with mse, whose energy is quadratic."""
        net, network, x, y = pair(parameterisation="ntp")
        largest = spectrum(hessian_blocks(network, x, y, net.forward(x)[0]))[0, -1]
        limit = theory.step_limit(float(largest), momentum)
        for factor, bounded in ((0.97, True), (1.03, False)):
            inference = Inference(solver="momentum", momentum=momentum, step_size=factor * limit, steps=2000)
            energies = relax(network, x, y, inference).energies.sum(1)
            assert bool(energies[-1] <= energies[0]) is bounded

    def test_conditions_grow_with_depth_as_the_panel_says(self) -> None:
        """Factor by which kappa grows from 16 to 32 layers: about 4 is the square of the depth."""

        def growth(parameterisation: str, *, skips: bool) -> float:
            ends = []
            for depth in (16, 32):
                net = initialised(parameterisation, skips, depth, 32, activation="relu", input_dim=64)
                x, y = np.random.default_rng(5).standard_normal((1, 64)), np.eye(10)[:1]
                found = extreme_eigenvalues(hessian_blocks(network_of(net), x, y, net.forward(x)[0]))
                ends.append(theory.condition_number(float(found.smallest[0]), float(found.largest[0])))
            return ends[1] / ends[0]

        assert 3 < growth("mupc", skips=True) < 5
        assert 3 < growth("ntp", skips=True) < 5
        assert growth("sp", skips=True) > 6
        assert growth("sp", skips=False) < 1.5

    @pytest.mark.parametrize(("skips", "factor"), [(False, 0.5), (True, 0.98)])
    def test_steps_to_one_percent_are_those_of_the_linear_network(self, skips: bool, factor: float) -> None:
        """The excess energy of a batch by Gauss quadrature equals the measured one, step by step."""
        net, network, x, y = pair(parameterisation="ntp", skips=skips, precision=3.0)
        z, _ = net.forward(x)
        blocks = hessian_blocks(network, x, y, z)
        measures = gradient_measure(blocks, [len(x) * g for g in net.activity_gradients(x, y, z)])
        values = spectrum(blocks)[0]
        eta = factor * theory.step_limit(values[-1])
        minimum = float(maps_of.equilibrium_energy(net.maps(), x, y, 3.0))
        excess = net.relax(x, y, eta, 300).energies.sum(1) - minimum
        np.testing.assert_allclose(
            theory.excess_energy(measures, eta, np.arange(301)), excess, rtol=1e-8, atol=1e-12 * excess[0]
        )
        measured = int(np.argmax(excess <= 0.01 * excess[0]))
        assert measured > 1
        assert theory.steps_to_share(measures, eta) == measured

    def test_a_few_nodes_stand_for_the_spectrum(self) -> None:
        network, x, y, z = problem(depth=17, width=12, batch=1)
        blocks = hessian_blocks(network, x, y, z)
        gradient = [np.zeros((1, 12))] * 15 + [np.ones((1, 12))]
        few, all_nodes = gradient_measure(blocks, gradient, 24), gradient_measure(blocks, gradient, 400)
        eta = 1 / spectrum(blocks)[0, -1]
        times = [0, 10, 100, 1000, 10000]
        found, expected = (theory.excess_energy(m, eta, times) for m in (few, all_nodes))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * expected[0])
        assert theory.steps_to_share(few, eta) == pytest.approx(theory.steps_to_share(all_nodes, eta), rel=0.02)

    def test_a_random_start_needs_at_most_the_worst_case(self) -> None:
        values = np.array([0.01, 0.1, 1.0, 4.0])
        found = theory.steps_to_share([Measure(values, values**2)], 0.25)
        only_slowest = theory.steps_to_share([Measure(values[:1], np.ones(1))], 0.25)
        assert found is not None
        assert only_slowest is not None
        assert found < only_slowest <= laws.estimated_steps(400) + 1

    def test_what_does_not_converge_has_no_number_of_steps(self) -> None:
        values = np.array([0.5, 4.0])
        assert theory.steps_to_share([Measure(values, np.ones(2))], 0.6) is None
        assert theory.steps_to_share([Measure(np.array([-0.5, 4.0]), np.ones(2))], 0.1) is None


class TestRescaling:
    @pytest.mark.parametrize(
        ("parameterisation", "init", "skips", "expected"),
        [
            ("mupc", "normal", True, 1 + 17 / 64 * ((1 + 1 / 17) ** 16 - 1)),
            ("mupc", "normal", False, 1 + 16 / 64),
            ("ntp", "normal", True, 1 + 17 * ((1 + 1 / 17) ** 16 - 1)),
            ("ntp", "normal", False, 17),
            ("sp", "lecun_normal", False, 17),
            ("sp", "lecun_normal", True, 2.0**16),
            ("sp", "uniform", False, 1.5 * (1 - 3.0**-17)),
            ("sp", "uniform", True, (4 / 3) ** 16),
            ("sp", "orthogonal", False, 17),
        ],
    )
    def test_expected_at_initialisation_is_the_table(
        self, parameterisation: str, init: str, skips: bool, expected: float
    ) -> None:
        options = {"depth": 17, "width": 64, "parameterisation": parameterisation, "skips": skips}
        found = laws.expected_rescaling(NetworkOptions.model_validate({**options, "initialisation": init}), 10)
        assert found == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize(
        ("parameterisation", "init", "skips", "tolerance"),
        [
            ("mupc", "", True, 0.01),
            ("mupc", "", False, 0.01),
            ("ntp", "", True, 0.05),
            ("sp", "uniform", True, 0.25),
            ("sp", "uniform", False, 0.01),
            ("sp", "orthogonal", True, 0.25),
        ],
    )
    def test_random_networks_have_it_on_average(
        self, parameterisation: str, init: str, skips: bool, tolerance: float
    ) -> None:
        """Within 3 standard errors over 16 seeds, and within a relative tolerance that bounds these."""
        options = {"depth": 17, "width": 64, "parameterisation": parameterisation, "skips": skips}
        options |= {"gamma": 1.3, "output_precision": 3.0} | ({"initialisation": init} if init else {})
        expected = laws.expected_rescaling(NetworkOptions.model_validate(options), 10)
        nets = [
            initialised(parameterisation, skips, 17, 64, init=init, seed=seed, gamma=1.3, input_dim=8)
            for seed in range(16)
        ]
        traces = [np.trace(numpy_rescaling(net, 3.0)) / 10 for net in nets]
        error = np.std(traces) / 4
        assert np.mean(traces) == pytest.approx(expected, abs=min(3 * error, tolerance * expected))

    @pytest.mark.parametrize("depth", [2, 3])
    def test_of_shallow_networks(self, depth: int) -> None:
        options = NetworkOptions(depth=depth, width=8, parameterisation="ntp")
        mean = np.mean(
            [np.trace(numpy_rescaling(initialised("ntp", True, depth, 8, seed=s, input_dim=8), 1)) for s in range(400)]
        )
        assert laws.expected_rescaling(options, 10) == pytest.approx(mean / 10, rel=0.05)


def numpy_rescaling(net: ReferencePCN, precision: float) -> np.ndarray:
    *_, last = maps = net.maps()
    g, total = last, np.eye(len(last)) / precision + last @ last.T
    for m in maps[-2:0:-1]:
        g = g @ m
        total = total + g @ g.T
    return total


class TestErrorCoordinates:
    @pytest.mark.parametrize(("parameterisation", "skips"), KINDS)
    def test_linear_spectrum_is_one_and_that_of_the_rescaling(self, parameterisation: str, skips: bool) -> None:
        network, x, y, z = problem(parameterisation=parameterisation, skips=skips, precision=3.0, gamma=1.3)
        found = theory.error_spectrum(network, x, y, z)
        rescaling = np.asarray(maps_of.rescaling(maps_of.layer_maps(network), 3.0))
        expected = np.broadcast_to(np.linalg.eigvalsh(3 * rescaling), (4, 3))
        np.testing.assert_allclose(found, expected, rtol=1e-10)

        whole = error_hessian(network, x[:1], y[:1])
        np.testing.assert_allclose(whole, np.concatenate([np.ones(24 - 3), expected[0]]), rtol=0, atol=1e-10)

    def test_with_more_outputs_than_activities_only_these_count(self) -> None:
        network, x, y, z = problem(depth=2, width=3, output_dim=5)
        found = theory.error_spectrum(network, x, y, z)
        assert found.shape == (4, 3)
        np.testing.assert_allclose(found[0], error_hessian(network, x[:1], y[:1]), rtol=0, atol=1e-10)

    def test_cross_entropy_curves_all_directions_but_one(self) -> None:
        """At zero errors of a linear network, where Gauss-Newton is exact for any convex output energy."""
        net, network, x, y = pair(loss="ce", precision=3.0)
        z, _ = net.forward(x)
        found = theory.error_spectrum(network, x[:1], y[:1], [layer[:1] for layer in z])
        assert found[0, 0] == pytest.approx(1)
        np.testing.assert_allclose(error_hessian(network, x[:1], y[:1])[-3:], found[0], rtol=0, atol=1e-10)

    def test_two_over_the_largest_bounds_the_step_of_error_based_inference(self) -> None:
        net, network, x, y = pair(parameterisation="ntp", precision=3.0)
        limit = theory.step_limit(theory.error_spectrum(network, x, y, net.forward(x)[0]).max())
        settled = maps_of.equilibrium(net.maps(), x, y, 3.0).errors
        stable, unstable = (net.relax_errors(x, y, factor * limit, 400) for factor in (0.95, 1.05))
        np.testing.assert_allclose(stable[0], settled[0], rtol=0, atol=1e-6)
        assert np.abs(unstable[0]).max() > 1e3 * np.abs(settled[0]).max()


def error_hessian(network: Network, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Eigenvalues of one example's energy in the hidden errors at zero errors, by autodiff."""
    zeros = stacked_by_stage(network, [np.zeros((1, s)) for s in _widths(network)])
    shapes, sizes = [z.shape for z in zeros], np.cumsum([0, *(z.size for z in zeros)])

    def gradient(flat: jax.Array) -> jax.Array:
        pieces = zip(sizes, sizes[1:], shapes, strict=False)
        errors = tuple(flat[i:j].reshape(shape) for i, j, shape in pieces)
        pull = error_energy_gradient(network, jnp.asarray(x), jnp.asarray(y), errors)[2]
        return flat + jnp.concatenate([p.ravel() for p in pull])

    return np.linalg.eigvalsh(jax.jit(jax.jacfwd(gradient))(jnp.zeros(sizes[-1])))


def _widths(network: Network) -> list[int]:
    return [w.shape[0] for stage in list(network.stages)[:-1] for w in stage.weight[...]]


class TestForwardPass:
    """How fast activities grow at initialisation (theory.md 4.5), which the premultipliers decide."""

    @pytest.mark.parametrize(
        ("init", "skips", "ratio"),
        [("uniform", False, 3**-0.5), ("uniform", True, (4 / 3) ** 0.5), ("lecun_normal", True, 2**0.5)],
    )
    def test_standard_networks_scale_by_a_constant_a_layer(self, init: str, skips: bool, ratio: float) -> None:
        ratios = []
        for seed in range(4):
            net = initialised("sp", skips, 10, 128, init=init, seed=seed, input_dim=64)
            z, _ = net.forward(np.random.default_rng(seed).standard_normal((64, 64)))
            ratios.append((signal(z)[-1] / signal(z)[0]) ** (1 / 8))
        assert np.mean(ratios) == pytest.approx(ratio, rel=0.05)


class TestEquilibriumGradients:
    """cos(dF*, dLoss) of linear muPC networks with skips: Gaussian x, one-hot y, D=40, P=20, K=10 (oracle 23)."""

    @pytest.mark.parametrize(("depth", "width", "cosine", "ratio"), [(8, 32, 0.957, 1.33), (8, 128, 0.9964, 1.080)])
    def test_approach_backpropagation_with_width(self, depth: int, width: int, cosine: float, ratio: float) -> None:
        found = [equilibrium_alignment(depth, width, seed) for seed in range(3)]
        assert np.mean([c for c, _ in found]) == pytest.approx(cosine, abs=2 * (1 - cosine) / 3)
        assert np.mean([r for _, r in found]) == pytest.approx(ratio, abs=0.25 * (ratio - 1))

    def test_four_times_the_width_is_a_sixteenth_of_the_angle_and_a_quarter_of_the_ratio(self) -> None:
        """1 - cos ~ (L / N)² once N >= 8 L, within a factor of 2; Loss / F* - 1 ~ L / N."""
        means = [np.mean([equilibrium_alignment(8, width, seed) for seed in range(3)], 0) for width in (64, 256)]
        for (cosine, _), width in zip(means, (64, 256), strict=True):
            assert 0.5 < (1 - cosine) / (8 / width) ** 2 < 2
        assert (means[0][1] - 1) / (means[1][1] - 1) == pytest.approx(4, rel=0.25)

    @pytest.mark.parametrize("width", [32, 128])
    def test_a_constant_ratio_does_not_imply_aligned_gradients(self, width: int) -> None:
        """Standard uniform weights without skips, L=16: Loss / F* = 1.5 and no alignment at any width."""
        found = [equilibrium_alignment(16, width, seed, "sp", skips=False) for seed in range(3)]
        assert np.mean([r for _, r in found]) == pytest.approx(1.5, rel=0.1)
        assert all(abs(c) < 0.1 for c, _ in found)

    def test_hidden_errors_are_rescaled_backpropagation_at_equilibrium(self) -> None:
        """e_l = G_l^T S^-1 r, not backpropagation's G_l^T r (theory.md 3.7)."""
        net, _, x, y = pair(parameterisation="ntp", batch=6)
        maps, r = net.maps(), y - net.forward(x)[1]
        u = np.linalg.solve(np.asarray(maps_of.rescaling(maps)), r.T).T
        settled = net.relax_errors(x, y, 0.1, 600)
        for e, g in zip(settled, maps_of.output_jacobians(maps), strict=True):
            np.testing.assert_allclose(e, u @ np.asarray(g), rtol=0, atol=1e-9)
        assert np.linalg.norm(settled[0]) < 0.9 * np.linalg.norm(net.backprop(x, y)[2][0])


def equilibrium_alignment(
    depth: int, width: int, seed: int, parameterisation: str = "mupc", *, skips: bool = True
) -> tuple[float, float]:
    """Cosine of all weight gradients, and Loss / F*."""
    net = initialised(parameterisation, skips, depth, width, seed=seed, input_dim=40)
    rng = np.random.default_rng(100 + seed)
    x, y = rng.standard_normal((20, 40)), np.eye(10)[rng.integers(10, size=20)]
    found = maps_of.equilibrium(net.maps(), x, y)
    pc = net.weight_gradients(x, y, [np.asarray(z) for z in found.activities])
    loss, bp, _ = net.backprop(x, y)
    a, b = (np.concatenate([g.ravel() for g in gradients]) for gradients in (pc, bp))
    assert loss == pytest.approx(half_square(y - net.forward(x)[1]))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), loss / float(found.energy)
