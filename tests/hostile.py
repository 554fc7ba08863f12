"""What tests throw at everything that reads input: random, extreme and malicious values."""

from typing import Any, get_args

from hypothesis import strategies as st
from pydantic import ValidationError

from pcviz.experiment import DATASETS, DEPTHS, Experiment, fields, from_paths
from pcviz.experiment.faults import limits

NASTY_TEXTS = [
    "",
    " ",
    "null",
    "NaN",
    "-inf",
    "1e999",
    "0x10",
    "1_000",
    "--seed",
    "=",
    "true",
    "depth",
    "auto",
    "٣",
    "<script>alert(1)</script>",
    "'; DROP TABLE runs; --",
    "../../etc/passwd",
    "a" * 5000,
    "\x00",
    "line\nbreak",
    "{}",
    "[1]",
    "$\\frac{1}{0}$",
]
nasty_texts = st.sampled_from(NASTY_TEXTS) | st.text(max_size=20) | st.integers().map(str) | st.floats().map(str)
hostile_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-5, 600)
    | st.floats()
    | nasty_texts
    | st.binary(max_size=4)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


OWN = "own-0123456789ab-classification-3-4-100-50"
"""The name of a data set that nobody holds."""


def _values(path: str, info: Any) -> st.SearchStrategy[Any]:
    words = {
        "learning.learning_rate": "auto",
        "data.train_size": "all",
        "data.test_size": "all",
    }
    if path == "learning.learning_rate":
        return st.just("auto") | st.floats(1e-6, 100)
    if path == "inference.steps":
        return st.sampled_from([*DEPTHS]) | st.integers(1, 1000)
    if path == "learning.layer_rates":
        return st.lists(st.floats(1e-9, 1e6), min_size=1, max_size=5).map(lambda factors: ", ".join(map(str, factors)))
    if path == "learning.weight_norm":
        return st.just("none") | st.floats(1e-3, 100)
    if path == "data.name":
        return st.sampled_from([*DATASETS, OWN])
    if path in words:
        return st.just(words[path]) | st.integers(1, 1000)
    if info.annotation is bool:
        return st.booleans()
    if choices := get_args(info.annotation):
        return st.sampled_from(choices)
    (low, _), (high, _) = limits(info)
    if info.annotation is int:
        return st.integers(int(low or 0), int(high or 0))
    return st.floats(low or 0, high or 0, exclude_min=True, exclude_max=True)


FIELDS = st.fixed_dictionaries({}, optional={path: _values(path, info) for path, info in fields().items()})


@st.composite
def valid_experiments(draw: st.DrawFn) -> Experiment:
    """Random experiments; settings that do not go together are drawn again."""
    values = draw(FIELDS)
    try:
        return from_paths(values)
    except ValidationError:
        return from_paths({path: values[path] for path in ("seed", "network.depth", "network.skips") if path in values})
