"""`make bench-peers`: how fast pcviz is beside other libraries, written to docs/benchmarks.md.

Everything is measured in turn, A B A B; a ratio is the median of the ratios of the rounds, with the least and the
greatest. Wall time counts, because people wait; CPU time of all threads stands beside it.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import reference
from benchmarks.peers.cold import first_step, peer
from benchmarks.peers.ours import experiment_of, task_of
from benchmarks.peers.task import Peer, Task
from benchmarks.peers.turns import in_turn
from benchmarks.rounds import Bench, Seconds
from benchmarks.runs import SHAPES, Shape

FLAGSHIP, FLAGSHIP_RATE, WANTED = Shape(129, 64, 128), 0.05, 0.9
COLD = [Shape(8, 32, 16), Shape(128, 32, 16)]
RATE, TURN_SECONDS, EQUAL = 1e-3, 1.0, 1e-6
FILE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


class Line(NamedTuple):
    """A line of a table: what was measured, and its cells."""

    name: str
    cells: list[str]


class Table(NamedTuple):
    """A table with a title, a sentence about it, and its columns."""

    title: str
    about: str
    columns: list[str]
    lines: list[Line]

    def __str__(self) -> str:
        head = ["", *self.columns]
        rows = [head, ["---", *["--:"] * len(self.columns)], *([line.name, *line.cells] for line in self.lines)]
        return "\n".join([f"## {self.title}", "", self.about, "", *(f"| {' | '.join(row)} |" for row in rows), ""])


def spread(values: list[float], unit: str = "") -> str:
    """Median, least and greatest."""
    return f"{statistics.median(values):.3g}{unit} ({min(values):.3g} to {max(values):.3g})"


def energy_of(task: Task, weights: list[np.ndarray]) -> float:
    """The energy of the first batch after its relaxation, in a network with these weights."""
    model = reference.Model(tuple(task.scales), tuple(map(int, task.skips)), jnp.tanh)
    layers, x, y = [jnp.asarray(weight) for weight in weights], jnp.asarray(task.x[0]), jnp.asarray(task.y[0])
    start = reference.feedforward(model, layers, x)
    z = reference.relax(model, layers, start, x, y, task.step_size, task.steps)
    return float(reference.energy(model, layers, z, x, y))


def accuracy_of(weights: list[np.ndarray], task: Task, x: np.ndarray, y: np.ndarray) -> float:
    """The share of test examples that a network with these weights gets right."""
    model = reference.Model(tuple(task.scales), tuple(map(int, task.skips)), jnp.tanh)
    layers = [jnp.asarray(weight) for weight in weights]
    top = reference.feedforward(model, layers, jnp.asarray(x))[-1]
    output = reference.predict(model, len(layers) - 1, layers[-1], top)
    return float(np.mean(np.argmax(output, 1) == np.argmax(y, 1)))


def equal(peers: list[Peer], shape: Shape) -> float:
    """The greatest relative difference of the energies after three weight steps. Raises RuntimeError if it is not that
    of rounding."""
    task = task_of(experiment_of(*shape, 3, RATE))
    energies = [energy_of(task, peer.train(task, lambda _: None)) for peer in peers]
    apart = max(energies) / min(energies) - 1
    if apart > EQUAL:
        raise RuntimeError(f"{shape}: not the same mathematics, energies {energies}")
    return apart


def steps(peers: list[Peer], rounds: int, report: Callable[[str], None]) -> Iterator[Table]:
    """Weight steps: as users train, and alone."""
    shared = ", ".join(f"{other.name} over pcviz" for other in peers[1:])
    columns = ["pcviz, ms", "CPU ms", *(text for o in peers[1:] for text in (f"{o.name}, ms", "CPU ms")), shared]
    trained, bare = [], []
    for shape in SHAPES:
        report(f"{shape}: energies agree to {equal(peers, shape):.1g}")
        bench, task = Bench(rounds), task_of(experiment_of(*shape, 1, RATE))
        found = bench.interleaved({each.name: each.bare(task) for each in peers})
        bare.append(_line(shape, peers, found.variants))
        report(" ".join(["alone:", *bare[-1].cells]))
        slowest = max(statistics.median(s.wall for s in times) for times in found.variants.values())
        count = max(2, int(TURN_SECONDS / slowest))
        whole = task_of(experiment_of(*shape, 16 * count * (rounds + 1), RATE))
        trained.append(_line(shape, peers, in_turn(peers, whole, rounds, count)))
        report(" ".join(["training:", *trained[-1].cells]))
    yield Table("A weight step as users train", "What a training takes for each of its weight steps.", columns, trained)
    yield Table("A weight step alone", "The compiled step, called again and again on one batch.", columns, bare)


def _line(shape: Shape, peers: list[Peer], found: dict[str, list[Seconds]]) -> Line:
    ours, cells = found[peers[0].name], []
    for each in peers:
        times = found[each.name]
        cells += [spread([1e3 * s.wall for s in times]), f"{1e3 * statistics.median(s.cpu for s in times):.3g}"]
    ratios = [[s.wall / o.wall for s, o in zip(found[other.name], ours, strict=True)] for other in peers[1:]]
    return Line(str(shape), [*cells, ", ".join(f"**{spread(ratio, '×')}**" for ratio in ratios)])


def cold(names: list[str], rounds: int, report: Callable[[str], None]) -> Table:
    """The first weight step of a process."""
    lines = []
    for shape in COLD:
        task = task_of(experiment_of(*shape, 1, RATE))
        for load in (True, False):
            found = {name: first_step(name, task, rounds, load=load) for name in names}
            cells = [text for name in names for text in (f"{found[name][1]:.2f}", f"{found[name][0]:.2f}")]
            ratios = (f"**{found[name][1] / found[names[0]][1]:.2f}×**" for name in names[1:])
            lines.append(Line(f"{shape}, {'digits loaded' if load else 'data given'}", [*cells, ", ".join(ratios)]))
            report(f"first step: {lines[-1]}")
    columns = [text for name in names for text in (f"{name}, s", "CPU s")]
    about = (
        "From the start of a process to the end of its first weight step, nothing compiled before. Digits are loaded "
        "from where a user of the library finds them: pcviz has them in its package, for the others it is scikit-learn."
    )
    return Table("The first weight step", about, [*columns, "over pcviz"], lines)


def flagship(peers: list[Peer], rounds: int, report: Callable[[str], None]) -> Table:
    """Training until 90 % of the test digits are right."""
    from pcviz.data import load

    experiment = experiment_of(*FLAGSHIP, 150, FLAGSHIP_RATE)
    data, long = load(experiment.data, experiment.seed, experiment.dtype), task_of(experiment)

    def cut(count: int) -> Task:
        return task_of(experiment_of(*FLAGSHIP, count, FLAGSHIP_RATE))

    def reached(count: int) -> bool:
        return accuracy_of(peers[0].train(cut(count), print_nothing), long, data.x_test, data.y_test) >= WANTED

    count = next(count for count in range(10, 150, 5) if reached(count))
    task, lines = cut(count), []
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for each in peers:
            jax.clear_caches()
            begun = time.perf_counter()
            weights = each.train(task, print_nothing)
            times.setdefault(each.name, []).append(time.perf_counter() - begun)
            right = accuracy_of(weights, task, data.x_test, data.y_test)
            report(f"{each.name}: {times[each.name][-1]:.1f} s, {right:.3f}")
    for name, found in times.items():
        ratios = [a / b for a, b in zip(found, times[peers[0].name], strict=True)]
        lines.append(Line(name, [spread(found), "" if name == peers[0].name else f"**{spread(ratios, '×')}**"]))
    about = f"L = 129, N = 64, T = 128, Adam at {FLAGSHIP_RATE}: {count} weight steps, compilation included."
    return Table("90 % of the test digits", about, ["seconds", "over pcviz"], lines)


def equilibrium(rounds: int) -> Table:
    """The equilibrium of a linear network."""
    from benchmarks.peers.equilibrium import BATCH, DEPTH, WIDTH, equilibria  # needs jpc

    found = equilibria(rounds)
    ratios = [theirs.wall / ours.wall for theirs, ours in zip(found["jpc"], found["pcviz"], strict=True)]
    lines = [Line(name, [spread([1e3 * s.wall for s in times])]) for name, times in found.items()]
    lines.append(Line("jpc over pcviz", [f"**{spread(ratios, '×')}**"]))
    about = f"Linear, L = {DEPTH}, N = {WIDTH}, {BATCH} examples, float64; both find the same activities."
    return Table("The equilibrium of a linear network", about, ["ms"], lines)


def print_nothing(_step: int) -> None:
    """A training that reports nothing."""


def main(words: list[str]) -> int:
    """Measure everything and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8, help="rounds of each measurement (8)")
    parser.add_argument("--file", type=Path, default=FILE, help="where to write (docs/benchmarks.md)")
    options = parser.parse_args(words)
    jax.config.update("jax_enable_compilation_cache", False)
    names = ["pcviz", "fabricpc", *(["jpc"] if importlib.util.find_spec("jpc") else [])]
    peers, report = [peer(name) for name in names], partial(print, flush=True)
    few = max(2, options.rounds // 3)
    tables = [cold(names, few, report), *steps(peers, options.rounds, report), flagship(peers, few, report)]
    if "jpc" in names:
        tables.append(equilibrium(few))
    versions = ", ".join(
        [*(each.name for each in peers), f"jax {jax.__version__}", f"Python {platform.python_version()}"]
    )
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {jax.devices()[0].device_kind}"
    facts: dict[str, Any] = {"date": datetime.date.today().isoformat(), "machine": machine, "versions": versions}
    options.file.write_text("\n".join([HEAD.format(**facts), *map(str, tables)]))
    return 0


HEAD = """# Benchmarks beside other libraries

Made by `make bench-peers` on {date}: {machine}; {versions}.

All train the same network, from the same weights, on the same batches of 64 digits: tanh, muPC with skips, gradient
descent on activities, Adam on weights, float32. Before anything is timed, the energies after three weight steps must
agree to one part in a million. Medians of rounds in turn, with the least and the greatest; wall time, and CPU time of
all threads beside it. A ratio above 1 says that pcviz is faster. [performance.md](performance.md) says why.
"""

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
