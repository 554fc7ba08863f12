"""`pcviz sweep`: its document, its tables, and what it refuses."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pcviz.cli.main import main
from pcviz.cli.sweep import text
from pcviz.experiment import Experiment
from pcviz.instruments.sweep.job import Sweep
from pcviz.numerics.krylov import Work

SMALL = [
    "--network.depth=4",
    "--network.width=6",
    "--data.name=moons",
    "--inference.steps=5",
    "--learning.steps=6",
    "--learning.batch-size=8",
]


def out(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["sweep", *SMALL, *words]) == status
    return capsys.readouterr().out


def test_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--vary", "network.width=5,6", "--vary", "seed=0..2", "--json"]
    document = json.loads(out(capsys, *words))
    assert document["status"] == "done" and document["expected"] == len(document["cells"]) == 6
    assert document["sweep"]["vary"] == ["network.width=5,6", "seed=0..2"]
    assert [cell["changes"] for cell in document["cells"]][:2] == [
        {"network.width": 5, "seed": 0},
        {"network.width": 6, "seed": 0},
    ]
    assert Experiment.model_validate(document["experiment"]).network.depth == 4


def test_a_table_for_people_marks_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--vary", "learning.learning_rate=log:1e-4..1e-1:4", "--vary", "inference.step-size=0.1,0.2"]
    text = out(capsys, *words)
    rows = text.splitlines()
    assert rows[0].startswith("training loss (mean of the last tenth of the steps), means over 1 seed(s)")
    assert rows[2].split() == ["learning.learning_rate", "\\", "inference.step_size", "0.1", "0.2"]
    assert [row.split()[0] for row in rows[3:7]] == ["0.0001", "0.001", "0.01", "0.1"]
    best = next(row for row in rows if row.startswith("best: "))
    assert "*" in next(row for row in rows[3:7] if row.split()[0] == best.split()[3].rstrip(","))
    assert "8 of 8 cells of 1 shape(s), 0 diverged" in rows[-1]


def test_three_axes_make_several_tables(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--vary", "seed=0", "--vary", "network.width=5,6", "--vary", "network.gamma=1,2"]
    text = out(capsys, *words, "--vary", "inference.step_size=0.1,0.2", "--quantity", "test_accuracy")
    assert "inference.step_size = 0.1\n" in text and "inference.step_size = 0.2\n" in text
    assert text.startswith("test accuracy")


def test_random_cells_are_listed_best_first(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "--vary", "learning.learning_rate=log:1e-3..1e-1:2", "--samples", "5")
    losses = [float(row.split()[1]) for row in text.splitlines()[1:6]]
    assert losses == sorted(losses)
    assert "5 of 5 cells" in text


def test_a_cell_that_fails_costs_no_other(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    measure = Sweep.measure

    def failing(job: Sweep, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        if "seed=1" in members:
            raise ArithmeticError("it broke")
        return (yield from measure(job, members))

    monkeypatch.setattr(Sweep, "measure", failing)
    monkeypatch.setattr(Sweep, "most_together", lambda job, member: 1)
    document = json.loads(out(capsys, "--vary", "seed=0..2", "--json", status=1))
    assert document["status"] == "failed (seed=1: ArithmeticError: it broke (1 of 3 are missing))"
    assert [cell["name"] for cell in document["cells"]] == ["seed=0", "seed=2"]


def test_a_limit_stops_it_and_prints_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--vary", "seed=0..99", "--learning.steps", "2000", "--limit", "0.2", "--json"]
    document = json.loads(out(capsys, *words, status=1))
    assert document["status"] == "stopped (limit)" and len(document["cells"]) < 100
    told = text(document).splitlines()
    assert told[0] == "stopped (limit); the same command again trains only the cells that are missing"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "vary: what varies is missing (allowed: "),
        (["--vary", "network.width"], "vary: network.width is not an axis (allowed: "),
        (["--vary", "network.width=0,4"], "vary: network.width=0: network.width: 0 is below 1 (allowed: "),
        (["--vary", "seed=0..1", "--samples", "0"], "samples: 0 is below 1 (allowed: a whole number from 1 to "),
        (["--vary", "seed=0..1", "--quantity", "speed"], "quantity: speed is not one of the allowed values (allowed: "),
        *(
            (["--vary", "seed=0..1", "--workers", bad], f"workers: {bad} is not possible (allowed: 1 to 256)")
            for bad in ("0", "-1", "x", "10000")
        ),
        (
            ["--vary", "seed=0..1", "--workers", "2", "--scheduler", "tcp://far:1"],
            "workers: does not go with --scheduler (allowed: one of the two)",
        ),
        (["--vary"], "vary: the value is missing (allowed: FIELD=VALUES; "),
        (
            ["--vary", "network.depth=4,512", "--vary", "network.width=8,2048"],
            "network.width: 2048 at depth 512 needs ",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *SMALL, *words]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(line), told
