"""How fast the engine is: steady training steps, first calls, and what recording costs (`make bench`).

The protocol keeps the numbers honest on a machine that does other work too. Everything runs in one process; variants
are run in turn, A B A B, after a warm-up; a result is the median of the ratios of each round; a run ends only when its
new weights and losses are ready. Three 1024³ float32 matrix products in every round give the machine's own
peak: a round in which they took 15 % more or less than usual is discarded and repeated, and where that does not help
the result is flagged. On a CPU ratios are of process CPU time (all threads), which other processes disturb least; wall
time is shown beside it. On an accelerator, wall time.

The baseline is `benchmarks.reference`: the same arithmetic as one jitted step of an unrolled network. B=64, D=64, K=10,
tanh, muPC with skips, gradient descent on activities, Adam on weights, float32. The baseline records nothing of the
relaxation, so neither does the engine, except where the cost of recording is what is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, NoReturn

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import reference
from benchmarks.rounds import Bench, Run, Seconds, judged, timed
from pcviz.cli.flags import EXIT
from pcviz.cli.work import DONE, FAILED
from pcviz.experiment import Experiment
from pcviz.frames import STEP_ROWS, trace_rows
from pcviz.pcn import Network, build, learning, weights
from pcviz.pcn.trace import padded_rows

BATCH, INPUTS, OUTPUTS = 64, 64, 10
STEP_SIZE, LEARNING_RATE = 0.3, 1e-3
ROUNDS, QUICK_ROUNDS = 8, 3


class Shape(NamedTuple):
    """L, N, T."""

    depth: int
    width: int
    steps: int

    @property
    def flops(self) -> float:
        """Nominal operations of one training step without the front window."""
        hidden, square = self.depth - 2, self.width**2
        relaxation = self.steps * (4 * BATCH * hidden * square + 4 * BATCH * OUTPUTS * self.width)
        once = 6 * BATCH * hidden * square + 4 * BATCH * INPUTS * self.width + 6 * BATCH * self.width * OUTPUTS
        return relaxation + once

    def __str__(self) -> str:
        return f"L={self.depth} N={self.width} T={self.steps}"


STEADY = [Shape(depth, width, 16) for depth in (8, 32, 128) for width in (32, 128, 512)]
STEADY += [Shape(depth, 32, depth) for depth in (8, 32, 128)]
COMPARED = {Shape(8, 32, 16): None, Shape(32, 128, 16): None, Shape(128, 32, 16): 4.0, Shape(128, 32, 128): 2.5}
"""Shapes compared with the reference, and how much faster the engine must be."""
RECORDED = [Shape(16, 64, 15), Shape(128, 32, 16), Shape(128, 32, 128)]
COMPILED_WIDTH, COMPILED_STEPS = 128, 16
SHARE_MUST, RECORDING_MUST = 0.35, 1.15
GROWTH_MUST, GROWTH_MUST_WINDOW, COMPILE_MUST = 1.3, 2.2, 4.0


@dataclass(frozen=True)
class Row:
    """One result. `must` is its threshold (">= 4" or "<= 1.15"), `met` whether it holds; `steady` is false if the
    speed of the machine changed meanwhile."""

    name: str
    shape: str
    value: float
    unit: str
    wall: float | None = None
    must: str | None = None
    met: bool | None = None
    steady: bool = True


def row(
    name: str, shape: object, value: float, unit: str, *, at_least: float | None = None, at_most: float | None = None,
    **more: Any,
) -> Row:  # fmt: skip
    """A row, judged where it has a threshold."""
    if at_least is not None:
        return Row(name, str(shape), value, unit, must=f">= {at_least:g}", met=value >= at_least, **more)
    if at_most is not None:
        return Row(name, str(shape), value, unit, must=f"<= {at_most:g}", met=value <= at_most, **more)
    return Row(name, str(shape), value, unit, **more)


def experiment_of(shape: Shape) -> Experiment:
    """The experiment that is timed."""
    return Experiment.model_validate(
        {
            "network": {"depth": shape.depth, "width": shape.width, "activation": "tanh"},
            "inference": {"solver": "gradient_descent", "steps": shape.steps, "step_size": STEP_SIZE},
            "learning": {"learning_rate": LEARNING_RATE, "batch_size": BATCH},
        }
    )


def batch() -> tuple[jax.Array, jax.Array]:
    """Gaussian inputs (B, D) and one-hot targets (B, K)."""
    rng = np.random.default_rng(0)
    y = np.eye(OUTPUTS)[rng.integers(OUTPUTS, size=BATCH)]
    return jnp.asarray(rng.standard_normal((BATCH, INPUTS)), jnp.float32), jnp.asarray(y, jnp.float32)


class EngineRun:
    """Training steps of pcviz: as many in one call as asked for."""

    def __init__(self, shape: Shape, *, windowed: bool, recorded: bool = False) -> None:
        experiment = experiment_of(shape)
        self.method = learning.method_of(experiment, windowed=windowed, recorded=recorded)
        rows = padded_rows(trace_rows(shape.steps, STEP_ROWS) if recorded else np.arange(0), STEP_ROWS)
        self.numbers = learning.numbers_of(experiment, jnp.asarray(rows))
        self.network = build(experiment, INPUTS, OUTPUTS)
        self.slots = learning.fresh_slots(self.method, self.network, self.numbers)
        x, y = batch()
        self.batches = learning.Batches(x, y, jnp.broadcast_to(jnp.arange(BATCH), (64, BATCH)), jnp.ones(64, bool))
        self.keys = jax.vmap(jax.random.key)(jnp.arange(64))
        self.loss = float("nan")

    def arguments(self, count: int) -> tuple[Any, ...]:
        """The arguments of the compiled program."""
        return self.method, self.network, self.slots, self.batches, jnp.asarray(count), self.numbers, self.keys

    def compile(self) -> None:
        """Trace and compile, without running."""
        learning.weight_steps.jitted.lower(*self.arguments(1)).compile()

    def __call__(self, count: int) -> None:
        result = jax.block_until_ready(learning.weight_steps(*self.arguments(count)))
        self.network, self.slots, _, course, done = result
        if int(done) != count:
            raise RuntimeError("the network diverged: these timings would mean nothing")
        self.loss = float(course.losses[count - 1])


class ReferenceRun:
    """Training steps of the unrolled network, one call each, from the weights of `network`."""

    def __init__(self, shape: Shape, network: Network) -> None:
        optimiser = optax.adam(LEARNING_RATE)
        model = reference.mupc(shape.depth, shape.width, INPUTS)
        self.step: Any = reference.make_training_step(model, optimiser, STEP_SIZE, shape.steps)
        self.weights = [jnp.array(w) for w in weights(network)]
        self.slots = optimiser.init(self.weights)
        self.x, self.y = batch()
        self.loss = float("nan")

    def compile(self) -> None:
        """Trace and compile, without running."""
        self.step.lower(self.weights, self.slots, self.x, self.y).compile()

    def __call__(self, count: int) -> None:
        for _ in range(count):
            self.weights, self.slots, loss = self.step(self.weights, self.slots, self.x, self.y)
        jax.block_until_ready((self.weights, self.slots))
        self.loss = float(loss)


def singly(run: EngineRun) -> Run:
    """One call for each step, as the reference is called."""

    def steps(count: int) -> None:
        for _ in range(count):
            run(1)

    return steps


def steady_steps(bench: Bench, shapes: list[Shape]) -> Iterator[Row]:
    """Time of a training step with and without the front window, and the share of peak of the stacked form."""
    for shape in shapes:
        found = bench.interleaved(
            {"stacked": EngineRun(shape, windowed=False), "window": EngineRun(shape, windowed=True)}
        )
        for name in ("stacked", "window"):
            cpu, wall = (1e3 * found.median(name, clock) for clock in (judged, wall_clock))
            yield row(f"training step, {name}", shape, cpu, "ms", wall=wall, steady=found.steady)
        share = found.share_of_peak("stacked", shape.flops, judged)
        yield row(
            "share of GEMM peak, stacked", shape, share, "",
            at_least=SHARE_MUST if shape.width == 128 else None,
            wall=found.share_of_peak("stacked", shape.flops, wall_clock), steady=found.steady,
        )  # fmt: skip


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
        yield row(
            "times faster than reference, window", shape, found.ratio("reference", "engine", judged), "×",
            at_least=must, wall=found.ratio("reference", "engine", wall_clock), steady=found.steady,
        )  # fmt: skip


def recording(bench: Bench, shapes: list[Shape]) -> Iterator[Row]:
    """The cost of recording energies and update sizes of every layer at every inference step: if every weight step is
    recorded, and in a run of weight steps of which only the last is (as training does)."""
    for shape in shapes:
        recorded = EngineRun(shape, windowed=True, recorded=True)
        plain = EngineRun(shape, windowed=True)
        found = bench.interleaved(
            {"last": recorded, "each": singly(recorded), "without": plain, "each without": singly(plain)}
        )
        for name, above, below in (("run of steps", "last", "without"), ("each step", "each", "each without")):
            yield row(
                f"cost of recording energies, {name}", shape, found.ratio(above, below, judged), "×",
                at_most=RECORDING_MUST, wall=found.ratio(above, below, wall_clock), steady=found.steady,
            )  # fmt: skip


def first_calls(rounds: int) -> Iterator[Row]:
    """Trace and compile time against depth, with all caches cleared and none on disk."""
    shallow, deep = (Shape(depth, COMPILED_WIDTH, COMPILED_STEPS) for depth in (8, 128))
    spent: dict[tuple[str, int], list[Seconds]] = {}
    for _ in range(rounds):
        for shape in (shallow, deep):
            stacked, window = (EngineRun(shape, windowed=windowed) for windowed in (False, True))
            runs: dict[str, EngineRun | ReferenceRun] = {
                "stacked": stacked,
                "window": window,
                "reference": ReferenceRun(shape, stacked.network),
            }
            for name, run in runs.items():
                jax.clear_caches()
                spent.setdefault((name, shape.depth), []).append(timed(run.compile))

    def median(name: str, depth: int, clock: Callable[[Seconds], float]) -> float:
        return statistics.median(map(clock, spent[name, depth]))

    def ratio(above: tuple[str, int], below: tuple[str, int], clock: Callable[[Seconds], float]) -> float:
        return statistics.median(clock(a) / clock(b) for a, b in zip(spent[above], spent[below], strict=True))

    for name, depth in spent:
        shape = shallow if depth == shallow.depth else deep
        yield row(f"compile, {name}", shape, median(name, depth, judged), "s", wall=median(name, depth, wall_clock))
    for name, most in (("stacked", GROWTH_MUST), ("window", GROWTH_MUST_WINDOW)):
        pair = (name, deep.depth), (name, shallow.depth)
        growth, wall = ratio(*pair, judged), ratio(*pair, wall_clock)
        yield row(f"compile L=128 over L=8, {name}", f"N={deep.width} T=16", growth, "×", at_most=most, wall=wall)
    pair = ("reference", deep.depth), ("window", deep.depth)
    gain, wall = ratio(*pair, judged), ratio(*pair, wall_clock)
    yield row("compiles times faster than reference, window", deep, gain, "×", at_least=COMPILE_MUST, wall=wall)


def wall_clock(seconds: Seconds) -> float:
    """Wall time."""
    return seconds.wall


def measure(quick: bool, report: Callable[[Row], None]) -> tuple[list[Row], bool]:
    """The rows, and whether they are complete: Ctrl-C keeps the rows so far. `report` is called with each new row."""
    bench = Bench(QUICK_ROUNDS if quick else ROUNDS)
    shapes = [shape for shape in STEADY if shape.width < 512] if quick else STEADY
    parts = [
        lambda: steady_steps(bench, shapes),
        lambda: against_reference(bench, COMPARED),
        lambda: recording(bench, RECORDED),
        lambda: first_calls(1 if quick else 3),
    ]
    rows = []
    with contextlib.suppress(KeyboardInterrupt):
        for part in parts:
            for result in part():
                rows.append(result)
                report(result)
        return rows, True
    return rows, False


def line(result: Row) -> str:
    """One row of the table."""
    wall = "" if result.wall is None else f"{result.wall:9.3g}"
    verdict = "" if result.met is None else f"{result.must:>8}  {'met' if result.met else 'NOT MET'}"
    unsteady = "" if result.steady else "  (unsteady machine)"
    numbers = f"{result.value:9.3g} {result.unit:<3}{wall:>9}"
    return f"{result.name:<45} {result.shape:<18} {numbers} {verdict}{unsteady}".rstrip()


class Parser(argparse.ArgumentParser):
    """Reports a wrong argument in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"bench: {message}", file=sys.stderr)
        raise SystemExit(2)


