"""Each rule finds its illness in evidence that has it, and nothing in the evidence of a healthy network."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import from_paths
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.explained import EXPLAINED
from pcviz.instruments.diagnosis.rules import RULES
from pcviz.instruments.diagnosis.treatments import TREATMENTS, ill, treated
from pcviz.instruments.diagnosis.verdict import diagnose
from tests.instruments.diagnosis_evidence import DEPTH, curves, healthy, of_both, relaxed, twins

LAYERS = np.arange(1, DEPTH + 1)


def scores(own: float, backprop: float = 0.97, **others: float) -> dict[str, np.ndarray]:
    """Evidence of these test accuracies."""
    known = {"own": own, "backprop": backprop, **others}
    return {
        "twin_accuracy": twins(**known),
        "twin_loss": twins(**dict.fromkeys(known, 0.1)),
        "twin_train_loss": twins(**{name: 0.45 * (1 - value) for name, value in known.items()}),
    }


def planted(name: str, own: float = 0.5) -> dict[str, np.ndarray]:
    """Evidence in which a sound network loses half of its accuracy without one treatment."""
    return scores(own, own, sound=0.97, relaxed=0.97, **{f"sound_but_{name}": own})


DECAYED = {
    "vital_error": of_both(10.0 ** (-2 * (DEPTH - LAYERS) - 2)),
    "vital_ratio": of_both(10.0 ** (-2.0 * (DEPTH - LAYERS))),
    "vital_gradient": of_both(10.0 ** (-2.0 * (DEPTH - LAYERS) - 3)),
}
DESCENT = {"inference.solver": "gradient_descent", "inference.step_size": 0.01, "inference.steps": "depth"}
RISING = np.array([[1.0, 1.0], [30.0, 30.0], [900.0, 900.0]])
UNREACHED = np.where(LAYERS < 3, 0.0, 1e-2)
CHANCE = {"baseline_accuracy": np.array([0.1, 0.11, 0.1, 0.12]), **scores(0.1, 0.11)}
RARE = {
    "class_share": np.array([0.9, 0.1]),
    "baseline_accuracy": np.array([0.9, 0.95, 0.94, 0.97]),
    **scores(0.9, 0.9),
}

SICK: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "A1": ({}, CHANCE),
    "A2": ({}, {"feature_mean": np.array([900.0, 0, 0, 0]), **scores(0.4, 0.4)}),
    "A3": ({}, {"feature_deviation": np.array([1.0, 0, 0, 0])}),
    "A4": ({}, RARE),
    "D10": (
        {"network.parameterisation": "sp", "network.skips": False},
        {**planted("scaling"), "vital_activity": of_both(10.0 ** -LAYERS[1:])},
    ),
    "N1": ({"network.gamma": 300.0}, planted("gamma")),
    "N2": ({"network.activation": "linear"}, planted("activation")),
    "N3": ({"network.width": 2}, planted("width")),
    "N4": ({"data.name": "circles", "network.activation": "tanh"}, scores(0.5, 0.5, biased=0.98)),
    "D15": (
        {"learning.learning_rate": 3.0},
        {**planted("rate"), "twin_change": twins(own=0.5, sound=0.01, sound_but_rate=0.5)},
    ),
    "R1": (
        {"learning.learning_rate": 1e-5},
        {**planted("rate"), "twin_change": twins(own=1e-6, sound=0.01, sound_but_rate=1e-6)},
    ),
    "D13": ({"learning.adam_epsilon": 0.1}, planted("epsilon")),
    "R2": ({"learning.weight_decay": 1.0}, planted("decay")),
    "R3": ({"learning.weight_norm": 8.0}, planted("norm")),
    "D14": ({"learning.layer_rates": "1,0.0001"}, planted("layers")),
    "D3": ({"inference.step_size": 2.0}, {**scores(0.1), "vital_energy": RISING, "vital_curvature": of_both(9.0)}),
    "D1": ({"inference.steps": 3}, {**scores(0.8), "vital_error": of_both(UNREACHED)}),
    "S1": ({"inference.initial": "zero"}, {**scores(0.5), **relaxed(own=0.1, start=0.9)}),
    "D20": ({"inference.nudging": "positive"}, {**scores(0.5), **relaxed(own=0.1, nudge=0.9)}),
    "S2": ({"inference.activity_decay": 5.0}, {**scores(0.5), **relaxed(own=0.1, pull=0.9)}),
    "S3": ({"network.output_precision": 900.0}, {**scores(0.5), **relaxed(own=0.1, precision=0.9)}),
    "D2": (DESCENT, {**scores(0.8), **DECAYED}),
    "D17": (
        {"inference.solver": "gradient_descent", "inference.steps": "depth"},
        {**scores(0.8), **relaxed(own=0.3, time=0.9)},
    ),
}
"""Illness -> settings and evidence of a network that has it and no other."""


def ids(evidence: Evidence) -> list[str]:
    """The causes of the verdict, the worst first."""
    return [finding.id for finding in diagnose(evidence).causes]


def test_a_healthy_network_has_no_illness() -> None:
    found = diagnose(healthy())
    assert (found.severity, found.causes, found.others) == ("OK", (), ())
    assert found.sentence == "Healthy: after 100 weight steps no twin is better by more than 0.0 points."
    assert found.baselines == pytest.approx({"chance": 10, "linear": 93, "random features": 90, "neighbours": 98})


def test_every_cause_is_tested() -> None:
    assert set(SICK) == {id for id, rule in RULES.items() if not rule.sign}


@pytest.mark.parametrize("id", SICK)
def test_an_illness_is_named_alone(id: str) -> None:
    settings, evidence = SICK[id]
    found = diagnose(healthy(settings, **evidence))
    assert [finding.id for finding in found.causes] == [id]
    finding = found.causes[0]
    assert finding.severity == ("WARN" if id == "A3" else "FAIL")
    assert finding.evidence
    assert finding.cause
    assert finding.reference == RULES[id].reference


@pytest.mark.parametrize("id", [id for id in SICK if not id.startswith("A")])
def test_its_remedy_changes_the_experiment(id: str) -> None:
    settings, evidence = SICK[id]
    sick = healthy(settings, **evidence)
    (finding,) = diagnose(sick).causes
    cured = sick.experiment.changed(finding.remedy)
    assert cured != sick.experiment
    if finding.id in ("D1", "D2", "D3", "D17"):
        assert not TREATMENTS["time"].changes(cured)


def test_what_was_not_measured_is_said() -> None:
    evidence = healthy()
    del evidence.values["vital_error"]
    unknown = {finding.id: finding for finding in diagnose(evidence).others if finding.severity == "unknown"}
    assert {"D1", "D2", "D7"} <= set(unknown)
    assert unknown["D1"].evidence == "Cannot tell: vital_error was not measured."


def test_a_cause_explains_its_signs() -> None:
    settings, evidence = SICK["D2"]
    found = diagnose(healthy(settings, **evidence))
    assert {finding.id: finding.explained_by for finding in found.others} == dict.fromkeys(
        ("D7", "D8", "D21", "D6"), "D2"
    )


def test_signs_alone_are_harmless() -> None:
    found = diagnose(healthy(vital_error=DECAYED["vital_error"], vital_floor=of_both(np.zeros(DEPTH))))
    assert found.severity == "OK"
    assert {finding.id: finding.severity for finding in found.others} == {"D7": "OK", "D8": "OK"}


ENERGY = {"oscillating": [1.0, 0.5, 0.9, 0.4, 0.8, 0.2], "falling": [1.0, 0.8, 0.6, 0.4, 0.3, 0.2]}
MIDDLE = np.array([1e-2, 1e-5, 1e-5, 1e-5, 1e-5, 1e-2])
SIGNS: dict[str, dict[str, Any]] = {
    "D4": {"vital_energy": of_both(ENERGY["oscillating"]), "vital_rows": np.arange(6)},
    "D5": {"vital_energy": of_both(ENERGY["falling"]), "vital_rows": np.arange(6)},
    "D6": {"vital_error": of_both(np.where(LAYERS < 3, 1e-7, 1e-2))},
    "D7": {"vital_error": of_both(10.0 ** (LAYERS - 7.0)), "vital_floor": of_both(np.zeros(DEPTH))},
    "D8": {"vital_error": of_both(np.where(LAYERS < DEPTH, 1e-4, 1.0))},
    "D9": {"vital_error": of_both(MIDDLE)},
    "D12": {"vital_quiet": of_both(np.full(DEPTH - 1, 0.9))},
    "D16": {"twin_curve": curves(own=np.array([0.4, 0.3, 0.2, 5.0, 0.2, 0.1]))},
    "D21": {"vital_error": of_both(np.where(LAYERS < 3, 1e-7, 1e-2))},
    "D22": {"twin_loss": twins(own=np.inf, backprop=0.03), "twin_train_loss": twins(own=np.inf, backprop=0.02)},
    "N5": {"vital_rank": of_both(np.linspace(8, 1, DEPTH - 1))},
}
"""Sign -> evidence of a network that has it."""


@pytest.mark.parametrize("id", [id for id, rule in RULES.items() if rule.sign])
def test_a_sign_is_found(id: str) -> None:
    assert RULES[id].find(healthy()) is None
    found = RULES[id].find(healthy(**SIGNS[id]))
    assert found is not None and found.evidence.endswith(".") and found.cause.endswith(".")


def test_energy_that_is_not_what_the_relaxation_descends_may_rise() -> None:
    rising = {"vital_energy": RISING, "vital_curvature": of_both(9.0)}
    assert RULES["D3"].find(healthy(**rising)) is not None
    once = {"inference.solver": "gradient_descent", "inference.steps": "depth"}
    for settings in (
        {**once, "learning.rule": "zil"},
        {**once, "learning.rule": "fixed_prediction"},
        {**once, "inference.precision_schedule": "spiking"},
        {"inference.activity_decay": 1.0},
    ):
        assert RULES["D3"].find(healthy(settings, **rising)) is None


def test_two_causes_are_both_named_the_worse_first() -> None:
    rate, reach = SICK["R1"], SICK["D1"]
    evidence = {**reach[1], **rate[1], **planted("rate"), "vital_error": of_both(UNREACHED)}
    evidence["twin_accuracy"] = twins(own=0.1, backprop=0.15, sound=0.97, relaxed=0.85, sound_but_rate=0.15)
    assert ids(healthy({**rate[0], **reach[0]}, **evidence)) == ["R1", "D1"]


def test_what_the_network_loses_is_not_the_relaxations() -> None:
    """Where backpropagation fails too, and a sound network relaxed so does not, errors that decay are no cause."""
    settings, evidence = SICK["D10"]
    found = diagnose(healthy({**settings, **DESCENT}, **{**evidence, **DECAYED}))
    assert [finding.id for finding in found.causes] == ["D10"]
    assert [finding.explained_by for finding in found.others if finding.id == "D2"] == ["D10"]


def test_labels_without_information_explain_everything() -> None:
    settings, evidence = SICK["D1"]
    found = diagnose(healthy(settings, **{**evidence, **CHANCE}))
    assert [finding.id for finding in found.causes] == ["A1"]
    assert [finding.explained_by for finding in found.others if finding.id == "D1"] == ["A1"]


def test_a_relaxation_that_costs_nothing_is_a_warning() -> None:
    """Nothing is silenced because the accuracy looks fine."""
    settings, evidence = SICK["D1"]
    found = diagnose(healthy(settings, vital_error=evidence["vital_error"]))
    assert [(finding.id, finding.severity) for finding in found.causes] == [("D1", "WARN")]
    assert "nothing that can be measured" in found.sentence


def test_a_relaxation_that_costs_something_is_named_although_nothing_else_explains_it() -> None:
    found = diagnose(healthy(**scores(0.7, slower=0.7, faster=0.7), **relaxed(own=0.95)))
    assert (found.severity, [finding.id for finding in found.causes]) == ("FAIL", ["D17"])


def test_divergence_is_a_failure_and_a_sign() -> None:
    settings, evidence = SICK["D3"]
    evidence = {**evidence, "twin_loss": twins(own=np.inf, backprop=0.03)}
    found = diagnose(healthy(settings, **evidence))
    assert found.sentence.startswith("Unstable relaxation: it diverges.")
    assert ("D22", "D3") in {(finding.id, finding.explained_by) for finding in found.others}


def test_without_classes_points_are_shares_of_the_loss() -> None:
    """One point is 2 % of the loss of chance."""
    settings = {"data.name": "regression", "learning.batch_size": 20}
    found = healthy(settings, **scores(0.5), baseline_loss=np.array([0.5, 0.5, 0.5, 0.5]))
    loss = 0.45 * (0.97 - 0.5)
    assert found.points("backprop", "own") == pytest.approx(100 * loss / 0.5 / 2)


@pytest.mark.parametrize("name", TREATMENTS)
def test_a_treated_experiment_is_sound(name: str) -> None:
    """Every treatment ends what it treats, and all together leave nothing to treat."""
    settings = next(settings for settings, _ in [SICK[id] for id in SICK] if ill(healthy(settings).experiment, PARTS))
    experiment = treated(healthy(settings).experiment, [name])
    assert not TREATMENTS[name].changes(experiment)
    assert not ill(treated(healthy(settings).experiment, TREATMENTS), PARTS)


PARTS = ("network", "learning", "relaxation")


def test_a_rate_stays_as_large_as_it_was_for_another_parameterisation() -> None:
    experiment = healthy({"network.parameterisation": "sp", "learning.learning_rate": 1e-4}).experiment
    assert treated(experiment, ["scaling"]).learning.learning_rate == pytest.approx(5e-3)


def test_every_cause_is_explained_in_plain_words() -> None:
    assert EXPLAINED.keys() == {id for id, rule in RULES.items() if not rule.sign}
    assert all(80 < len(text) < 500 and text.endswith(".") for text in EXPLAINED.values())


def test_a_setting_that_only_harms_together_with_the_relaxation_is_blamed() -> None:
    rising = {"vital_energy": RISING, "vital_curvature": of_both(9.0)}
    evidence = healthy({"network.gamma": 0.005}, **scores(0.7, 0.96, sound=0.97, relaxed=0.97), **rising)
    found = diagnose(evidence)
    assert [(finding.id, round(finding.points)) for finding in found.causes] == [("N1", 27)]
    assert "With a sound value of the output scale alone this network gains 27.0 points" in found.causes[0].evidence
    assert ("D3", "N1") in {(finding.id, finding.explained_by) for finding in found.others}


def test_of_two_settings_that_only_harm_together_the_worse_one_is_blamed() -> None:
    settings = {"network.gamma": 0.2, "learning.layer_rates": "30,1"}
    alone = {"sound_but_gamma": 0.96, "sound_but_layers": 0.94, "treated_gamma": 0.95, "treated_layers": 0.95}
    found = diagnose(healthy(settings, **scores(0.2, 0.2, sound=0.97, relaxed=0.97, **alone)))
    assert [finding.id for finding in found.causes] == ["D14"]


def test_where_a_longer_relaxation_helps_the_settings_are_not_blamed() -> None:
    evidence = {**scores(0.9, 0.97, sound=0.97, relaxed=0.96), "vital_error": of_both(UNREACHED)}
    settings = {"learning.learning_rate": 0.02, "inference.steps": 3}
    assert ids(healthy(settings, **evidence, **relaxed(own=0.4, time=0.9))) == ["D1"]


def test_errors_that_grow_from_layer_to_layer_are_an_unstable_relaxation() -> None:
    settings = {
        "inference.solver": "gradient_descent",
        "inference.steps": "depth",
        "inference.step_size": 1.5,
        "inference.precision_schedule": "spiking",
    }
    growing = {"vital_ratio": of_both(1.5 ** (3.0 * (DEPTH - LAYERS)))}
    overflows = {"vital_energy": np.array([[1.0, 5.0], [1.0, np.inf], [1.0, np.inf]])}
    for later in ({}, overflows):  # what they grow to in the end is its doing
        found = diagnose(healthy(settings, **scores(0.3), **growing, **later))
        assert [finding.id for finding in found.causes] == ["D3"]
        assert "grow by 2.6 decades" in found.causes[0].evidence
        assert found.causes[0].remedy == {"inference.step_size": 0.9}


def test_the_relaxation_known_to_work_is_that_of_the_learning_rule() -> None:
    once = {"inference.solver": "gradient_descent", "inference.steps": "depth", "inference.step_size": 0.01}
    weak = from_paths({"learning.rule": "zil", **once})
    assert TREATMENTS["time"].changes(weak) == {"inference.step_size": 1.0}
    assert not TREATMENTS["time"].changes(from_paths({"learning.rule": "strict"}))
    assert TREATMENTS["time"].changes(from_paths(once)).keys() == {
        f"inference.{n}" for n in ("solver", "step_size", "steps")
    }


def test_a_setting_of_the_relaxation_that_alone_restores_the_network_explains_the_rest() -> None:
    """A large output precision makes the relaxation unstable, and what learns from it diverge: it is one cause."""
    rising = {"vital_energy": RISING, "vital_curvature": of_both(50.0)}
    evidence = {**scores(0.1, 0.97, treated_precision=0.96), **rising, **relaxed(own=0.02, precision=0.9)}
    found = diagnose(healthy({"network.output_precision": 1e3}, **evidence))
    assert [(finding.id, round(finding.points)) for finding in found.causes] == [("S3", 87)]
    assert "Trained with the remedy, the network gains 86.0 points." in found.causes[0].evidence
    assert ("D3", "S3") in {(finding.id, finding.explained_by) for finding in found.others}


def test_a_setting_of_the_relaxation_is_blamed_where_only_training_shows_what_it_costs() -> None:
    evidence = {**scores(0.5, 0.97, treated_pull=0.97, faster=0.5), **relaxed(own=0.6, pull=0.2)}
    assert ids(healthy({"inference.activity_decay": 1.0}, **evidence)) == ["S2"]


def test_a_relaxation_that_is_fine_in_a_sound_network_is_not_blamed() -> None:
    """Where network and learning alone restore the network, an unstable relaxation is their doing."""
    rising = {"vital_energy": RISING, "vital_curvature": of_both(9.0)}
    evidence = {**scores(0.7, 0.96, sound=0.98, relaxed=0.98, sound_but_gamma=0.8), **rising}
    found = diagnose(healthy({"network.gamma": 0.005}, **evidence))
    assert [finding.id for finding in found.causes] == ["N1"]
    assert ("D3", "N1") in {(finding.id, finding.explained_by) for finding in found.others}


def test_a_rate_of_plain_gradient_descent_is_not_converted() -> None:
    """The table of learning rates by parameterisation is Adam's."""
    sgd = {"network.parameterisation": "sp", "learning.optimiser": "sgd", "learning.learning_rate": 60.0}
    assert treated(healthy(sgd).experiment, ["scaling"]).learning.learning_rate == 60
