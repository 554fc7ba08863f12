"""Reproductions: exponents, arrivals that hold, budgets of linear networks against their spectrum, the command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import linregress, t

from benchmarks.solve import solve
from pcviz.cli import reproduce as cli_reproduce
from pcviz.cli.main import main
from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.instruments.reproduce.job import Reproduce
from pcviz.instruments.reproduce.measures.arrival import Hold, _stands_still, arrive
from pcviz.instruments.reproduce.measures.inference_budget import problem
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.statistics import fit
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.studies.inference_budget import SOLVERS, Cell, Protocol
from pcviz.numerics.krylov import finish
from pcviz.pcn import Network, build, linear
from pcviz.pcn.feedforward import forward
from pcviz.pcn.solvers import Settings
from tests.instruments.studies import in_parts
from tests.pcn import maps as maps_of

TINY = Protocol(depths=(4, 6), widths=(4,), activations=("tanh",), seeds=(0, 1), batch=2)


class TestExponent:
    def test_a_power_law_is_found_whatever_the_kinds(self) -> None:
        depths = [4, 8, 16] * 2
        budgets = [3 * d**1.7 for d in depths[:3]] + [50 * d**1.7 for d in depths[3:]]
        found = fit(depths, budgets, ["a"] * 3 + ["b"] * 3)
        assert found is not None and found.interval is not None
        assert found.value == pytest.approx(1.7, rel=1e-12)
        assert found.interval == pytest.approx((1.7, 1.7), rel=1e-6)
        assert found.points == 6

    def test_one_kind_is_a_regression_line(self) -> None:
        depths = np.array([8, 8, 16, 32, 32, 64.0])
        budgets = depths**1.2 * np.exp(np.random.default_rng(0).normal(0, 0.1, 6))
        line, found = linregress(np.log(depths), np.log(budgets)), fit(depths, budgets, [0] * 6)
        half = t.ppf(0.975, 4) * line.stderr
        assert found is not None and found.interval is not None
        assert found.value == pytest.approx(line.slope)
        assert found.interval == pytest.approx((line.slope - half, line.slope + half))

    def test_the_interval_holds_the_truth_in_95_of_100_cases(self) -> None:
        draw, depths, hits = np.random.default_rng(1), np.repeat([8, 16, 32, 64, 128.0], 4), 0
        for _ in range(400):
            noise = np.exp(draw.normal(0, 0.2, 20))
            found = fit(depths, depths**1.9 * noise * np.tile([1, 5], 10), [0, 1] * 10)
            assert found is not None and found.interval is not None
            hits += found.interval[0] <= 1.9 <= found.interval[1]
        assert 0.92 <= hits / 400 <= 0.98

    def test_too_few_points(self) -> None:
        two = fit([8, 16], [3, 6], [0, 0])
        assert two is not None and two.value == pytest.approx(1) and two.interval is None
        assert fit([8, 8], [3, 6], [0, 0]) is None
        assert fit([8, 16], [3, 6], [0, 1]) is None
        assert fit([], [], []) is None


class TestHold:
    def test_a_touch_is_no_arrival(self) -> None:
        watch = Hold(0.01, 0.25, 8)
        shares = [1, 0.005, 0.2, 0.001, 0.5] + [0.004] * 9
        answers = [watch.see(step, share) for step, share in enumerate(shares)]
        assert answers == [False] * 13 + [True]
        assert watch.since == 5

    def test_late_arrivals_are_watched_longer(self) -> None:
        watch = Hold(0.01, 0.25, 8)
        assert not watch.see(1000, 0.001) and not watch.see(1249, 0.001)
        assert watch.see(1250, 0.001)

    @pytest.mark.parametrize("outside", [0.02, np.nan, np.inf])
    def test_anything_else_ends_the_stay(self, outside: float) -> None:
        watch = Hold(0.01, 0.25, 8)
        watch.see(1, 0.001)
        assert not watch.see(50, outside) and watch.since is None


class TestStandstill:
    def test_the_slowest_mode_of_a_network_never_stands_still(self) -> None:
        cap, kappa = 10 * 128**2 + 500, 4.4 * 128**2
        path = [(step, float(np.exp(-2 * step / kappa))) for step in range(0, cap, 500)]
        assert not any(_stands_still(path[: i + 1], cap) for i in range(len(path)))

    def test_what_is_stuck_is_found_after_an_eighth_of_the_cap(self) -> None:
        path = [(step, 0.03) for step in range(0, 2001, 10)]
        first = next(i for i in range(len(path)) if _stands_still(path[: i + 1], 8000))
        assert path[first][0] == 1000


def chain(depth: int, width: int = 6) -> tuple[Network, Any, Any]:
    """A linear network and a batch."""
    options = {"depth": depth, "width": width, "activation": "linear", "parameterisation": "mupc"}
    experiment = Experiment.model_validate({"network": options, "dtype": "float64"})
    data = load(experiment.data, 0, "float64")
    x, y = jnp.asarray(data.x_train[:4]), jnp.asarray(data.y_train[:4])
    return build(experiment, x.shape[1], y.shape[1]), x, y


def predicted(network: Network, x: Any, y: Any) -> tuple[int, float]:
    """First step of gradient descent with step 1 / lambda_max within 1 %, from the spectrum alone, and kappa.

    The excess is (1 / 2 B) sum_i lambda_i c_i² (1 - lambda_i / lambda_max)^2t, c the start in eigenvectors.
    """
    values, vectors = np.linalg.eigh(np.asarray(maps_of.activity_hessian(maps_of.layer_maps(network))))
    exact = solve("linear_exact", network, x, y)
    start = np.concatenate([layer for stack in forward(network, x)[0] for layer in np.asarray(stack)], -1)
    end = np.concatenate([np.asarray(layer) for layer in exact.activities], -1)
    weights = values * (((start - end) @ vectors) ** 2).sum(0)
    steps = np.arange(int(values[-1] / values[0] * np.log(100)))
    excess = np.array([weights @ (1 - values / values[-1]) ** (2 * t) for t in steps])
    return int(np.argmax(excess <= 0.01 * excess[0])), values[-1] / values[0]


class TestBudgets:
    def test_gradient_descent_takes_what_the_spectrum_says(self) -> None:
        depths, budgets, conditions = (4, 8, 12), [], []
        for depth in depths:
            network, x, y = chain(depth)
            expected, kappa = predicted(network, x, y)
            values = np.linalg.eigvalsh(np.asarray(maps_of.activity_hessian(maps_of.layer_maps(network))))
            least = float(linear.least_energy(network, x, y))
            settings = Settings(jnp.asarray(1 / values[-1]))
            found = finish(arrive("gradient_descent", network, (x, y), settings, least, Hold(0.01, 0.25, 8), 100_000))
            assert found.steps is not None and found.passes == found.steps
            assert expected <= found.steps <= 1.02 * expected + 1
            assert found.steps <= kappa / 2 * np.log(100) + 1
            budgets.append(found.steps)
            conditions.append(kappa)
        same = [0] * len(depths)
        budget, condition = fit(depths, budgets, same), fit(depths, conditions, same)
        assert budget is not None and condition is not None
        assert budget.value == pytest.approx(condition.value, abs=0.35)

    def test_the_budget_of_a_solver_that_oscillates_is_its_last_arrival(self) -> None:
        network, x, y = chain(6)
        least = float(linear.least_energy(network, x, y))
        whole = solve("momentum", network, x, y, step_size=0.1, steps=1000, momentum=0.99, rows=None)
        energies = whole.energies.sum(1)
        inside = energies - least <= 0.01 * (energies[0] - least)
        last = int(np.flatnonzero(~inside)[-1]) + 1
        assert int(np.argmax(inside)) < last < 900
        settings = Settings(jnp.asarray(0.1), 0.99)
        found = finish(arrive("momentum", network, (x, y), settings, least, Hold(0.01, 1.0, 8), 5000))
        assert found.steps is not None and last <= found.steps <= 1.02 * last + 1

    def test_caps_and_divergence_are_told(self) -> None:
        network, x, y = chain(6)
        least = float(linear.least_energy(network, x, y))
        short = finish(
            arrive("gradient_descent", network, (x, y), Settings(jnp.asarray(0.1)), least, Hold(0.01, 0.25, 8), 5)
        )
        assert (short.state, short.steps, short.shown) == ("cap", None, None)
        wild = finish(
            arrive("gradient_descent", network, (x, y), Settings(jnp.asarray(9.0)), least, Hold(0.01, 0.25, 8), 5000)
        )
        assert (wild.state, wild.steps) == ("diverged", None)

    def test_the_networks_are_those_of_the_protocol(self) -> None:
        network, x, _ = problem(Cell(8, 16, "gelu", 1), 3)
        assert network.depth == 8 and len(x) == 3 and x.dtype == jnp.float64


def check(document: dict[str, Any], protocol: Protocol) -> None:
    """What every document of `reproduce inference-budget --json` says."""
    cells = len(protocol.depths) * len(protocol.widths) * len(protocol.activations) * len(protocol.seeds)
    assert document["schema"] == 1 and document["reproduction"] == "inference-budget"
    assert document["protocol"]["depths"] == list(protocol.depths)
    assert [row["solver"] for row in document["solvers"]] == list(SOLVERS)
    assert len(document["cells"]) == cells
    for row in document["solvers"]:
        assert row["arrived"] + row["not_arrived"] == cells
        assert set(row["iterations"]) == set(row["passes"]) == {str(depth) for depth in protocol.depths}
        used = row["exponent_of_iterations"]
        assert (used["points"] if used else 0) in (0, row["arrived"])
    for cell in document["cells"]:
        assert cell["equilibrium_energy"] < cell["initial_energy"]
        assert 0 <= cell["undercut"] <= 1e-3
        assert len(cell["alignment_at_equilibrium"]) == 4
        for entry in cell["solvers"]:
            assert (entry["state"] == "arrived") == (entry["iterations"] is not None) == (entry["passes"] is not None)
            assert entry["iterations"] is None or 1 <= entry["iterations"] <= entry["cap"]
    assert {"value", "interval", "points"} <= document["condition_number"]["exponent"].keys()
    assert document["seconds"] > 0


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The protocols take seconds; by the full one no solver arrives."""
    entry = STUDIES["inference-budget"]._replace(quick=TINY, full=TINY._replace(share=-1.0))
    monkeypatch.setitem(STUDIES, "inference-budget", entry)


