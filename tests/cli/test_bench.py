"""`bench`: rows, and what became slower than in an earlier document."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import engine
from benchmarks.rows import Row, row, slower

STEP = [10.0, 10.2, 9.9, 10.1, 10.0, 9.8, 10.1, 10.0]


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
