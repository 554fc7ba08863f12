"""Whatever is given as an experiment is either valid or refused with clear lines."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pcviz.experiment import DATASETS, FORM_STEPS_MAX, Data, Experiment, Network, fields, from_paths
from pcviz.experiment.faults import allowed, faults
from pcviz.experiment.parameterisations import Parameterisation
from pcviz.experiment.precisions import PRECISIONS
from pcviz.experiment.presets import PRESETS
from pcviz.experiment.rules import RULES
from pcviz.experiment.schema import flatten, unflatten
from tests.hostile import hostile_values, valid_experiments

NAMES = [*fields(), "network", "inference", "learning", "data", "schema", "network.nonsense", "nonsense", ""]


def check_lines(error: ValidationError) -> None:
    """Each line names a field, shows the value, says what is allowed, and is one line."""
    lines = faults(error)
    assert lines
    for line in lines:
        assert "allowed" in line, line
        assert "\n" not in line, line
        assert ":" in line, line
        assert len(line) < 500, line


@settings(max_examples=2000)
@given(st.dictionaries(st.sampled_from(NAMES), hostile_values, max_size=6), st.booleans())
def test_hostile_fields_are_refused_or_valid(values: dict[str, Any], form: bool) -> None:
    try:
        experiment = from_paths(values, form=form) if not clashing(values) else Experiment.model_validate(values)
    except ValidationError as error:
        check_lines(error)
    else:
        assert from_paths(experiment.differences()) == experiment


def clashing(values: dict[str, Any]) -> bool:
    """Whether a section is given both as a whole and by its fields, which no path can express."""
    return any(path.partition(".")[0] in values and "." in path for path in values)


@settings(max_examples=300)
@given(
    st.recursive(
        hostile_values,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    )
)
def test_hostile_documents_are_refused_or_valid(document: Any) -> None:
    try:
        Experiment.model_validate(document)
    except ValidationError as error:
        check_lines(error)


@pytest.mark.parametrize("name", ["line\nbreak", "a" * 5000])
def test_names_of_unknown_fields_are_shown_like_values(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Experiment.model_validate({name: 1})
    check_lines(caught.value)


@given(valid_experiments())
def test_differences_and_json_round_trip(experiment: Experiment) -> None:
    assert from_paths(experiment.differences()) == experiment
    assert Experiment.model_validate_json(experiment.model_dump_json()) == experiment
    assert unflatten(flatten(experiment.model_dump())) == experiment.model_dump()
    assert experiment.changed({}) == experiment


def test_the_default_has_no_differences() -> None:
    assert Experiment().differences() == {}
    inference = Experiment().inference
    assert (inference.solver, inference.step_size, inference.steps) == ("momentum", 0.1, "4depth")
    assert Experiment().network.initialisation == "normal"
    assert from_paths({"network.parameterisation": "sp"}).differences() == {"network.parameterisation": "sp"}


@pytest.mark.parametrize("facts", [*PRECISIONS.items(), *RULES.items()], ids=lambda facts: facts[0])
def test_a_relaxation_that_belongs_to_a_rule_or_schedule_is_its_default(facts: tuple[str, Any]) -> None:
    """Chosen from the default experiment, each goes with the rest, and only what was chosen differs."""
    name, row = facts
    path = "inference.precision_schedule" if name in PRECISIONS else "learning.rule"
    chosen = Experiment().changed({path: name})
    values = flatten(chosen.model_dump())
    assert values == {**flatten(Experiment().model_dump()), path: name, **row.usual}
    assert chosen.differences() == ({} if chosen == Experiment() else {path: name})
    own = chosen.changed({"inference.step_size": 0.05})
    assert own.inference.step_size == 0.05 and own.inference.solver == chosen.inference.solver
    default = {path: flatten(Experiment().model_dump())[path]}
    assert chosen.changed(default) == Experiment()


def test_relaxations_that_belong_to_schedules_and_rules_are_plain_gradient_descent() -> None:
    for values, steps, step_size in (
        ({"inference.precision_schedule": "spiking"}, 16, 0.3),
        ({"inference.precision_schedule": "decaying", "learning.forward_update": True}, 16, 0.3),
        ({"inference.precision_schedule": "spiking", "learning.rule": "ipc"}, 16, 0.3),
        ({"learning.rule": "zil"}, 16, 1.0),
        ({"learning.rule": "fixed_prediction"}, 15, 1.0),
        ({"learning.rule": "strict"}, 60, 0.3),
    ):
        made = from_paths(values)
        found = (made.inference.solver, made.inference_steps, made.inference.step_size)
        assert found == ("gradient_descent", steps, step_size), values


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"learning.rule": "strict", "inference.solver": "momentum"},
            "inference.solver: momentum does not go with learning.rule strict, which is gradient descent "
            "(allowed: gradient_descent)",
        ),
        (
            {"learning.rule": "zil", "inference.solver": "momentum"},
            "inference.solver: momentum does not go with learning.rule zil, whose layers move once "
            "(allowed: gradient_descent)",
        ),
    ],
)
def test_momentum_is_refused_where_it_was_asked_for_and_does_not_go(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_paths(values)
    assert faults(caught.value) == [line]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_differences(name: str) -> None:
    preset = PRESETS[name]
    assert preset.experiment.differences() == preset.changes
    assert preset.label
    assert preset.shows


def test_learning_rate_is_resolved() -> None:
    assert Experiment().learning_rates == [0.05] * 16
    assert from_paths({"network.parameterisation": "sp"}).learning_rates == [1e-3] * 16
    assert from_paths({"network.parameterisation": "ntp"}).learning_rates == [0.05] * 16


def test_learning_rate_scaling() -> None:
    base = {"learning.lr_scaling": "width_depth", "learning.learning_rate": 0.1, "network.width": 64}

    def rate(**changes: Any) -> float:
        experiment = from_paths({**base, **{path.replace("__", "."): value for path, value in changes.items()}})
        (same,) = set(experiment.learning_rates)
        return same

    assert rate() == pytest.approx(0.1 * (64 * 16) ** -0.5)
    assert rate(network__skips=False) == pytest.approx(0.1 / 8)
    assert rate(learning__optimiser="adamw") == pytest.approx(0.1 * (64 * 16) ** -0.5)
    assert rate(learning__optimiser="sgd", network__gamma=0.5) == pytest.approx(0.1 * 0.25 * 64)
    assert rate(network__parameterisation="sp") == pytest.approx(0.1)
    assert rate(network__parameterisation="ntp") == pytest.approx(0.1)
    assert rate(learning__lr_scaling="none") == pytest.approx(0.1)


def test_exponents_of_rates_belong_to_read_in_hidden_layers_and_read_out() -> None:
    row = Parameterisation("test", 0, 0, 0, ("normal",), 0.1, (0, -0.5, -1), (1, 2, 0), (0, 0, 2))
    assert row.rate_scales("adam", 4, 5, skips=False, gamma=3.0) == pytest.approx([1, 0.5, 0.5, 0.5, 0.25])
    assert row.rate_scales("adam", 4, 2, skips=True, gamma=3.0) == pytest.approx([1, 1 / 8])
    assert row.rate_scales("sgd", 4, 4, skips=True, gamma=3.0) == pytest.approx([4, 16, 16, 9])


def test_inference_steps_are_resolved() -> None:
    assert Experiment().inference_steps == 4 * 15
    assert from_paths({"inference.steps": "depth"}).inference_steps == 15
    assert from_paths({"inference.steps": 3}).inference_steps == 3
    assert from_paths({"learning.rule": "bp"}).inference_steps == 0


def test_only_the_form_limits_inference_steps() -> None:
    many = {"inference.steps": FORM_STEPS_MAX + 1}
    assert from_paths(many).inference_steps == FORM_STEPS_MAX + 1
    with pytest.raises(ValidationError) as caught:
        from_paths(many, form=True)
    assert faults(caught.value) == [
        "inference.steps: 4097 is above 4096 (allowed: 0 to 4096, or depth, 2depth, 4depth, 8depth)"
    ]


@pytest.mark.parametrize(
    ("values", "start"),
    [
        ({"network.depth": 3200}, "network.depth: 3200 is above 512"),
        ({"network.depth": 1}, "network.depth: 1 is below 2"),
        ({"network.depth": 8.5}, "network.depth: 8.5 is not"),
        ({"network.depth": True}, "network.depth: true is not"),
        ({"network.width": None}, "network.width: None is not"),
        ({"inference.step_size": 0}, "inference.step_size: 0 is not above 0"),
        ({"inference.step_size": math.nan}, "inference.step_size: nan is not"),
        ({"inference.step_size": math.inf}, "inference.step_size: inf is"),
        ({"learning.learning_rate": -1}, "learning.learning_rate: -1 is not above 0"),
        ({"learning.learning_rate": "fast"}, "learning.learning_rate: fast is not"),
        ({"learning.batch_size": 2000}, "learning.batch_size: 2000 is above 1437"),
        ({"data.name": "regression", "network.loss": "ce"}, "network.loss: ce needs classes"),
        ({"network.initialisation": "orthogonal"}, "network.initialisation: orthogonal does not go with"),
        ({"learning.rule": "ipc", "inference.solver": "error_based"}, "inference.solver: error_based does not go"),
        ({"data.train_size": 0}, "data.train_size: 0 is below 1"),
        ({"network.nonsense": 1}, "network.nonsense: unknown field"),
        ({"nonsense": 1}, "nonsense: unknown field"),
        ({"network": 3}, "network: 3 is not a set of options"),
        ({"schema": 3}, "schema: 3 is not one of the allowed values (allowed: 1 to 2)"),
        ({"schema": 0}, "schema: 0 is not"),
    ],
)
def test_faults_name_field_value_and_range(values: dict[str, Any], start: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_paths(values)
    (line,) = faults(caught.value)
    assert line.startswith(start)
    check_lines(caught.value)


def test_every_field_has_words() -> None:
    for path, info in fields().items():
        assert info.title, path
        assert info.description, path
        assert allowed(path), path


def test_sections_and_data_sets_agree() -> None:
    assert allowed("data.name").startswith(", ".join(DATASETS))
    for name, facts in DATASETS.items():
        assert Data(name=name).facts is facts
    assert Network().initialisation == "normal"
