"""Combinations of options that make no sense: each is refused with the reason and what goes instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pcviz.experiment import layer_rates
from pcviz.experiment.precisions import PRECISIONS
from pcviz.experiment.rules import RULES
from pcviz.experiment.solvers import SOLVERS

if TYPE_CHECKING:
    from pcviz.experiment.whole import Experiment

DIRECT = tuple(name for name, facts in SOLVERS.items() if facts.trains and facts.space == "activities")
"""Solvers that train by moving activities."""
LINEAR = tuple(name for name in DIRECT if SOLVERS[name].rate is not None)
"""Those whose step is proportional to the errors."""
PLAIN = tuple(name for name, facts in RULES.items() if facts.relaxes and facts.plain and not facts.moves_weights)
"""Rules that learn after a relaxation on the energy."""
MOST_ALPHA, LEAST_DECAY = 0.25, 0.04
"""Where errors count w, step size times curvature of auxiliary neurons is up to w (5 + √17) / 2, which is 2 at w = .44:
from there on the relaxation diverges, or from a little less where the main path is steep (docs/theory.md 5.6). Decaying
precisions, after the arrival at most e^-k / (1 - e^-k) / 100, are below 0.25 from k = 0.04 on."""


def conflicts(experiment: Experiment) -> Iterator[str]:
    """One line for each, beginning with the field that is refused."""
    network, inference, learning = experiment.network, experiment.inference, experiment.learning
    if network.loss == "ce" and experiment.data.facts.task != "classification":
        name = experiment.data.name
        yield f"network.loss: ce needs classes, and data.name {name} is a regression (allowed: mse)"
    if learning.batch_size > (count := experiment.data.train_count):
        yield (
            f"learning.batch_size: {learning.batch_size} is above {count}, the number of training examples "
            f"(allowed: 1 to {count})"
        )
    factors, depth = len(layer_rates.factors_of(learning.layer_rates)), network.depth
    if factors > depth:
        yield (
            f"learning.layer_rates: {factors} numbers are more than {depth}, the number of layers "
            f"(allowed: {layer_rates.allowed(depth)})"
        )
    if network.architecture == "residual":
        yield from _of_residual(experiment)
    yield from _of_rule(experiment)
    if learning.forward_update:
        yield from _of_forward_update(experiment)
    if inference.precision_schedule != "constant":
        yield from _of_schedule(experiment)
    if inference.nudging != "none":
        yield from _of_nudging(experiment)


def _only(path: str, value: object, other: str, why: str, allowed: tuple[str, ...]) -> str:
    return f"{path}: {value} does not go with {other}, {why} (allowed: {', '.join(allowed)})"


def _of_residual(experiment: Experiment) -> Iterator[str]:
    network, inference, rule = experiment.network, experiment.inference, experiment.learning.rule
    given, schedule = "network.architecture residual", inference.precision_schedule
    if network.depth < 4 or network.depth % 2:
        why = "which has two layers in each block, a read-in and a read-out"
        yield _only("network.depth", network.depth, given, why, ("even numbers from 4 to 512",))
    if not network.skips:
        yield _only("network.skips", "false", given, "which without skips is the fully connected one", ("true",))
    diverge = "whose auxiliary neurons, with a precision of 1 / step size, "
    if rule == "strict":
        why = f"{diverge}diverge without a precision schedule"
        yield _only("learning.rule", rule, given, why, tuple(name for name in RULES if name != "strict"))
    elif RULES[rule].plain and schedule == "constant":
        why = f"{diverge}diverge with it"
        schedules = tuple(name for name in PRECISIONS if name != "constant")
        yield _only("inference.precision_schedule", schedule, given, why, schedules)
    elif schedule == "spiking" and inference.spike_alpha > MOST_ALPHA:
        alpha = f"{inference.spike_alpha:g}"
        yield _only("inference.spike_alpha", alpha, given, f"{diverge}could diverge", (f"0 to {MOST_ALPHA:g}",))
    elif schedule == "decaying" and inference.precision_decay < LEAST_DECAY:
        rate = f"{inference.precision_decay:g}"
        yield _only("inference.precision_decay", rate, given, f"{diverge}could diverge", (f"{LEAST_DECAY:g} to 100",))


def _of_rule(experiment: Experiment) -> Iterator[str]:
    inference, facts = experiment.inference, experiment.learning.facts
    rule = f"learning.rule {experiment.learning.rule}"
    if facts.moves_weights and inference.solver not in DIRECT:
        why = "whose weights move during the relaxation of the activities"
        yield _only("inference.solver", inference.solver, rule, why, DIRECT)
    if experiment.learning.rule == "strict" and inference.solver != "gradient_descent":
        yield _only("inference.solver", inference.solver, rule, "which is gradient descent", ("gradient_descent",))
    if experiment.learning.rule == "strict" and inference.initial != "feedforward":
        why = "which begins at the feedforward pass"
        yield _only("inference.initial", inference.initial, rule, why, ("feedforward",))
    if facts.plain:
        return
    if facts.spikes and inference.solver != "gradient_descent":
        yield _only("inference.solver", inference.solver, rule, "whose layers move once", ("gradient_descent",))
    elif inference.solver not in LINEAR:
        why = "which moves activities by shares of the errors that they receive"
        yield _only("inference.solver", inference.solver, rule, why, LINEAR)
    if inference.initial != "feedforward":
        why = "whose errors are distances from the feedforward pass"
        yield _only("inference.initial", inference.initial, rule, why, ("feedforward",))
    if inference.activity_decay:
        why = "which knows no force on activities but errors"
        yield _only("inference.activity_decay", f"{inference.activity_decay:g}", rule, why, ("0",))


def _of_forward_update(experiment: Experiment) -> Iterator[str]:
    inference, rule, given = experiment.inference, experiment.learning.rule, "learning.forward_update"
    if rule != "pc":
        yield _only(given, "true", f"learning.rule {rule}", "which says itself what weights learn from", ("false",))
    elif inference.solver not in DIRECT:
        why = "which adds up the steps of the activities"
        yield _only("inference.solver", inference.solver, given, why, DIRECT)
    elif inference.initial != "feedforward":
        why = "which measures from the feedforward pass"
        yield _only("inference.initial", inference.initial, given, why, ("feedforward",))


def _of_schedule(experiment: Experiment) -> Iterator[str]:
    inference, rule = experiment.inference, experiment.learning.rule
    given = f"inference.precision_schedule {inference.precision_schedule}"
    if not RULES[rule].plain or rule == "strict":
        why = "which has times of its own for the errors"
        yield _only(
            "inference.precision_schedule", inference.precision_schedule, f"learning.rule {rule}", why, ("constant",)
        )
    elif inference.solver not in LINEAR:
        why = "which follows the error on its way from layer to layer and weighs each step"
        yield _only("inference.solver", inference.solver, given, why, LINEAR)
    elif inference.initial != "feedforward":
        why = "which begins where only the output has an error"
        yield _only("inference.initial", inference.initial, given, why, ("feedforward",))


def _of_nudging(experiment: Experiment) -> Iterator[str]:
    inference, rule = experiment.inference, experiment.learning.rule
    given, strength = f"inference.nudging {inference.nudging}", inference.nudge_strength
    if rule not in PLAIN and RULES[rule].relaxes:
        why = "whose errors do not depend on how far the output is pulled, or whose weights move on the way"
        yield _only("inference.nudging", inference.nudging, f"learning.rule {rule}", why, ("none",))
    if inference.output_clamp == "hard" and experiment.network.loss != "mse":
        why = "whose target is a point between output and target"
        yield _only("network.loss", experiment.network.loss, "inference.output_clamp hard", why, ("mse",))
    if inference.output_clamp == "soft" and inference.nudging != "positive":
        most = 1 / experiment.network.output_precision
        if experiment.network.loss == "mse" and strength >= most:
            yield (
                f"inference.nudge_strength: {strength:g} is too much for {given} with network.output_precision "
                f"{experiment.network.output_precision:g}: the free output would run away (allowed: below {most:g})"
            )
