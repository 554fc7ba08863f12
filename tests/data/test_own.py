"""Data sets of one's own: their names are what they hold; what comes with pcviz never changes silently."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcviz.data import PROVIDERS, Dataset, Provider, hold, load, own
from pcviz.experiment import DATASETS, Data, DatasetFacts, Experiment, facts_of
from pcviz.jobs.training import train

Arrays = dict[str, Any]
CONTENT = {
    "digits": "777bed77926abff9",
    "moons": "b0763b791071f8fa",
    "circles": "015e529ceac83776",
    "xor": "96eb259edbaf1ba7",
    "spiral": "4433d08ae48b8c42",
    "gaussians": "e8e103f03f50a39d",
    "regression": "d96ef807c230c291",
}
"""What the data sets that come with pcviz hold, all examples in float32: sums in float64 depend on the processor."""


def given(**changes: Any) -> Arrays:
    """Twelve training and five test examples of three features, in three classes."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.normal(size=(12, 3)),
        "y_train": np.arange(12) % 3,
        "x_test": rng.normal(size=(5, 3)),
        "y_test": np.array([2, 1, 0, 0, 1]),
    }
    return arrays | changes


def with_entry(array: Any, place: tuple[int, ...], value: Any) -> Any:
    changed = np.array(array)
    changed[place] = value
    return changed


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    own.HELD.clear()
    yield
    own.HELD.clear()


@pytest.mark.parametrize("name", DATASETS)
def test_data_sets_that_come_with_pcviz_stay_what_they_are(name: str) -> None:
    facts = DATASETS[name]
    whole = load(Data(name=name, train_size=facts.train_max, test_size=facts.test_max), 0, "float32")
    assert whole.content[:16] == CONTENT[name]


def test_a_provider_is_facts_and_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = DatasetFacts("Line", "twice the input", 1, 1, "regression", 8, 4, 8, 4)

    def line(train_count: int, test_count: int) -> Dataset:
        x, x_test = (np.linspace(0, 1, count)[:, None] for count in (train_count, test_count))
        return Dataset(x, 2 * x, x_test, 2 * x_test, "regression")

    monkeypatch.setitem(DATASETS, "line", facts)
    monkeypatch.setitem(PROVIDERS, "line", Provider(facts, line))
    experiment = Experiment().changed(
        {"data.name": "line", "learning.batch_size": 8, "learning.steps": 3, "network.depth": 3, "network.width": 4}
    )
    assert experiment.data.facts is facts
    assert np.isfinite([*train(experiment)][-1].values["energy"]).all()


def test_a_name_says_all_that_is_known_without_the_arrays() -> None:
    name = hold(**given())
    assert name.startswith("own-") and name.endswith("-classification-3-3-12-5")
    facts = facts_of(name)
    assert (facts.input_dim, facts.output_dim, facts.task) == (3, 3, "classification")
    assert (facts.train_size, facts.test_size, facts.train_max, facts.test_max) == (12, 5, 12, 5)
    assert Data(name=name).facts == facts
    regression = facts_of(hold(**given(y_train=np.linspace(0, 1, 12), y_test=np.zeros(5))))
    assert (regression.output_dim, regression.task) == (1, "regression")


def test_arrays_are_what_was_given() -> None:
    arrays = given()
    name = hold(**arrays)
    arrays["x_train"][0, 0] = 99.0  # what is held under a name stays what it was
    found = load(Data(name=name, train_size=7, test_size=2), 0, "float64")
    np.testing.assert_array_equal(found.x_train, given()["x_train"][:7])
    np.testing.assert_array_equal(found.x_test, given()["x_test"][:2])
    np.testing.assert_array_equal(found.y_train, np.eye(3)[given()["y_train"][:7]])
    assert load(Data(name=name), 0, "float32").y_test.dtype == "float32"


def test_equal_contents_have_one_name_however_they_are_written() -> None:
    one_hot = given(y_train=np.eye(3)[given()["y_train"]], y_test=np.eye(3, dtype="int8")[given()["y_test"]])
    whole = {name: given()[name].round() for name in ("x_train", "x_test")}
    assert hold(**given()) == hold(**one_hot)
    assert hold(**given(**whole)) == hold(**given(**{name: array.astype("int16") for name, array in whole.items()}))
    assert hold(**given(y_train=np.arange(12.0), y_test=np.zeros(5))) == hold(
        **given(y_train=np.arange(12.0)[:, None], y_test=np.zeros((5, 1)))
    )