def main(argv: list[str]) -> int:
    """Measure and print; 0 when done, whatever the numbers."""
    parser = Parser(prog="python -m pcviz bench", description=__doc__.splitlines()[0], epilog=EXIT)
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no networks of width 512")
    options = parser.parse_args(argv)
    jax.config.update("jax_enable_compilation_cache", False)
    device = jax.devices()[0]
    facts = {
        "device": device.device_kind if device.platform != "cpu" else f"cpu, {os.cpu_count()} cores",
        "jax": jax.__version__,
        "clock": "cpu" if device.platform == "cpu" else "wall",
    }
    if options.json:
        report = (lambda result: print(line(result), file=sys.stderr)) if sys.stderr.isatty() else (lambda _: None)
        rows, whole = measure(options.quick, report)
        print(json.dumps({**facts, "status": "done" if whole else "stopped", "rows": [asdict(r) for r in rows]}))
        return DONE if whole else FAILED
    print(f"{facts['device']}, jax {facts['jax']}; ratios of {facts['clock']} time, beside them of wall time\n")
    print(f"{'':<45} {'':<18} {facts['clock']:>9} {'':<3}{'wall':>9} {'must':>8}")
    rows, whole = measure(options.quick, lambda result: print(line(result), flush=True))
    judged_rows = [r for r in rows if r.met is not None]
    print(f"\n{sum(bool(r.met) for r in judged_rows)} of {len(judged_rows)} requirements met")
    if not all(r.steady for r in rows):
        print("Some rows are flagged: other work changed the speed of this machine by more than 15 % while they ran.")
    return DONE if whole else FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
