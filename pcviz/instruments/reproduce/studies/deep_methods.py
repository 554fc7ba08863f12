"""Deep methods: what schedules and forward updates do for the accuracy of deep networks (Qi et al. 2025).

Fully connected networks of tanh units with LeCun's initial weights learn digits by each method: the same network, data,
optimiser and number of steps. They are compared with backpropagation of that set-up, not with reported numbers, which
are of another one.
"""

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

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


class MethodFacts(NamedTuple):
    """A method of training: label, how its experiment differs, accuracies reported at L = 3, 5, 10, 15 in %."""

    label: str
    changes: dict[str, Any]
    reported: tuple[float, ...] = ()


_SPIKING: dict[str, Any] = {"inference.precision_schedule": "spiking", "inference.step_size": 0.5}
_FORWARD: dict[str, Any] = {"learning.forward_update": True}
METHODS: dict[str, MethodFacts] = {
    "bp": MethodFacts("backprop", {"learning.rule": "bp"}, (95.7, 96.8, 97.2, 97.5)),
    "pc_small": MethodFacts("PC, step 0.05", {"inference.step_size": 0.05}, (95.3, 96.4, 95.4, 82.6)),
    "pc_large": MethodFacts("PC, step 0.5", {"inference.step_size": 0.5}, (94.0, 89.0, 37.4, 25.4)),
    "fu_small": MethodFacts(
        "forward update, step 0.05", {**_FORWARD, "inference.step_size": 0.05}, (96.4, 96.5, 95.7, 83.9)
    ),
    "fu_large": MethodFacts(
        "forward update, step 0.5", {**_FORWARD, "inference.step_size": 0.5}, (93.3, 60.3, 17.9, 18.8)
    ),
    "spiking": MethodFacts("spiking", _SPIKING, (95.4, 96.5, 97.2, 97.2)),
    "spiking_fu": MethodFacts("spiking + forward update", {**_SPIKING, **_FORWARD}, (95.7, 96.8, 97.2, 97.5)),
    "decaying_fu": MethodFacts(
        "decaying + forward update",
        {**_SPIKING, **_FORWARD, "inference.precision_schedule": "decaying"},
        (95.7, 96.8, 97.2, 97.5),
    ),
    "ipc": MethodFacts("iPC", {"learning.rule": "ipc", "inference.step_size": 0.5}, (97.9, 98.2, 93.6, 82.8)),
    "ipc_spiking": MethodFacts("iPC + spiking", {**_SPIKING, "learning.rule": "ipc"}, (96.5, 97.6, 96.8, 56.1)),
    "epc": MethodFacts(
        "error-based, 5 steps of 0.1",
        {"inference.solver": "error_based", "inference.steps": 5, "inference.step_size": 0.1},
        (95.6, 95.7, 88.8, 79.0),
    ),
    "centred": MethodFacts(
        "centred nudging, hard, β = 0.2",
        {
            "inference.nudging": "centred",
            "inference.output_clamp": "hard",
            "inference.nudge_strength": 0.2,
            "inference.step_size": 0.05,
        },
        (95.4, 96.5, 95.6, 83.2),
    ),
}
"""Name -> facts, in reading order."""

PROMISED_GAP, PROMISED_LOSS = 1.0, 10.0
"""Points by which schedules may stay below backprop, and plain PC at least does where it is deepest."""


class Trial(NamedTuple):
    """One network that learns by one method."""

    method: str
    depth: int
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.method} L={self.depth} seed {self.seed}"


class DeepMethods(NamedTuple):
    """Networks of a comparison of methods; how all of them learn is `SET_UP`."""

    depths: tuple[int, ...] = (3, 5, 10, 15)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    methods: tuple[str, ...] = tuple(METHODS)
    epochs: int = 12

    @property
    def cells(self) -> dict[str, Trial]:
        """The networks by name; all methods of a depth and seed before the next seed."""
        trials = [Trial(m, d, s) for d, s, m in product(self.depths, self.seeds, self.methods)]
        return {trial.name: trial for trial in trials}

    def experiment_of(self, trial: Trial) -> Experiment:
        """The training of one network."""
        shared = from_paths({**SET_UP, "network.depth": trial.depth, "seed": trial.seed})
        steps = self.epochs * shared.steps_per_epoch
        return shared.changed({"learning.steps": steps, **METHODS[trial.method].changes})

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds."""
        each = self.epochs / 12
        return {name: 0.5 + each * (0.4 + 0.12 * trial.depth) for name, trial in self.cells.items()}


def report(found: Cells, protocol: DeepMethods) -> Report:
    """Mean and spread of accuracies for every method and depth, and the verdict."""
    methods = [_row(name, found, protocol) for name in protocol.methods]
    curves, ratios = [], []
    for row in methods:
        cells = row["by_depth"].values()
        middle = [_known(cell["accuracy"]) for cell in cells]
        spread = [_known(cell["spread"]) for cell in cells]
        low, high = ([m + sign * s for m, s in zip(middle, spread, strict=True)] for sign in (-1, 1))
        reference = [_known(row["reported"].get(str(depth))) for depth in protocol.depths]
        curves.append(Curve(row["label"], middle, low, high, reference=reference))
        ratios.append(Curve(row["label"], [_known(cell["energy_ratio"]) for cell in cells]))
    accuracy = Chart(
        "Test accuracy", "depth L", "test accuracy, %", protocol.depths, curves,
        "Means over seeds and their standard deviation. Open circles: reported, of another set-up.",
    )  # fmt: skip
    ratio = Chart(
        "Energy of the first layer over that of the last", "depth L", "E₁ / E_L", protocol.depths, ratios,
        "Geometric means over seeds at the end of training. Where it is small, the first layers get next to no error.",
        log_y=True,
    )  # fmt: skip
    how = (
        f"digits, N={SET_UP['network.width']}, tanh, LeCun initial weights, no skips, T={SET_UP['inference.steps']}, "
        f"Adam {SET_UP['learning.learning_rate']:g}, {protocol.epochs} epochs, {len(protocol.seeds)} seed(s), float32; "
        "reported: activation after the weights, biases, float64"
    )
    return Report([accuracy, ratio], verdict(methods, protocol), how, {"set_up": SET_UP, "methods": methods})


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _row(name: str, found: Cells, protocol: DeepMethods) -> dict[str, Any]:
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


def verdict(methods: list[dict[str, Any]], protocol: DeepMethods) -> list[Claim]:
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
        claims.append(Claim(text, worst, None if worst is None else worst <= PROMISED_GAP))
    plain = [g for g in (gap("pc_small", deepest), gap("pc_large", deepest)) if g is not None]
    lost = min(plain) if len(plain) == 2 else None
    text = f"plain PC: at least {PROMISED_LOSS:g} points below backprop at L={deepest}"
    claims.append(Claim(text, lost, None if lost is None else lost >= PROMISED_LOSS))
    return claims


STUDIES = {
    "deep-methods": Study(
        "Deep methods",
        "what precision schedules and forward updates do for the accuracy of deep networks",
        "Qi et al. 2025, tables of accuracy over depth",
        DeepMethods(),
        DeepMethods(depths=(3, 15), seeds=(0,), methods=("bp", "pc_small", "pc_large", "spiking_fu"), epochs=6),
        report,
    )
}
