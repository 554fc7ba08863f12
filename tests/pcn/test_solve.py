"""One calling convention for all inference solvers, and why they stop (theory.md 3.4)."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.experiment import Inference
from pcviz.pcn import Network, backprop, linear, relax, weight_gradients
from pcviz.pcn.feedforward import forward
from tests.pcn import maps as maps_of
from tests.pcn.pairs import pair


def assert_layers_close(found: list, expected: list, tolerance: float) -> None:
    assert len(found) == len(expected)
    largest = max(np.abs(np.asarray(layer)).max() for layer in expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=0, atol=tolerance * largest)


@cache
def linear_problem() -> tuple[Network, np.ndarray, np.ndarray]:
    return pair(3, precision=3.0, gamma=1.3)[1:]


class TestConvention:
    @pytest.mark.parametrize("name", ["gradient_descent", "momentum", "adam", "error_based"])
    def test_known_solvers_take_the_steps_of_relax(self, name: str) -> None:
        _, network, x, y = pair(5, activation="tanh")
        expected = relax(network, x, y, Inference(solver=name, step_size=0.1, steps=0), 9)
        found = solve(name, network, x, y, step_size=0.1, steps=9)
        np.testing.assert_allclose(found.energies, expected.energies, rtol=1e-10, atol=1e-300)
        assert_layers_close(found.activities, expected.activities, 1e-13)
        np.testing.assert_array_equal(found.passes, found.steps)
        assert found.update_rms.shape == found.gradient_rms.shape == (10, 4)
        assert np.all(np.diff(found.seconds) >= 0)

    @pytest.mark.parametrize(
        "name", ["gradient_descent", "pc_alm", "conjugate_gradient", "gauss_newton", "linear_exact"]
    )
    def test_a_perfect_prediction_is_left_alone(self, name: str) -> None:
        network, x, _ = linear_problem()
        y = forward(network, jnp.asarray(x))[1]
        found = solve(name, network, x, y, steps=3, stop="gradient", tolerance=1e-9)
        assert found.stopped_by == "gradient"
        assert found.energy < 1e-25
        assert not found.false_convergence

    def test_float32_stays_float32(self) -> None:
        _, network, x, y = pair(5, activation="tanh", dtype="float32")
        for name in ("gauss_newton", "nesterov"):
            found = solve(name, network, x, y, steps=20, rows=3)
            assert {a.dtype for a in (*found.activities, *found.errors)} == {np.dtype("float32")}
            assert np.isfinite(found.energy)

    def test_descent_is_monotone_below_the_inverse_of_the_largest_curvature(self) -> None:
        network, x, y = linear_problem()
        top = np.linalg.eigvalsh(maps_of.activity_hessian(maps_of.layer_maps(network), 3.0))[-1]
        found = solve("gradient_descent", network, x, y, step_size=0.99 / top, steps=100)
        assert np.all(np.diff(found.energies.sum(1)) < 0)

    def test_multipliers_turn_the_equilibrium_into_backpropagation(self) -> None:
        _, network, x, y = pair(5, activation="tanh", depth=4)
        found = solve("pc_alm", network, x, y, steps=20_000, rows=3)
        assert_layers_close(weight_gradients(network, x, y, found), backprop(network, x, y).gradients, 1e-6)
        assert max(np.abs(e).max() for e in found.errors[:-1]) < 1e-6


class TestStopping:
    @staticmethod
    @cache
    def deep() -> tuple[Network, np.ndarray, np.ndarray]:
        return pair(6, activation="tanh", depth=24)[1:]

    def test_a_gradient_rule_that_fires_before_the_signal_arrived_says_so(self) -> None:
        network, x, y = self.deep()
        found = solve("gradient_descent", network, x, y, step_size=0.05, steps=200, stop="gradient", tolerance=0.02)
        assert found.stopped_by == "gradient"
        assert found.unreached == 23 - found.steps[-1]
        assert found.false_convergence
        assert f"layers 1 to {found.unreached} are exactly zero" in found.statement

    def test_a_true_convergence_is_not_suspected(self) -> None:
        network, x, y = self.deep()
        found = solve("gauss_newton", network, x, y, steps=100, stop="gradient", tolerance=1e-7)
        assert found.stopped_by == "gradient"
        assert found.unreached == 0
        assert not found.false_convergence
        assert not found.silent.any()

    def test_the_energy_rule_stops_at_the_known_equilibrium(self) -> None:
        network, x, y = linear_problem()
        found = solve("error_based", network, x, y, steps=500, stop="energy", tolerance=1e-3)
        least = float(linear.least_energy(network, x, y))
        assert found.stopped_by == "energy"
        assert least <= found.energy <= least * 1.001
        assert found.energies[-2].sum() > least * 1.001
        assert "within 0.001 of the equilibrium energy" in found.statement

    def test_steps_time_and_divergence_are_told_apart(self) -> None:
        network, x, y = self.deep()
        assert solve("gradient_descent", network, x, y, steps=4).stopped_by == "steps"
        assert solve("gradient_descent", network, x, y, steps=4, time_limit=0).stopped_by == "time"
        with np.errstate(over="ignore", invalid="ignore"):
            blown = solve("gradient_descent", network, x, y, step_size=50, steps=3000, rows=9)
            assert "Diverged" in blown.statement

    @pytest.mark.parametrize(
        ("name", "options", "message"),
        [
            ("newton", {}, "solver: 'newton' is unknown"),
            ("adam", {"steps": -1}, "steps: -1 is below 0"),
            ("adam", {"step_size": 0.0}, "step_size: 0.0 is not positive"),
            ("adam", {"stop": "energy"}, "equilibrium_energy"),
            ("adam", {"stop": "never"}, "stop: 'never' is unknown"),
            ("linear_exact", {}, "only linear networks"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, name: str, options: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            solve(name, *self.deep(), **options)
