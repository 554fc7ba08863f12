"""How long a look takes, part by part, before it starts: what stands at its button and what its progress is shares of.

A model, as `pcviz.cost`: arithmetic at the assumed speed, and what calls and compilation take on two ordinary cores. A
look that is under way scales it to its own pace. H hidden layers, N width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from pcviz import chains, comparison, cost, curvatures, landscapes
from pcviz.experiment import Experiment

Parts = dict[str, float]
"""Part of a look -> its seconds."""

BUDGET_FLOPS, BUDGET_MOST, BUDGET_LEAST = 1e11, 2048, 64
"""Gradient evaluations of each solver of a relaxation unless a budget is given."""
USUAL_PASSES = {"conjugate_gradient": 300, "gauss_newton": 200, "linear_exact": 1}
"""Gradient evaluations after which solvers are done that seldom need their budget."""
SETTLING_PASSES = 100
"""Those of one point of F*."""
BINS = 48
"""Bins of the histogram of a relaxation's eigenvalues."""
PROGRAM_SECONDS = 0.8
"""Compiling one program of a look."""
FACTOR_SPEED = 5e9
"""FLOP/s of the factorisation of activity Hessians."""


def parts(kind: str, experiment: Experiment, options: Any) -> Parts:
    """The seconds of each part of a look with these options, a training up to its weights among them."""
    model = _MODELS[kind]
    found = model(experiment, options)
    for part, step in (("train", "step"), ("train other", "source_step")):
        if steps := getattr(options, step, None):
            found[part] = cost.estimate(experiment.changed({"learning.steps": steps})).seconds
    return found


def seconds(kind: str, experiment: Experiment, options: Any, slowdown: float = 1.0) -> float:
    """The whole time of a look on a machine that takes `slowdown` times what this model assumes."""
    return slowdown * sum(parts(kind, experiment, options).values())


def slowdown(
    kind: str, experiment: Experiment, options: Any, history: Iterable[tuple[Experiment, BaseModel, float]]
) -> float:
    """How many times longer than assumed such looks took; 1 without any. `history` holds experiment, options and
    compute seconds of earlier looks of this kind that came to their end."""
    size = seconds(kind, experiment, options)
    ratios = []
    for theirs, told, took in history:
        expected = seconds(kind, theirs, told)
        ratios.append((abs(math.log(expected / size)), took / expected))
    return cost.of_nearest(ratios)


def gradient_flops(experiment: Experiment, examples: int | None = None) -> float:
    """Arithmetic of one gradient evaluation, forward and backward, of the batch or so many examples."""
    facts, network = experiment.data.facts, experiment.network
    sizes = [facts.input_dim, *[network.width] * experiment.hidden_layers, facts.output_dim]
    return 4.0 * (examples or experiment.learning.batch_size) * sum(a * b for a, b in pairwise(sizes))


def budget(experiment: Experiment, options: comparison.Options) -> int:
    """Most gradient evaluations of each solver of a relaxation."""
    return options.budget or int(min(max(BUDGET_FLOPS / gradient_flops(experiment), BUDGET_LEAST), BUDGET_MOST))


def _gradient_seconds(experiment: Experiment, examples: int | None = None) -> float:
    speed = cost.assumed_speed(experiment.network.width) * (1 if experiment.dtype == "float32" else 0.5)
    return 1e-4 + gradient_flops(experiment, examples) / speed


def _relax(experiment: Experiment, options: comparison.Options) -> Parts:
    hidden, width = experiment.hidden_layers, experiment.network.width
    each, most = _gradient_seconds(experiment), budget(experiment, options)
    steps = experiment.inference.steps
    solvers = options.compared(experiment)
    passes = sum(min(most, USUAL_PASSES.get(name, most)) for name in solvers)
    factorising = hidden * width**3 / FACTOR_SPEED
    return {
        "trace": 0.5 + each * (hidden if steps == "depth" else int(steps)),
        "compile": 3 + 0.05 * hidden + 100 * factorising + PROGRAM_SECONDS * len(solvers),  # theory, then solvers
        "spectrum": BINS * (0.01 + 10 * factorising),
        "solvers": each * passes,
    }


def _surface(experiment: Experiment, options: landscapes.Options) -> Parts:
    each = _gradient_seconds(experiment, options.examples)
    settling = 10 if experiment.network.has_closed_form else SETTLING_PASSES
    return {"grid": 1 + options.size**2 * each * (1 + settling)}


def _curvature(experiment: Experiment, options: curvatures.Options) -> Parts:
    hidden, width = experiment.hidden_layers, experiment.network.width
    examples = curvatures.examples_that_fit(experiment, options.examples)
    each = 2 * _gradient_seconds(experiment, examples)  # in float64
    whole = curvatures.weight_count(experiment) <= curvatures.SPECTRUM_MAX
    settling = 3 + 0.1 * hidden + SETTLING_PASSES * each + examples * hidden * width**3 / FACTOR_SPEED
    return {
        "plane": 2 * settling,
        "ends": settling + 400 * each,
        "spectrum": 0.1 + (curvatures.weight_count(experiment) * each if whole else 0),
        "ray": 10 * settling / 3,
        "steps": settling + 100 * each,
    }


def _chain(experiment: Experiment, options: chains.Options) -> Parts:
    updates = chains.DEEPEST * options.cap
    return {"plane": 0.1, "races": updates * (4e-5 + 1.4e-6 * options.inference_steps)}


_MODELS: dict[str, Callable[[Experiment, Any], Parts]] = {
    "relax": _relax,
    "surface": _surface,
    "curvature": _curvature,
    "chain": _chain,
}
