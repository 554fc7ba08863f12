"""Reproduction of the energy imbalance: what is trained, when a claim is kept, what is measured."""

import math
from typing import Any

import numpy as np
import pytest

from pcviz.instruments.reproduce.measures import energy_imbalance as measures
from pcviz.instruments.reproduce.studies.energy_imbalance import STUDIES, Imbalance, Trial, imbalance, report
from pcviz.numerics.krylov import finish
from tests.instruments.studies import in_parts

SMALL = Imbalance((1e-3, 1e-2, 1.0), (0.1, 0.5), (1.0, 1e-3), (0, 1, 2), 2)


def cells(power: float = 6.0, large: float = 90.0, spiked: float = 20.0) -> list[dict[str, Any]]:
    """The first layer's energy is the step to a power; accuracies of the large step, and points that spikes gain."""
    found = []
    for trial in SMALL.cells.values():
        deep = 70 + spiked * (trial.alpha < 1)
        last = deep if trial.kind == "deep" else large if trial.step == 1 else 96.0
        energies = [trial.step**power, 1.0, 1.0, 1.0]
        accuracy = [10.0, last + 0.2 * trial.seed]
        found.append({**trial._asdict(), "diverged": False, "accuracy": accuracy, "energies": [energies, energies]})
    return found


def kept(found: list[dict[str, Any]]) -> list[bool | None]:
    return [claim.kept for claim in report(found, SMALL).claims]


def test_what_is_trained() -> None:
    full = STUDIES["energy-imbalance"].full
    shallow = full.experiment_of(Trial("shallow", 0.01, 1.0, 1))
    assert (shallow.hidden_layers, shallow.inference_steps, shallow.learning.optimiser) == (3, 8, "adamw")
    assert (shallow.inference.step_size, shallow.inference.precision_schedule) == (0.01, "constant")
    deep = full.experiment_of(Trial("deep", 0.5, 1e-3, 1))
    assert (deep.network.depth, deep.inference.spike_alpha, deep.inference.precision_schedule) == (15, 1e-3, "spiking")
    assert deep.learning.steps == full.epochs * deep.steps_per_epoch


def test_claims() -> None:
    assert kept(cells()) == [True, True, True, True, True, True]
    assert kept(cells(power=2.0)) == [False, True, True, True, False, True]
    assert kept(cells(large=96.0))[3] is False
    assert kept(cells(spiked=3.0))[5] is False
    assert kept(cells()[:-1]) == [None] * 6


def test_charts_have_the_same_form_before_anything_is_known() -> None:
    forms = [
        [(chart.title, chart.places, [curve.name for curve in chart.curves]) for chart in report(found, SMALL).charts]
        for found in (cells(), [])
    ]
    assert forms[0] == forms[1]


def test_imbalance_is_in_decades() -> None:
    assert imbalance([1e-4, 1.0, 100.0]) == pytest.approx(6)
    assert math.isinf(imbalance([0.0, 1.0]))


def test_energies_of_small_steps_follow_the_law() -> None:
    """E_1 of a training with a tenth of the step is 10^-6 of it: three layers down, squared."""
    protocol = SMALL._replace(epochs=1)
    seen = [finish(measures.measure(Trial("shallow", step, 1.0, 0), protocol)) for step in (1e-3, 1e-4)]
    first, tenth = (np.array(each["energies"][0]) for each in seen)
    assert math.log10(first[0] / tenth[0]) == pytest.approx(6, abs=0.2)
    assert len(seen[0]["accuracy"]) == 1 and 10 < seen[0]["accuracy"][0] <= 100


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("energy-imbalance", cells(), SMALL)
