"""Groups whose members other processes measure: each once and with the same results, in whatever order they answer,
whoever dies, and never by other code."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcviz.data import own
from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import GroupOptions, Parts
from pcviz.frames import Value
from pcviz.instruments.sweep.job import Sweep
from pcviz.instruments.sweep.options import Options as SweepOptions
from pcviz.jobs import elsewhere, group
from pcviz.jobs.code import versions
from pcviz.jobs.group import CALL_SECONDS, CALLS_AHEAD, MOST_DEATHS, Group
from pcviz.numerics.krylov import Work
from tests.elsewhere import ByHand

MEASURED: Counter[str] = Counter()


class Options(GroupOptions):
    """Three families of members, each expected to take so many seconds."""

    PAGE, KEYS = "", {}
    members: int = 30
    expected: float = 0.1

    def own_parts(self, experiment: Experiment) -> Parts:
        return {f"{'abc'[number % 3]}{number}": self.expected for number in range(self.members)}


class Fake(Group[Options]):
    KIND, OPTIONS = "fake", Options

    def family(self, member: str) -> str:
        return member[0]

    def most_together(self, member: str) -> int:
        return 4

    def measure(self, members: Sequence[str]) -> Work[list[str]]:
        assert len({member[0] for member in members}) == 1 and len(members) <= 4
        yield
        MEASURED.update(members)
        return [member.upper() for member in members]

    def _values(self, bulk: bool) -> dict[str, Value]:
        return {}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "LOOK_SECONDS", 0.0)


def prepared(job: Group[Any], there: ByHand) -> Any:
    job.elsewhere = there
    job.prepare()
    return job


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_any_order_of_answers_and_deaths_gives_the_same_results(chance: random.Random) -> None:
    MEASURED.clear()
    there = ByHand()
    job, died = prepared(Fake(Experiment(), {}), there), 0
    while not job.done:
        job.advance(job.steps, 0.0)
        if not job.idle:
            continue
        assert 0 < len(there.calls) <= CALLS_AHEAD * there.slots
        if died < MOST_DEATHS - 1 and chance.random() < 0.2:
            there.calls.pop(chance.randrange(len(there.calls)))[0].set_exception(BrokenExecutor())
            died += 1
        else:
            there.answer(chance.randrange(len(there.calls)))
        assert not job.idle
    assert job.results == {member: member.upper() for member in job.options.parts(Experiment())}
    assert set(MEASURED.values()) == {1} and len(MEASURED) == job.step == 30


def test_a_group_that_does_not_advance_sends_nothing_and_takes_back_what_nobody_waits_for() -> None:
    there = ByHand()
    job = prepared(Fake(Experiment(), {}), there)
    job.advance(job.steps, 60.0)  # at once: there is nothing to do here
    sent = len(there.sizes)
    while there.calls[1:]:
        there.answer()
    assert len(there.sizes) == sent == CALLS_AHEAD * there.slots
    kept = json.loads(job.checkpoint()["results"].tobytes())
    assert len(kept) == sum(there.sizes[:-1]), "what came meanwhile is kept"
    assert not job.idle, "more could be sent"
    job.withdraw()
    assert there.calls[0][0].cancelled()


def test_finish_waits_for_what_was_sent_and_sends_no_more() -> None:
    there = ByHand()
    job = prepared(Fake(Experiment(), {}), there)
    job.advance(job.steps, 0.0)
    sent = sum(there.sizes)
    answering = threading.Thread(target=lambda: [there.answer() for _ in range(len(there.calls))])
    answering.start()
    job.finish()
    answering.join()
    assert len(job.results) == sum(there.sizes) == sent < 30


def test_members_that_kill_whoever_measures_them_are_named() -> None:
    there = ByHand()
    job = prepared(Fake(Experiment(), {}), there)
    with pytest.raises(RuntimeError, match=rf"^a0: the processes that measured it died {MOST_DEATHS} times"):
        while True:
            job.advance(job.steps, 0.0)
            for _ in range(len(there.calls)):
                if "a0" in there.calls[0][2]:
                    there.calls.pop(0)[0].set_exception(BrokenExecutor())
                else:
                    there.answer()


def test_processes_that_are_lost_are_named() -> None:
    there = ByHand()
    job = prepared(Fake(Experiment(), {}), there)
    job.advance(job.steps, 0.0)
    there.calls[0][0].cancel()
    with pytest.raises(ConnectionError, match=r"^by hand was lost"):
        job.advance(job.steps, 0.0)


def sizes(**options: Any) -> list[int]:
    there = ByHand()
    job = prepared(Fake(Experiment(), options), there)
    while not job.done:
        job.advance(job.steps, 0.0)
        while there.calls:
            there.answer()
    return there.sizes


def test_small_members_go_in_few_calls_and_long_ones_do_not_wait_for_each_other() -> None:
    small = sizes(members=800, expected=0.001)
    assert len(small) < 60 and small[-1] <= 8, "ends together"
    long = sizes(members=60, expected=CALL_SECONDS)
    assert set(long) == {4}, "one program at a time"


@pytest.mark.parametrize("name", ["jax", "pcviz", "device"])
def test_another_version_is_refused_in_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = ByHand()
    job = prepared(Fake(Experiment(), {}), there)
    other = versions() | {name: "0.0.1"}
    monkeypatch.setattr(elsewhere, "versions", lambda: other)
    elsewhere._group.cache_clear()
    job.advance(job.steps, 0.0)
    with pytest.raises(RuntimeError) as fault:
        there.answer()
    assert str(fault.value).startswith("process ") and "\n" not in str(fault.value)
    assert f": {name} is 0.0.1 and should be {versions()[name]} (allowed: " in str(fault.value)


def test_the_first_answer_says_which_device_and_must_have_our_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = versions()
    monkeypatch.setattr(elsewhere, "_answer", lambda: ("process 7 on far", ours | {"device": "NVIDIA H200"}))
    assert prepared(Fake(Experiment(), {}), ByHand()).device == "NVIDIA H200"
    monkeypatch.setattr(elsewhere, "_answer", lambda: ("process 7 on far", {"python": "3.0", "device": "cpu"}))
    with pytest.raises(RuntimeError, match=r"^by hand, process 7 on far: python is 3.0 and should be .*jax is unknown"):
        prepared(Fake(Experiment(), {}), ByHand())


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(ByHand):
        def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
            return Future()

    monkeypatch.setattr(elsewhere, "WAIT_SECONDS", 0.01)
    with pytest.raises(ConnectionError, match=r"^by hand: no worker answered within 0 s; start some"):
        prepared(Fake(Experiment(), {}), Silent())


def test_a_sweep_over_an_own_data_set_is_the_same_as_here(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 2)), np.tile([0, 1], 20)
    name = own.hold(x[:30], y[:30], x[30:], y[30:])
    base = from_paths(
        {"network.depth": 3, "network.width": 4, "inference.steps": 2, "learning.steps": 3, "learning.batch_size": 8}
    )
    options = SweepOptions(vary=(f"data.name=moons,{name}", "seed=0..4", "network.width=4,5"))
    here, there = Sweep(base, options), ByHand()
    monkeypatch.undo()
    here.run()
    job = prepared(Sweep(base, options), there)
    while not job.done:
        job.advance(job.steps, 0.0)
        monkeypatch.setattr(own, "HELD", {})  # there, nothing is known
        for _ in range(len(there.calls)):
            there.answer(-1)
        monkeypatch.undo()
    assert json.dumps(job.document["cells"]) == json.dumps(here.document["cells"])
