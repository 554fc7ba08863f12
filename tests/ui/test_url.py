"""The address of a page: what it says, and what it says when it is wrong."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.schema import flatten
from pcviz.ui import url
from tests.descent import DESCENT
from tests.hostile import nasty_texts, valid_experiments

KEYS = [*url.PATHS, *url.RUN_KEYS, url.VERSION_KEY, "nonsense", "network.depth", "embed", "", "__proto__"]


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), nasty_texts, max_size=6))
def test_hostile_addresses_give_a_form_and_clear_messages(query: dict[str, str]) -> None:
    state = url.parse(query)
    assert len(state.faults) <= len(query)
    for line in state.faults:
        assert "allowed" in line
        assert "\n" not in line
        assert len(line) < 500
    version = query.get(url.VERSION_KEY) in ("1", "2")
    refused = {line.partition(":")[0] for line in state.faults}
    asked = [path for path in state.values if url.key_of(path) in query and path not in refused]
    taken = len(asked) + len(state.runs) + len(state.faults) + version
    assert taken == len(query), "every key is taken or refused"
    assert {path: value for path, value in state.values.items() if path not in asked}.items() <= DESCENT.items()
    for path, value in state.values.items():
        assert type(value) in (int, float, str, bool), path
    assert url.parse(url.query(state.values, state.runs)).faults == []


@settings(max_examples=200)
@given(valid_experiments())
def test_addresses_round_trip(experiment: Experiment) -> None:
    if not isinstance(experiment.inference.steps, str) and experiment.inference.steps > 4096:
        return
    query = url.query(flatten(experiment.model_dump(exclude={"schema_version"})), {})
    state = url.parse(query)
    assert state.faults == []
    assert from_paths(state.values) == experiment


def test_only_what_differs_is_in_the_address() -> None:
    assert url.query(flatten(Experiment().model_dump(exclude={"schema_version"})), {}) == {}
    values: dict[str, Any] = {"network.depth": 16, "seed": 7, "network.skips": False, "inference.steps": "4depth"}
    assert url.query(values, {"run": "a" * 32}) == {
        "v": "2",
        "seed": "7",
        "network_skips": "false",
        "run": "a" * 32,
    }


def test_each_fault_costs_one_field() -> None:
    faulty = {"network_depth": "3200", "seed": "7", "network_skips": "maybe", "foo": "1", "run": "../x"}
    state = url.parse({**faulty, "v": "2"})
    assert state.values == {"seed": 7}
    assert state.runs == {}
    assert [line.partition(":")[0] for line in sorted(state.faults)] == ["foo", "network.depth", "network.skips", "run"]


def test_settings_that_do_not_fit_each_other() -> None:
    clash = {"learning_rule": "ipc", "inference_solver": "error_based", "seed": "1"}
    state = url.parse({**clash, "v": "2"})
    assert state.values == {"learning.rule": "ipc", "seed": 1}
    assert len(state.faults) == 1
    former = url.parse({**clash, "v": "1"})
    assert former.values == {"learning.rule": "ipc", "seed": 1, **DESCENT}, "the default of its version instead"
    assert former.faults == state.faults
    kept = url.parse({"data_name": "regression", "v": "2"})  # the default batch is too large: the form will say so
    assert (kept.values, kept.faults) == ({"data.name": "regression"}, [])


def test_a_key_may_come_once() -> None:
    state = url.parse({"seed": "8", "network_depth": "4", "run": "a" * 32, "v": "2"}, repeated=["seed", "run", "v"])
    assert (state.values, state.runs) == ({"network.depth": 4}, {})
    assert sorted(line.partition(":")[0] for line in state.faults) == ["run", "seed", "v"]


@pytest.mark.parametrize("text", ["1_6", "+1_6", " 16", "16 ", "1６", "٣", "0x10", "1__0"])
def test_numbers_are_spelt_plainly(text: str) -> None:
    for key, path in (("network_depth", "network.depth"), ("inference_step_size", "inference.step_size")):
        state = url.parse({key: text, "v": "2"})
        assert state.values == {}
        assert state.faults[0].startswith(f"{path}: {text.strip()} is not one of the allowed values (allowed: ")
    assert url.parse({"network_depth": "16", "inference_step_size": "1e-1"}).faults == []