@pytest.mark.usefixtures("tiny")
class TestCommand:
    def test_one_document(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["reproduce", "inference-budget", "--quick", "--json"]) == 0
        output = capsys.readouterr().out
        assert output.count("\n") == 1
        document = json.loads(output)
        check(document, TINY)
        in_parts("inference-budget", document["cells"], TINY)
        text = cli_reproduce.summary(document)
        assert "gradient descent" in text and "1.92" in text and "4 cells" in text

    def test_a_solver_that_does_not_arrive_is_not_dropped(self) -> None:
        document = cli_reproduce.run_reproduction(Options(protocol="full"), quiet=True)
        check(document, TINY)
        slow = document["solvers"][0]
        assert (slow["arrived"], slow["not_arrived"]) == (0, 4)
        assert slow["exponent_of_iterations"] is None and slow["iterations"] == {"4": None, "6": None}
        assert "> 660" in cli_reproduce.summary(document) and document["best_of_ours"] is None

    def test_faults_are_one_line_each(self, capsys: pytest.CaptureFixture[str]) -> None:
        known = f"(allowed: {', '.join([*STUDIES, 'list', 'all'])})"
        for words, starts in (
            ([], [f"reproduce: the name of a finding is missing {known}"]),
            (["nonsense"], [f"nonsense: unknown finding {known}"]),
            (["inference-budget", "--quick=1"], ["quick: 1 is not expected (allowed: "]),
            (["escape", "--quick", "--full"], ["full: does not go with --quick (allowed: one of them)"]),
            (["nonsense", "--seed", "3"], ["nonsense: unknown finding", "seed: is not a flag here"]),
        ):
            assert main(["reproduce", *words]) == 2
            output = capsys.readouterr()
            lines = output.err.splitlines()
            assert output.out == "" and len(lines) == len(starts)
            assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))

    def test_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["reproduce", "--help"]) == 0
        assert "inference-budget" in capsys.readouterr().out


