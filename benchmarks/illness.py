"""Planted illnesses: sound networks, each made ill by one setting or two, and what the diagnosis says of them.

`python -m benchmarks.illness FOLDER` measures the evidence of all cases that FOLDER does not hold yet, two at a time
(an hour or two), and prints how many are named.

A plant counts only by intervention: the base learns, and loses 5 points or more with the plant alone.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.verdict import diagnose

POINTS = 5.0
"""A plant that costs less is none."""
WORKERS = 2

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
    "digits 4 sp": {
        "network.depth": 4,
        "network.parameterisation": "sp",
        "network.initialisation": "lecun_normal",
        "network.skips": False,
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
}
"""Sound networks by name: their differences from the default."""

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
}
"""Cause -> name of a plant -> what plants it."""
DOUBLES = (("D1", "R1"), ("D1", "D15"), ("D1", "R2"), ("D1", "N1"), ("D2", "D13"), ("D2", "R1"), ("D3", "R1"))
RELAXES = ("D1", "D2", "D3", "S1", "D20", "S2", "S3")
SPLIT = ("calibration", "test")


@dataclass(frozen=True)
class Case:
    """A network: its base, the plants in it (cause, name of the plant), its differences from the default."""

    base: str
    plants: tuple[tuple[str, str], ...]
    paths: dict[str, Any]

    @property
    def name(self) -> str:
        """What the file of its evidence is called."""
        return " + ".join([self.base, *(f"{cause} {name}" for cause, name in self.plants)])

    @property
    def split(self) -> str:
        """Which half of the suite it belongs to: by a hash, so that adding cases moves none."""
        return SPLIT[hashlib.sha256(self.name.encode()).digest()[0] % 2]

    @property
    def experiment(self) -> Experiment:
        """The whole experiment."""
        return from_paths(self.paths)


def cases() -> Iterator[Case]:
    """All cases that make sense: the bases, each plant in each base, and some pairs of plants."""
    for base, paths in BASES.items():
        yield Case(base, (), paths)
        for cause, plants in PLANTS.items():
            for name, changes in plants.items():
                yield from _made(base, ((cause, name),), {**paths, **changes})
        for first, second in DOUBLES:
            one, other = next(iter(PLANTS[first].items())), next(iter(PLANTS[second].items()))
            yield from _made(base, ((first, one[0]), (second, other[0])), {**paths, **one[1], **other[1]})


def _made(base: str, plants: tuple[tuple[str, str], ...], paths: dict[str, Any]) -> Iterator[Case]:
    relaxing = BASES[base].get("learning.rule", "pc") != "bp"
    if not relaxing and any(cause in RELAXES for cause, _ in plants):
        return
    try:
        if from_paths(paths) != from_paths(BASES[base]):
            yield Case(base, plants, paths)
    except ValidationError:
        return  # the plant makes no sense in this base


def measure(case: Case) -> bytes:
    """The evidence of a case, packed."""
    from pcviz.instruments.diagnosis.job import DiagnosisJob

    job = DiagnosisJob(case.experiment)
    job.run()
    values = {name: value for name, value in job.evidence.values.items() if not name.startswith("network_")}
    return pack(values)


def pack(values: dict[str, Any]) -> bytes:
    """Channels as the bytes of an .npz file, in single precision."""
    buffer = io.BytesIO()
    arrays: Any = {name: np.asarray(value, np.float32) for name, value in values.items()}
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def evidence(case: Case, packed: bytes) -> Evidence:
    """The inverse of `pack`."""
    with np.load(io.BytesIO(packed)) as found:
        return Evidence(case.experiment, {name: np.asarray(found[name], np.float64) for name in found})


def _file(folder: Path, case: Case) -> Path:
    return folder / f"{hashlib.sha256(case.name.encode()).hexdigest()[:16]}.npz"


def _work(item: tuple[Case, Path]) -> str:
    case, file = item
    try:
        file.write_bytes(measure(case))
    except Exception as error:
        file.with_suffix(".txt").write_text(f"{case.name}: {type(error).__name__}: {error}", encoding="utf-8")
    return case.name


def planted(folder: Path) -> list[tuple[Case, Evidence, float]]:
    """The cases that count, with their evidence and the points that their plants cost: bases that learn, and ill
    networks that lose enough to their base. The evidence of a sound base counts as healthy."""
    there = [case for case in cases() if _file(folder, case).is_file()]
    found = {case.name: (case, evidence(case, _file(folder, case).read_bytes())) for case in there}
    counted = []
    for case, measured in found.values():
        base = found.get(case.base)
        if base is None:
            continue
        cost = base[1].score("own") - max(measured.score("own"), measured.baseline("chance"))
        if not case.plants or cost >= POINTS:
            counted.append((case, measured, float(cost)))
    return counted


def summary(folder: Path, split: str) -> str:
    """How many are named first, named at all, and called ill although they are healthy; and each that is not."""
    rows: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for case, measured, cost in planted(folder):
        if case.split != split and case.plants:
            continue
        told = diagnose(measured)
        ids, wanted = [finding.id for finding in told.causes], {cause for cause, _ in case.plants}
        kind = ("healthy", "one cause", "two causes")[len(case.plants)]
        rows[kind, "all"] += 1
        good = wanted <= set(ids) if len(wanted) > 1 else ids[:1] == [*wanted] if wanted else told.severity != "FAIL"
        rows[kind, "right"] += good
        rows[kind, "detected"] += told.severity == "FAIL"
        if not good:
            wrong.append(f"{case.name} (costs {cost:.1f}): {told.severity} {ids}")
    lines = [
        f"{kind}: {rows[kind, 'right']} of {rows[kind, 'all']} right, {rows[kind, 'detected']} called FAIL"
        for kind in ("healthy", "one cause", "two causes")
    ]
    return "\n".join([*lines, *wrong])


def main() -> None:
    """Measure what is missing, then print both halves, or the calibration half only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="measure cases whose name holds this")
    parser.add_argument("--test", action="store_true", help="print the test half too")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    items = [(case, _file(chosen.folder, case)) for case in cases() if chosen.only in case.name]
    items = [item for item in items if not item[1].is_file()]
    with multiprocessing.get_context("spawn").Pool(WORKERS, maxtasksperchild=20) as pool:
        for done, name in enumerate(pool.imap_unordered(_work, items), 1):
            print(f"{done} of {len(items)}: {name}", flush=True)
    for split in SPLIT[: 2 if chosen.test else 1]:
        print(split, summary(chosen.folder, split), sep="\n")


if __name__ == "__main__":
    main()
