"""What a Python prompt shows: results in a few lines, whatever they hold."""

import importlib
import pkgutil
from dataclasses import dataclass, is_dataclass
from types import ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

import pcviz
from pcviz import data, instruments, jobs, numerics, pcn, probes
from pcviz.brief import COLUMNS, represent, short
from pcviz.experiment import Experiment, from_paths
from pcviz.frames import Frame

SMALL = from_paths({"network.depth": 4, "network.width": 8, "learning.batch_size": 4, "learning.steps": 3})
HELD = ("Array", "ndarray", "Activities", "Network", "State", "Settled", "Place", "Blocks", "Comparison", "Trace")
"""Types of fields that hold arrays."""


def holders(package: ModuleType) -> list[type]:
    """The dataclasses and named tuples of a package that hold arrays, but no functions."""
    found = []
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == info.name and not value.__name__.startswith("_"):
                record = is_dataclass(value) or hasattr(value, "_fields")
                kinds = [str(kind) for kind in getattr(value, "__annotations__", {}).values()]
                held = any(name in kind for kind in kinds for name in HELD)
                if record and held and not any("Callable" in kind for kind in kinds):
                    found.append(value)
    return found


@pytest.mark.parametrize(
    "package", [data, instruments, jobs, numerics, pcn, probes], ids=lambda package: package.__name__
)
def test_whatever_holds_arrays_is_shown_in_short(package: ModuleType) -> None:
    found = holders(package)
    assert found
    assert [cls.__qualname__ for cls in found if cls.__repr__ is not represent] == []


def test_results_tell_formats_shapes_and_numbers() -> None:
    network = pcviz.build(SMALL)
    assert repr(network) == str(network) == "Network(depth=4, width=8, relu, mse, 720 weights, float32)"
    x, y = np.zeros((4, 64)), np.zeros((4, 10))
    relaxation = repr(pcviz.relax(network, x, y, SMALL.inference))
    assert relaxation.startswith(
        "Relaxation(energies=float64[13,4], update_rms=float64[13,3], activities=[3 × float32[4,8]],"
    )
    frame = Frame("train", 3, {"energy": np.arange(4.0), "test_accuracy": 0.9})
    assert repr(frame).startswith("Frame(kind='train', step=3, values={energy: float64[4], test_accuracy: 0.9},")
    for text in (relaxation, repr(frame)):
        assert len(text.splitlines()) <= 4 and max(map(len, text.splitlines())) <= COLUMNS


def test_an_experiment_says_what_differs_as_python() -> None:
    text = (
        "Experiment().changed({'network.depth': 4, 'network.width': 8, 'learning.batch_size': 4, 'learning.steps': 3})"
    )
    assert repr(SMALL) == str(SMALL) == text
    assert eval(text, {"Experiment": Experiment}) == SMALL
    assert repr(Experiment()) == "Experiment()"


@short
@dataclass(frozen=True)
class Inner:
    loss: Any


@short
class Outer(NamedTuple):
    inner: Inner
    names: list[str]
    key: jax.Array


def test_what_is_inside_stays_in_the_line() -> None:
    made = Outer(Inner(np.float64(0.25)), ["a b", "a b"], jax.random.key(0))
    assert repr(made) == "Outer(inner=Inner(loss=0.25), names=[2 × 'a b'], key=key<fry>[])"


def test_numbers_without_values_have_their_format() -> None:
    shown = []
    jax.jit(lambda loss: shown.append(repr(Inner(loss))) or loss)(1.0)
    assert shown == ["Inner(loss=float64[])"]
