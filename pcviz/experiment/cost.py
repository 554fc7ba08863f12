"""The estimated cost of a run before it starts: parameters, bytes, arithmetic, time; and which runs are refused.

A model, not a measurement: floating point operations follow from the shapes, time from an assumed or measured speed.
L depth, N width, B batch, T inference steps, H = L - 1, D inputs, K outputs.
"""

import math
import os
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from pcviz.experiment import Experiment
from pcviz.experiment.schema import flatten
from pcviz.frames import STEP_ROWS

GB = 1e9
COPIES = 2
"""Checkpoints kept of a run."""
TEMPORARIES, STATE_TEMPORARIES = 11, 6
"""Most arrays of the size of all activities that are held at once: states before and after a call, predictions, errors,
a checkpoint being made; and the number of further ones for each array that the solver keeps. Measured:
tests/jobs/test_memory."""
PROGRAM_BYTES = 200_000_000
"""Memory for compiling and running programs, whatever the sizes. Measured: tests/jobs/test_memory."""
CALIBRATING_STEPS = 20
"""Runs with fewer weight steps are too short to measure the machine's speed."""
LONG_STEP_FLOPS = 1e10
"""On a CPU a weight step with more arithmetic runs as several calls, so that pause acts at once. Decided by the
experiment alone, never by measured time, so that results do not depend on the machine's load."""


@dataclass(frozen=True)
class Cost:
    """What one run needs. `seconds` is compute time without compilation, `step_seconds` that of one weight step;
    `flops_per_step` are those of a weight step, `relaxation_flops` those of its inference steps, in which each weight
    is used for `weight_uses` examples; `in_turn` products wait for each other in it; `test_seconds` is the time of
    evaluating the test set once."""

    parameters: int
    learning_bytes: int
    activity_bytes: int
    data_bytes: int
    checkpoint_bytes: int
    flops_per_step: float
    relaxation_flops: float
    weight_uses: float
    in_turn: int
    test_seconds: float
    seconds: float
    step_seconds: float
    inference_step_seconds: float

    @property
    def long_steps(self) -> bool:
        """Whether a weight step runs as several calls on a CPU, with checkpoints in between: on an accelerator fewer do
        (numerics/device_kind.py)."""
        return self.flops_per_step > LONG_STEP_FLOPS

    @property
    def memory_bytes(self) -> int:
        """Working memory: programs; weights and optimiser state before and after a step, with gradients and checkpoint;
        activities; the data set."""
        return PROGRAM_BYTES + self.learning_bytes + self.activity_bytes + self.data_bytes


@dataclass(frozen=True)
class Limits:
    """What a machine allows: bytes of the checkpoints of a run, bytes of memory, the longest inference step and the
    longest weight step in seconds."""

    checkpoint_bytes: float = 1 * GB
    memory_bytes: float = 4 * GB
    inference_step_seconds: float = 0.5
    step_seconds: float = 600.0


