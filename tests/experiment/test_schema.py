"""Versions of the experiment: what an earlier one wrote means the same for ever."""

from typing import Any

import pytest
from hypothesis import given

from pcviz.experiment import Experiment, schema
from pcviz.experiment.schema import DEFAULTS, Values, flatten, unflatten
from pcviz.ui import url
from tests.hostile import valid_experiments


def renamed(values: Values) -> Values:
    """From version 1 to an invented version 2, where learning.steps has another name."""
    return {("learning.updates" if path == "learning.steps" else path): value for path, value in values.items()}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later pcviz: half as wide by default, and with a step from version 1 that forgets no value."""
    monkeypatch.setitem(schema.DEFAULTS, 2, {**DEFAULTS[1], "network.width": 32})
    monkeypatch.setitem(schema.UPGRADES, 1, lambda values: values)


def test_defaults_are_written_down_for_each_version() -> None:
    """Red when a default was changed without a new version: old links would mean something else."""
    now = flatten(Experiment().model_dump())
    assert now.pop("schema") == schema.current()
    assert now.pop("network.initialisation") == "normal"
    assert now == DEFAULTS[schema.current()]


def test_every_earlier_version_has_a_step_to_the_next() -> None:
    assert sorted(DEFAULTS) == list(range(schema.FIRST, schema.current() + 1))
    assert sorted(schema.UPGRADES) == list(range(schema.FIRST, schema.current()))


@given(valid_experiments())
def test_documents_of_this_version_stay_as_they_are(experiment: Experiment) -> None:
    document = experiment.model_dump()
    assert schema.upgraded_document(document) is document


@pytest.mark.usefixtures("later")
def test_documents_of_an_earlier_version_mean_what_they_meant() -> None:
    whole = unflatten({**DEFAULTS[1], "schema": 1})
    assert schema.upgraded_document(whole) == {"schema": 2, **unflatten(DEFAULTS[1])}
    partial: dict[str, Any] = {"schema": 1, "network": {"depth": 3}}
    assert flatten(schema.upgraded_document(partial))["network.width"] == 64
    for other in ({"network": {"depth": 3}}, {"schema": 2}, {"schema": 3}, {"schema": "1"}, {"schema": True}):
        assert schema.upgraded_document(other) is other


def test_a_renamed_field_is_found_under_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schema.DEFAULTS, 2, renamed(DEFAULTS[1]))
    monkeypatch.setitem(schema.UPGRADES, 1, renamed)
    old = {"schema": 1, "learning": {"steps": 7}, "unheard": {"of": 1}}
    new = flatten(schema.upgraded_document(old))
    assert (new["learning.updates"], new["unheard.of"], "learning.steps" in new) == (7, 1, False)


@pytest.mark.usefixtures("later")
def test_links_of_an_earlier_version_mean_what_they_meant() -> None:
    assert url.parse({"network_depth": "5"}).values == {"network.depth": 5, "network.width": 64}
    assert url.parse({"network_depth": "5", "v": "1"}).values == {"network.depth": 5, "network.width": 64}
    assert url.parse({"network_depth": "5", "v": "2"}).values == {"network.depth": 5}
    assert url.parse({"v": "1"}).values == {"network.width": 64}
    assert url.parse({"network_width": "32", "v": "1"}).values == {"network.width": 32}
    # Without settings and version it is no link but the way in, and a run brings its own.
    assert url.parse({}).values == {}
    assert url.parse({"run": "a" * 32}).values == {}
    assert url.parse({"run": "a" * 32, "network_depth": "5"}).values == {"network.depth": 5}
    unknown = url.parse({"network_dept": "5"})
    assert unknown.values == {"network.width": 64}
    assert unknown.faults[0].startswith("network_dept: unknown in the address")


def test_addresses_say_their_version() -> None:
    assert url.query({"seed": 7}, {}) == {"v": "1", "seed": "7"}
    assert url.query({}, {}) == {}
    assert url.query({}, {}, lasting=True) == {"v": "1"}


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1_0", "１", "9" * 400])
def test_odd_versions_are_refused(text: str) -> None:
    state = url.parse({"v": text, "seed": "7"})
    assert state.values == {"seed": 7}
    (line,) = state.faults
    assert line.startswith("v: ") and "allowed: 1 to 1" in line


def test_a_later_version_is_named() -> None:
    state = url.parse({"v": "3", "seed": "7", "network_dropout": "true"})
    assert state.values == {"seed": 7}
    assert "3 is a later version" in state.faults[0]
    assert state.faults[1].startswith("network_dropout: unknown")
