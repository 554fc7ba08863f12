"""Factors of the learning rates by layer: how they are spread, spelt and refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.faults import allowed, faults
from pcviz.experiment.layer_rates import factors_of, spread, text_of

FACTORS = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20)


def test_they_are_spread_evenly_and_interpolated_geometrically() -> None:
    assert spread([3.0], 4) == [3.0] * 4
    assert spread([16.0, 1.0], 5) == pytest.approx([16, 8, 4, 2, 1])
    assert spread([1.0, 4.0, 1.0], 5) == pytest.approx([1, 2, 4, 2, 1])
    assert spread([2.0, 1.0, 8.0], 4) == pytest.approx([2, 2 ** (1 / 3), 2, 8])
    assert spread([10.0, 1.0], 2) == [10.0, 1.0]


@given(FACTORS)
def test_one_for_each_layer_is_that_layers_own(factors: list[float]) -> None:
    if len(factors) > 1:
        assert spread(factors, len(factors)) == factors


@given(FACTORS, st.integers(20, 64))
def test_the_ends_are_exact_and_all_lie_between_their_neighbours(factors: list[float], layers: int) -> None:
    found = spread(factors, layers)
    assert (found[0], found[-1], len(found)) == (factors[0], factors[-1], layers)
    assert min(factors) * (1 - 1e-9) <= min(found) and max(found) <= max(factors) * (1 + 1e-9)


@given(FACTORS)
def test_there_is_one_spelling(factors: list[float]) -> None:
    text = text_of(factors)
    assert text_of(factors_of(text)) == text == text_of(factors_of(f" {text.replace(',', ' ,  ')} "))
    assert factors_of(text) == pytest.approx(factors, rel=1e-5)


@pytest.mark.parametrize(
    ("given", "spelt"), [("10, 1", "10,1"), ("1.0", "1"), (10, "10"), (0.5, "0.5"), ("1e1,+2.50", "10,2.5")]
)
def test_equal_settings_are_equal_experiments(given: Any, spelt: str) -> None:
    made = from_paths({"learning.layer_rates": given})
    assert made == from_paths({"learning.layer_rates": spelt})
    assert made.differences() == ({} if spelt == "1" else {"learning.layer_rates": spelt})


def test_rates_are_multiplied_after_their_scaling() -> None:
    base = {"network.depth": 3, "learning.lr_scaling": "width_depth", "learning.learning_rate": 0.1}
    plain = from_paths(base)
    scaled = from_paths({**base, "learning.layer_rates": "4,1"})
    assert scaled.learning_rates == pytest.approx([f * r for f, r in zip([4, 2, 1], plain.learning_rates, strict=True)])
    assert scaled.bias_rates == pytest.approx([0.4, 0.2, 0.1])
    assert plain.bias_rates == [0.1] * 3
    assert Experiment().learning_rates == Experiment().bias_rates == [0.05] * 16


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "learning.layer_rates:  is not one of the allowed values"),
        ("fast", "learning.layer_rates: fast is not one of the allowed values"),
        ("1,,2", "learning.layer_rates: 1,,2 is not"),
        ("1;2", "learning.layer_rates: 1;2 is not"),
        ("1_0,2", "learning.layer_rates: 1_0,2 is not"),
        ("nan", "learning.layer_rates: nan is not"),
        (True, "learning.layer_rates: true is not"),
        ("3,0", "learning.layer_rates: 0 is not above 0"),
        ("3,-1", "learning.layer_rates: -1 is not above 0"),
        ("1e7", "learning.layer_rates: 1e+07 is above 1e+06"),
        ("3,2,1", "learning.layer_rates: 3 numbers are more than 2, the number of layers (allowed: 1 to 2 numbers"),
    ],
)
def test_what_is_not_allowed_is_refused_in_one_line(text: Any, start: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_paths({"network.depth": 2, "learning.layer_rates": text})
    (line,) = faults(caught.value)
    assert line.startswith(start) and "numbers above 0 to 1e+06, separated by commas" in line


def test_the_range_is_in_the_help() -> None:
    assert allowed("learning.layer_rates") == "1 to L numbers above 0 to 1e+06, separated by commas"
