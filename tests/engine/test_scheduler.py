"""Who is next, for how long, how often: pure decisions."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcviz.engine.scheduler import (
    FRAME_BUDGET,
    HEAD_START,
    RUNS_PER_EXTRA,
    Candidate,
    Ledger,
    checkpoint_interval,
    frame_interval,
    slice_seconds,
)


def shares(candidates: list[Candidate], turns: int = 600, cost: float = 0.01) -> Counter[str]:
    ledger, used = Ledger(), Counter[str]()
    for _ in range(turns):
        chosen = ledger.next(candidates)
        assert chosen is not None
        ledger.charge(chosen, cost)
        used[chosen.run] += 1
    return used


@pytest.mark.parametrize(("active", "seconds"), [(0, 0.1), (1, 0.1), (5, 0.1), (10, 0.05), (30, 0.5 / 30), (500, 0.01)])
def test_a_slice_is_half_a_second_shared(active: int, seconds: float) -> None:
    assert slice_seconds(active) == pytest.approx(seconds)


def test_frames_become_rarer_as_the_budget_is_used() -> None:
    used = [0.0, 0.49, 0.5, 0.74, 0.75, 0.875]
    assert [frame_interval(0.1, int(u * FRAME_BUDGET)) for u in used] == [0.1, 0.1, 0.2, 0.2, 0.4, 0.8]
    assert frame_interval(0.1, 2 * FRAME_BUDGET) > 1e5


@given(st.integers(100, 100_000))
def test_the_budget_is_never_exceeded(size: int) -> None:
    budget, used, now = 1_000_000, 0, 0.0
    while now < 3600 and used <= budget:
        interval = frame_interval(0.1, used, budget)
        now, used = now + interval, used + size
    assert used <= budget + size


def test_checkpoints_take_a_twentieth_of_compute_at_most() -> None:
    assert checkpoint_interval(0.01) == 2.0
    assert checkpoint_interval(0.5) == 10.0
    assert checkpoint_interval(60.0) == 15.0, "a kill costs no more than half a minute"


def test_nobody_no_turn() -> None:
    assert Ledger().next([]) is None


def test_sessions_share_evenly_whatever_their_number_of_runs() -> None:
    used = shares([Candidate("a", "one"), Candidate("b", "two"), Candidate("c", "two"), Candidate("d", "two")])
    assert used["a"] == 300
    assert used["b"] == used["c"] == used["d"] == 100


def test_extras_get_a_head_start_and_then_their_share_or_all_of_it() -> None:
    run, other, extra = Candidate("r", "s"), Candidate("q", "s"), Candidate("c", "s", extra=True)
    used, first = shares([run, other, extra]), HEAD_START / 0.01
    assert used["c"] == pytest.approx(first + (600 - first) / (1 + RUNS_PER_EXTRA), abs=1)
    assert used["r"] == pytest.approx(used["q"], abs=1)
    assert shares([extra]) == {"c": 600}

    ledger = Ledger()
    for _ in range(50):
        ledger.charge(run, 0.1)
        assert ledger.next([run]) == run
    taken = []
    for _ in range(36):
        chosen = ledger.next([run, extra])
        assert chosen is not None
        ledger.charge(chosen, 0.1)
        taken.append(chosen.run)
    first = taken.index("r")
    assert first == pytest.approx(HEAD_START / 0.1, abs=1)
    assert taken[first:].count("c") == pytest.approx((36 - first) / (1 + RUNS_PER_EXTRA), abs=1)


def test_a_new_extra_has_its_head_start_before_other_extras() -> None:
    run, busy, new = Candidate("r", "s"), Candidate("b", "s", extra=True), Candidate("n", "s", extra=True)
    ledger, taken = Ledger(), []
    for turn in range(400):
        chosen = ledger.next([run, busy] if turn < 200 else [run, busy, new])
        assert chosen is not None
        ledger.charge(chosen, 0.1)
        taken.append(chosen.run)
    soon = taken[200 : 200 + round(HEAD_START / 0.1)]
    assert soon.count("n") >= len(soon) - 1
    later = Counter(taken[220:])
    assert later["n"] == pytest.approx(later["b"], abs=2)


def test_waiting_earns_no_credit_and_a_newcomer_no_privilege() -> None:
    ledger = Ledger()
    old, new = Candidate("old", "a"), Candidate("new", "b")
    for _ in range(100):
        ledger.charge(old, 1.0)
        assert ledger.next([old]) == old
    taken = []
    for _ in range(10):
        chosen = ledger.next([old, new])
        assert chosen is not None
        ledger.charge(chosen, 1.0)
        taken.append(chosen.run)
    assert Counter(taken) == {"old": 5, "new": 5}


@given(st.lists(st.floats(0.001, 0.2), min_size=200, max_size=200))
def test_time_is_shared_even_if_slices_overrun(costs: list[float]) -> None:
    ledger, used = Ledger(), Counter[str]()
    candidates = [Candidate("a", "one"), Candidate("b", "two")]
    for cost in costs:
        chosen = ledger.next(candidates)
        assert chosen is not None
        ledger.charge(chosen, cost)
        used[chosen.run] += cost  # type: ignore[assignment]
    assert abs(used["a"] - used["b"]) <= 0.2
