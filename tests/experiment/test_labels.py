"""Values as a person reads them."""

from typing import Any, get_args

import pytest

from pcviz.experiment import fields
from pcviz.experiment.labels import value_label


@pytest.mark.parametrize(
    ("path", "value", "label"),
    [
        ("network.parameterisation", "mupc", "μPC"),
        ("learning.rule", "zil", "Z-IL"),
        ("data.name", "moons", "Two moons"),
        ("network.loss", "mse", "MSE"),
        ("network.activation", "leaky_relu", "leaky relu"),
        ("network.skips", True, "on"),
        ("learning.learning_rate", 1e-4, "0.0001"),
        ("inference.steps", "4depth", "4depth"),
    ],
)
def test_values_have_words(path: str, value: Any, label: str) -> None:
    assert value_label(path, value) == label


def test_every_choice_has_one_without_underscores() -> None:
    for path, info in fields().items():
        for choice in get_args(info.annotation):
            if isinstance(choice, str):
                assert "_" not in value_label(path, choice)
