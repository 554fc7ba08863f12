"""`bench`: rows, and what became slower than in an earlier document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import pytest

from benchmarks import app, engine, memory, rounds
from benchmarks.alone import AppSteps
from benchmarks.rounds import Seconds
from benchmarks.rows import Row, row, slower
from benchmarks.runs import Shape, experiment_of
from pcviz.experiment import Experiment
from pcviz.experiment.cost import estimate
from pcviz.jobs.stepper import Made, Stepper

STEP = [10.0, 10.2, 9.9, 10.1, 10.0, 9.8, 10.1, 10.0]


@pytest.fixture(autouse=True)
def programs_are_kept() -> Iterator[None]:
    """A benchmark compiles everything anew: the tests after it should not."""
    yield
    jax.config.update("jax_enable_compilation_cache", True)


def scaled(factor: float) -> list[float]:
    return [factor * each for each in STEP]


def document(*rows: Row) -> list[dict[str, object]]:
    """As it is read from a file."""
    found: list[dict[str, object]] = json.loads(json.dumps([asdict(each) for each in rows]))
    return found


def test_a_row_is_judged_by_its_median() -> None:
    assert row("share", "L=8", [0.1, 0.4, 0.4], "", at_least=0.35).met
    assert not row("share", "L=8", [0.1, 0.2, 0.4], "", at_least=0.35).met
    assert row("cost", "L=8", 1.1, "×", at_most=1.15).met and not row("cost", "L=8", 1.2, "×", at_most=1.15).met


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (1.0, 1.0, False),
        (1.0, 1.2, True),
        (1.2, 1.0, False),
        (1.0, 1.04, False),  # less than NOISE, though no round is as fast as any before
    ],
)
def test_what_is_slower_beyond_noise_is_said(before: float, now: float, said: bool) -> None:
    old, new = (row("training step", "L=8 N=32 T=16", scaled(factor), "ms") for factor in (before, now))
    lines = slower([new], document(old))
    assert bool(lines) is said
    if said:
        assert lines == ["training step, L=8 N=32 T=16: 10 ms before, now 12 ms, 1.20 times as bad"]
    # What should be large has become worse where this has become better.
    old, new = (row("share of peak", "L=8", scaled(factor), "", more=True) for factor in (before, now))
    assert bool(slower([new], document(old))) is (before > now)


def test_rounds_that_overlap_are_noise() -> None:
    old = row("step", "L=8", [8.0, 12.0, 9.0, 11.0, 10.0], "ms")
    new = row("step", "L=8", [9.0, 13.0, 10.0, 12.0, 11.0], "ms")
    assert not slower([new], document(old))


def test_other_shapes_and_unsteady_rows_are_not_compared() -> None:
    old, new = row("step", "L=8", scaled(1), "ms"), row("step", "L=8", scaled(2), "ms")
    assert slower([new], document(old))
    assert not slower([new], document(row("step", "L=16", scaled(1), "ms")))
    assert not slower([row("step", "L=8", scaled(2), "ms", steady=False)], document(old))


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"rows": [{"name": "step"}]}'])
def test_a_file_that_is_no_document_is_refused_before_anything_is_measured(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "old.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit) as ended:
        engine.main(["--compare", str(file)])
    assert ended.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("bench: argument --compare: ") and "not a document of bench --json" in said


def test_rows_that_an_earlier_document_lacks_are_skipped() -> None:
    old, new = row("step", "L=8", scaled(1), "ms"), row("largest width", "L=16", 1435, "", more=True)
    assert slower([old, new], document(old)) == []


def test_only_known_parts_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        engine.main(["--only", "everything"])
    assert ended.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert all(part in said for part in engine.PARTS)


def test_parts_that_are_asked_for_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in engine.PARTS:
        monkeypatch.setitem(engine.PARTS, part, lambda _quick, part=part: iter([row(part, "L=8", 1.0, "ms")]))
    assert engine.main(["--json", "--only", "memory", "app"]) == 0
    assert [found["name"] for found in json.loads(capsys.readouterr().out)["rows"]] == ["memory", "app"]
    assert engine.main(["--json", "--quick"]) == 0
    assert [found["name"] for found in json.loads(capsys.readouterr().out)["rows"]] == engine.QUICK_PARTS


def test_the_last_of_many_steps_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, bool]] = []

    def whole(_self: Any, _step: int, count: int, _kept: Any, *, recorded: bool) -> Made:
        calls.append((count, recorded))
        return Made(count, None, [])

    monkeypatch.setattr(Stepper, "whole", whole)
    steps = AppSteps(experiment_of(Shape(2, 4, 1)))
    steps.last_recorded(130)
    assert calls == [(64, False), (64, False), (2, True)]
    calls.clear()
    steps(65)
    assert calls == [(64, False), (1, False)]


def test_steps_are_counted_until_they_take_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def taking(run: Callable[[], None]) -> Seconds:
        return Seconds(0.0, 0.002 * run.args[0])  # type: ignore[attr-defined]

    monkeypatch.setattr(rounds, "timed", taking)
    assert rounds.steps_in(lambda _: None, 0.25) == 125
    assert rounds.steps_in(lambda _: None, 0.001, least=4) == 4


def test_the_largest_networks_just_fit() -> None:
    widest = memory.largest(lambda width: Shape(16, width, 16), memory.WIDEST)
    wider = widest._replace(width=widest.width + 1)
    needed, more = (estimate(experiment_of(shape)).memory_bytes for shape in (widest, wider))
    assert needed <= memory.MEMORY < more
    assert memory.largest(lambda depth: Shape(depth, 8, 16), memory.DEEPEST).depth == memory.DEEPEST


class Training:
    """A client whose training has published these (seq, step, seconds) at each look, and then ended."""

    def __init__(self, *frames: tuple[int, int, float]) -> None:
        self.looks = iter(frames)
        self.left = len(frames)

    def start(self, _experiment: Experiment, _session: str) -> str:
        return "run"

    def get(self, _run: str) -> SimpleNamespace:
        self.left -= 1
        seq, step, at = next(self.looks)
        state = "running" if self.left else "done"
        return SimpleNamespace(seq=seq, step=step, published_at=at, ended=not self.left, state=state, message=None)


def test_a_training_is_timed_between_its_first_frame_and_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "POLL_SECONDS", 0.0)
    client: Any = Training((0, 0, 0.0), (1, 10, 7.0), (4, 60, 8.0), (9, 210, 9.0))
    assert app.train(client, Experiment()).wall == 2.0 / 200
    client = Training((0, 0, 0.0), (1, 200, 7.0))
    with pytest.raises(RuntimeError, match="too short"):
        app.train(client, Experiment())
