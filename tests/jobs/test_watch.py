"""The signs of a training: what is there, since when, and the same however it is cut."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.frames import Value
from pcviz.instruments.training.channels import CHANNELS
from pcviz.instruments.training.reading import SIGNS as BEGINNINGS
from pcviz.instruments.training.reading import signs
from pcviz.jobs.training import Training
from pcviz.jobs.watch import SIGNS, Watch

LAYERS = 4
SMALL: dict[str, Any] = {"network.depth": 6, "network.width": 16, "learning.steps": 12}
DESCENT = {"inference.solver": "gradient_descent", "inference.step_size": 0.3, "inference.steps": "depth"}


def watched(*rows: tuple[float, list[float], float]) -> Watch:
    """After steps 1, 2 … of these losses, energies and weight changes, the same for all layers."""
    watch = Watch(from_paths({"network.depth": LAYERS}))
    losses, energies, changes = (np.array(part) for part in zip(*rows, strict=True))
    spread = changes[:, None] * np.ones(LAYERS)
    watch.take(range(1, len(rows) + 1), losses, energies, spread, np.full(LAYERS, 1e-9))
    return watch


def since(watch: Watch) -> dict[str, float]:
    """The signs that are there, and since when."""
    return {sign: step for sign, step in zip(SIGNS, watch.since, strict=True) if not np.isnan(step)}


GOOD = (1.0, [0.1, 0.1, 0.1, 0.5], 0.01)


def test_a_healthy_training_has_no_signs() -> None:
    assert since(watched(GOOD, GOOD)) == {}


def test_a_sign_is_there_since_the_step_from_which_it_did_not_leave() -> None:
    silent = (1.0, [0.0, 0.0, 1e-12, 0.5], 0.01)
    watch = watched(silent, GOOD, silent, silent)
    assert since(watch) == {"unreached": 3, "faint": 3}
    assert list(watch.layers) == [2, 1]


def test_energy_that_rises_and_weights_that_leap() -> None:
    assert since(watched(GOOD, (1.0, [1, 1, 1, 1], 0.5))) == {"rising": 2, "leaping": 2}
    unmeasured = (1.0, GOOD[1], 0.0)
    assert since(watched((1.0, GOOD[1], 0.5), unmeasured)) == {"leaping": 1}, "nothing is known of its weights"


def test_a_sign_begins_anew_only_after_it_was_away_for_long() -> None:
    watch, rises = Watch(from_paths({"network.depth": LAYERS})), np.zeros(200)
    rises[[3, 5, 30, 120]] = 1.0
    energies = np.where(rises[:, None] > 0, 1.0, GOOD[1])
    begun = watch.take(range(1, 201), np.ones(200), energies, np.full((200, LAYERS), 0.01), np.full(LAYERS, 1e-9))
    assert begun.shape == (200, len(SIGNS))
    assert np.argwhere(begun).tolist() == [[3, SIGNS.index("rising")], [120, SIGNS.index("rising")]]


def values(changes: dict[str, Any], slices: int = 1) -> dict[str, Value]:
    """The last frame of a training in so many slices."""
    training = Training(from_paths({**SMALL, **changes}))
    training.prepare()
    for stop in np.linspace(0, training.steps, slices + 1)[1:].astype(int):
        training.advance(int(stop), 1e9)
    return training.frame(bulk=False).values


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({**DESCENT, "inference.steps": 2}, "unreached"),
        ({**DESCENT, "inference.step_size": 0.001}, "faint"),
        ({**DESCENT, "inference.step_size": 1.2, "inference.steps": 8}, "rising"),
        ({"learning.learning_rate": 10.0, "learning.steps": 3, **DESCENT}, "leaping"),
    ],
)
def test_real_trainings_show_their_signs_in_any_slices(changes: dict[str, Any], sign: str) -> None:
    found = values(changes)
    assert np.isfinite(found[f"{sign}_since"])
    assert {name: found[name] for name in found if name.endswith("_since")} == pytest.approx(
        {name: value for name, value in values(changes, 3).items() if name.endswith("_since")}, nan_ok=True
    )


def test_a_checkpoint_keeps_them() -> None:
    watch = watched(GOOD, (1.0, [0.0, 0.1, 0.1, 0.5], 0.01))
    other = Watch(Experiment())
    other.restore(watch.saved())
    assert since(other) == {"unreached": 2} and list(other.layers) == [1, 0]
    other.restore({})
    assert since(other) == {"unreached": 2}


def test_every_sign_is_told_by_channels_that_trainings_report() -> None:
    told = signs(Experiment())
    assert len(told) == len(SIGNS) and tuple(BEGINNINGS) == SIGNS
    for sign, template in zip(SIGNS, told, strict=True):
        assert f"{{{sign}_since}}" in template and f"{sign}_since" in CHANNELS


def test_an_error_that_does_not_come_down_has_one_of_two_reasons() -> None:
    few = signs(from_paths({"network.depth": 16, "inference.steps": 3}))[0]
    assert "needs 15. More inference steps help" in few
    assert "dead or saturated" in signs(from_paths({"network.depth": 16, "inference.steps": 15}))[0]
