"""`python -m pcviz relax`."""

import json

import pytest

from pcviz.cli import relax as cli_relax
from pcviz.experiment.solvers import SOLVERS
from tests.cli.test_cli import refused, run


def test_relax_prints_the_numbers_of_the_inference_page() -> None:
    small = ["--network.depth", "4", "--network.width", "8", "--data.name", "moons"]
    solvers = ("gradient_descent", "gauss_newton", "pc_alm", "gradient_flow")
    answer = run("relax", *small, "--budget", "60", "--solver", ",".join(solvers), "--json")
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert document["status"] == "done" and document["steps"] == 4 * 3
    assert document["layers_with_signal"] == document["layers_expected"] == 4 and len(document["energies"]) == 4
    assert document["total_energy"] == pytest.approx(sum(document["energies"]))
    assert document["equilibrium_energy"] <= min(entry["final_energy"] for entry in document["solvers"])
    assert {entry["solver"] for entry in document["solvers"]} == {*solvers, "momentum"}, "the own one too"
    for entry in document["solvers"]:
        assert entry["stopped_by"] in ("arrived", "stalled", "budget", "diverged")
        assert entry["passes"] > 0 and entry["seconds"] > 0
        assert entry["reached_tolerance"] == (entry["passes_to_tolerance"] is not None)
    assert sum(document["spectrum"]["counts"]) == 24
    assert document["best"] and document["reading"][0].startswith("All 4 layers")


def test_relax_takes_all_solvers_by_one_word() -> None:
    assert cli_relax._options({"solver": "all"}).solvers == tuple(SOLVERS)


@pytest.mark.parametrize("words", [("--solver", "nonsense"), ("--batch", "-1"), ("--step", "-1"), ("--budget", "many")])
def test_relax_refuses_what_is_not_possible(capsys: pytest.CaptureFixture[str], words: tuple[str, str]) -> None:
    (line,) = refused(capsys, "relax", *words)
    assert line.startswith(words[0].removeprefix("--")) and "allowed" in line