@pytest.mark.usefixtures("tiny")
class TestJob:
    def test_a_job_that_was_restored_measures_what_is_left_and_finds_the_same(self) -> None:
        first = Reproduce(Experiment(), Options())
        first.advance(2, 1e6)
        assert first.step == len(first.document["cells"]) == 2 and first.document["status"] == "stopped"
        second = Reproduce(Experiment(), Options())
        second.restore(first.checkpoint())
        measured = []
        second.measure = lambda member: (measured.append(member), Reproduce.measure(second, member))[1]  # type: ignore[method-assign]
        for job in (first, second):
            job.run()
        assert len(measured) == 2 and not set(measured) & set(list(first.results)[:2])
        check(second.document, TINY)
        assert second.document | {"seconds": 0} == first.document | {"seconds": 0}

    def test_frames_hold_what_the_document_says(self) -> None:
        job = Reproduce(Experiment(), Options())
        job.run()
        document, frame = job.document, job.frame(bulk=False)
        values = {name: np.asarray(value) for name, value in frame.values.items()}
        assert (frame.kind, frame.step, job.steps) == ("reproduce", 4, 4)
        budgets = values["finding_middle"]
        rows = [*(row["iterations"] for row in document["solvers"]), document["condition_number"]["by_depth"]]
        assert budgets[:2, : len(rows)].T.tolist() == [[row["4"], row["6"]] for row in rows]
        exponents = [*(row["exponent_of_iterations"] for row in document["solvers"])]
        column = 2 * len(SOLVERS) + 1
        assert values["finding_middle"][: len(SOLVERS), column].tolist() == [row["value"] for row in exponents]
        assert values["finding_high"][: len(SOLVERS), column].tolist() == [row["interval"][1] for row in exponents]
        (claim,) = document["verdict"]
        assert values["finding_claims"].T.tolist() == [[claim["measured"], *claim["interval"], float(claim["kept"])]]

    def test_before_anything_arrived_there_are_caps_and_no_exponents(self) -> None:
        job = Reproduce(Experiment(), Options(protocol="full"))
        nothing = job.frame(bulk=False).values
        assert all(np.isnan(nothing[f"finding_{part}"]).all() for part in ("middle", "above", "claims"))
        job.advance(1, 1e6)
        values = {name: np.asarray(value) for name, value in job.frame(bulk=False).values.items()}
        above, caps = values["finding_above"][:2, : len(SOLVERS)], [660, 160, 512, 256, 64]
        assert above[0].tolist() == caps and np.isnan(above[1]).all(), "no network of that depth was measured"
        assert np.isnan(values["finding_middle"][:2, : len(SOLVERS)]).all()
        job.finish()


@pytest.mark.slow
def test_the_quick_protocol_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "pcviz", "reproduce", "inference-budget", "--quick", "--json"]
    answer = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=280)
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    check(document, STUDIES["inference-budget"].quick)
    exponents = {row["solver"]: row["exponent_of_iterations"]["value"] for row in document["solvers"]}
    assert exponents["gradient_descent"] == pytest.approx(1.9, abs=0.4)
    assert document["condition_number"]["exponent"]["value"] == pytest.approx(2.02, abs=0.3)
    deepest = {row["solver"]: row["passes"]["32"] for row in document["solvers"]}
    assert deepest["error_based"] < deepest["nesterov"] < deepest["gradient_descent"]
