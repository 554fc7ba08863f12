"""One predicate says which networks have a closed form, and nothing uses the form of others."""

from typing import get_args

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.experiment import Activation, Experiment, from_paths
from pcviz.instruments.relaxation.options import Options
from pcviz.pcn import build, linear
from pcviz.pcn.learning import method_of
from pcviz.probes.surface import equilibrated_energy

CASES = [(activation, loss) for activation in get_args(Activation) for loss in ("mse", "ce")]


def experiment(activation: str, loss: str, depth: int = 3) -> Experiment:
    network = {"network.activation": activation, "network.loss": loss, "network.depth": depth, "network.width": 4}
    return from_paths({**network, "data.name": "moons", "dtype": "float64"})


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize(("activation", "loss"), CASES)
def test_linear_with_the_squared_error_alone(activation: str, loss: str, depth: int) -> None:
    chosen = experiment(activation, loss, depth)
    expected = (activation, loss) == ("linear", "mse")
    assert chosen.network.has_closed_form is expected
    assert build(chosen).has_closed_form is expected
    assert method_of(chosen).knows_equilibrium is expected
    assert ("linear_exact" in Options(solvers=("linear_exact",)).compared(chosen)) is expected


@pytest.mark.parametrize(("activation", "loss"), [("linear", "ce"), ("tanh", "mse")])
def test_the_form_of_others_is_refused(activation: str, loss: str) -> None:
    network, x, y = build(experiment(activation, loss)), jnp.ones((2, 2)), jnp.eye(2)
    with pytest.raises(ValueError, match=f"only linear networks with mse have a closed form; .* {loss}$"):
        linear.least_energy(network, x, y)
    with pytest.raises(ValueError, match="only linear networks with mse have a closed form"):
        solve("linear_exact", network, x, y)


def test_the_least_cross_entropy_of_a_linear_network_is_found_by_descent() -> None:
    network = build(experiment("linear", "ce"))
    rng = np.random.default_rng(0)
    x, y = jnp.asarray(rng.standard_normal((6, 2))), jnp.asarray(np.eye(2)[rng.integers(0, 2, 6)])
    least = solve("gradient_descent", network, x, y, steps=20_000, step_size=0.2).energy
    assert float(equilibrated_energy(network, x, y)) == pytest.approx(least, rel=1e-6)
