"""The equilibrium by every solver (theory.md 8: oracles 10, 12, 13, 15 to 18, 25, 26)."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.solve import solve
from pcviz.experiment import Experiment
from pcviz.pcn import Network, build, linear, weight_gradients, weights, with_weights
from pcviz.pcn.coordinates import gradient_at, start_at
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward
from pcviz.pcn.solvers import Settings, gauss_newton, solver_of
from pcviz.pcn.solvers import conjugate_gradient as conjugate
from pcviz.pcn.stacks import unstack
from pcviz.pcn.trajectory import Trajectory
from tests.pcn import maps as maps_of
from tests.pcn.pairs import pair

TO_THE_END = {"momentum": 1500, "error_based": 400, "conjugate_gradient": 12, "gauss_newton": 4, "nesterov": 1500}


start = jax.jit(start_at)


def assert_layers_close(found: list, expected: list, tolerance: float) -> None:
    assert len(found) == len(expected)
    largest = max(np.abs(np.asarray(layer)).max() for layer in expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=0, atol=tolerance * largest)


@cache
def linear_problem(parameterisation: str = "mupc", skips: bool = True) -> tuple[Network, np.ndarray, np.ndarray]:
    return pair(3, parameterisation=parameterisation, skips=skips, precision=3.0, gamma=1.3)[1:]


class TestLinear:
    @pytest.mark.parametrize(
        ("parameterisation", "skips"),
        [
            ("mupc", True),
            pytest.param("sp", False, marks=pytest.mark.slow),
            pytest.param("ntp", True, marks=pytest.mark.slow),
        ],
    )
    def test_all_solvers_end_in_the_same_activities_energy_and_gradients(self, parameterisation, skips) -> None:
        network, x, y = linear_problem(parameterisation, skips)
        exact = solve("linear_exact", network, x, y)
        theory = maps_of.equilibrium(maps_of.layer_maps(network), x, y, 3.0)
        assert exact.energy == pytest.approx(float(theory.energy), rel=1e-12)
        assert_layers_close(exact.activities, theory.activities, 1e-12)
        expected = weight_gradients(network, x, y, exact)
        for name, steps in TO_THE_END.items():
            step = 0.03 if parameterisation == "ntp" and name in ("error_based", "momentum") else None
            found = solve(name, network, x, y, steps=5 * steps, step_size=step, rows=2)
            assert found.energy == pytest.approx(exact.energy, rel=1e-8), name
            assert_layers_close(found.activities, exact.activities, 1e-8)
            assert_layers_close(found.errors, exact.errors, 1e-8)
            assert_layers_close(weight_gradients(network, x, y, found), expected, 1e-8)

    def test_gauss_newton_needs_one_step_and_conjugate_gradients_one_for_each_output_and_one_more(self) -> None:
        network, x, y = linear_problem()
        exact = solve("linear_exact", network, x, y)
        assert solve("gauss_newton", network, x, y, steps=1).energy == pytest.approx(exact.energy, rel=1e-13)
        assert solve("conjugate_gradient", network, x, y, steps=4).energy == pytest.approx(exact.energy, rel=1e-10)

    def test_its_energy_descends_along_the_local_gradient(self) -> None:
        network, x, y = linear_problem()
        local = weight_gradients(network, x, y, solve("linear_exact", network, x, y))
        matrices, h = [np.asarray(w) for w in weights(network)], 1e-6
        rng = np.random.default_rng(0)
        for l, matrix in enumerate(matrices):
            direction = rng.standard_normal(matrix.shape)
            ends = [
                float(linear.least_energy(with_weights(network, [*matrices[:l], m, *matrices[l + 1 :]]), x, y))
                for m in (matrix + h * direction, matrix - h * direction)
            ]
            assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(float(np.sum(local[l] * direction)), abs=1e-8)

    def test_extreme_curvatures_are_those_of_the_dense_hessian(self) -> None:
        network, x, y = linear_problem()
        z = forward(network, jnp.asarray(x))[0]
        values = np.linalg.eigvalsh(maps_of.activity_hessian(maps_of.layer_maps(network), 3.0))
        largest, smallest = largest_curvature(network, x, y, z), smallest_curvature(network, x, y, z)
        np.testing.assert_allclose(smallest, values[0], rtol=0.01)
        np.testing.assert_allclose(largest, values[-1], rtol=0.01)
        assert np.all(largest <= values[-1] * (1 + 1e-12))
        assert np.all(smallest >= values[0] * (1 - 1e-12))

    def test_spectral_steps_are_inverse_curvatures_and_arrive_early(self) -> None:
        network, x, y = linear_problem()
        values = np.linalg.eigvalsh(maps_of.activity_hessian(maps_of.layer_maps(network), 3.0))
        path = Trajectory(solver_of("barzilai_borwein"), network, jnp.asarray(x), jnp.asarray(y), Settings(None))
        states = list(path.iterates(range(41)))
        sizes = np.stack([at.state.step_size for at in states[2:]])
        assert np.all(sizes >= (1 - 1e-9) / values[-1]) and np.all(sizes <= (1 + 1e-9) / values[0])
        assert len(np.unique(sizes.round(6))) > 20
        least = float(linear.least_energy(network, x, y))
        plain = solve("gradient_descent", network, x, y, step_size=1 / values[-1], steps=40)
        assert states[-1].energy - least < 0.1 * (plain.energy - least)

    def test_nesterov_follows_its_recurrence_with_the_momentum_of_the_spectrum(self) -> None:
        """v <- b v - s g, z <- z + b v - s g with s = 1 / M and b = (1 - r) / (1 + r), r = sqrt(m / M)."""
        network, x, y = linear_problem()
        hessian = np.asarray(maps_of.activity_hessian(maps_of.layer_maps(network), 3.0))
        values = np.linalg.eigvalsh(hessian)
        root = np.sqrt(values[0] / values[-1])
        momentum, step = (1 - root) / (1 + root), 1 / values[-1]
        z = np.concatenate(unstack(forward(network, jnp.asarray(x))[0]), -1)
        end = np.concatenate(solve("linear_exact", network, x, y).activities, -1)
        velocity = np.zeros_like(z)
        for _ in range(40):
            pull = -step * (z - end) @ hessian
            velocity = momentum * velocity + pull
            z = z + momentum * velocity + pull
        settings = Settings(None, curvatures=(values[0], values[-1]))
        *_, last = Trajectory(solver_of("nesterov"), network, jnp.asarray(x), jnp.asarray(y), settings).iterates([40])
        np.testing.assert_allclose(np.concatenate(unstack(last.settled.activities), -1), z, rtol=1e-9, atol=1e-12)

    def test_continuous_time_follows_the_matrix_exponential(self) -> None:
        network, x, y = linear_problem()
        hessian = np.asarray(maps_of.activity_hessian(maps_of.layer_maps(network), 3.0))
        start = np.concatenate(unstack(forward(network, jnp.asarray(x))[0]), -1)
        end = np.concatenate(solve("linear_exact", network, x, y).activities, -1)
        for time in (0.7, 2.0):
            flow = solve("gradient_flow", network, x, y, step_size=time, steps=1, rows=None)
            expected = end + (start - end) @ scipy.linalg.expm(-time * hessian)
            np.testing.assert_allclose(np.concatenate(flow.activities, -1), expected, atol=1e-3)
            assert flow.passes[-1] > 1


class TestChain:
    """One unit a layer, unit weights, x = 1, y = 2; two layers with any weights (theory.md 4.7)."""

    @staticmethod
    def chain(*values: float) -> Network:
        options = {"depth": len(values), "width": 1, "activation": "linear", "parameterisation": "sp", "skips": False}
        network = build(Experiment.model_validate({"network": options, "dtype": "float64"}), 1, 1)
        return with_weights(network, [np.array([[value]]) for value in values])

    def test_the_first_steps_are_those_computed_by_hand(self) -> None:
        network, x, y = self.chain(1, 1, 1), np.ones((1, 1)), 2 * np.ones((1, 1))
        found = solve("gradient_descent", network, x, y, step_size=0.1, steps=3, rows=None)
        np.testing.assert_allclose(found.energies.sum(1), [0.5, 0.41, 0.3507, 0.309331], rtol=1e-12)
        np.testing.assert_allclose(np.ravel(found.errors), [0.026, 0.219, 0.755], rtol=1e-12)

    def test_the_error_is_shared_evenly_in_the_end(self) -> None:
        network, x, y = self.chain(1, 1, 1), np.ones((1, 1)), 2 * np.ones((1, 1))
        for name in ("linear_exact", "gauss_newton"):
            found = solve(name, network, x, y, steps=1)
            np.testing.assert_allclose(np.ravel(found.errors), 1 / 3, rtol=1e-12)
            assert found.energy == pytest.approx(1 / 6, rel=1e-12)

    @pytest.mark.parametrize(("w1", "w2"), [(0.7, -1.3), (2.0, 0.1)])
    def test_one_hidden_unit_has_the_textbook_equilibrium(self, w1: float, w2: float) -> None:
        network = self.chain(w1, w2)
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((2, 4, 1))
        for name in ("linear_exact", "gauss_newton"):
            found = solve(name, network, x, y, steps=1)
            np.testing.assert_allclose(found.activities[0], (w1 * x + w2 * y) / (1 + w2**2), rtol=1e-12)
            assert found.energy == pytest.approx(np.mean((y - w2 * w1 * x) ** 2) / (2 * (1 + w2**2)), rel=1e-12)
        z = forward(network, jnp.asarray(x))[0]
        np.testing.assert_allclose(smallest_curvature(network, x, y, z), 1 + w2**2, rtol=1e-12)

    def test_at_the_origin_only_the_energy_curves(self) -> None:
        rng, h = np.random.default_rng(0), 1e-3
        x, y = rng.standard_normal((2, 16, 1))
        at_zero, moved = (solve("linear_exact", self.chain(0, 0, value), x, y).energy for value in (0.0, h))
        assert 2 * (moved - at_zero) / h**2 == pytest.approx(-np.mean(y**2), rel=1e-5)
        moved_below = solve("linear_exact", self.chain(0, h, 0), x, y).energy
        assert moved_below == at_zero


@cache
def gently_taught(seed: int, batch: int = 4) -> tuple[Network, jax.Array, jax.Array]:
    """A relu network whose targets are not far from its outputs: for far ones the energy has several minima."""
    _, network, x, y = pair(seed, activation="relu", depth=7, width=8, batch=batch)
    output = forward(network, jnp.asarray(x))[1]
    return network, jnp.asarray(x), output + 0.3 * (y - output)


class TestNonlinear:
    @pytest.mark.parametrize(
        ("activation", "loss"),
        [
            ("tanh", "mse"),
            ("gelu", "ce"),
            pytest.param("tanh", "ce", marks=pytest.mark.slow),
            pytest.param("gelu", "mse", marks=pytest.mark.slow),
            pytest.param("silu", "mse", marks=pytest.mark.slow),
            pytest.param("silu", "ce", marks=pytest.mark.slow),
        ],
    )
    def test_gauss_newton_and_conjugate_gradients_end_where_a_long_relaxation_does(self, activation, loss) -> None:
        _, network, x, y = pair(2, activation=activation, loss=loss, depth=7, width=8)
        long = solve("error_based", network, x, y, step_size=0.01, steps=30_000, rows=2)
        for name in ("gauss_newton", "conjugate_gradient"):
            found = solve(name, network, x, y, steps=150, rows=12)
            assert found.energy == pytest.approx(long.energy, rel=1e-5), name
            assert found.energy == pytest.approx(long.energy, rel=1e-12), name
            assert found.gradient < 1e-6, name
            assert np.all(np.diff(found.energies.sum(1)) <= 0)
            assert np.all(np.diff(found.passes) >= 0)

    @pytest.mark.parametrize("seed", [2, pytest.param(3, marks=pytest.mark.slow)])
    def test_with_kinks_a_long_relaxation_ends_there_but_for_its_step_size(self, seed: int) -> None:
        """Descent with a constant step chatters around kinks: its excess energy shrinks with the step."""
        network, x, y = gently_taught(seed)
        found = [solve(name, network, x, y, steps=150, rows=12) for name in ("gauss_newton", "conjugate_gradient")]
        assert found[0].energy == pytest.approx(found[1].energy, rel=1e-12)
        assert max(solution.gradient for solution in found) < 1e-6
        excess = [
            solve("error_based", network, x, y, step_size=step, steps=steps, rows=2).energy / found[0].energy - 1
            for step, steps in ((0.1, 2000), (0.01, 20_000), (0.001, 100_000))
        ]
        assert 0 < excess[2] < 1e-5
        assert 1e-4 < excess[0] < 1e-2
        assert excess[2] < excess[1] < excess[0]

    def test_activities_relax_to_the_same_equilibrium(self) -> None:
        _, network, x, y = pair(2, activation="tanh", depth=7, width=8)
        quick = solve("gauss_newton", network, x, y, steps=60, rows=3)
        for name in ("momentum", "nesterov"):
            slow = solve(name, network, x, y, step_size=0.1, steps=6000, rows=3)
            assert_layers_close(slow.activities, quick.activities, 1e-7)
            assert_layers_close(weight_gradients(network, x, y, slow), weight_gradients(network, x, y, quick), 1e-6)

    def test_kinks_hold_units_at_zero_where_no_side_descends(self) -> None:
        network, x, y = gently_taught(2, batch=16)
        found = solve("conjugate_gradient", network, x, y, steps=120, rows=3)
        resting = [np.asarray(z) == 0 for z in found.activities]
        assert sum(r.sum() for r in resting) > 0
        rng, errors = np.random.default_rng(0), [np.asarray(e) for e in found.errors[:-1]]
        stages = found.settled.errors[:-1]
        least = np.asarray(start(network, x, y, stages).energies)
        for l in range(len(errors)):
            unit = rng.integers(8, size=8)
            for sign in (-1e-4, 1e-4):
                moved = [e.copy() for e in errors]
                moved[l][:, unit] += sign
                stacks = (jnp.asarray(moved[0])[None], jnp.asarray(np.stack(moved[1:])))
                assert np.all(np.asarray(start(network, x, y, stacks).energies) >= least - 1e-12)

    def test_gradients_in_error_coordinates_are_finite_differences(self) -> None:
        _, network, x, y = pair(4, activation="tanh", loss="ce", precision=3.0)
        rng, h = np.random.default_rng(0), 1e-6
        errors, d = (
            tuple(0.3 * rng.standard_normal(z.shape) for z in forward(network, jnp.asarray(x))[0]) for _ in range(2)
        )
        place = start(network, x, y, tuple(map(jnp.asarray, errors)))
        gradient, _ = jax.jit(gradient_at)(network, jnp.asarray(x), y, place, None)
        ends = [
            start(network, x, y, tuple(e + s * h * v for e, v in zip(errors, d, strict=True))).energies for s in (1, -1)
        ]
        slope = sum(np.sum(np.asarray(g) * v, (0, 2)) for g, v in zip(gradient, d, strict=True))
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * h), slope, rtol=1e-6)

    def test_examples_are_solved_in_groups_without_a_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _, network, x, y = pair(2, activation="tanh", batch=5)
        place = jax.jit(gauss_newton.begin)(network, x, y).descent.place
        whole = jax.jit(gauss_newton.direction)(network, x, y, place, jnp.ones(5))
        monkeypatch.setattr(gauss_newton, "MEMORY", 2 * 3 * 4 * 6)
        grouped = jax.jit(lambda *all: gauss_newton.direction(*all))(network, x, y, place, jnp.ones(5))
        assert_layers_close(list(grouped), list(whole), 1e-13)


@jax.jit
def trajectories(network: Network, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Energies (T + 1, B) of the two descents."""

    def follow(module, place_of):
        def step(state, _):
            return module.step(network, x, y, state), place_of(state).energies

        last, rows = jax.lax.scan(step, module.begin(network, x, y), None, length=25)
        return jnp.concatenate([rows, place_of(last).energies[None]])

    return follow(gauss_newton, lambda s: s.descent.place), follow(conjugate, lambda s: s.place)


SHAPES = (
    {"depth": 9, "width": 5, "activation": "relu", "parameterisation": "sp", "skips": True},
    {"depth": 2, "width": 4, "activation": "tanh", "parameterisation": "ntp", "loss": "ce", "precision": 30.0},
)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from(SHAPES))
def test_no_examples_energy_ever_increases(seed: int, shape: dict) -> None:
    _, network, x, y = pair(seed, **shape)
    for energies in trajectories(network, x, y):
        assert np.all(np.diff(np.asarray(energies), axis=0) <= 0)
