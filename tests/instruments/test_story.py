"""The sentence of the Train page: one for each state, of channels that trainings report."""

import re
from typing import get_args

import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.training.channels import CHANNELS
from pcviz.instruments.training.reading import story
from pcviz.store.records import State

KNOWN = {*CHANNELS, "step", "steps"}


@pytest.mark.parametrize("data", ["digits", "moons", "regression"])
@pytest.mark.parametrize("rule", ["pc", "bp"])
def test_every_state_has_a_sentence_of_known_channels(data: str, rule: str) -> None:
    told = story(from_paths({"data.name": data, "learning.rule": rule, "learning.batch_size": 20}))
    assert set(told) == {"idle", "past", *get_args(State)} - {"failed"}, "why a run failed stands beside its buttons"
    for templates in told.values():
        for template in templates:
            assert set(re.findall(r"\{(\w+)", template)) <= KNOWN
            assert template[0].isupper() and template.endswith(".")


def test_results_stand_beside_what_guessing_gives() -> None:
    assert "(guessing gives 10 %)" in story(Experiment())["done"][0]
    assert "(guessing gives 50 %)" in story(from_paths({"data.name": "moons"}))["done"][0]
    assert (
        "the test loss is {test_loss:g3}"
        in story(from_paths({"data.name": "regression", "learning.batch_size": 20}))["done"][0]
    )
    assert "by backpropagation" in story(from_paths({"learning.rule": "bp"}))["idle"][0]
