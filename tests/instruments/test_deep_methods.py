"""Reproduction of deep methods: what is trained, when a claim is kept, what the command prints."""

from typing import Any

import pytest

from pcviz.cli.findings import summary
from pcviz.instruments.reproduce.measures import deep_methods
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.studies.deep_methods import METHODS, DeepMethods
from pcviz.numerics.krylov import finish
from tests.instruments.studies import document as made
from tests.instruments.studies import in_parts

PROTOCOL = DeepMethods(depths=(3, 15), seeds=(0, 1), methods=("bp", "pc_small", "pc_large", "spiking_fu"), epochs=1)


def found(**accuracies: float) -> list[dict[str, Any]]:
    """Cells of all depths and seeds with these accuracies by method; seed 1 is two points better."""
    cells = [trial for trial in PROTOCOL.cells.values() if trial.method in accuracies]
    return [
        {**t._asdict(), "accuracy": accuracies[t.method] + 0.02 * t.seed, "energy_ratio": 1e-3, "seconds": 1.0}
        for t in cells
    ]


def test_every_method_differs_from_plain_training_as_its_label_says() -> None:
    protocol = Options(finding="deep-methods", protocol="full").chosen
    assert isinstance(protocol, DeepMethods) and len(protocol.cells) == 4 * 5 * len(METHODS)
    trained = {t.method: protocol.experiment_of(t) for t in protocol.cells.values() if t.depth == 15}
    assert len({str(experiment) for experiment in trained.values()}) == len(METHODS)
    assert all(e.learning.steps == 12 * 22 and e.network.activation == "tanh" for e in trained.values())
    assert trained["spiking"].inference_steps == 20 and not trained["spiking"].learning.forward_update
    assert trained["decaying_fu"].inference.precision_schedule == "decaying"


def test_means_spreads_and_the_verdict() -> None:
    cells = found(bp=0.95, pc_small=0.80, pc_large=0.84, spiking_fu=0.945)
    in_parts("deep-methods", cells, PROTOCOL)
    document = made("deep-methods", cells, PROTOCOL)
    row = document["methods"][0]["by_depth"]["15"]
    assert (row["seeds"], row["accuracy"]) == (2, pytest.approx(96))
    assert row["spread"] == pytest.approx(2**0.5)
    spiking, spiking_fu, _, plain = document["verdict"]
    assert spiking["kept"] is None, "it was not trained"
    assert spiking_fu["kept"] is True and spiking_fu["measured"] == pytest.approx(0.5)
    assert plain["kept"] is True and plain["measured"] == pytest.approx(11)
    worse = made("deep-methods", found(bp=0.95, pc_small=0.86, pc_large=0.84, spiking_fu=0.93), PROTOCOL)
    assert [claim["kept"] for claim in worse["verdict"]] == [None, False, None, False]
    text = summary(document | {"seconds": 8.0})
    assert "spiking + forward update" in text and "96 (94.6 to 97.4)" in text and "kept: plain PC" in text
    assert "NOT kept: plain PC" in summary(worse | {"seconds": 8.0})


def test_a_document_of_some_networks_says_that_it_is_not_known_yet() -> None:
    document = made("deep-methods", found(bp=0.95)[:1], PROTOCOL)
    assert document["status"] == "stopped" and all(claim["kept"] is None for claim in document["verdict"])
    assert summary(document).startswith("stopped")


def test_a_network_is_trained() -> None:
    trial = next(t for t in PROTOCOL.cells.values() if (t.method, t.depth) == ("spiking_fu", 3))
    entry = finish(deep_methods.measure(trial, PROTOCOL))
    assert entry["accuracy"] > 0.6 and not entry["diverged"] and 0 < entry["energy_ratio"] < 1
