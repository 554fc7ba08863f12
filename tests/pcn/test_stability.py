"""The step sizes that pcviz ships are stable, whatever the network: nothing grows however long a solver runs."""

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.data import load
from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.solvers import SOLVERS as FACTS
from pcviz.numerics.blocktridiagonal import extreme_eigenvalues
from pcviz.pcn import build
from pcviz.pcn.feedforward import forward
from pcviz.pcn.stacks import unstack
from pcviz.probes.hessian import hessian_blocks
from pcviz.probes.theory import error_spectrum

SOLVERS = ("gradient_descent", "momentum", "adam", "nesterov", "pc_alm", "error_based")
SLOW_SOLVERS = (*SOLVERS, "gradient_flow")
"""Following the flow takes ten times as long."""
STEPS = 800
QUICK = [("tanh", "sp", True, 5, 8)]
SLOW = [
    (activation, parameterisation, skips, depth, width)
    for activation, depth, width in (("linear", 3, 4), ("relu", 16, 32), ("selu", 7, 16), ("gelu", 24, 8))
    for parameterisation, skips in (("mupc", True), ("mupc", False), ("sp", True), ("sp", False), ("ntp", True))
]


def network_of(activation: str, parameterisation: str, skips: bool, depth: int, width: int) -> Experiment:
    names = ("activation", "parameterisation", "skips", "depth", "width")
    values = (activation, parameterisation, skips, depth, width)
    return from_paths({f"network.{name}": value for name, value in zip(names, values, strict=True)})


@pytest.mark.parametrize(
    "options", [*QUICK, *(pytest.param(options, marks=pytest.mark.slow) for options in SLOW)], ids=str
)
def test_nothing_grows(options: tuple[str, str, bool, int, int]) -> None:
    experiment = network_of(*options)
    data = load(experiment.data, 0, experiment.dtype)
    x, y = jnp.asarray(data.x_train[:16]), jnp.asarray(data.y_train[:16])
    network = build(experiment)
    start = unstack(forward(network, x)[0])
    curvature = float(extreme_eigenvalues(hessian_blocks(network, x, y, start)).largest.max())
    error_curvature = float(np.max(error_spectrum(network, x, y, start)))
    for name in SLOW_SOLVERS if options in SLOW else SOLVERS:
        usual = FACTS[name].usual_step
        size = None if usual is None else usual(curvature, error_curvature)
        found = solve(name, network, x, y, step_size=size, steps=STEPS, rows=None)
        energies = found.energies.sum(1)
        assert np.isfinite(energies).all(), name
        if name == "pc_alm":  # descends another function: its hidden errors vanish instead
            if options[0] != "linear" and options[1] != "mupc":
                continue  # its multipliers hover there, at any step
            hidden = np.sqrt(np.mean(np.square(found.error_rms), axis=1))
            # Without skips they hover too, and do not grow.
            most = 1.01 if options[0] == "linear" or options[2] else 1.1
            assert hidden[400:].max() <= most * hidden[50:400].max(), name
        else:
            most = 1.1 if name == "adam" else 1.05  # Adam begins with full steps in every coordinate
            assert energies.max() <= most * energies[0], name
            assert energies[400:].max() <= 1.01 * energies[50:400].max(), name


def test_pc_alm_finds_its_step_by_itself() -> None:
    experiment = network_of("relu", "mupc", True, 16, 32)
    data = load(experiment.data, 0, experiment.dtype)
    found = solve("pc_alm", build(experiment), data.x_train[:16], data.y_train[:16], steps=STEPS, rows=None)
    hidden = np.sqrt(np.mean(np.square(found.error_rms), axis=1))
    assert hidden[-1] < 0.5 * hidden.max()
