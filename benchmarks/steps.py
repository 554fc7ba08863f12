"""Rows of training steps: with and without the window, against the reference, recorded, and at every scale."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import numpy as np

from benchmarks.alone import AppSteps
from benchmarks.rounds import Bench, Run, judged, steps_in, wall_clock
from benchmarks.rows import Row, row
from benchmarks.runs import SHAPES, EngineRun, ReferenceRun, Shape, experiment_of
from pcviz.experiment.cost import estimate
from pcviz.frames import BULK_SECONDS, BULK_STEPS

STEADY = [Shape(depth, width, 16) for depth in (8, 32, 128) for width in (32, 128, 512)]
STEADY += [Shape(depth, 32, depth) for depth in (8, 32, 128)]
COMPARED = {Shape(8, 32, 16): None, Shape(32, 128, 16): None, Shape(128, 32, 16): 4.0, Shape(128, 32, 128): 2.5}
"""Shapes compared with the reference, and how much faster the engine must be."""
RECORDED = [*SHAPES, Shape(128, 32, 128)]
SCALE = [Shape(2**power, 32, 16) for power in range(3, 10)] + [Shape(16, 2**power, 16) for power in range(6, 11)]
SHARE_MUST, UNRECORDED_MUST, RECORDING_MUST = 0.35, 1.05, 1.15
SCALE_MUST_64, SCALE_MUST_WIDE = 0.35, 0.5


def steady(bench: Bench, shapes: list[Shape]) -> Iterator[Row]:
    """Time of a training step with and without the front window, and the share of peak of the stacked form."""
    for shape in shapes:
        found = bench.interleaved(
            {"stacked": EngineRun(shape, windowed=False), "window": EngineRun(shape, windowed=True)}
        )
        for name in ("stacked", "window"):
            cpu, wall = ([1e3 * each for each in found.seconds(name, clock)] for clock in (judged, wall_clock))
            yield row(f"training step, {name}", shape, cpu, "ms", wall=median(wall), steady=found.steady)
        share, wall = (found.shares_of_peak("stacked", shape.flops, clock) for clock in (judged, wall_clock))
        must = {"at_least": SHARE_MUST} if shape.width == 128 else {"more": True}
        yield row("share of GEMM peak, stacked", shape, share, "", wall=median(wall), steady=found.steady, **must)


def singly(run: EngineRun) -> Run:
    """One call for each step, as the reference is called."""

    def steps(count: int) -> None:
        for _ in range(count):
            run(1)

    return steps


def against_reference(bench: Bench, shapes: dict[Shape, float | None]) -> Iterator[Row]:
    """How many times faster than the unrolled network; both are called once a step."""
    for shape, must in shapes.items():
        engine = EngineRun(shape, windowed=True)
        plain = ReferenceRun(shape, engine.network)
        engine(1)
        plain(1)
        if not np.isclose(engine.loss, plain.loss, rtol=1e-3):
            raise RuntimeError(f"{shape}: engine and reference disagree, {engine.loss} and {plain.loss}")
        found = bench.interleaved({"engine": singly(engine), "reference": plain})
        gain, wall = (found.ratios("reference", "engine", clock) for clock in (judged, wall_clock))
        yield row(
            "times faster than reference, window", shape, gain, "×",
            at_least=must, more=True, wall=median(wall), steady=found.steady,
        )  # fmt: skip


def recording(bench: Bench, shapes: list[Shape]) -> Iterator[Row]:
    """The cost of being able to record energies and update sizes of every layer, where no step is recorded; and of
    recording one step as often as trainings in the app do, at the end of as many steps as lie between two frames."""
    for shape in shapes:
        experiment = experiment_of(shape)
        able, bare = AppSteps(experiment), AppSteps(experiment, recordable=False)
        count = steps_in(bare, BULK_SECONDS, least=int(BULK_STEPS))
        variants: dict[str, Run] = {"able": able, "paced": AppSteps(experiment).last_recorded, "without": bare}
        for run in variants.values():
            run(1)
        found = bench.interleaved(variants, dict.fromkeys(variants, count))
        for name, above, must in (("no step", "able", UNRECORDED_MUST), ("as often as shown", "paced", RECORDING_MUST)):
            cost, wall = (found.ratios(above, "without", clock) for clock in (judged, wall_clock))
            name = f"cost of recording, {name}"
            yield row(name, shape, cost, "×", at_most=must, wall=median(wall), steady=found.steady)


def scale(bench: Bench, shapes: list[Shape]) -> Iterator[Row]:
    """Time of a weight step as the app makes it, and the speed of the operations that the front window leaves, as a
    share of the machine's: of wall time, since an idle core counts as lost."""
    for shape in shapes:
        experiment = experiment_of(shape)
        flops = estimate(experiment).flops_per_step
        found = bench.interleaved({"step": AppSteps(experiment)})
        cpu, wall = (found.seconds("step", clock) for clock in (judged, wall_clock))
        times = [1e3 * each for each in cpu]
        yield row("scale: weight step", shape, times, "ms", wall=1e3 * median(wall), steady=found.steady)
        speed = [flops / each / 1e9 for each in wall]
        yield row("scale: GFLOP/s of wall time", shape, speed, "", more=True, steady=found.steady)
        least = {64: SCALE_MUST_64}.get(shape.width, SCALE_MUST_WIDE if shape.width >= 128 else None)
        share = found.shares_of_peak("step", flops, wall_clock)
        yield row(
            "scale: share of GEMM peak in wall time", shape, share, "", at_least=least, more=True, steady=found.steady
        )
