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
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, NoReturn

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import reference
from benchmarks.rounds import Bench, Run, Seconds, judged, timed
from benchmarks.rows import Row, line, row, slower
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
RECORDED = [Shape(8, 32, 16), Shape(16, 64, 15), Shape(32, 32, 32), Shape(32, 128, 16), Shape(128, 32, 16)]
RECORDED += [Shape(128, 128, 16), Shape(128, 32, 128)]
COMPILED_WIDTH, COMPILED_STEPS = 128, 16
SHARE_MUST, UNRECORDED_MUST, RECORDING_MUST = 0.35, 1.05, 1.15
GROWTH_MUST, GROWTH_MUST_WINDOW, COMPILE_MUST = 1.3, 2.2, 4.0


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

    def __init__(self, shape: Shape, *, windowed: bool, recorded: bool = False, shown: bool = True) -> None:
        experiment = experiment_of(shape)
        self.method = learning.method_of(experiment, windowed=windowed, recorded=recorded)
        rows = padded_rows(trace_rows(shape.steps, STEP_ROWS) if recorded and shown else np.arange(0), STEP_ROWS)
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
            cpu, wall = ([1e3 * each for each in found.seconds(name, clock)] for clock in (judged, wall_clock))
            yield row(f"training step, {name}", shape, cpu, "ms", wall=median(wall), steady=found.steady)
        share, wall = (found.shares_of_peak("stacked", shape.flops, clock) for clock in (judged, wall_clock))
        must = {"at_least": SHARE_MUST} if shape.width == 128 else {"more": True}
        yield row("share of GEMM peak, stacked", shape, share, "", wall=median(wall), steady=found.steady, **must)


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
    recording the last one of a run of steps, as trainings do for what a panel shows."""
    for shape in shapes:
        able = EngineRun(shape, windowed=True, recorded=True, shown=False)
        last = EngineRun(shape, windowed=True, recorded=True)
        found = bench.interleaved({"able": able, "last": last, "without": EngineRun(shape, windowed=True)})
        for name, above, must in (("no step", "able", UNRECORDED_MUST), ("run of steps", "last", RECORDING_MUST)):
            cost, wall = (found.ratios(above, "without", clock) for clock in (judged, wall_clock))
            name = f"cost of recording energies, {name}"
            yield row(name, shape, cost, "×", at_most=must, wall=median(wall), steady=found.steady)


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

    def seconds(name: str, depth: int, clock: Callable[[Seconds], float]) -> list[float]:
        return [clock(each) for each in spent[name, depth]]

    def ratios(above: tuple[str, int], below: tuple[str, int], clock: Callable[[Seconds], float]) -> list[float]:
        return [clock(a) / clock(b) for a, b in zip(spent[above], spent[below], strict=True)]

    for name, depth in spent:
        shape = shallow if depth == shallow.depth else deep
        wall = median(seconds(name, depth, wall_clock))
        yield row(f"compile, {name}", shape, seconds(name, depth, judged), "s", wall=wall)
    for name, most in (("stacked", GROWTH_MUST), ("window", GROWTH_MUST_WINDOW)):
        pair = (name, deep.depth), (name, shallow.depth)
        growth, wall = ratios(*pair, judged), median(ratios(*pair, wall_clock))
        yield row(f"compile L=128 over L=8, {name}", f"N={deep.width} T=16", growth, "×", at_most=most, wall=wall)
    pair = ("reference", deep.depth), ("window", deep.depth)
    gain, wall = ratios(*pair, judged), median(ratios(*pair, wall_clock))
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


def _document(file: str) -> list[dict[str, Any]]:
    """The rows of a document that `--json` printed. Raises ArgumentTypeError in one line if it is none."""
    try:
        rows: list[dict[str, Any]] = json.loads(Path(file).read_text())["rows"]
        slower([], rows)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        reason = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise argparse.ArgumentTypeError(
            f"{file}: not a document of bench --json of this version ({reason})"
        ) from fault
    return rows


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
    parser.add_argument(
        "--compare", metavar="OLD.json", type=_document, help="say what is slower than in an earlier run"
    )
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
        document = {**facts, "status": "done" if whole else "stopped", "rows": [asdict(r) for r in rows]}
        if options.compare is not None:
            document["slower"] = slower(rows, options.compare)
        print(json.dumps(document))
        return DONE if whole else FAILED
    print(f"{facts['device']}, jax {facts['jax']}; ratios of {facts['clock']} time, beside them of wall time\n")
    print(f"{'':<45} {'':<18} {facts['clock']:>9} {'':<3}{'wall':>9} {'must':>8}")
    rows, whole = measure(options.quick, lambda result: print(line(result), flush=True))
    judged_rows = [r for r in rows if r.met is not None]
    print(f"\n{sum(bool(r.met) for r in judged_rows)} of {len(judged_rows)} requirements met")
    if not all(r.steady for r in rows):
        print("Some rows are flagged: other work changed the speed of this machine by more than 15 % while they ran.")
    if options.compare is not None:
        print("\n" + "\n".join(slower(rows, options.compare) or ["Nothing is slower than before, beyond noise."]))
    return DONE if whole else FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
