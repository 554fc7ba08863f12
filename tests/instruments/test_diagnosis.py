"""Diagnoses of real networks: an illness is named where it was planted, and not in the healthy twin."""

from functools import cache
from typing import Any

import numpy as np
import pytest

import pcviz
from pcviz.data import hold
from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.diagnosis.job import DiagnosisJob
from pcviz.instruments.diagnosis.options import LEAST_STEPS, MOST_ATTEMPTS, SECONDS, Options
from pcviz.instruments.diagnosis.twins import TWINS, twin
from pcviz.instruments.diagnosis.verdict import Diagnosis, diagnose
from tests.instruments.diagnosis_evidence import SOUND

SMALL: dict[str, Any] = {**SOUND, "network.width": 32, "learning.steps": 60}
DESCENT: dict[str, Any] = {"inference.solver": "gradient_descent", "inference.steps": "depth"}
ILL: dict[str, dict[str, Any]] = {
    "D1": {"inference.steps": 2},
    "D2": {**DESCENT, "inference.step_size": 0.003},
    "D3": {**DESCENT, "inference.step_size": 2.0, "inference.steps": 20},
    "D15": {"learning.learning_rate": 3.0},
    "R1": {"learning.learning_rate": 1e-4},
    "D13": {"learning.adam_epsilon": 0.1},
}
SLOW: dict[str, dict[str, Any]] = {
    "D10": {"network.depth": 20, "network.parameterisation": "sp", "network.skips": False},
    "N1": {"network.gamma": 500.0},
    "N2": {"network.activation": "linear", "network.biases": True, "data.name": "moons", "learning.steps": 150},
    "N3": {"network.width": 2},
    "N4": {"data.name": "circles", "network.activation": "tanh", "learning.steps": 100},
    "R2": {"learning.weight_decay": 1.0},
    "R3": {"learning.weight_norm": 8.0},
    "S1": {"inference.initial": "zero", "inference.steps": 6},
    "D20": {"inference.nudging": "positive", "inference.nudge_strength": 1e-7},
    "S2": {"inference.activity_decay": 5.0},
    "S3": {"network.output_precision": 1000.0, "learning.steps": 100},
}
"""Illness -> what plants it in a sound network."""


@cache
def diagnosis(*changes: tuple[str, Any]) -> Diagnosis:
    """The diagnosis of a small network with these changes."""
    return pcviz.diagnose(from_paths({**SMALL, **dict(changes)}))


def named(changes: dict[str, Any]) -> list[str]:
    """The causes found, the worst first."""
    return [finding.id for finding in diagnosis(*changes.items()).causes]


def test_the_healthy_twin_is_healthy() -> None:
    found = diagnosis()
    assert (found.severity, found.causes) == ("OK", ())
    assert found.score > found.baselines["chance"] + 50


@pytest.mark.parametrize("id", ILL)
def test_a_planted_illness_is_named_first(id: str) -> None:
    found = diagnosis(*ILL[id].items())
    assert (found.severity, [finding.id for finding in found.causes]) == ("FAIL", [id])


@pytest.mark.slow
@pytest.mark.parametrize("id", SLOW)
def test_every_planted_illness_is_named_first(id: str) -> None:
    assert named(SLOW[id])[:1] == [id]


def test_two_illnesses_are_both_named() -> None:
    assert set(named({**ILL["R1"], **ILL["D1"]})) == {"R1", "D1"}


def test_the_evidence_is_what_training_measures() -> None:
    """The experiment's own numbers are those of `pcviz.train`."""
    experiment = from_paths(SMALL)
    job = DiagnosisJob(experiment, Options())
    job.run()
    *_, last = pcviz.train(experiment.changed({"learning.steps": job.count}))
    own = TWINS.index("own")
    assert np.asarray(job.evidence.values["twin_accuracy"])[own] == last.values["test_accuracy"]
    assert np.asarray(job.evidence.values["twin_loss"])[own] == last.values["test_loss"]
    assert np.asarray(job.evidence.values["twin_steps"])[own] == 60
    assert job.evidence.values["twin_curve"].shape == (60, len(TWINS))
    assert job.evidence.values["weight_changes"].shape == (6,)


def test_remedies_heal() -> None:
    job = DiagnosisJob(from_paths({**SMALL, **ILL["R1"], **ILL["D1"]}), Options(attempts=MOST_ATTEMPTS))
    job.run()
    before = diagnose(job.evidence)
    assert 1 <= len(job.attempts) <= 3
    assert job.attempts[-1].score > before.score + 30
    assert job.attempts[-1].left < 3
    assert job.attempts[-1].experiment == from_paths({**SMALL, **SOUND, "learning.learning_rate": "auto"})


def test_permuted_labels_are_found() -> None:
    """Inputs that say nothing about the classes: the same data with labels in another order."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(512, 8)), rng.integers(0, 4, 512)
    rule = (x[:, 0] > 0).astype(int) + 2 * (x[:, 1] > 0)
    small = {**SMALL, "network.depth": 4, "network.width": 16}
    for labels, expected in ((y, ["A1"]), (rule, [])):
        name = hold(x[:384], labels[:384], x[384:], labels[384:])
        found = pcviz.diagnose(from_paths({**small, "data.name": name}))
        assert [finding.id for finding in found.causes] == expected


def test_backpropagation_is_diagnosed_too() -> None:
    found = pcviz.diagnose(from_paths({**SMALL, "learning.rule": "bp", "learning.learning_rate": 3.0}))
    assert [finding.id for finding in found.causes] == ["D15"]


def test_how_many_steps_are_compared_follows_from_the_experiment() -> None:
    assert Options().compared_steps(from_paths(SMALL)) == 60
    deep = from_paths({**SMALL, "network.depth": 400, "network.width": 512})
    assert Options().compared_steps(deep) == LEAST_STEPS
    assert Options(step=7).compared_steps(deep) == 7
    assert Options().seconds(deep) > SECONDS


@pytest.mark.parametrize("rule", ["pc", "bp", "ipc", "zil", "fixed_prediction"])
def test_twins_differ_in_what_their_name_says(rule: str) -> None:
    experiment = Experiment().changed({"learning.rule": rule, "learning.weight_decay": 0.5})
    made = {name: twin(name, experiment) for name in TWINS}
    assert made["own"] == experiment
    assert (made["backprop"] is None) == (rule == "bp")
    assert (made["relaxed"] is None) == (rule == "bp")
    sound, planted = made["sound"], made["sound but decay"]
    assert sound is not None
    assert planted is not None
    assert sound.learning.rule == "bp"
    assert sound.learning.weight_decay == 0
    assert planted == sound.changed({"learning.weight_decay": 0.5})
    assert made["sound but gamma"] is None
    assert made["treated pull"] is None


def test_a_setting_of_the_relaxation_is_treated_alone_in_a_twin() -> None:
    pulled = Experiment().changed({"inference.activity_decay": 1.0, "network.output_precision": 5.0})
    assert twin("treated pull", pulled) == pulled.changed({"inference.activity_decay": 0.0})
    assert twin("treated precision", pulled) == pulled.changed({"network.output_precision": 1.0})
    assert twin("treated pull", pulled.with_rule("bp")) is None
