"""`python -m pcviz diagnose`: what it finds, how it ends, what it refuses."""

import json

import pytest

from tests.cli.test_cli import refused, run


def test_diagnose_names_causes_and_its_status_tells_of_failures() -> None:
    small = ["--network.depth", "5", "--network.width", "16", "--learning.steps", "60"]
    answer = run("diagnose", *small, "--inference.steps", "1", "--verify", "--json")
    assert answer.returncode == 3, answer.stderr
    document = json.loads(answer.stdout)
    first = document["findings"][0]
    assert (document["verdict"], first["id"], first["layers"]) == ("FAIL", "D1", [1, 2, 3])
    assert document["attempts"][0]["score"] > document["score"] + 5
    assert document["steps"] == 60 and set(document["baselines"]) >= {"linear", "random features"}
    told = run("diagnose", *small, "--learning.rule", "bp")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("OK  Healthy: after 60 weight steps")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--step", "0"), "step: 0 is not possible (allowed: a whole number from 1 to 100000)"),
        (("--run", "nothing"), "run: nothing: "),
        (("--run", "nothing", "--seed", "3"), "run: does not go with fields of an experiment"),
    ],
)
def test_diagnose_refuses_what_is_not_possible(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], line: str, database_url: str
) -> None:
    (told,) = refused(capsys, "diagnose", *words)
    assert told.startswith(line)
