"""Frames: what is written is read back; recordings hold first and last."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcviz.frames import TRACE_ROWS, trace_rows
from pcviz.instruments import CHANNELS, gathered
from pcviz.store.values import decode_values, encode_values


@given(st.integers(0, 10**6))
def test_recorded_rows_hold_first_and_last_and_fit(steps: int) -> None:
    rows = trace_rows(steps)
    assert rows[0] == 0 and rows[-1] == steps and len(rows) <= TRACE_ROWS
    assert (np.diff(rows) > 0).all()


def test_short_relaxations_are_recorded_whole() -> None:
    np.testing.assert_array_equal(trace_rows(255), np.arange(256))


def test_values_are_read_back_bitwise() -> None:
    values = {"energy": np.array([1e-300, 0.0, 2.5]), "total_energy": 2.5, "trace_steps": np.arange(3)}
    back = decode_values(encode_values(values))
    np.testing.assert_array_equal(back["energy"], values["energy"])
    assert back["energy"].dtype == np.float64 and back["trace_steps"].dtype == np.int32
    assert back["total_energy"] == 2.5


def test_numbers_that_are_not_finite_become_null() -> None:
    assert orjson.loads(encode_values({"total_energy": float("inf")})) == {"total_energy": None}


def test_bulk_and_the_rest_are_split_without_loss() -> None:
    values = {"energy": np.ones(2), "energy_trace": np.ones((2, 2))}
    parts = [decode_values(encode_values(values, bulk=bulk)) for bulk in (False, True)]
    assert [list(part) for part in parts] == [["energy"], ["energy_trace"]]


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(KeyError):
        encode_values({"no_such_channel": 1.0})


def test_every_channel_says_what_it_is() -> None:
    assert all(channel.unit and channel.meaning for channel in CHANNELS.values())


def test_a_name_belongs_to_one_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pcviz.instruments.chain.channels.CHANNELS", {"energy": CHANNELS["energy"]})
    with pytest.raises(ValueError, match="CHANNELS of chain: another instrument has energy already"):
        gathered("channels", "CHANNELS")
