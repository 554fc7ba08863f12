"""Sound networks, and each made ill by one setting or two.

A plant counts only by intervention: the base learns, and loses POINTS or more with the plant alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from benchmarks.illness.data import PERMUTED, TEXTURES, UNSCALED
from pcviz.experiment import Experiment, from_paths

POINTS = 5.0
"""A plant that costs less is none."""
ALIKE = 3.0
"""A variant of a sound network that is worse than it by more is not sound."""

DESCENT = {"inference.solver": "gradient_descent", "inference.steps": "depth"}
FORWARD = {
    **DESCENT,
    "inference.step_size": 0.9,
    "inference.precision_schedule": "spiking",
    "learning.forward_update": True,
}
BIASED = {"network.biases": True, "learning.learning_rate": 0.02}
BASES: dict[str, dict[str, Any]] = {
    "digits 4": {"network.depth": 4},
    "digits 8 tanh": {"network.depth": 8, "network.activation": "tanh"},
    "digits 8 narrow": {"network.depth": 8, "network.width": 16, "network.activation": "tanh", "learning.steps": 300},
    "digits 16": {},
    "digits 16 gelu": {"network.activation": "gelu"},
    "digits 16 wide": {"network.width": 128, "learning.steps": 100},
    "digits 6 wide": {"network.width": 256, "network.depth": 6, "learning.steps": 100},
    "digits 32 forward": {**FORWARD, "network.depth": 32, "learning.steps": 100},
    "digits 64 forward": {**FORWARD, "network.depth": 64, "learning.steps": 60},
    "digits 128 forward": {**FORWARD, "network.depth": 128, "learning.steps": 40},
    "digits 16 ipc": {"learning.rule": "ipc", "learning.steps": 60},
    "digits 16 bp": {"learning.rule": "bp"},
    "digits 64 bp": {"learning.rule": "bp", "network.depth": 64, "network.activation": "tanh"},
    "digits 16 zil": {"learning.rule": "zil"},
    "digits 8 fixed": {"learning.rule": "fixed_prediction", "network.depth": 8, "network.activation": "leaky_relu"},
    "digits 4 lecun": {
        "network.depth": 4,
        "network.parameterisation": "sp",
        "network.initialisation": "lecun_normal",
        "network.skips": False,
        "learning.learning_rate": 0.004,
    },
    "digits 8 ntp": {"network.depth": 8, "network.parameterisation": "ntp", "learning.optimiser": "adamw"},
    "moons 8": {**BIASED, "network.depth": 8, "network.width": 32, "network.activation": "tanh", "data.name": "moons"},
    "xor 6": {**BIASED, "network.depth": 6, "network.width": 32, "network.activation": "tanh", "data.name": "xor"},
    "circles 6": {**BIASED, "network.depth": 6, "network.width": 32, "data.name": "circles"},
    "spiral 8": {
        **BIASED,
        "network.depth": 8,
        "network.width": 64,
        "network.activation": "tanh",
        "data.name": "spiral",
        "learning.steps": 600,
    },
    "xor 24": {**BIASED, "network.depth": 24, "network.width": 32, "data.name": "xor", "learning.steps": 100},
    "textures 6": {"network.depth": 6, "network.width": 96, "data.name": TEXTURES, "learning.steps": 200},
    "digits 8 sgd": {"network.depth": 8, "learning.optimiser": "sgd", "learning.learning_rate": 60.0},
    "digits 8 strict": {"network.depth": 8, "learning.rule": "strict"},
    "digits 12 hard": {"network.depth": 12, "network.activation": "hard_tanh", "learning.optimiser": "adamw"},
}
"""Sound networks by name: their differences from the default."""
FRESH: dict[str, dict[str, Any]] = {
    "digits 10 leaky": {
        "network.depth": 10,
        "network.width": 80,
        "network.activation": "leaky_relu",
        "learning.batch_size": 32,
    },
    "digits 20 tanh": {"network.depth": 20, "network.width": 48, "network.activation": "tanh"},
    "digits 24 forward": {**FORWARD, "network.depth": 24, "network.activation": "gelu"},
    "digits 12 zil": {"network.depth": 12, "network.activation": "gelu", "learning.rule": "zil"},
    "moons 5": {**BIASED, "network.depth": 5, "network.width": 24, "network.activation": "gelu", "data.name": "moons"},
    "textures 9": {"network.depth": 9, "data.name": TEXTURES, "learning.steps": 200},
}
"""Sound networks that were added last: with no case of theirs was any rule or threshold set."""
BASES |= FRESH

VARIANTS: dict[str, dict[str, Any]] = {
    **{f"seed {seed}": {"seed": seed} for seed in range(1, 9)},
    "batch 32": {"learning.batch_size": 32},
    "batch 128": {"learning.batch_size": 128},
    "seed 9, batch 48": {"seed": 9, "learning.batch_size": 48},
    "half the examples": {"data.train_size": 600},
    "width 48": {"network.width": 48},
    "width 96": {"network.width": 96},
}
"""What does not make a network ill."""

PLANTS: dict[str, dict[str, dict[str, Any]]] = {
    "D1": {"T 1": {"inference.steps": 1}, "T 2": {"inference.steps": 2}, "T 4": {"inference.steps": 4}},
    "D2": {
        "step 0.001": {**DESCENT, "inference.step_size": 1e-3},
        "step 0.01": {**DESCENT, "inference.step_size": 1e-2},
        "step 0.05": {**DESCENT, "inference.step_size": 0.05},
    },
    "D3": {
        "step 1.5": {**DESCENT, "inference.step_size": 1.5, "inference.steps": "4depth"},
        "step 3": {**DESCENT, "inference.step_size": 3.0, "inference.steps": "2depth"},
    },
    "D10": {
        "sp": {"network.parameterisation": "sp", "network.initialisation": "uniform", "network.skips": False},
        "no skips": {"network.skips": False},
        "ntp, no skips": {"network.parameterisation": "ntp", "network.skips": False},
    },
    "N1": {"γ 200": {"network.gamma": 200.0}, "γ 0.005": {"network.gamma": 0.005}},
    "N2": {"linear": {"network.activation": "linear"}},
    "N3": {"width 1": {"network.width": 1}, "width 2": {"network.width": 2}},
    "N4": {"no biases": {"network.biases": False}},
    "D15": {"rate 1": {"learning.learning_rate": 1.0}, "rate 5": {"learning.learning_rate": 5.0}},
    "R1": {"rate 1e-5": {"learning.learning_rate": 1e-5}, "rate 3e-4": {"learning.learning_rate": 3e-4}},
    "D13": {"ε 0.1": {"learning.adam_epsilon": 0.1}, "ε 0.01": {"learning.adam_epsilon": 0.01}},
    "R2": {"decay 0.3": {"learning.weight_decay": 0.3}, "decay 3": {"learning.weight_decay": 3.0}},
    "R3": {"norm 6": {"learning.weight_norm": 6.0}, "norm 0.05": {"learning.weight_norm": 0.05}},
    "D14": {"rates 1,1e-4": {"learning.layer_rates": "1,0.0001"}, "rates 30,1": {"learning.layer_rates": "30,1"}},
    "S1": {"zero": {"inference.initial": "zero", "inference.steps": "2depth"}},
    "D20": {"β 1e-7": {"inference.nudging": "positive", "inference.nudge_strength": 1e-7}},
    "S2": {"decay 1": {"inference.activity_decay": 1.0}, "decay 5": {"inference.activity_decay": 5.0}},
    "S3": {"λ 1000": {"network.output_precision": 1e3}, "λ 0.001": {"network.output_precision": 1e-3}},
    "A1": {"permuted": {"data.name": PERMUTED}},
    "A2": {name: {"data.name": data} for name, data in UNSCALED.items()},
}
"""Cause -> name of a plant -> what plants it."""
DOUBLES = (("D1", "R1"), ("D1", "D15"), ("D1", "R2"), ("D1", "N1"), ("D2", "D13"), ("D2", "R1"), ("D3", "R1"))
RELAXES = ("D1", "D2", "D3", "S1", "D20", "S2", "S3")
SPLIT = ("calibration", "test", "fresh")


@dataclass(frozen=True)
class Case:
    """A network: its base, the plants in it (cause, name of the plant), its differences from the default; a sound
    variant of the base has a name of its own."""

    base: str
    plants: tuple[tuple[str, str], ...]
    paths: dict[str, Any]
    variant: str = ""

    @property
    def name(self) -> str:
        """What its evidence is called."""
        sound = f"{self.base} ({self.variant})" if self.variant else self.base
        return " + ".join([sound, *(f"{cause} {name}" for cause, name in self.plants)])

    @property
    def singles(self) -> list[Case]:
        """The cases with one of two plants each; none of a single one."""
        alone = [(plant,) for plant in self.plants] if len(self.plants) > 1 else []
        return [Case(self.base, plants, _with(self.base, plants)) for plants in alone]

    @property
    def split(self) -> str:
        """Which part of the suite it belongs to: by a hash, so that adding cases moves none."""
        return "fresh" if self.base in FRESH else SPLIT[self.digest[0] % 2]

    @property
    def digest(self) -> bytes:
        """A hash of the name. In its order any part of the cases is a fair sample of them."""
        return hashlib.sha256(self.name.encode()).digest()

    @property
    def experiment(self) -> Experiment:
        """The whole experiment."""
        return from_paths(self.paths)


def cases() -> Iterator[Case]:
    """All cases that make sense: the bases, each plant in each base, and some pairs of plants."""
    for base, paths in BASES.items():
        yield Case(base, (), paths)
        for name, changes in VARIANTS.items():
            yield from _made(base, (), {**paths, **changes}, name)
        for cause, plants in PLANTS.items():
            for name in plants:
                yield from _planted(base, ((cause, name),))
        for pair in DOUBLES:
            yield from _planted(base, tuple((cause, next(iter(PLANTS[cause]))) for cause in pair))


def _with(base: str, plants: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """A base with these plants."""
    paths = dict(BASES[base])
    for cause, name in plants:
        paths |= PLANTS[cause][name]
    return paths


def _planted(base: str, plants: tuple[tuple[str, str], ...]) -> Iterator[Case]:
    yield from _made(base, plants, _with(base, plants))


def _further(base: str, paths: dict[str, Any], cause: str) -> bool:
    """Whether a learning rate said to be too large or too small is larger or smaller than that of its base."""
    name = "learning.learning_rate"
    usual, rate = BASES[base].get(name), paths.get(name)
    if usual is None or rate is None:
        return True
    return {"D15": rate > usual, "R1": rate < usual}.get(cause, True)


def _made(base: str, plants: tuple[tuple[str, str], ...], paths: dict[str, Any], variant: str = "") -> Iterator[Case]:
    if any(cause in ("A1", "A2") for cause, _ in plants) and "data.name" in BASES[base]:
        return  # only digits are made ill
    if not all(_further(base, paths, cause) for cause, _ in plants):
        return  # the plant would be the opposite of its name
    relaxing = BASES[base].get("learning.rule", "pc") != "bp"
    if not relaxing and any(cause in RELAXES for cause, _ in plants):
        return
    try:
        if from_paths(paths) != from_paths(BASES[base]):
            yield Case(base, plants, paths, variant)
    except ValidationError:
        return  # the plant makes no sense in this base
