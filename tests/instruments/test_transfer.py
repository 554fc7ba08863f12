"""Reproduction of transfer: what is trained, where the best rate is, when a claim is kept, what the command prints."""

from itertools import product
from typing import Any

import pytest

from pcviz.cli.findings import summary
from pcviz.experiment import Experiment
from pcviz.instruments.reproduce.job import Reproduce
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.studies.transfer import DEPTHS, WIDTHS, Point, Transfer
from tests.instruments.studies import document as made
from tests.instruments.studies import in_parts

SMALL = Transfer("network.width", (4, 16), {"network.depth": 3}, ("mupc", "sp"), (0.1, 0.3), (0, 1), 2, 4)


def cells(best: dict[tuple[str, int], int], protocol: Transfer = SMALL, seeds: int = 2) -> list[dict[str, Any]]:
    """Losses that are least at the rate of this index, twice as large one rate further, and smaller with step 0.3."""
    found = []
    for kind, size in product(protocol.kinds, protocol.sizes):
        for index, rate in enumerate(protocol.rates(kind)):
            for step, seed in product(protocol.steps, protocol.seeds[:seeds]):
                loss = 0.1 * 2.0 ** abs(index - best[kind, size]) * (1 + seed) / (10 * step)
                point = Point(kind, size, rate, step, seed)
                found.append(point._asdict() | {"least_loss": loss, "diverged": False, "test_accuracy": 0.5})
    return found


def test_what_is_trained() -> None:
    for protocol, sizes in ((WIDTHS, (16, 256)), (DEPTHS, (5, 65))):
        points = [*protocol.cells.values()]
        assert {point.size for point in points} >= {*sizes}
        assert min(protocol.rates("mupc")) == 0.01 and max(protocol.rates("mupc")) == 1.77828
        assert len(protocol.seeds) == 3, "an interval needs several seeds"
    wide = WIDTHS.experiment_of(Point("mupc_scaled", 128, 0.1, 0.16, 2))
    assert (wide.network.width, wide.network.depth, wide.seed) == (128, 9, 2)
    assert wide.network.skips and wide.network.parameterisation == "mupc" and wide.inference_steps == 8
    assert (wide.learning.learning_rate, wide.inference.step_size) == (0.1, 0.16)
    assert wide.learning.lr_scaling == "width_depth"
    deep = DEPTHS.experiment_of(Point("sp", 65, 0.1, 0.5, 0))
    assert (deep.network.width, deep.network.depth, deep.inference_steps) == (32, 65, 64)


def test_the_best_rate_and_how_far_it_moves() -> None:
    best = {("mupc", 4): 3, ("mupc", 16): 2, ("sp", 4): 5, ("sp", 16): 3}
    in_parts("transfer-width", cells(best), SMALL)
    document = made("transfer-width", cells(best), SMALL)
    assert document["status"] == "done" and document["reproduction"] == "transfer-width"
    mupc, sp = document["kinds"]
    rates = SMALL.rates("mupc")
    assert mupc["by_size"]["4"] == {
        "rate": rates[3],
        "from": rates[3],
        "to": rates[3],
        "loss": pytest.approx(0.1 * 2**0.5 / 3),  # the better activity step, geometric mean of both seeds
        "interior": True,
    }
    assert mupc["drift"] == pytest.approx(0.5, abs=1e-3) and sp["drift"] == pytest.approx(1.0, abs=1e-3)
    assert mupc["drift_of_seeds"] == pytest.approx([0.5, 0.5], abs=1e-3)
    assert [claim["kept"] for claim in document["verdict"]] == [True, True]
    text = summary(document | {"seconds": 1.0})
    assert "kept: μPC: over 4 times the width the best weight rate moves at most 0.5 decade (measured: 0.5" in text
    assert "(width N)" in text and f"{rates[3]:.4g}" in text


@pytest.mark.parametrize(
    ("best", "kept"),
    [
        ({("mupc", 4): 3, ("mupc", 16): 1, ("sp", 4): 5, ("sp", 16): 4}, [False, False]),
        ({("mupc", 4): 0, ("mupc", 16): 0, ("sp", 4): 5, ("sp", 16): 0}, [None, None]),
    ],
)
def test_claims_fail_and_an_edge_says_nothing(best: dict[tuple[str, int], int], kept: list[bool | None]) -> None:
    document = made("transfer-width", cells(best), SMALL)
    assert [claim["kept"] for claim in document["verdict"]] == kept
    words = {False: "NOT kept: ", None: "not known: "}
    assert summary(document | {"seconds": 1.0}).count(words[kept[0]]) == 2


def test_nothing_is_known_before_all_of_a_size_were_trained() -> None:
    best = {("mupc", 4): 3, ("mupc", 16): 2, ("sp", 4): 5, ("sp", 16): 3}
    document = made("transfer-width", cells(best, seeds=1), SMALL)
    assert document["status"] == "stopped"
    assert [claim["kept"] for claim in document["verdict"]] == [None, None]
    assert made("transfer-width", [], SMALL)["verdict"][0]["measured"] is None


def test_trainings_that_diverged_are_worst() -> None:
    found = cells({("mupc", 4): 3, ("mupc", 16): 2, ("sp", 4): 5, ("sp", 16): 3})
    for cell in found:
        if cell["kind"] == "mupc" and cell["rate"] == SMALL.rates("mupc")[3]:
            cell["least_loss"] = float("inf")
    assert made("transfer-width", found, SMALL)["kinds"][0]["by_size"]["4"]["rate"] == SMALL.rates("mupc")[2]


def test_a_job_trains_sizes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Options, "chosen", SMALL)
    job = Reproduce(Experiment(), Options(finding="transfer-width"))
    assert job.steps == len(SMALL.cells)
    assert len(set(job.families.values())) == 2, "one for each width: kinds, rates and seeds are numbers"
    job.run()
    assert job.document["status"] == "done" and len(job.document["cells"]) == job.steps
    assert all(0 < cell["least_loss"] < 5 for cell in job.document["cells"])