def machine_limits() -> Limits:
    """The limits of this machine: half of its memory."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
    except (AttributeError, ValueError, OSError):  # not POSIX
        return Limits()
    return Limits(memory_bytes=memory)


def assumed_speed(width: int) -> float:
    """FLOP/s that two ordinary cores reach: small matrices leave most of the machine idle (performance.md 1)."""
    return 1.2e11 * min(0.6, 0.12 + 0.0025 * width)


def parameter_count(experiment: Experiment) -> int:
    """P, the number of weights, biases included."""
    network, facts = experiment.network, experiment.data.facts
    matrices = network.width * (facts.input_dim + facts.output_dim + (network.depth - 2) * network.width)
    biases = experiment.hidden_layers * network.width + facts.output_dim if network.biases else 0
    return matrices + biases


def estimate(experiment: Experiment, slowdown: float = 1.0) -> Cost:
    """The cost of `experiment` on a machine that takes `slowdown` times what this model assumes (see `slowdown`)."""
    network, learning, data = experiment.network, experiment.learning, experiment.data
    hidden, width = experiment.hidden_layers, network.width
    batch = learning.batch_size * (2 if experiment.inference.nudging == "centred" else 1)  # both signs
    inputs, outputs = data.facts.input_dim, data.facts.output_dim
    number = 4 if experiment.dtype == "float32" else 8

    parameters = parameter_count(experiment)
    weights = number * parameters
    moments = 0 if learning.optimiser == "sgd" else 2
    activities = number * batch * (inputs + hidden * network.neurons + outputs)
    state = experiment.inference.facts.slots if learning.facts.relaxes else 0
    state += 2 if learning.forward_update or not learning.facts.plain else 0  # the start, and distances from it

    # One inference step over all layers, and the share of the layers that the steps really touch.
    inference = 4.0 * batch * ((hidden - 1) * width**2 + width * outputs)
    weight_gradient = 2.0 * batch * parameters
    forward = 2.0 * batch * parameters
    steps = experiment.inference_steps
    full_steps = _full_steps(experiment) if learning.facts.relaxes else 0.0
    relaxation = full_steps * inference
    if not learning.facts.relaxes:
        per_step = 3 * forward
    elif learning.facts.moves_weights:
        per_step = forward + steps * (inference + weight_gradient)
    else:
        # After the last step the errors are evaluated once more, for the weight gradient.
        per_step = forward + relaxation + 0.5 * inference + weight_gradient
    speed = assumed_speed(width) * (1 if number == 4 else 0.5)
    serial = 1 if learning.facts.relaxes and experiment.inference.facts.space == "activities" else hidden
    in_turn = max(steps, 1) * serial
    overhead = 2e-3 + in_turn * 2e-5
    step_seconds = slowdown * (per_step / speed + overhead)
    saved = (1 + moments) * weights
    if per_step > LONG_STEP_FLOPS and learning.facts.relaxes:
        # The relaxation under way: variables, the solver's state, the rounding of the start; iPC's weights move in it.
        saved += (2 + state) * activities + 8 * (STEP_ROWS + 2) * 2 * network.depth
        saved += (1 + moments) * weights if learning.facts.moves_weights else 0
    return Cost(
        parameters=parameters,
        learning_bytes=((6 if learning.facts.moves_weights else 4) * (1 + moments) + 3) * weights,
        activity_bytes=(TEMPORARIES + STATE_TEMPORARIES * state) * activities,
        # as it was loaded, in the number format of the network, and on the device
        data_bytes=(8 + 2 * number) * (data.train_count + data.test_count) * (inputs + outputs),
        checkpoint_bytes=COPIES * saved,
        flops_per_step=per_step,
        relaxation_flops=relaxation,
        weight_uses=full_steps * batch,
        in_turn=in_turn,
        test_seconds=slowdown * 2.0 * data.test_count * parameters / speed,
        seconds=step_seconds * learning.steps,
        step_seconds=step_seconds,
        inference_step_seconds=slowdown * max(inference, forward + weight_gradient) / speed,
    )


def slowdown(experiment: Experiment, history: Iterable[tuple[Experiment, int, float]]) -> float:
    """How many times longer than assumed runs like `experiment` took; 1 without earlier runs.

    `history` holds the experiment, the weight steps made and the compute seconds of earlier runs.
    """
    size = estimate(experiment).flops_per_step
    ratios = []
    for earlier, steps, seconds in history:
        modelled = estimate(earlier)
        if steps >= CALIBRATING_STEPS and seconds > 0 and earlier.learning.rule == experiment.learning.rule:
            expected = modelled.seconds * steps / earlier.learning.steps
            ratios.append((abs(math.log(modelled.flops_per_step / size)), seconds / expected))
    return of_nearest(ratios)


def of_nearest(ratios: Iterable[tuple[float, float]]) -> float:
    """The median ratio of the five nearest among pairs (distance, ratio); 1 if there are none."""
    nearest = [ratio for _, ratio in sorted(ratios)[:5]]
    return statistics.median(nearest) if nearest else 1.0


def _full_steps(experiment: Experiment) -> float:
    """Inference steps, counted in steps over all layers: with the front window, step t touches t layers at most."""
    steps, hidden = experiment.inference_steps, experiment.hidden_layers
    if not experiment.inference.has_front:
        return float(steps)
    reached = min(steps, hidden)
    return reached**2 / (2 * hidden) + (steps - reached)


def admission(experiment: Experiment, limits: Limits | None = None, slowdown: float = 1.0) -> list[str]:
    """Why `experiment` is refused, one line for each limit that it breaks, with the nearest setting that fits."""
    limits = limits or machine_limits()
    cost, refusals = estimate(experiment, slowdown), []
    if cost.checkpoint_bytes > (most := limits.checkpoint_bytes):
        # In the middle of a long step, activities are saved too.
        paths = "learning.batch_size", "network.width"
        setting, remedy = _remedy(experiment, lambda c: c.checkpoint_bytes <= most, *paths)
        needed = f"needs {bytes_text(cost.checkpoint_bytes)} of checkpoints, above {bytes_text(most)}"
        refusals.append(f"{setting} {needed} ({remedy})")
    refusals += memory_refusal(experiment, limits)
    if cost.inference_step_seconds > (longest := limits.inference_step_seconds):
        setting, remedy = _remedy(
            experiment, lambda c: c.inference_step_seconds <= longest, "learning.batch_size", slowdown=slowdown
        )
        refusals.append(
            f"{setting} makes one inference step last about {cost.inference_step_seconds:.1f} s, above {longest:g} s, "
            f"so that pause could not act in time ({remedy})"
        )
    return refusals + long_step(experiment, limits, slowdown)


def memory_refusal(experiment: Experiment, limits: Limits | None = None) -> list[str]:
    """One line, with the nearest setting that fits, if the run does not fit into memory; else none."""
    most, cost = (limits or machine_limits()).memory_bytes, estimate(experiment)
    if cost.memory_bytes <= most:
        return []
    needed = f"needs {bytes_text(cost.memory_bytes)} of memory, above {bytes_text(most)}"
    if cost.data_bytes > max(cost.activity_bytes, cost.learning_bytes):
        return [f"data.name: {experiment.data.name} {needed} (choose smaller data)"]
    path = "learning.batch_size" if cost.activity_bytes > cost.learning_bytes else "network.width"
    setting, remedy = _remedy(experiment, lambda c: c.memory_bytes <= most, path)
    return [f"{setting} {needed} ({remedy})"]


def long_step(experiment: Experiment, limits: Limits | None = None, slowdown: float = 1.0) -> list[str]:
    """One line, with the nearest setting that fits, if a single weight step takes too long; else none."""
    most = (limits or Limits()).step_seconds
    seconds = estimate(experiment, slowdown).step_seconds
    if seconds <= most:
        return []
    paths = "inference.steps", "learning.batch_size"
    setting, remedy = _remedy(experiment, lambda c: c.step_seconds <= most, *paths, slowdown=slowdown)
    last = f"last {seconds_text(seconds)}, above {most / 60:g} min"
    return [f"{setting} makes the relaxation of one weight step {last} ({remedy})"]


def _remedy(
    experiment: Experiment, fits: Callable[[Cost], bool], *paths: str, slowdown: float = 1.0
) -> tuple[str, str]:
    """The present setting and the nearest value that fits, of the first of these fields that has a smaller value whose
    cost `fits`; if none has one, of the last field."""
    named = {"learning.batch_size": "batch size", "network.width": "width", "inference.steps": "number of steps"}
    found = {path: _largest(path, experiment, fits, slowdown) for path in paths}
    path = next((path for path, value in found.items() if value is not None), paths[-1])
    setting = f"{path}: {flatten(experiment.model_dump())[path]}"
    setting += f" at depth {experiment.network.depth}" if path == "network.width" else ""
    nearest = f"nearest {named[path]} that fits: {found[path]}"
    return setting, f"no {named[path]} fits" if found[path] is None else nearest


def _largest(path: str, experiment: Experiment, fits: Callable[[Cost], bool], slowdown: float) -> int | None:
    """The largest value of a whole-number field below its present one whose cost `fits`; None if there is none."""
    section, name = path.split(".")
    now = experiment.inference_steps if path == "inference.steps" else getattr(getattr(experiment, section), name)
    low, high = 0, int(now)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            good = fits(estimate(experiment.changed({path: middle}), slowdown))
        except ValidationError:
            good = False
        low, high = (middle, high) if good else (low, middle)
    return low or None


def bytes_text(count: float) -> str:
    """1.5e6 -> "1.5 MB"."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def flops_text(count: float) -> str:
    """1.2e9 -> "1.2 GFLOP"."""
    return _scaled(count, ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"))


def seconds_text(seconds: float) -> str:
    """A duration at the precision that a person needs: "≈ 8 s", "≈ 3 min", "≈ 2.5 h"."""
    if seconds < 1:
        return "< 1 s"
    if seconds < 90:
        return f"≈ {seconds:.0f} s"
    return f"≈ {seconds / 60:.0f} min" if seconds < 5400 else f"≈ {seconds / 3600:.1f} h"


def _scaled(count: float, units: tuple[str, ...]) -> str:
    power = 0
    while count >= 999.5 and power < len(units) - 1:
        count, power = count / 1000, power + 1
    return f"{count:.2g} {units[power]}" if count < 99.5 else f"{count:.0f} {units[power]}"


def text(cost: Cost) -> str:
    """One line for a person: "≈ 12 s, 8 MB, 1.2 GFLOP/step"."""
    return f"{seconds_text(cost.seconds)}, {bytes_text(cost.memory_bytes)}, {flops_text(cost.flops_per_step)}/step"
