"""Evidence of a healthy network, as arrays, to be made ill."""

from typing import Any

import numpy as np

from pcviz.experiment import from_paths
from pcviz.instruments.diagnosis.channels import BASELINES, RELAXATIONS
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.twins import TWINS

DEPTH = 6
SOUND: dict[str, Any] = {
    "network.depth": DEPTH,
    "inference.solver": "momentum",
    "inference.step_size": 0.1,
    "inference.steps": "4depth",
}


def twins(missing: float = np.nan, **found: float) -> np.ndarray:
    """A number for each twin; names with underscores for spaces."""
    return np.array([found.get(name.replace(" ", "_"), missing) for name in TWINS])


def curves(**found: np.ndarray) -> np.ndarray:
    """The training losses of twins."""
    (steps,) = {len(losses) for losses in found.values()}
    return np.stack([found.get(name, np.full(steps, np.nan)) for name in TWINS], -1)


def healthy(experiment: dict[str, Any] | None = None, **changed: Any) -> Evidence:
    """A network that has learned as well as its twin of backpropagation, with some of its evidence `changed`."""
    layers = np.ones(DEPTH)
    both = {name: np.stack([row, row], -1) for name, row in _vitals(layers).items()}
    values: dict[str, Any] = {
        "compared_steps": 100.0,
        "feature_mean": np.zeros(4),
        "feature_deviation": np.ones(4),
        "class_share": np.full(10, 0.1),
        "baseline_loss": np.array([0.45, 0.17, 0.2, 0.02]),
        "baseline_accuracy": np.array([0.1, 0.93, 0.9, 0.98]),
        "twin_steps": twins(own=100, backprop=100),
        "twin_loss": twins(own=0.03, backprop=0.03),
        "twin_accuracy": twins(own=0.97, backprop=0.97),
        "twin_train_loss": twins(own=0.02, backprop=0.02),
        "twin_change": twins(own=0.01, backprop=0.01),
        "weight_changes": np.full(DEPTH, 0.01),
        "vital_rows": np.arange(3),
        **both,
    }
    assert len(BASELINES) == 4
    return Evidence(from_paths({**SOUND, **(experiment or {})}), values | changed)


def _vitals(layers: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "vital_activity": layers[1:],
        "vital_rank": 8 * layers[1:],
        "vital_quiet": 0 * layers[1:],
        "vital_error": 1e-2 * layers,
        "vital_floor": 1e-6 * layers,
        "vital_gradient": 1e-3 * layers,
        "vital_backprop": 1e-3 * layers,
        "vital_cosine": 0.95 * layers,
        "vital_ratio": 0.5 * layers,
        "vital_energy": np.array([1.0, 0.9, 0.8999]),
        "vital_curvature": np.array(np.nan),
    }


def of_both(row: Any) -> np.ndarray:
    """The same at both probes."""
    return np.stack([np.asarray(row, float)] * 2, -1)


def relaxed(**alignment: float) -> dict[str, np.ndarray]:
    """Relaxations with these mean cosines; the others were not measured."""
    cosine = np.stack([np.full(DEPTH, alignment.get(name, np.nan)) for name in RELAXATIONS], -1)
    return {"treated_cosine": cosine, "treated_heard": np.where(np.isnan(cosine), np.nan, 1.0)}
