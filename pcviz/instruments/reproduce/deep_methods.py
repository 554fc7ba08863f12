"""Deep methods: what schedules and forward updates do for the accuracy of deep networks (Qi et al. 2025).

Fully connected networks of tanh units with LeCun's initial weights learn digits by each method: the same network, data,
optimiser and number of steps. They are compared with backpropagation of that set-up, not with reported numbers, which
are of another one.
"""

from typing import Any

import numpy as np

from pcviz.experiment import Experiment, from_paths
from pcviz.frames import Value
from pcviz.instruments.reproduce.documents import claim, document_of
from pcviz.instruments.reproduce.options import METHODS, PROMISED_GAP, PROMISED_LOSS, DeepMethods, Trial
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import Work

SET_UP: dict[str, Any] = {
    "network.width": 64,
    "network.activation": "tanh",
    "network.parameterisation": "sp",
    "network.initialisation": "lecun_normal",
    "network.skips": False,
    "inference.solver": "gradient_descent",
    "inference.steps": 20,
    "learning.learning_rate": 1e-3,
    "learning.batch_size": 64,
}
"""What all networks share: docs/methods.md 4."""
SLICE_SECONDS = 0.02


def experiment_of(trial: Trial, protocol: DeepMethods) -> Experiment:
    """The training of one network."""
    shared = from_paths({**SET_UP, "network.depth": trial.depth, "seed": trial.seed})
    steps = protocol.epochs * shared.steps_per_epoch
    return shared.changed({"learning.steps": steps, **METHODS[trial.method].changes})


def measure(trial: Trial, protocol: DeepMethods) -> Work[dict[str, Any]]:
    """Train one network; returns an entry of the document's `cells`."""
    training = Training(experiment_of(trial, protocol))
    training.prepare()
    while not training.done:
        training.advance(training.steps, SLICE_SECONDS)
        yield
    values = training.frame(bulk=True).values
    energies = np.asarray(values["energy"])
    return {
        **trial._asdict(),
        "diverged": training.diverged,
        "accuracy": float(np.asarray(values["test_accuracy"])),
        "energy_ratio": float(energies[0] / energies[-1]) if energies[-1] > 0 else None,
        "seconds": training.seconds,
    }


def document(found: list[dict[str, Any]], protocol: DeepMethods) -> dict[str, Any]:
    """The document of the networks trained so far: mean and spread for every method and depth, and the verdict."""
    methods = [_row(name, found, protocol) for name in protocol.methods]
    judged = verdict(methods, protocol)
    return document_of("deep-methods", found, protocol, set_up=SET_UP, methods=methods, verdict=judged)


def _row(name: str, found: list[dict[str, Any]], protocol: DeepMethods) -> dict[str, Any]:
    by_depth = {}
    for depth in protocol.depths:
        own = [cell for cell in found if (cell["method"], cell["depth"]) == (name, depth)]
        accuracies = [100 * cell["accuracy"] for cell in own]
        ratios = [cell["energy_ratio"] for cell in own if cell["energy_ratio"]]
        by_depth[str(depth)] = {
            "seeds": len(own),
            "accuracy": float(np.mean(accuracies)) if own else None,
            "spread": float(np.std(accuracies, ddof=1)) if len(own) > 1 else None,
            "energy_ratio": float(np.exp(np.mean(np.log(ratios)))) if ratios else None,
        }
    reported = dict(zip(map(str, (3, 5, 10, 15)), METHODS[name].reported, strict=False))
    return {"method": name, "label": METHODS[name].label, "by_depth": by_depth, "reported": reported}


def verdict(methods: list[dict[str, Any]], protocol: DeepMethods) -> list[dict[str, Any]]:
    """The claims with what was measured: `kept` is None while something is missing."""
    table = {row["method"]: row["by_depth"] for row in methods}
    deepest = str(max(protocol.depths))

    def gap(name: str, depth: str) -> float | None:
        here, backprop = (table.get(method, {}).get(depth, {}).get("accuracy") for method in (name, "bp"))
        return None if here is None or backprop is None else backprop - here

    claims = []
    for name in ("spiking", "spiking_fu", "decaying_fu"):
        gaps = [gap(name, str(depth)) for depth in protocol.depths]
        known = [g for g in gaps if g is not None]
        worst = max(known) if len(known) == len(gaps) else None
        text = f"{METHODS[name].label}: at most {PROMISED_GAP:g} point below backprop at every depth"
        claims.append(claim(text, worst, None if worst is None else worst <= PROMISED_GAP))
    plain = [g for g in (gap("pc_small", deepest), gap("pc_large", deepest)) if g is not None]
    lost = min(plain) if len(plain) == 2 else None
    text = f"plain PC: at least {PROMISED_LOSS:g} points below backprop at L={deepest}"
    claims.append(claim(text, lost, None if lost is None else lost >= PROMISED_LOSS))
    return claims


def values(found: dict[str, Any], protocol: DeepMethods) -> dict[str, Value]:
    """The channels of a frame: none yet, the command prints a table."""
    return {}
