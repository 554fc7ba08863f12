"""`pcviz reproduce list` and `all`: the plan keeps to the budget, and one table holds every claim."""

import json
from typing import Any

import pytest

from pcviz.cli import claims
from pcviz.cli import reproduce as cli_reproduce
from pcviz.cli.claims import expected, plan, seconds_of
from pcviz.cli.flags import BadArguments
from pcviz.cli.main import main
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.studies.start import Start


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("45", 45)])
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "-3m", "3d", "m", "1e3", "٣m", None])
def test_what_is_no_time_is_refused(text: str | None) -> None:
    with pytest.raises(BadArguments, match=r"budget: .* is not a time \(allowed: "):
        seconds_of(text)


@pytest.mark.parametrize("budget", [1.0, 60.0, 300.0, 1800.0, 1e6])
def test_a_plan_keeps_to_its_budget_and_leaves_no_room(budget: float) -> None:
    chosen = plan(budget)
    total = sum(expected(name, protocol) for name, protocol in chosen.items() if protocol)
    assert list(chosen) == list(STUDIES) and total <= budget
    for name, protocol in chosen.items():
        if protocol is None:
            assert total + expected(name, "quick") > budget
        if protocol == "quick":
            assert total - expected(name, "quick") + expected(name, "full") > budget


def test_all_is_full_without_a_budget_and_quick_on_request() -> None:
    assert set(plan(None).values()) == {"full"}
    assert set(plan(None, quick=True).values()) == {"quick"}
    assert {*plan(1800.0).values()} >= {"full"}


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in document["reproductions"]] == list(STUDIES)
    assert all(0 < row["seconds"]["quick"] < row["seconds"]["full"] for row in document["reproductions"])
    assert main(["reproduce", "list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text and entry.help in text for name, entry in STUDIES.items())


def told(options: Options, limit: float | None, elsewhere: None, *, quiet: bool) -> dict[str, Any]:
    verdict = [{"claim": f"{options.finding} holds", "measured": 1.5, "interval": [1.0, 2.0], "kept": True}]
    missing = {"claim": "something else", "measured": None, "interval": None, "kept": None}
    return {"status": "done", "verdict": [*verdict, missing], "seconds": 1.0, "device": "cpu"}


def test_one_table_of_all_claims(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli_reproduce, "run_reproduction", told)
    cheapest = sorted(STUDIES, key=lambda name: expected(name, "quick"))[:2]
    budget = sum(expected(name, "quick") for name in cheapest)
    assert main(["reproduce", "all", "--budget", f"{budget + 0.1:.1f}s"]) == 0
    text = capsys.readouterr().out
    assert text.count("out of budget") == len(STUDIES) - 2
    assert all(f"{name} (quick): {name} holds" in text for name in cheapest) and "1 to 2" in text
    assert "4 claims: 2 kept, 0 not kept, 2 not known" in text
    assert main(["reproduce", "all", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [found["protocol"] for found in document["findings"]] == ["full"] * len(STUDIES)


def test_what_is_interrupted_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[str] = []

    def interrupted(options: Options, limit: float | None, elsewhere: None, *, quiet: bool) -> dict[str, Any]:
        calls.append(options.finding)
        return told(options, limit, elsewhere, quiet=quiet) | {"status": "stopped (interrupted)"}

    monkeypatch.setattr(cli_reproduce, "run_reproduction", interrupted)
    assert main(["reproduce", "all"]) == 1
    assert len(calls) == 1 and "out of budget" in capsys.readouterr().out


def test_what_fails_does_not_end_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bad = list(STUDIES)[1]

    def failing(options: Options, limit: float | None, elsewhere: None, *, quiet: bool) -> dict[str, Any]:
        document = told(options, limit, elsewhere, quiet=quiet)
        return document | {"status": "failed (N=8: it broke)"} if options.finding == bad else document

    monkeypatch.setattr(cli_reproduce, "run_reproduction", failing)
    assert main(["reproduce", "all", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == f"failed ({bad})"
    statuses = {found["name"]: found["status"] for found in document["findings"]}
    assert statuses == dict.fromkeys(STUDIES, "done") | {bad: "failed (N=8: it broke)"}
    assert main(["reproduce", "all"]) == 1
    assert "failed (N=8: it broke)" in capsys.readouterr().out


def test_a_real_finding_is_one_of_the_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Start((8,), (3,), 1, ("orthogonal", "mupc_skips"), 4)
    monkeypatch.setitem(STUDIES, "conditioning", STUDIES["conditioning"]._replace(full=small, quick=small))
    monkeypatch.setattr(claims, "plan", lambda budget, *, quick: {"conditioning": "quick", "pc-is-bp": None})
    done, left_out = claims.run_all(None, quick=True, quiet=True)["findings"]
    assert done["status"] == "done" and {"claim", "measured", "interval", "kept"} == set(done["verdict"][0])
    assert left_out["status"] == "out of budget" and left_out["verdict"] == []
