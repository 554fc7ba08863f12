"""What an accelerator gets, on the CPU: other pieces, the same numbers. Where it is faster only a benchmark can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.cost import estimate
from pcviz.experiment.presets import PRESETS
from pcviz.jobs.survey import Survey
from pcviz.jobs.training import Training
from pcviz.numerics import device_kind
from pcviz.numerics.device_kind import ACCELERATOR, CPU
from pcviz.pcn import build, learning
from pcviz.pcn.curvature import smallest_curvature
from pcviz.pcn.network import flat_weights
from pcviz.pcn.window import tiles_of
from pcviz.probes.plane import Plane, random_directions

DEEP: dict[str, Any] = {
    "network.depth": 12,
    "network.width": 6,
    "network.activation": "tanh",
    "data.name": "moons",
    "dtype": "float64",
    "inference.solver": "momentum",
    "inference.steps": 7,
    "learning.batch_size": 8,
    "learning.steps": 6,
}
RESIDUAL = {"network.architecture": "residual", "inference.precision_schedule": "spiking"}
Force = Callable[..., None]


@pytest.fixture
def force(monkeypatch: pytest.MonkeyPatch) -> Iterator[Force]:
    """From the call on this CPU counts as an accelerator, for which programs are compiled as for a CPU."""

    def counts_as_accelerator(**changes: Any) -> None:
        kind = replace(ACCELERATOR, options=CPU.options, **changes)
        monkeypatch.setattr(device_kind, "in_use", lambda: kind)
        jax.clear_caches()

    yield counts_as_accelerator
    jax.clear_caches()


def trained(experiment: Experiment) -> Training:
    training = Training(experiment)
    training.prepare()
    training.advance(training.steps, 1e9)
    return training


def loops(jaxpr: Any) -> int:
    """How deep loops stand in one another, those of a known length left out."""
    within = [0]
    for equation in jaxpr.eqns:
        inner = [loops(part) for part in jaxprs_in_params(equation.params)]
        within.append(max(inner, default=0) + (equation.primitive.name == "while"))
    return max(within)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, {}),
        ({**RESIDUAL, "learning.forward_update": True}, {}),
        ({}, {"tile_layers": lambda count, width: 3}),
    ],
    ids=["whole stages", "several stages", "tiles"],
)
def test_a_training_has_the_same_numbers_on_an_accelerator(
    changes: dict[str, Any], kind: dict[str, Any], force: Force
) -> None:
    experiment = from_paths({**DEEP, **changes})
    mine = trained(experiment)
    tiles = tiles_of(mine.network)
    force(**kind)
    theirs = trained(experiment)
    assert tiles_of(theirs.network) != tiles
    np.testing.assert_allclose(flat_weights(theirs.network), flat_weights(mine.network), rtol=1e-9, atol=1e-12)
    one, other = (training.frame(bulk=True).values for training in (mine, theirs))
    assert one.keys() == other.keys() and "energy_trace" in one
    for name in one.keys() - {"seconds_history", "steps_per_second", "seconds_left"}:
        np.testing.assert_allclose(other[name], one[name], rtol=1e-7, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("changes", [{}, RESIDUAL], ids=["mlp", "residual"])
def test_an_inference_step_on_an_accelerator_has_no_loop_to_wait_for(changes: dict[str, Any], force: Force) -> None:
    experiment = from_paths({**DEEP, **changes})
    method, numbers = learning.method_of(experiment, recorded=False), learning.numbers_of(experiment, np.array([-1]))
    network = build(experiment)
    x, y = np.zeros((8, 2)), np.zeros((8, 2))

    def deepest() -> int:
        step = learning.begin(method, network, (), x, y, numbers, jax.random.key(0))
        return loops(jax.make_jaxpr(lambda t: learning.advance(method, step, x, y, numbers, (t, t + 9)))(0).jaxpr)

    assert deepest() == 2  # steps, and tiles
    force()
    assert deepest() == 1


def test_a_stage_of_more_weights_than_a_wait_is_worth_keeps_its_window() -> None:
    assert ACCELERATOR.tile_layers(126, 128) >= 126
    assert ACCELERATOR.tile_layers(510, 512) == 16
    assert ACCELERATOR.tile_layers(30, 4096) == 1


def test_fewer_weight_steps_are_long_on_an_accelerator() -> None:
    def kinds(changes: dict[str, Any]) -> tuple[bool, bool]:
        cost = estimate(from_paths(changes))
        return CPU.long_steps(cost), ACCELERATOR.long_steps(cost)

    assert kinds({}) == (False, False)
    assert kinds({"network.depth": 128, "network.width": 128}) == (True, False)
    assert kinds({"network.depth": 128, "network.width": 512}) == (True, True)
    many = {"network.depth": 4, "network.width": 8, "inference.steps": 20_000}
    assert kinds(many) == (False, True)  # little arithmetic, but one product after the other
    for preset in PRESETS.values():
        cost = estimate(preset.experiment)
        assert CPU.long_steps(cost) == cost.long_steps and not ACCELERATOR.long_steps(cost)


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_surfaces_have_the_same_heights_on_an_accelerator(activation: str, force: Force) -> None:
    experiment = from_paths({**DEEP, "network.depth": 4, "network.activation": activation})
    network, rng = build(experiment), np.random.default_rng(0)
    x, y = rng.standard_normal((8, 2)), rng.standard_normal((8, 2))
    plane = Plane.at(flat_weights(network), random_directions(network, 3))

    def heights() -> tuple[int, np.ndarray]:
        survey = Survey(network, x, y, ("loss", "energy"), 6)
        calls = sum(1 for stride in survey.levels(plane) if stride is None)
        return calls, np.array(list(survey.heights.values()))

    calls, mine = heights()
    assert calls == 9 + 36
    force()
    calls, theirs = heights()
    assert calls == 1 + 3
    np.testing.assert_allclose(theirs, mine, rtol=1e-10)


def test_work_at_once_is_bounded_by_its_numbers() -> None:
    assert CPU.at_once(10) == CPU.at_once(10**9) == 1
    assert [ACCELERATOR.at_once(numbers) for numbers in (10, 2**24, 2**30)] == [16, 4, 1]


def test_curvatures_are_the_same_on_an_accelerator(force: Force) -> None:
    network, rng = build(from_paths({**DEEP, "network.depth": 3})), np.random.default_rng(0)
    x, y, *z = (rng.standard_normal(shape) for shape in ((3, 2), (3, 2), (1, 3, 6), (1, 3, 6)))
    mine = np.asarray(smallest_curvature(network, x, y, tuple(z)))
    force()
    np.testing.assert_allclose(smallest_curvature(network, x, y, tuple(z)), mine, rtol=1e-10)
