"""Batches are a function of (seed, step) and go through the training set epoch by epoch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcviz.data.batches import batch_indices, steps_per_epoch

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    train_size = draw(st.integers(1, 200))
    return train_size, draw(st.integers(1, train_size))


def epoch_of(seed: int, epoch: int, train_size: int, batch_size: int) -> np.ndarray:
    steps = steps_per_epoch(train_size, batch_size)
    first = epoch * steps
    return np.concatenate([batch_indices(seed, step, train_size, batch_size) for step in range(first, first + steps)])


@given(SEEDS, st.integers(0, 5), sizes())
def test_an_epoch_visits_each_example_at_most_once(seed: int, epoch: int, size: tuple[int, int]) -> None:
    train_size, batch_size = size
    visited = epoch_of(seed, epoch, *size)
    assert len(visited) == len(set(visited.tolist())) == train_size - train_size % batch_size
    assert set(visited.tolist()) <= set(range(train_size))


@given(SEEDS, st.integers(0, 10_000), sizes())
def test_a_batch_has_its_size(seed: int, step: int, size: tuple[int, int]) -> None:
    assert batch_indices(seed, step, *size).shape == (size[1],)


def test_batches_do_not_depend_on_what_was_asked_before() -> None:
    asked_in_order = [batch_indices(3, step, 1437, 64).copy() for step in range(200)]
    batch_indices.__globals__["_permutation"].cache_clear()
    for step in reversed(range(200)):
        np.testing.assert_array_equal(batch_indices(3, step, 1437, 64), asked_in_order[step])


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {epoch_of(seed, epoch, 100, 10).tobytes() for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


def test_a_batch_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        batch_indices(0, 0, 10, 5)[0] = 3


@pytest.mark.parametrize("batch_size", [0, 11])
def test_a_batch_that_does_not_fit_is_refused(batch_size: int) -> None:
    with pytest.raises(ValueError, match=r"learning\.batch_size"):
        batch_indices(0, 0, 10, batch_size)
