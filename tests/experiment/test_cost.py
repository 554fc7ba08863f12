"""The cost of a run follows from its shapes; what cannot run is refused with a setting that can."""

import re
from typing import Any

import pytest

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.experiment.cost import Limits, admission, estimate, slowdown
from pcviz.experiment.presets import PRESETS
from tests.descent import DESCENT

ROOMY = Limits(memory_bytes=1e12)


def test_bytes_and_parameters_are_exact() -> None:
    found = estimate(Experiment())
    weights = 64 * 64 + 14 * 64 * 64 + 64 * 10
    assert found.parameters == weights
    assert found.learning_bytes == (4 * 3 + 3) * 4 * weights
    assert found.checkpoint_bytes == 2 * 3 * 4 * weights
    assert not found.long_steps
    assert estimate(from_paths({"dtype": "float64"})).learning_bytes == (4 * 3 + 3) * 8 * weights
    assert estimate(from_paths({"learning.optimiser": "sgd"})).checkpoint_bytes == 2 * 4 * weights


def test_arithmetic_of_a_step() -> None:
    """B 64, H 15, N 64, D 64, K 10: nominal FLOPs of one step, T full inference steps (zero start: no front window)."""
    experiment = from_paths({"inference.initial": "zero", "inference.steps": 20})
    inference = 4 * 64 * 14 * 64**2 + 4 * 64 * 64 * 10
    weights = 6 * 64 * 14 * 64**2 + 4 * 64 * 64 * 64 + 6 * 64 * 64 * 10
    nominal = 20 * inference + weights
    assert estimate(experiment).flops_per_step == pytest.approx(nominal)


def test_the_front_window_halves_the_work() -> None:
    windowed = estimate(from_paths(DESCENT)).flops_per_step
    full = estimate(from_paths({**DESCENT, "inference.initial": "zero"})).flops_per_step
    assert 1.7 < full / windowed < 2.1
    assert estimate(from_paths({**DESCENT, "inference.solver": "error_based"})).flops_per_step == full


def test_rules_in_order_of_cost() -> None:
    bp, pc, ipc = (estimate(from_paths({"learning.rule": rule})).flops_per_step for rule in ("bp", "pc", "ipc"))
    assert bp < pc < ipc
    assert bp == 6 * 64 * estimate(Experiment()).parameters


@pytest.mark.parametrize("changes", [{"network.width": 65}, {"network.depth": 17}, {"learning.steps": 201}])
def test_more_costs_more(changes: dict[str, Any]) -> None:
    assert estimate(from_paths(changes)).seconds > estimate(Experiment()).seconds


def test_earlier_runs_calibrate_the_time() -> None:
    experiment = Experiment()
    assumed = estimate(experiment).seconds
    history = [
        (experiment, 100, 3 * assumed / 2),  # half of the run took 1.5 times what the whole should: three times slower
        (experiment, 5, 1000.0),  # too short to tell
        (from_paths({"learning.rule": "bp"}), 200, 1000.0),  # another kind of work
    ]
    assert slowdown(experiment, history) == pytest.approx(3)
    assert slowdown(experiment, []) == 1
    assert estimate(experiment, 3).seconds == pytest.approx(3 * assumed)


