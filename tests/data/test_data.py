"""The data sets keep what `pcviz.experiment.DATASETS` and methods.md 1 promise of them."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from pcviz.data import PROVIDERS, Dataset, load
from pcviz.experiment import DATASETS, Data

CLASSIFICATIONS = [name for name, facts in DATASETS.items() if facts.task == "classification"]
TOYS = [name for name in CLASSIFICATIONS if name != "digits"]


def loaded(name: str, train_size: int | str = "all", test_size: int | str = "all", seed: int = 0) -> Dataset:
    return load(Data(name=name, train_size=train_size, test_size=test_size), seed, "float64")


def test_every_data_set_can_be_chosen_and_loaded() -> None:
    assert set(PROVIDERS) == set(DATASETS)


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_types_and_task_are_those_of_the_facts(name: str, dtype: str) -> None:
    facts, dataset = DATASETS[name], load(Data(name=name), 0, dtype)
    assert dataset.x_train.shape == (facts.train_size, facts.input_dim)
    assert dataset.y_train.shape == (facts.train_size, facts.output_dim)
    assert dataset.x_test.shape == (facts.test_size, facts.input_dim)
    assert dataset.y_test.shape == (facts.test_size, facts.output_dim)
    assert dataset.task == facts.task
    assert all(array.dtype == dtype and np.isfinite(array).all() for array in dataset.arrays)


@pytest.mark.parametrize("name", DATASETS)
def test_the_largest_sizes_exist(name: str) -> None:
    facts = DATASETS[name]
    dataset = loaded(name, facts.train_max, facts.test_max)
    assert (len(dataset.x_train), len(dataset.x_test)) == (facts.train_max, facts.test_max)


@pytest.mark.parametrize("name", DATASETS)
def test_data_are_the_same_every_time_and_for_every_seed(name: str) -> None:
    for array, again in zip(loaded(name).arrays, loaded(name, seed=7).arrays, strict=True):
        np.testing.assert_array_equal(array, again)


@pytest.mark.parametrize("name", CLASSIFICATIONS)
def test_a_smaller_data_set_is_the_beginning_of_the_larger(name: str) -> None:
    for few, many in zip(loaded(name, 100, 50).arrays, loaded(name).arrays, strict=True):
        np.testing.assert_array_equal(few, many[: len(few)])


@pytest.mark.parametrize("name", CLASSIFICATIONS)
def test_features_are_standardised_with_statistics_of_the_training_set(name: str) -> None:
    dataset = loaded(name)
    deviation = dataset.x_train.std(axis=0)
    np.testing.assert_allclose(dataset.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(deviation[deviation > 0], 1, atol=1e-3)
    assert np.abs(dataset.x_test).max() < 100


@pytest.mark.parametrize("name", CLASSIFICATIONS)
def test_training_and_test_examples_are_disjoint(name: str) -> None:
    facts = DATASETS[name]
    dataset = loaded(name, facts.train_max, facts.test_max)
    assert not {row.tobytes() for row in dataset.x_train} & {row.tobytes() for row in dataset.x_test}


@pytest.mark.parametrize("name", CLASSIFICATIONS)
def test_targets_are_one_hot(name: str) -> None:
    for y in (loaded(name).y_train, loaded(name).y_test):
        assert set(np.unique(y)) == {0, 1}
        np.testing.assert_array_equal(y.sum(axis=1), 1)


@pytest.mark.parametrize("name", TOYS)
@pytest.mark.parametrize("size", [2, 64, 1024, 8192])
def test_classes_of_toys_are_balanced_at_every_size(name: str, size: int) -> None:
    np.testing.assert_array_equal(loaded(name, size).y_train.sum(axis=0), size / 2)


def test_classes_of_digits_are_balanced() -> None:
    dataset = loaded("digits")
    for y in (dataset.y_train, dataset.y_test):
        np.testing.assert_allclose(y.mean(axis=0), 0.1, atol=0.005)


def test_digits_are_the_documented_split() -> None:
    images, labels = load_digits(return_X_y=True)
    x_train, x_test, _, labels_test = train_test_split(images, labels, test_size=360, stratify=labels, random_state=0)
    dataset = loaded("digits")
    used = x_train.std(axis=0) > 0
    expected = (x_test - x_train.mean(axis=0)) / (x_train.std(axis=0) + 1e-6)
    np.testing.assert_allclose(dataset.x_test[:, used], expected[:, used], atol=1e-12)
    np.testing.assert_array_equal(dataset.y_test.argmax(axis=1), labels_test)


@pytest.mark.parametrize("size", [2, "all"])
def test_pixels_that_no_training_image_uses_are_not_blown_up(size: int | str) -> None:
    """Two test images have grey level 1 in such a pixel."""
    dataset = loaded("digits", size)
    unused = loaded("digits").x_train.std(axis=0) == 0
    assert unused.any()
    assert dataset.x_test[:, unused].max() == 1


@pytest.mark.parametrize("name", TOYS)
def test_toys_can_be_learnt_but_not_by_chance(name: str) -> None:
    """The nearest training example tells the class; a data set whose labels were shuffled would give one half."""
    dataset = loaded(name)
    distances = np.linalg.norm(dataset.x_test[:, None] - dataset.x_train[None], axis=2)
    guesses = dataset.y_train[distances.argmin(axis=1)]
    assert (guesses.argmax(axis=1) == dataset.y_test.argmax(axis=1)).mean() > 0.85


@pytest.mark.parametrize("size", [1, 9, 20])
def test_regression_is_the_toy_of_the_paper(size: int) -> None:
    dataset = loaded("regression", size)
    half = (size + 1) // 2
    np.testing.assert_array_equal(dataset.y_train[:, 0], [1.0] * half + [-1.0] * (size - half))
    np.testing.assert_array_equal(dataset.x_test, dataset.x_train)
    np.testing.assert_array_equal(dataset.y_test, dataset.y_train)


def test_inputs_of_the_regression_are_standard_normal() -> None:
    x = loaded("regression").x_train
    assert abs(x.mean()) < 4 / np.sqrt(x.size)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / x.size)


def test_shades_are_places_between_the_least_and_the_greatest_training_value() -> None:
    x = np.array([[0.0, 5.0, 1.0], [2.0, 5.0, -1.0]])
    data = Dataset(x, np.eye(2), x, np.eye(2), "classification")
    shades = data.shades(np.array([[0.0, 5.0, 1.0], [1.0, 9.0, -9.0], [2.0, 5.0, 0.0]]))
    np.testing.assert_array_equal(shades, [[0, 0, 255], [128, 255, 0], [255, 0, 128]])


def test_training_on_digits_imports_no_scikit_learn() -> None:
    """Its import takes as long as that of JAX."""
    program = "import sys, pcviz.jobs.training; from pcviz.data import load; from pcviz.experiment import Experiment; "
    program += "load(Experiment().data, 0, 'float32'); print([name for name in sys.modules if name == 'sklearn'])"
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
