"""Measures of health: the chain's energies against closed forms, and networks that learn against their sick twins."""

import numpy as np
import pytest
from scipy.special import comb

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.presets import PRESETS
from pcviz.jobs.training import Training
from pcviz.probes.health import NOTHING, arrival, chain_energies, chain_trace, learning_layers
from tests.descent import DESCENT


def test_a_chain_follows_the_binomial_law_at_small_steps() -> None:
    """E_{H-k} / E_H = (binom(T, k + 1) eta^k / T)^2 to leading order: a steady source above layer H (theory.md 6.2)."""
    chain = chain_energies(
        from_paths({**DESCENT, "network.depth": 6, "inference.steps": 9, "inference.step_size": 1e-4})
    )
    assert chain is not None
    below = np.arange(4, -1, -1)
    assert chain == pytest.approx((comb(9, below + 1) * 1e-4**below / 9) ** 2, rel=5e-3)


@pytest.mark.parametrize("solver", ["gradient_descent", "momentum"])
def test_in_equilibrium_all_layers_of_a_chain_have_the_same_energy(solver: str) -> None:
    chain = chain_energies(from_paths({"network.depth": 5, "inference.solver": solver, "inference.steps": 2000}))
    assert chain == pytest.approx(np.ones(4), rel=1e-3)


def test_a_chain_of_two_with_momentum() -> None:
    """By hand: two steps from rest under a source of 1, e_2 = 1 - 0: after them z_2 = eta (2 + beta) - eta^2."""
    eta, beta = 0.1, 0.5
    paths = {"network.depth": 3, "inference.solver": "momentum", "inference.steps": 2, "inference.step_size": eta}
    chain = chain_energies(from_paths({**paths, "inference.momentum": beta}))
    assert chain is not None
    # Step 1: z_2 = eta. Step 2: velocity beta + (1 - eta) for z_2; z_1 receives e_2 = eta.
    z_1, z_2 = eta * eta, eta + eta * (beta + 1 - eta)
    assert chain[0] == pytest.approx((z_1 / (z_2 - z_1)) ** 2, rel=1e-4)


@pytest.mark.parametrize(
    "changes",
    [{"inference.initial": "zero"}, {"inference.initial": "normal"}, {"inference.solver": "adam"}],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_theory_expects_nothing_of_other_starts_and_of_adam(changes: dict[str, object]) -> None:
    assert chain_energies(from_paths(changes)) is None


def test_a_chain_row_by_row() -> None:
    """One layer more after each step, none after none; the last row is what a weight step ends with."""
    experiment = from_paths({"network.depth": 6, "inference.steps": 4})
    trace = chain_trace(experiment, [0, 1, 2, 4])
    assert trace is not None and np.isnan(trace[0]).all()
    assert [int((row > 0).sum()) for row in trace[1:]] == [1, 2, 4]
    assert chain_energies(experiment) == pytest.approx(trace[-1])


def test_no_chain_is_expected_where_it_diverges() -> None:
    assert chain_energies(from_paths({**DESCENT, "inference.step_size": 1.9, "inference.steps": 4096})) is None


@pytest.mark.parametrize("changes", [{"learning.rule": "bp"}, {"inference.solver": "error_based"}], ids=str)
def test_errors_that_do_not_decay_on_their_way(changes: dict[str, object]) -> None:
    assert chain_energies(from_paths(changes)) == pytest.approx(np.ones(15))


def test_off_theory_is_the_worst_layer_that_should_have_an_error() -> None:
    chain, floors = np.array([1e-12, 1e-3, 1e-1, 1.0]), np.full(5, 1e-9)
    found = arrival(np.array([0.0, 2e-7, 1e-2, 2e-2, 5.0]), floors, chain)
    assert found.should.tolist() == [False, True, True, True, True]
    assert found.expected[1:] == pytest.approx([2e-5, 2e-3, 2e-2, 5.0])
    assert found.off == pytest.approx(2.0)
    # More energy than expected counts, unless it is iPC's; less than rounding counts as rounding.
    more = np.array([0.0, 2e-5, 2.0, 2e-2, 5.0])
    assert arrival(more, floors, chain).off == pytest.approx(3.0)
    assert arrival(more, floors, chain, lack_only=True).off == 0.0
    assert arrival(np.array([0, 0, 2e-3, 2e-2, 5]), floors, chain).off == pytest.approx(np.log10(2e-5 / 1e-9))


def test_a_network_without_any_hidden_error_is_as_far_off_as_can_be() -> None:
    """All units dead: neither errors nor activities. What they should have is measured by the output."""
    found = arrival(np.array([0.0, 0.0, 0.5]), np.array([0.0, 0.0, 1e-12]), np.array([0.1, 1.0]))
    assert found.should.all() and found.off == NOTHING


def test_layers_learn_if_their_weights_move_neither_hardly_nor_wildly() -> None:
    steps = np.array([1e-2, 9e-5, 1.1e-4, 0.19, 0.3])
    assert learning_layers(steps, np.array([False, True, True, True, True])) == 2
    assert learning_layers(steps, np.ones(5, bool)) == 3


def health(experiment: Experiment, steps: int) -> dict[str, float]:
    training = Training(experiment)
    training.prepare()
    training.advance(steps, 60.0)
    return {name: float(np.ravel(value)[0]) for name, value in training.frame(bulk=False).values.items()}


@pytest.mark.parametrize("name", ["first", "two-moons", "backprop"])
def test_presets_that_learn_are_well(name: str) -> None:
    found = health(PRESETS[name].experiment, 20)
    assert found["energy_off_theory"] < 1
    assert found["layers_learning"] == found["layers_expected"] == PRESETS[name].experiment.network.depth
    assert found.get("energy_left", 0) < 1


@pytest.mark.parametrize(
    "changes,off,learning,left",
    [
        ({"network.parameterisation": "sp", "network.skips": False}, 3, None, 1),
        ({"learning.learning_rate": 1e-6}, None, 0, 1),
        ({"learning.optimiser": "sgd", "learning.learning_rate": 0.1}, None, 1, 1),
        ({"inference.step_size": 1.0}, None, None, 1e9),
    ],
    ids=["lost error", "rate too low", "sgd too low", "unstable inference"],
)
def test_sick_twins_of_the_first_look(
    changes: dict[str, object], off: float | None, learning: int | None, left: float
) -> None:
    """Each is told by the measure that its fault concerns; relaxation and rates are those of docs/health.md."""
    found = health(from_paths({**DESCENT, **changes}), 1)
    assert found["energy_off_theory"] > off if off else found["energy_off_theory"] < 1.1
    if learning is not None:
        assert found["layers_learning"] == learning < found["layers_expected"] / 2
    assert found["energy_left"] > left if left > 1 else found["energy_left"] < 1


def test_weights_that_moved_are_measured_step_by_step() -> None:
    """|dW_l| / |W_l| of the latest step, from the weights themselves, in whole steps and in long ones."""
    experiment = from_paths({"network.depth": 4, "network.width": 8, "learning.steps": 3})
    for long in (False, True):
        training = Training(experiment)
        training.prepare()
        training.advance(2, 60.0)
        before = [np.asarray(w) for stage in training.network.stages for w in stage.weight[...]]
        if long:
            training._stepper.long = True
            training._stepper.compile()
        training.advance(3, 60.0)
        after = [np.asarray(w) for stage in training.network.stages for w in stage.weight[...]]
        moved = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after, strict=True)]
        assert training._report is not None
        assert np.asarray(training._report.weight_changes) == pytest.approx(moved, rel=1e-4)