@pytest.mark.parametrize(
    ("changes", "starts", "path"),
    [
        ({"network.depth": 512, "network.width": 2048}, "network.width: 2048 at depth 512 needs", "network.width"),
        (
            {"data.name": "moons", "data.train_size": 8192, "learning.batch_size": 8192, "network.depth": 512},
            "learning.batch_size: 8192 ",
            "learning.batch_size",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_nearest_that_does(
    changes: dict[str, Any], starts: str, path: str
) -> None:
    experiment = from_paths(changes)
    limits = Limits(memory_bytes=1e9, inference_step_seconds=100)
    refusals = admission(experiment, limits)
    assert refusals[0].startswith(starts)
    assert "above 1 GB" in refusals[0]
    while refusals:  # each refusal names a value; with all of them taken, it fits
        nearest = re.search(r"that fits: (\d+)", refusals[0])
        assert nearest, refusals[0]
        experiment = experiment.changed({path: int(nearest[1])})
        refusals = admission(experiment, limits)
    tight = experiment.changed({path: round(experiment.differences()[path] * 1.05) + 1})
    assert admission(tight, limits), "the nearest value is not the largest that fits"


def test_a_step_too_long_to_pause_is_refused() -> None:
    experiment = from_paths({"network.width": 1024, "network.depth": 256, "learning.batch_size": 1437})
    lines = admission(experiment, ROOMY)
    assert any("pause" in line and "nearest batch size that fits" in line for line in lines)
    assert not any("pause" in line for line in admission(experiment, ROOMY, slowdown=1e-4))


def test_checkpoints_inside_long_steps_hold_the_activities() -> None:
    changes = {"network.width": 256, "network.depth": 32, "learning.batch_size": 128, "inference.solver": "adam"}
    short, long = (estimate(from_paths({**changes, "inference.steps": steps})) for steps in (0, 100))
    assert long.long_steps and not short.long_steps
    activities = 4 * 128 * 31 * 256
    assert long.checkpoint_bytes - short.checkpoint_bytes == pytest.approx(2 * 4 * activities, rel=0.02)


@pytest.mark.parametrize("steps", [80_000, 1_000_000])
def test_a_weight_step_above_ten_minutes_is_refused_with_the_number_of_steps_that_fits(steps: int) -> None:
    experiment = from_paths({"network.depth": 128, "network.width": 128, "inference.steps": steps})
    (line,) = admission(experiment, ROOMY)
    assert line.startswith(f"inference.steps: {steps} makes the relaxation of one weight step last ≈ ")
    nearest = re.search(r"above 10 min \(nearest number of steps that fits: (\d+)\)$", line)
    assert nearest, line
    assert admission(experiment.changed({"inference.steps": int(nearest[1])}), ROOMY) == []
    assert admission(experiment.changed({"inference.steps": int(nearest[1]) + 1}), ROOMY) != []
    assert admission(experiment, ROOMY, slowdown=1e-3) == []


def test_presets_are_admitted() -> None:
    assert admission(Experiment()) == []
    assert admission(from_paths({"network.depth": 129})) == []
    assert not any(admission(preset.experiment) for preset in PRESETS.values())


def test_texts() -> None:
    assert cost.text(estimate(Experiment())).endswith("MFLOP/step")
    assert [cost.bytes_text(n) for n in (0, 999, 1500, 1e6, 5.1e10)] == ["0 B", "999 B", "1.5 kB", "1 MB", "51 GB"]
    assert [cost.seconds_text(s) for s in (0.2, 8, 200, 9000)] == ["< 1 s", "≈ 8 s", "≈ 3 min", "≈ 2.5 h"]


def test_data_that_do_not_fit_into_memory_are_named() -> None:
    name = "own-0123456789ab-regression-1000-1-90000-10000"
    experiment = from_paths({"data.name": name, "network.depth": 3, "network.width": 8})
    assert cost.estimate(experiment).data_bytes == 16 * 100_000 * 1001
    assert cost.memory_refusal(experiment, cost.Limits(memory_bytes=2e9)) == []
    (line,) = cost.memory_refusal(experiment, cost.Limits(memory_bytes=1e9))
    assert line.startswith(f"data.name: {name} needs 1.8 GB of memory, above 1 GB")


def test_activities_that_take_more_than_the_data_are_what_must_shrink() -> None:
    data = {"data.name": "own-0123456789ab-regression-1000-1-90000-10000", "learning.batch_size": 4096}
    experiment = from_paths({**data, "network.depth": 300, "network.width": 64})
    found = estimate(experiment)
    assert found.learning_bytes < found.data_bytes < found.activity_bytes
    (line,) = cost.memory_refusal(experiment, cost.Limits(memory_bytes=3e9))
    assert line.startswith("learning.batch_size: 4096 needs")