@pytest.mark.parametrize("changed", own.ARRAYS)
def test_the_digest_changes_with_each_value(changed: str) -> None:
    base = given(y_train=np.linspace(0, 1, 12), y_test=np.linspace(0, 1, 5))
    place = (0,) * base[changed].ndim
    other = base | {changed: with_entry(base[changed], place, np.nextafter(base[changed][place], 2))}
    names = [hold(**arrays) for arrays in (base, other)]
    assert names[0][:16] != names[1][:16] and names[0][16:] == names[1][16:]


def test_shapes_and_task_belong_to_the_digest() -> None:
    flat = Dataset(np.zeros((2, 2)), np.zeros((2, 1)), np.zeros((1, 2)), np.zeros((1, 1)), "regression")
    turned = replace(flat, x_train=np.zeros((1, 4)), y_train=np.zeros((2, 1)))
    assert len({flat.content, turned.content, replace(flat, task="classification").content}) == 3


def test_a_file_holds_the_same() -> None:
    name = hold(**given())
    data = own.packed(name)
    own.HELD.clear()
    assert own.hold_file(data) == name
    np.testing.assert_array_equal(load(Data(name=name), 0, "float64").x_test, given()["x_test"])


def test_what_nobody_holds_is_one_message() -> None:
    with pytest.raises(LookupError, match=r"^data.name: own-.* is not held here: .*data add FILE.npz.*pcviz.data.hold"):
        load(Data(name="own-0123456789ab-regression-3-1-12-5"), 0, "float32")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"x_train": with_entry(given()["x_train"], (4, 1), np.nan)}, r"x_train: nan at \[4, 1\] is not finite"),
        ({"y_test": [0.0, 1.0, np.inf, 0.0, 0.0]}, r"y_test: inf at \[2\] is not finite"),
        ({"x_train": np.zeros((12, 4, 4))}, r"x_train: the shape is \(12, 4, 4\) \(allowed: \(examples, features\)"),
        ({"x_test": np.zeros((0, 3)), "y_test": []}, r"x_test: the shape is \(0, 3\)"),
        ({"x_train": np.zeros((12, 0))}, r"x_train: the shape is \(12, 0\)"),
        ({"y_train": np.zeros((12, 1, 1))}, r"y_train: the shape is \(12, 1, 1\) \(allowed: \(examples,\) or"),
        ({"y_train": np.zeros(11)}, "y_train: there are 11 targets .allowed: 12, as many as rows of x_train"),
        ({"x_test": np.zeros((5, 2))}, r"x_test: the shape is \(5, 2\), which does not go with \(12, 3\)"),
        ({"y_test": np.zeros((5, 3))}, r"y_test: the shape is \(5, 3\), which does not go with \(12,\)"),
        ({"x_train": np.full((12, 3), "a")}, "x_train: holds values of the type <U1"),
        ({"x_train": np.zeros((12, 3), complex)}, "x_train: holds values of the type complex128"),
        ({"y_train": np.arange(12) % 3 * 2}, r"y_train: the classes are \[0, 2, 4\] .allowed: 0, 1 and so on"),
        ({"y_train": np.arange(12) % 3 - 1}, r"y_train: the classes are \[-1, 0, 1\]"),
        ({"y_train": np.zeros(12, int)}, r"y_train: the classes are \[0\]"),
        ({"y_test": [0, 1, 2, 3, 0]}, "y_test: 3 is no class of y_train .allowed: 0 to 2"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(changes: Arrays, line: str) -> None:
    with pytest.raises(ValueError, match=f"^{line}") as caught:
        hold(**given(**changes))
    assert "allowed" in str(caught.value) or "does not go with" in str(caught.value)
    assert "\n" not in str(caught.value) and not own.HELD


def test_too_many_numbers_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MOST_NUMBERS", 3 * 17 + 3 * 17 - 1)
    with pytest.raises(ValueError, match=r"102 numbers \(allowed: up to 101\)"):
        hold(**given())


def test_files_that_hold_something_else_are_refused_in_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "missing.npz", **{name: given()[name] for name in own.ARRAYS[:3]})
    np.save(tmp_path / "single.npy", np.zeros(3))
    np.savez(tmp_path / "objects.npz", **given(y_test=np.array([{}, 1], object)))
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "missing.npz").read_bytes()[:99])
    for name in ("missing.npz", "single.npy", "objects.npz", "text.npz", "cut.npz", "nowhere.npz"):
        with pytest.raises(
            ValueError, match=r"is no \.npz file with the arrays x_train, y_train, x_test, y_test"
        ) as bad:
            own.hold_file(tmp_path / name)
        assert "\n" not in str(bad.value)
