"""Versions of the experiment: what an earlier one wrote means the same for ever."""

from typing import Any

import pytest
from hypothesis import given

from pcviz.experiment import Experiment, from_paths, schema
from pcviz.experiment.precisions import PRECISIONS
from pcviz.experiment.rules import RULES
from pcviz.experiment.schema import DEFAULTS, FOLLOWING, Values, flatten, unflatten
from pcviz.ui import url
from tests.hostile import valid_experiments

PRESENT = schema.current()
DESCENT = {"inference.solver": "gradient_descent", "inference.steps": "depth", "inference.step_size": 0.3}
"""The relaxation that version 1 left out."""
MOMENTUM = {"inference.solver": "momentum", "inference.steps": "4depth", "inference.step_size": 0.1}
"""The one that version 2 leaves out."""


def renamed(values: Values) -> Values:
    """From the present version to an invented next one, where learning.steps has another name."""
    return {("learning.updates" if path == "learning.steps" else path): value for path, value in values.items()}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later pcviz: half as wide by default, and with a step from this version that forgets no value."""
    monkeypatch.setitem(schema.DEFAULTS, PRESENT + 1, {**DEFAULTS[PRESENT], "network.width": 32})
    monkeypatch.setitem(schema.FOLLOWING, PRESENT + 1, FOLLOWING[PRESENT])
    monkeypatch.setitem(schema.UPGRADES, PRESENT, lambda values: values)


def relaxation(experiment: Experiment) -> Values:
    """Solver, steps and step size."""
    values = flatten(experiment.model_dump())
    return {path: values[path] for path in DESCENT}


def test_defaults_are_written_down_for_each_version() -> None:
    """Red when a default was changed without a new version: old links would mean something else."""
    now = flatten(Experiment().model_dump())
    assert now.pop("schema") == schema.current()
    assert now.pop("network.initialisation") == "normal"
    assert now == DEFAULTS[schema.current()]


def test_defaults_that_follow_others_are_written_down_for_each_version() -> None:
    """Red when what follows a rule or a schedule was changed without a new version."""
    now = {
        "inference.precision_schedule": {name: dict(facts.usual) for name, facts in PRECISIONS.items() if facts.usual},
        "learning.rule": {name: dict(facts.usual) for name, facts in RULES.items() if facts.usual},
    }
    assert {path: {k: dict(v) for k, v in table.items()} for path, table in FOLLOWING[PRESENT].items()} == now
    assert list(FOLLOWING[PRESENT]) == list(now), "the rule prevails"


def test_every_earlier_version_has_a_step_to_the_next() -> None:
    assert sorted(DEFAULTS) == list(range(schema.FIRST, schema.current() + 1))
    assert sorted(schema.UPGRADES) == list(range(schema.FIRST, schema.current()))
    assert FOLLOWING.keys() == DEFAULTS.keys()


@given(valid_experiments())
def test_documents_of_this_version_stay_as_they_are(experiment: Experiment) -> None:
    document = experiment.model_dump()
    assert schema.upgraded_document(document) is document


@pytest.mark.usefixtures("later")
def test_documents_of_an_earlier_version_mean_what_they_meant() -> None:
    whole = unflatten({**DEFAULTS[PRESENT], "schema": PRESENT})
    assert schema.upgraded_document(whole) == {"schema": PRESENT + 1, **unflatten(DEFAULTS[PRESENT])}
    partial: dict[str, Any] = {"schema": PRESENT, "network": {"depth": 3}}
    assert flatten(schema.upgraded_document(partial))["network.width"] == 64
    others = ({"schema": PRESENT + 1}, {"schema": PRESENT + 2}, {"schema": "1"}, {"schema": True})
    for other in ({"network": {"depth": 3}}, *others):
        assert schema.upgraded_document(other) is other


def test_a_renamed_field_is_found_under_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schema.DEFAULTS, PRESENT + 1, renamed(DEFAULTS[PRESENT]))
    monkeypatch.setitem(schema.FOLLOWING, PRESENT + 1, FOLLOWING[PRESENT])
    monkeypatch.setitem(schema.UPGRADES, PRESENT, renamed)
    for version in range(schema.FIRST, PRESENT + 1):
        old = {"schema": version, "learning": {"steps": 7}, "unheard": {"of": 1}}
        new = flatten(schema.upgraded_document(old))
        assert (new["learning.updates"], new["unheard.of"], "learning.steps" in new) == (7, 1, False)


@pytest.mark.usefixtures("later")
def test_links_of_an_earlier_version_mean_what_they_meant() -> None:
    now, then = str(PRESENT + 1), str(PRESENT)
    assert url.parse({"network_depth": "5", "v": then}).values == {"network.depth": 5, "network.width": 64}
    assert url.parse({"network_depth": "5", "v": now}).values == {"network.depth": 5}
    assert url.parse({"v": then}).values == {"network.width": 64}
    assert url.parse({"network_width": "32", "v": then}).values == {"network.width": 32}
    # Without settings and version it is no link but the way in, and a run brings its own.
    assert url.parse({}).values == {}
    assert url.parse({"run": "a" * 32}).values == {}
    assert url.parse({"run": "a" * 32, "network_depth": "5"}).values == {"network.depth": 5}
    # An address with a version holds all settings that were not the defaults of that version, beside its run too.
    assert url.parse({"run": "a" * 32, "v": then}).values == {"network.width": 64}
    assert url.parse({"run": "a" * 32, "v": now}).values == {}
    unknown = url.parse({"network_dept": "5"})
    assert unknown.values == {"network.width": 64, **DESCENT}, "addresses without a version are of the first one"
    assert unknown.faults[0].startswith("network_dept: unknown in the address")


def test_documents_of_version_1_keep_the_relaxation_that_they_left_out() -> None:
    for document in ({"schema": 1}, {"schema": 1, "network": {"depth": 5}}):
        read = Experiment.model_validate(document)
        assert relaxation(read) == DESCENT
        written = read.model_dump(mode="json")
        assert written["schema"] == 2 and flatten(written).items() >= DESCENT.items()
        assert Experiment.model_validate(written) == read
    stated = {"schema": 1, "inference": {"solver": "adam", "step_size": 0.05}}
    assert relaxation(Experiment.model_validate(stated)) == {
        "inference.solver": "adam",
        "inference.steps": "depth",
        "inference.step_size": 0.05,
    }
    for document in ({}, {"schema": 2}, {"schema": 2, "network": {"depth": 5}}):
        assert relaxation(Experiment.model_validate(document)) == MOMENTUM


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", PRECISIONS)
def test_version_1_knew_what_follows_rules_but_nothing_that_follows_schedules(rule: str, schedule: str) -> None:
    wanted = {**DESCENT, **RULES[rule].usual}
    given = {"learning.rule": rule, "inference.precision_schedule": schedule}
    assert flatten(schema.upgraded_document({"schema": 1, **unflatten(given)})).items() >= wanted.items()
    link = url.parse({"v": "1", **{url.key_of(path): text for path, text in given.items()}})
    if not link.faults:
        assert relaxation(from_paths(link.values)) == wanted


@given(valid_experiments())
def test_links_of_version_1_to_an_experiment_of_version_2(experiment: Experiment) -> None:
    """What version 1 wrote into an address, it wrote for what differs from its own defaults."""
    values = flatten(experiment.model_dump(exclude={"schema_version"}))
    default = schema.defaults_of(1, values)
    written = {path: value for path, value in values.items() if default.get(path, ...) != value}
    texts = {
        url.key_of(path): str(value).lower() if value is True or value is False else str(value)
        for path, value in written.items()
    }
    read = url.parse({"v": "1", **texts})
    assert not read.faults and from_paths(read.values) == experiment


def test_links_of_version_1_keep_the_relaxation_that_they_left_out() -> None:
    for address in ({"network_depth": "5"}, {"network_depth": "5", "v": "1"}):  # without a version: the first release
        assert url.parse(address).values == {"network.depth": 5, **DESCENT}
    assert url.parse({"v": "1"}).values == DESCENT
    assert url.parse({"v": "1", "run": "a" * 32}).values == DESCENT
    assert url.parse({"run": "a" * 32, "seed": "7"}).values == {"seed": 7}, "the run has the rest"
    assert url.parse({"v": "2", "network_depth": "5"}).values == {"network.depth": 5}
    assert url.parse({"v": "1", "learning_rule": "zil"}).values == {"learning.rule": "zil"}, "as it is today"
    stated = url.parse({"v": "1", "inference_step_size": "0.1"}).values
    assert stated == {**DESCENT, "inference.step_size": 0.1}


def test_addresses_say_their_version() -> None:
    assert url.query({"seed": 7}, {}) == {"v": "2", "seed": "7"}
    assert url.query({}, {}) == {}
    assert url.query({}, {}, lasting=True) == {"v": "2"}


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1_0", "１", "9" * 400])
def test_odd_versions_are_refused(text: str) -> None:
    state = url.parse({"v": text, "seed": "7"})
    assert state.values == {"seed": 7}
    (line,) = state.faults
    assert line.startswith("v: ") and "allowed: 1 to 2" in line


def test_a_later_version_is_named() -> None:
    state = url.parse({"v": "3", "seed": "7", "network_dropout": "true"})
    assert state.values == {"seed": 7}
    assert "3 is a later version" in state.faults[0]
    assert state.faults[1].startswith("network_dropout: unknown")
