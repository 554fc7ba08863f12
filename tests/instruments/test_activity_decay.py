"""Reproduction of activity decay: condition numbers in closed form, and when claims are kept."""

from typing import Any

import pytest

from pcviz.instruments.reproduce.measures.conditioned import MEASURES, condition
from pcviz.instruments.reproduce.studies.activity_decay import STUDIES, Decayed, Decays
from pcviz.instruments.reproduce.studies.start import orthogonal_curvatures
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

STUDY = STUDIES["activity-decay"]
SMALL = Decays(skips=(False,), depths=(3, 4), decays=(0.0, 0.5, 1.0), seeds=(0, 1), weight_steps=3, inference_steps=4)


def cells(costs: float, eases: float) -> list[dict[str, Any]]:
    """Accuracies and condition numbers; decays of 1/2 or more cost and ease so much, in seed 1 a little more."""
    found = []
    for cell in SMALL.cells.values():
        much = cell.decay > 0
        own = {"accuracy": 90 - much * (costs + cell.seed / 10), "condition": 100 / (eases + cell.seed / 10) ** much}
        found.append(cell._asdict() | own | {"diverged": False})
    return found


def test_what_learns() -> None:
    experiment = STUDY.full.experiment_of(Decayed(True, 9, 0.5, 2))
    assert (experiment.network.depth, experiment.inference.activity_decay, experiment.seed) == (9, 0.5, 2)
    assert experiment.network.skips and experiment.network.activation == "linear" and experiment.inference_steps == 150
    assert len(STUDY.full.seeds) >= 3 and [*STUDY.full.parts] == [*STUDY.full.cells]


def test_claims_are_kept_and_fail() -> None:
    told = STUDY.report(cells(5.0, 4.0), SMALL)
    assert [claim.kept for claim in told.claims] == [True, True]
    assert told.claims[1].measured == pytest.approx(5.05)
    assert told.charts[1].curves[0].middle == pytest.approx([90, 84.95, 84.95])
    assert [claim.kept for claim in STUDY.report(cells(0.1, 1.0), SMALL).claims] == [False, False]


def test_nothing_is_known_before_all_are_there() -> None:
    none, part, whole = (STUDY.report(found, SMALL) for found in ([], cells(5, 4)[:-1], cells(5, 4)))
    assert all(claim.kept is None for claim in (*none.claims, *part.claims))
    assert [claim.text for claim in none.claims] == [claim.text for claim in whole.claims]
    assert [chart.places for chart in none.charts] == [chart.places for chart in whole.charts]


def test_all_eigenvalues_grow_by_the_decay() -> None:
    changes = {"network.initialisation": "orthogonal", "network.width": 32, "network.depth": 5}
    base = STUDY.full.experiment_of(Decayed(False, 5, 0.0, 0)).changed(changes)
    least, greatest = orthogonal_curvatures(4)
    for decay in (0.0, 0.5):
        expected = (greatest + decay) / (least + decay)
        assert condition(base.changed({"inference.activity_decay": decay})) == pytest.approx(expected, rel=0.05)


def test_networks_are_trained() -> None:
    found = finish(MEASURES["activity-decay"].measure([Decayed(False, 3, decay, 0) for decay in (0.5, 1.0)], SMALL))
    assert all(0 <= cell["accuracy"] <= 100 and not cell["diverged"] for cell in found)
    assert found[0]["condition"] > found[1]["condition"] > 1


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("activity-decay", cells(5.0, 4.0), SMALL)
