"""Axes: what their text means, which experiments they span and in which order, and what is refused."""

import pytest
from hypothesis import given

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.axes import MOST_CELLS, axis, cells
from tests.hostile import nasty_texts


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("network.width=32,64,128", (32, 64, 128)),
        ("seed=0..2", (0, 1, 2)),
        ("inference.step-size=0.1..1:4", (0.1, 0.4, 0.7, 1.0)),
        ("learning.learning_rate=log:1e-3..1:4", (0.001, 0.01, 0.1, 1.0)),
        ("network.depth=log:4..64:5", (4, 8, 16, 32, 64)),
        ("network.width=log:1..4:9", (1, 2, 3, 4)),
        ("network.skips=true,false", (True, False)),
        ("inference.steps=depth,4depth,7", ("depth", "4depth", 7)),
    ],
)
def test_what_a_text_means(text: str, values: tuple[object, ...]) -> None:
    found = axis(text)
    assert found.values == values
    assert [type(value) for value in found.values] == [type(value) for value in values]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "network.width",
        "network.wide=1,2",
        "network.width=",
        "network.width=8,,9",
        "network.width=8,8",
        "seed=5..1",
        "seed=0..1000000",
        "seed=0..1e400",
        "inference.step_size=-1e308..1e308:3",
        "seed=0..1:99999999999999999999",
        "inference.step_size=0.1..1",
        "learning.learning_rate=log:0..1:3",
        "learning.learning_rate=0.1..1:1",
    ],
)
def test_what_is_no_axis_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^vary: .* \(allowed: .*such as") as caught:
        axis(text)
    assert "\n" not in str(caught.value)


@given(nasty_texts, nasty_texts)
def test_hostile_texts_are_refused_or_axes(path: str, values: str) -> None:
    for text in (path, f"network.width={values}", f"{path}={values}"):
        try:
            assert axis(text).values
        except ValueError as error:
            assert str(error).startswith("vary: ")
            assert "\n" not in str(error)


def test_all_combinations_coarse_to_fine_and_seeds_after_one_another() -> None:
    found = list(cells(Experiment(), ("network.width=1..5", "seed=0..1")))
    assert found == [f"network.width={width} seed={seed}" for seed in (0, 1) for width in (1, 5, 3, 2, 4)]
    plane = cells(Experiment(), ("network.width=1..9", "network.depth=2..10"))
    assert len(plane) == 81
    corners = {(1, 2), (1, 10), (9, 2), (9, 10)}
    assert {(cell.network.width, cell.network.depth) for cell in list(plane.values())[:4]} == corners
    quarter = {(width, depth) for width in (1, 5, 9) for depth in (2, 6, 10)}
    assert {(cell.network.width, cell.network.depth) for cell in list(plane.values())[:9]} == quarter


def test_cells_are_the_experiment_changed() -> None:
    base = from_paths({"network.depth": 5, "data.name": "moons"})
    found = cells(base, ("network.skips=true,false", "learning.learning_rate=log:1e-3..1:2"))
    changed = base.changed({"network.skips": False, "learning.learning_rate": 1.0})
    assert found["network.skips=false learning.learning_rate=1.0"] == changed


def test_random_cells_are_within_and_follow_from_the_seed() -> None:
    vary = ("learning.learning_rate=log:1e-3..1:2", "network.width=8..64:2", "network.skips=true,false")
    found = list(cells(Experiment(), vary, 200).values())
    rates = [cell.learning.learning_rate for cell in found]
    assert len(found) == 200
    assert 0.001 <= min(rates) < 0.002 and 0.5 < max(rates) <= 1
    assert 80 < sum(rate < 10**-1.5 for rate in rates) < 120, "as many in every decade"
    assert {cell.network.width for cell in found} > {8, 64, 30} - {8, 30, 64}
    assert found == list(cells(Experiment(), vary, 200).values())
    assert found != list(cells(Experiment(seed=1), vary, 200).values())


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        (("seed=0..1", "seed=3..4"), "vary: seed varies twice (allowed: one axis for each option)"),
        (("network.width=8,0",), "vary: network.width=0: network.width: 0 is below 1 (allowed: "),
        (
            ("seed=0..999", "learning.steps=1..100"),
            f"vary: 100000 experiments are too many (allowed: 1 to {MOST_CELLS})",
        ),
    ],
)
def test_impossible_sets_are_refused_in_one_line(vary: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        cells(Experiment(), vary)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
