"""Is what the Inference page says true? `python -m benchmarks.sentences [--networks 200] [--seed 0]`.

Random networks of all activations, parameterisations, losses, starts and solvers, some of them unstable, are relaxed as
on the page. Every sentence of the reading, before the solvers run and at the end, and what panels say besides are
compared with long relaxations of the same network (`benchmarks.claims`). Prints for each kind of sentence how often it
was said and true, and every exception with the command that reproduces it; for sentences that name a model, how far
the model is from the network. Exit status 1 if there was an exception.

25 networks in a row share their shapes, and with them most programs: compiling takes longer than measuring.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np

from benchmarks.claims import CHECKS, NOTES, Check
from benchmarks.measured import Measured
from pcviz.experiment import Activation, Experiment, Parameterisation, Solver, from_paths
from pcviz.experiment.command import command_line
from pcviz.experiment.solvers import DEFAULT_SOLVERS, SOLVERS
from pcviz.instruments.relaxation.job import RelaxationJob
from pcviz.instruments.relaxation.reading import AXES, Sentence, sentences
from pcviz.store.values import decode_values, encode_values

RELATED = 25
"""Networks of one shape in a row."""
SHAPES = ((2, 8), (3, 16), (5, 8), (9, 16), (16, 8))
STEPS = ("depth", 1, 4, 40, 200, 600)
SIZES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 2.0, 10.0)
Where = tuple[Experiment, tuple[str, ...]]


class Said(NamedTuple):
    """A claim that was made: its kind, its text, whether it is true, and the command that reproduces it."""

    kind: str
    text: str
    check: Check
    command: str


def networks(count: int, seed: int) -> Iterator[Where]:
    """Random experiments and the solvers compared on them."""
    rng = np.random.default_rng(seed)

    def one_of(options: Sequence[Any]) -> Any:
        return options[int(rng.integers(len(options)))]

    activations = rng.permutation(get_args(Activation))
    for number in range(count):
        if number % RELATED == 0:
            depth, width = one_of(SHAPES)
            data = one_of(("moons", "digits", "regression"))
            shape = {
                "network.depth": depth,
                "network.width": width,
                "network.activation": str(activations[number // RELATED % len(activations)]),
                "network.skips": bool(rng.random() < 0.5),
                "network.loss": one_of(("mse", "mse", "ce")) if data != "regression" else "mse",
                "data.name": data,
                "dtype": one_of(("float32", "float32", "float64")),
                "learning.batch_size": one_of((1, 4, 16)),
            }
            solvers = tuple(SOLVERS) if rng.random() < 0.15 else DEFAULT_SOLVERS
        changes = {
            "network.parameterisation": one_of(get_args(Parameterisation)),
            "network.gamma": one_of((1.0, 1.0, 1.0, 0.3, 3.0)),
            "network.output_precision": one_of((1.0, 1.0, 1.0, 0.1, 10.0)),
            "inference.solver": one_of(("gradient_descent", *get_args(Solver))),
            "inference.initial": one_of(("feedforward", "feedforward", "zero", "normal")),
            "inference.steps": one_of(STEPS),
            "inference.step_size": one_of(SIZES),
            "inference.momentum": one_of((0.9, 0.5)),
            "seed": int(rng.integers(1000)),
        }
        yield from_paths({**shape, **changes}), solvers


def said_of(where: Where, axes: Sequence[str]) -> Iterator[Said]:
    """Everything that the page says of one network, checked; the best solvers by each of `axes`."""
    experiment, solvers = where
    job = RelaxationJob(experiment, {"solvers": solvers})
    job.prepare()
    moments: list[list[Sentence]] = []
    while not job.done:
        job.advance(job.steps, 0.0)
        racing = any(descent.state != "waiting" for descent in job.descents.values())
        if not moments and not racing and job.forecast_values and job.traced.share == 1:
            moments.append(sentences(experiment, stored(job), job.names))
    values = stored(job)
    moments += [sentences(experiment, values, job.names, axis) for axis in axes]
    command = " ".join(["python -m pcviz relax", *command_line(experiment)])
    if solvers != DEFAULT_SOLVERS:
        command += f" --solver {','.join(solvers)}"
    measured, seen = Measured(job), set()
    with np.errstate(all="ignore"):  # what overflows is a finding
        for sentence in (sentence for moment in moments for sentence in moment):
            if sentence.text not in seen:
                seen.add(sentence.text)
                yield Said(sentence.kind, sentence.text, CHECKS[sentence.kind](sentence.facts, measured), command)
        for name, (channel, check) in NOTES.items():
            if channel in values:
                yield Said(name, name, check(values, measured), command)


def stored(job: RelaxationJob) -> dict[str, Any]:
    """The values of a frame as the page receives them."""
    return decode_values(encode_values(job.frame(bulk=True).values))


def exception(said: Said) -> str:
    """The printed form of a claim that is not true."""
    return f"  {said.kind}: {said.text}\n    measured: {said.check.measured}\n    {said.command}"


def summary(found: Sequence[Said]) -> str:
    """Said and true by kind, and how far models are from the networks."""
    kinds: dict[str, list[Check]] = defaultdict(list)
    for said in found:
        kinds[said.kind].append(said.check)
    lines = [f"{'kind':24s} {'said':>6s} {'true':>6s}   network over model: median, 10 % to 90 %, within a factor of 2"]
    for kind in [*CHECKS, *NOTES]:
        checks = kinds.get(kind, [])
        line = f"{kind:24s} {len(checks):6d} {sum(check.true for check in checks):6d}"
        ratios = [check.ratio for check in checks if check.ratio is not None]
        if ratios and kind in ("chain", "model_steps", "unstable"):
            low, middle, high = (sorted(ratios)[math.ceil(share * (len(ratios) - 1))] for share in (0.1, 0.5, 0.9))
            line += f"   {middle:.3g}, {low:.3g} to {high:.3g}, {sum(0.5 <= r <= 2 for r in ratios)} of {len(ratios)}"
        lines.append(line)
    total = sum(said.check.true for said in found)
    return "\n".join([*lines, f"{'all':24s} {len(found):6d} {total:6d}"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Are the sentences of the Inference page true?")
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip", type=int, default=0, help="leave out the first networks, checked by another process")
    parser.add_argument("--times", action="store_true", help="check milliseconds too (needs an idle machine)")
    options = parser.parse_args(argv)
    axes = [axis for axis in AXES if options.times or axis != "ms"]
    begun, found = time.perf_counter(), []
    try:
        for number, where in enumerate(networks(options.networks, options.seed), 1):
            if number <= options.skip:
                continue
            for said in said_of(where, axes):
                found.append(said)
                if not said.check.true:
                    print(exception(said), flush=True)
            print(f"{number} networks, {len(found)} claims, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted: what follows covers the networks so far")
    print(summary(found))
    return 0 if all(said.check.true for said in found) else 1


if __name__ == "__main__":
    sys.exit(main())
