"""Training: weight steps in slices of time, reported as frames, resumable bitwise from a checkpoint."""

import time
from collections.abc import Iterator
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import Dataset, load
from pcviz.data.batches import batch_indices
from pcviz.experiment import Experiment
from pcviz.experiment.cost import estimate
from pcviz.frames import Frame, Value, trace_rows
from pcviz.jobs.device import device_name, tend_programs
from pcviz.jobs.history import History
from pcviz.jobs.marks import Marks
from pcviz.jobs.path import Path
from pcviz.jobs.watch import SIGNS, Watch
from pcviz.pcn import Network, build, evaluate, learning
from pcviz.pcn.energy import rounding_energies
from pcviz.pcn.feedforward import forward
from pcviz.pcn.learning import Batches, Course, Report, Step
from pcviz.pcn.network import flat_weights
from pcviz.pcn.plan import State
from pcviz.pcn.trace import padded_rows, recorded
from pcviz.probes.health import arrival, chain_energies, learning_layers

STEPS_AT_ONCE = 64
"""Maximum number of weight steps in one call of the compiled loop."""
NOISE = 2
"""Separates the noise in initial activities from all other random numbers drawn from the seed."""


class Training:
    """One run: a `pcviz.jobs.protocol.Job`. `prepare` before `advance`; `restore` before or after `prepare`."""

    idle = False

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.step = 0
        self.steps = experiment.learning.steps
        self.seconds = 0.0
        self.diverged = False
        self.path: Path | None = None
        self.marks: Marks | None = None
        self.network: Network
        self.data: Dataset
        self._report: Report | None = None
        self._history = History(self.steps, experiment.steps_per_epoch)
        self._watch = Watch(experiment)
        self._tested: tuple[int, dict[str, Value]] = (-1, {})
        self._pending: tuple[Step, int] | None = None
        self._restored: dict[str, np.ndarray] | None = None
        self._pace = _Pace()
        self._begun = time.perf_counter()

    @property
    def done(self) -> bool:
        """Whether the last step was made, or the run diverged."""
        return self.diverged or self.step >= self.steps

    @property
    def device(self) -> str:
        """The device it runs on."""
        return device_name()

    def prepare(self) -> None:
        """Load the data, build the network, compile."""
        tend_programs()
        experiment = self.experiment
        self.data = load(experiment.data, experiment.seed, experiment.dtype)
        self._x, self._y = jnp.asarray(self.data.x_train), jnp.asarray(self.data.y_train)
        self._test = jnp.asarray(self.data.x_test), jnp.asarray(self.data.y_test)
        self._rows = trace_rows(experiment.inference_steps)
        self._method = learning.method_of(experiment)
        self._numbers = learning.numbers_of(experiment, jnp.asarray(padded_rows(self._rows)))
        self._long = estimate(experiment).long_steps
        self._chain = chain_energies(experiment)
        self.network = build(experiment, self._x.shape[1], self._y.shape[1])
        self._slots = learning.fresh_slots(self._method, self.network, self._numbers)
        evaluate(self.network, *self._test)
        exact = self._method.plan.displaced
        floors = _rounding(self.network, *self._batch(0))
        self._floors = np.zeros(self.network.depth) if exact else np.asarray(floors)
        self._compile()
        if self._restored is not None:
            self._put(self._restored)
            self._restored = None

    def _compile(self) -> None:
        """Run the compiled programs once without making a step: results do not change."""
        if self._long:
            step, _ = self._begin(self.network, self._slots)
            self._under_way: Any = jax.tree.structure(self._moving(step))
            learning.finish_step(self._method, self._relax(step, 0, 0), *self._batch(0), self._numbers)
        else:
            self._whole_steps(0)

    def advance(self, until_step: int, seconds: float) -> None:
        """Train for about `seconds`, never past `until_step`; may stop in the middle of a long step."""
        begun = self._begun = time.perf_counter()
        until = min(until_step, self.steps)
        self._remember()
        while self.step < until and not self.diverged:
            left = seconds - (time.perf_counter() - begun)
            if self._long:
                self._long_step(left)
            else:
                stop = min(until, self._history.next_test(self.step))
                stop = stop if self.path is None else min(stop, self.path.next_due(self.step))
                count = min(stop - self.step, STEPS_AT_ONCE, self._pace.affordable(left))
                with self._pace.measured(count):
                    self._whole_steps(count)
            self._remember()
            if time.perf_counter() - begun >= seconds:
                break
        if self.diverged:
            self._take_last()
        self.seconds += time.perf_counter() - begun

    def _remember(self) -> None:
        if self.path is not None and self.path.due(self.step):
            self.path.add(self.step, flat_weights(self.network))

    def _indices(self, step: int) -> np.ndarray:
        return batch_indices(self.experiment.seed, step, len(self.data.x_train), self.experiment.learning.batch_size)

    def _batch(self, step: int) -> tuple[jax.Array, jax.Array]:
        chosen = self._indices(step)
        return self._x[chosen], self._y[chosen]

    def _keys(self, steps: range) -> jax.Array:
        return _noise_keys(self.experiment.seed, jnp.arange(steps.start, steps.stop))

    def _whole_steps(self, count: int) -> None:
        steps = range(self.step, self.step + STEPS_AT_ONCE)
        chosen = np.zeros((STEPS_AT_ONCE, self.experiment.learning.batch_size), np.int32)
        for row, step in zip(chosen[:count], steps, strict=False):
            row[:] = self._indices(step)
        wanted = self._history.wanted(range(steps.start + 1, steps.stop + 1))
        batches = Batches(self._x, self._y, jnp.asarray(chosen), jnp.asarray(wanted))
        keys, begun = self._keys(steps), self._clock()

        def made_of(count: int) -> tuple[Network, Any, Report, Course, jax.Array]:
            return learning.weight_steps(self._method, self.network, self._slots, batches, count, self._numbers, keys)

        network, slots, report, course, done = made_of(count)
        made = int(done)
        if 0 < made < count:  # again up to the last finite step, for its relaxation and weights
            network, slots, report, course, _ = made_of(made)
        if made:
            self.network, self._slots, self._report = network, slots, report
        self.diverged = made < count
        seconds = np.linspace(begun, self._clock(), count + 1)[1:]
        self._take(seconds[:made], [np.asarray(rows)[:made] for rows in course])

    def _clock(self) -> float:
        """Compute seconds so far."""
        return self.seconds + time.perf_counter() - self._begun

    def _take(self, seconds: np.ndarray, course: list[np.ndarray]) -> None:
        """Record the steps just made in the history."""
        self.step += len(seconds)
        steps = range(self.step - len(seconds) + 1, self.step + 1)
        losses, energies, changes = course
        began = self._watch.take(steps, losses, energies, changes, self._floors)
        self._history.take(steps, seconds, course, began)
        if len(seconds) and self.step in self._history.tests:
            self._take_test()

    def _take_last(self) -> None:
        """Record the last finite step, if it is not recorded yet."""
        if (report := self._report) is not None and self._history.include(self.step):
            course = [np.asarray(row)[None] for row in (report.loss, report.energies, report.weight_changes)]
            none = np.zeros((1, len(SIGNS)), bool)
            self._history.take(range(self.step, self.step + 1), np.array([self._clock()]), course, none)
            self._take_test()

    def _take_test(self) -> None:
        metrics = self._test_metrics()
        self._history.take_test(float(metrics["test_loss"]), float(metrics.get("test_accuracy", np.nan)))

    def _begin(self, network: Network, slots: Any) -> tuple[Step, int]:
        key = self._keys(range(self.step, self.step + 1))[0]
        step = learning.begin_step(self._method, network, slots, *self._batch(self.step), self._numbers, key)
        return step, 0

    def _relax(self, step: Step, first: int, last: int) -> Step:
        span = (jnp.int32(first), jnp.int32(last))
        return learning.advance_step(self._method, step, *self._batch(self.step), self._numbers, span)

    def _long_step(self, seconds: float) -> None:
        step, t = self._pending or self._begin(self.network, self._slots)
        total = int(self._numbers.steps)
        last = min(total, t + self._pace.affordable(seconds))
        with self._pace.measured(last - t):
            step = jax.block_until_ready(self._relax(step, t, last))
        self._pending = step, last
        if last < total:
            return
        self._pending = None
        network, slots, report = learning.finish_step(self._method, step, *self._batch(self.step), self._numbers)
        self.diverged = not bool(report.finite)
        if not self.diverged:
            changes = learning.weight_changes_of_step(self.network, network)
            self.network, self._slots, self._report = network, slots, report._replace(weight_changes=changes)
            course = [np.asarray(row)[None] for row in (report.loss, report.energies, changes)]
            self._take(np.array([self._clock()]), course)

    def run(self, seconds: float = 0.1) -> Iterator[Frame]:
        """Train to the end, with a frame about every `seconds` and one at the end."""
        self.prepare()
        while not self.done:
            before = self.step
            self.advance(self.steps, seconds)
            if self.step > before or self.done:
                yield self.frame(bulk=True)

    def frame(self, bulk: bool) -> Frame:
        """What happened since the last call. Test metrics come with the bulk channels and at the end."""
        values: dict[str, Value] = self._history.drained(self.experiment.network.depth)
        if self._report is not None:
            values |= self._energies(self._report)
            values["train_loss"] = float(self._report.loss)
            if bulk:
                values |= self._relaxation(self._report)
        if bulk or self.done:
            values |= self._test_metrics()
        rate = self.step / self.seconds if self.seconds else 0.0
        values["steps_per_second"] = rate
        values["seconds_left"] = (self.steps - self.step) / rate if rate and not self.done else float("nan")
        experiment = self.experiment
        epoch = self.step / experiment.steps_per_epoch
        return Frame("train", self.step, values, experiment.inference_steps, epoch, self.seconds, done=self.done)

    def _energies(self, report: Report) -> dict[str, Value]:
        energy = np.asarray(report.energies)
        values: dict[str, Value] = {"energy": energy, "total_energy": float(energy.sum()), **self._health(report)}
        values |= self._watch.values()
        if self._method.plan.initial == "feedforward":  # other starts cause errors without a target
            values["layers_with_signal"] = float(report.layers_with_signal)
        return values

    def _health(self, report: Report) -> dict[str, Value]:
        """Whether errors arrive and weights move as theory expects, and how much energy the relaxation leaves."""
        values: dict[str, Value] = {}
        energy, rule = np.asarray(report.energies), self.experiment.learning.facts
        start = recorded(report.trace, 1)[0].sum()
        if rule.relaxes and start > 0:
            values["energy_left"] = float(energy.sum() / start)
        if self._chain is not None:
            arrived = arrival(energy, np.asarray(report.rounding), self._chain, lack_only=rule.moves_weights)
            moved = learning_layers(np.asarray(report.weight_changes), arrived.should)
            values["expected_energy"] = np.where(arrived.should, arrived.expected, np.nan)
            values["energy_off_theory"] = arrived.off
            values["layers_expected"] = float(arrived.should.sum())
            values["layers_learning"] = float(moved)
        return values

    def _relaxation(self, report: Report) -> dict[str, Value]:
        energies, updates = recorded(report.trace, len(self._rows))
        values: dict[str, Value] = {
            "trace_steps": self._rows,
            "energy_trace": energies,
            "total_energy_trace": energies.sum(1),
            "update_rms": updates,
        }
        if self._method.knows_equilibrium:
            values["equilibrium_energy"] = float(report.least_energy)
        return values

    def _test_metrics(self) -> dict[str, Value]:
        if self._tested[0] != self.step:
            loss, accuracy = (float(metric) for metric in evaluate(self.network, *self._test))
            metrics: dict[str, Value] = {"test_loss": loss}
            if self.data.task == "classification":
                metrics["test_accuracy"] = accuracy
            self._tested = self.step, metrics
        return self._tested[1]

    def checkpoint(self) -> dict[str, np.ndarray]:
        """Weights and optimiser state after the last step, counters, and the step under way if there is one."""
        saved = {f"leaf_{i}": leaf for i, leaf in enumerate(jax.tree.leaves((self.network, self._slots)))}
        saved |= (
            self._history.saved()
            | self._watch.saved()
            | {
                "step": np.int64(self.step),
                "seconds": np.float64(self.seconds),
                "diverged": np.bool_(self.diverged),
            }
        )
        if self._pending is not None:
            step, t = self._pending
            saved |= {f"pending_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(self._moving(step)))}
            saved["inference_step"] = np.int64(t)
        return {name: np.asarray(value) for name, value in saved.items()}

    def _moving(self, step: Step) -> Step | State:
        """What a step under way has changed: the relaxation alone, unless weights change with it."""
        return step.relaxation if self._method.rule.learns_at_the_end else step

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from a checkpoint."""
        self.step, self.seconds = int(arrays["step"]), float(arrays["seconds"])
        self.diverged = bool(arrays["diverged"])
        self._history.restore(arrays)
        self._watch.restore(arrays)
        if hasattr(self, "network"):
            self._put(arrays)
        else:
            self._restored = arrays

    def _put(self, arrays: dict[str, np.ndarray]) -> None:
        now, shape = jax.tree.flatten((self.network, self._slots))
        leaves = [jnp.asarray(arrays[f"leaf_{i}"]) for i in range(len(now))]
        self.network, self._slots = jax.tree.unflatten(shape, leaves)
        self._pending = None
        if self._long and "inference_step" in arrays:
            leaves = [jnp.asarray(arrays[f"pending_{i}"]) for i in range(self._under_way.num_leaves)]
            moved = jax.tree.unflatten(self._under_way, leaves)
            step = moved if isinstance(moved, Step) else Step(self.network, self._slots, moved)
            self._pending = step, int(arrays["inference_step"])


@jax.jit
def _rounding(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """Energies of rounding of layers 1 … L at the feedforward pass, (L,)."""
    return rounding_energies(forward(network, x)[0], y)


@jax.jit
def _noise_keys(seed: jax.Array, steps: jax.Array) -> jax.Array:
    purpose = jax.random.fold_in(jax.random.key(seed), NOISE)
    return jax.vmap(lambda step: jax.random.fold_in(purpose, step))(steps)


class _Pace:
    """Estimates how long one unit of work takes, to cut work into slices; results never depend on it."""

    def __init__(self) -> None:
        self.unit: float | None = None
        self._begun = 0.0
        self._count = 0

    def affordable(self, seconds: float) -> int:
        """How many units fit into `seconds`; at least one."""
        return 1 if self.unit is None else max(1, int(seconds / self.unit))

    def measured(self, count: int) -> Self:
        """A context that times `count` units of work."""
        self._count = count
        return self

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if self._count:
            unit = (time.perf_counter() - self._begun) / self._count
            self.unit = unit if self.unit is None else 0.5 * (self.unit + unit)


def train(experiment: Experiment) -> Iterator[Frame]:
    """Train a network: yields frames until the last weight step or until the energy stops being finite.

    The command line and the app run the same job; `pcviz.instruments.CHANNELS` describes the values of a frame.
    """
    yield from Training(experiment).run()
