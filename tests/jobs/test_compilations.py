"""What is compiled: numbers of an experiment are traced, so that changing them compiles nothing anew."""

from __future__ import annotations

from typing import Any

import jax
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.relaxation.job import RelaxationJob
from pcviz.instruments.relaxation.options import Options
from pcviz.jobs.training import Training

BASE = {
    "network.depth": 4,
    "network.width": 6,
    "data.name": "moons",
    "inference.solver": "momentum",
    "inference.steps": 5,
    "learning.steps": 3,
    "learning.batch_size": 8,
}
NUMBERS: tuple[dict[str, Any], ...] = (
    {"learning.learning_rate": 0.1},
    {"learning.layer_rates": "10,1"},
    {"inference.step_size": 0.01},
    {"inference.momentum": 0.5},
    {"inference.steps": 7},
    {"learning.steps": 5},
    {"network.output_precision": 3.0},
    {"network.gamma": 2.0},
    {"seed": 5},
)
SHAPES: tuple[dict[str, Any], ...] = ({"network.width": 7}, {"inference.solver": "adam"})
PROGRAMS = {"_weights", "start", "evaluate", "_rounding", "weight_steps"}
"""What a training compiles, once each: first weights, first optimiser state, test set, rounding, its loop."""
COPIES = {"stage", "convert_element_type"}
"""Copies of arrays to the device, which JAX compiles too."""


def trained(experiment: Experiment) -> None:
    assert list(Training(experiment).run())


def relaxed(experiment: Experiment) -> None:
    job = RelaxationJob(experiment, Options(solvers=(), budget=8))
    job.run()
    assert job.done


@pytest.mark.parametrize(("work", "program"), [(trained, "weight_steps"), (relaxed, "_measure")])
def test_numbers_compile_nothing_and_shapes_do(work: Any, program: str, compiled: list[str]) -> None:
    jax.clear_caches()
    work(from_paths(BASE))
    assert f"jit({program})" in compiled
    for change in NUMBERS:
        compiled.clear()
        work(from_paths({**BASE, **change}))
        assert not compiled, change
    for change in SHAPES:
        compiled.clear()
        work(from_paths({**BASE, **change}))
        assert f"jit({program})" in compiled, change


def test_a_training_compiles_its_programs_once_and_before_its_first_step(compiled: list[str]) -> None:
    """1,000 weight steps in slices of all lengths, with pauses, frames of both kinds and checkpoints."""
    jax.clear_caches()
    training = Training(from_paths({**BASE, "learning.steps": 1000}))
    training.prepare()
    named = [name.removeprefix("jit(").removesuffix(")") for name in compiled]
    assert sorted(name for name in named if name not in COPIES) == sorted(PROGRAMS)
    compiled.clear()
    for turn in range(1000):
        training.advance(training.step + 1 + turn % 17, (0.0, 0.01, 1.0)[turn % 3], bulk=turn % 2 == 0)
        training.frame(bulk=turn % 5 == 0)
        if turn % 7 == 0:
            training.checkpoint()
        if training.done:
            break
    assert training.done and not compiled
