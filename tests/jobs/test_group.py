"""Groups: members are measured once, two at a time, only while somebody asks, and not again after a checkpoint."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from pcviz.experiment import Experiment
from pcviz.experiment.looks import GroupOptions, Parts
from pcviz.frames import Value
from pcviz.jobs import group
from pcviz.jobs.group import AT_ONCE, MOST_FAULTS, Group
from pcviz.jobs.protocol import Incomplete
from pcviz.numerics.krylov import Work


class Options(GroupOptions):
    """Two families of three members; later ones take longer, and some fail."""

    PAGE, KEYS = "", {}
    fails: tuple[str, ...] = ()
    together: int = 1

    def own_parts(self, experiment: Experiment) -> Parts:
        return {f"{family}{number}": float(number) for number in (1, 2, 3) for family in "ab"}


class Fake(Group[Options]):
    KIND, OPTIONS = "fake", Options
    PIECES: ClassVar[int] = 4

    def _begin(self) -> None:
        super()._begin()
        self.pieces: Counter[str] = Counter()
        self.crowds: list[list[tuple[str, ...]]] = []

    def family(self, member: str) -> str:
        return member[0]

    def key(self, member: str) -> str:
        return member

    def most_together(self, member: str) -> int:
        return self.options.together

    def measure(self, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        self.crowds.append([*self._under_way, tuple(members)])
        return self._measured(members)

    def _measured(self, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        for _ in range(self.PIECES):
            time.sleep(0.002)
            self.pieces.update(members)
            yield
        if set(self.options.fails) & set(members):
            raise ArithmeticError("it broke")
        return [{"name": member, "values": [math.nan, math.inf, 0.1 + 0.2], "nothing": None} for member in members]

    def _values(self, bulk: bool) -> dict[str, Value]:
        return {}


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member pauses after each of its yields."""
    monkeypatch.setattr(group, "PIECE_SECONDS", 1e-9)


def fake(**options: Any) -> Fake:
    made = Fake(Experiment(), options)
    made.prepare()
    return made


def test_each_member_is_a_step_and_is_measured_once() -> None:
    job, steps = fake(), []
    while not job.done:
        job.advance(job.steps, 0.0)
        steps.append(job.frame(bulk=False).step)
    assert job.steps == 6 and list(dict.fromkeys(steps)) == list(range(7)), "no member ends without a frame of its own"
    assert job.pieces == dict.fromkeys(job.options.parts(Experiment()), Fake.PIECES)
    assert {result["name"] for result in job.results.values()} == set(job.pieces)
    assert job.frame(bulk=False).done


def test_two_work_at_a_time_and_a_family_shares_what_it_compiled() -> None:
    job = fake()
    job.run()
    assert max(map(len, job.crowds)) == AT_ONCE
    assert all(len({members[0][0] for members in crowd}) == len(crowd) for crowd in job.crowds[:5])


def test_members_of_a_family_go_together_as_many_as_fit() -> None:
    job = fake(together=2)
    job.run()
    assert [crowd[-1] for crowd in job.crowds] == [("a1", "a2"), ("b1", "b2"), ("a3",), ("b3",)]
    assert job.step == len(job.results) == 6
    assert all(result["name"] == member for member, result in job.results.items())


def test_it_never_goes_past_the_step_asked_for() -> None:
    job = fake()
    for step in (1, 2, 4):
        job.advance(step, 60.0)
        assert job.step == len(job.results) == step


def test_nothing_goes_on_while_nobody_asks() -> None:
    job = fake()
    while sum(job.pieces.values()) < 3:
        job.advance(job.steps, 0.0)
    time.sleep(0.05)  # a piece that was begun comes to its end
    before = dict(job.pieces)
    time.sleep(0.1)
    assert job.pieces == before and not job.done
    job.run()
    assert job.done and set(job.pieces.values()) == {Fake.PIECES}, "what was paused was not begun again"


def test_what_a_checkpoint_holds_is_not_measured_again() -> None:
    first = fake()
    first.advance(4, 60.0)
    second = fake()
    second.restore(first.checkpoint())
    assert (second.step, second.seconds, second.done) == (4, first.seconds, False)
    assert second.frame(bulk=False).values["seconds_left"] == pytest.approx(first.seconds_left)
    second.run()
    assert len(second.pieces) == 2 and not set(second.pieces) & set(list(first.results)[:4])
    for result in second.results.values():
        assert math.isnan(result["values"][0]) and result["values"][1:] == [math.inf, 0.1 + 0.2]


def test_a_checkpoint_of_everything_leaves_nothing_to_do() -> None:
    first, second = fake(), fake()
    first.run()
    second.restore(first.checkpoint())
    assert second.done and math.isnan(second.seconds_left)


def test_finish_ends_what_has_begun_and_begins_no_other() -> None:
    job = fake()
    job.finish()
    assert not job.pieces, "nothing had begun"
    job = fake()
    job.advance(1, 60.0)
    begun = set(job.pieces)
    job.finish()
    assert set(job.results) == begun and AT_ONCE <= len(begun) < job.steps and not job.done


def test_the_time_left_follows_what_members_are_expected_to_take() -> None:
    job = fake()
    job.advance(2, 60.0)
    done = sum(job._expected[member] for member in job.results)
    assert job.seconds_left == pytest.approx(job.seconds * (12 / done - 1))


class Kept(dict[str, Any]):
    """What runs remember, in memory."""

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        return {key: self[key] for key in keys if key in self}

    def keep(self, results: Mapping[str, Any]) -> None:
        self.update(results)


def test_a_member_that_fails_is_named_when_the_others_are_measured_and_tried_again_by_the_next_run() -> None:
    kept, first = Kept(), fake(fails=("b1",))
    first.memory = kept
    fault = r"^b1: ArithmeticError: it broke \(1 of 6 are missing\)$"
    with pytest.raises(Incomplete, match=fault):
        first.run()
    assert set(kept) == set(first.options.parts(Experiment())) - {"b1"}
    second = fake()
    second.memory = kept
    second.run()
    assert list(second.pieces) == ["b1"] and set(kept) == set(second.results)


def test_a_group_ends_early_where_much_fails() -> None:
    job = fake(fails=("a1", "a2", "a3", "b1", "b2", "b3"))
    with pytest.raises(RuntimeError, match=r"ArithmeticError: it broke \(6 of 6 are missing\)$"):
        job.run()
    assert MOST_FAULTS <= len(job.crowds) < 6
