"""Training: weight steps in slices of time, reported as frames, resumable bitwise from a checkpoint."""

import time
from collections.abc import Iterator

import jax
import numpy as np

from pcviz.data import Dataset, load
from pcviz.experiment import Experiment
from pcviz.frames import BULK_SECONDS, BULK_STEPS, Frame, Value
from pcviz.jobs.device import device_name, tend_programs
from pcviz.jobs.history import History, affordable_tests
from pcviz.jobs.marks import Marks
from pcviz.jobs.pace import Pace
from pcviz.jobs.path import Path
from pcviz.jobs.stepper import STEPS_AT_ONCE, Made, Stepper
from pcviz.jobs.watch import SIGNS, Watch
from pcviz.numerics.compiling import compiled
from pcviz.pcn import Network, evaluate
from pcviz.pcn.energy import rounding_energies
from pcviz.pcn.feedforward import forward
from pcviz.pcn.learning import Report
from pcviz.pcn.network import flat_weights
from pcviz.pcn.trace import recorded
from pcviz.probes.health import arrival, chain_energies, learning_layers

FULL = 0.9
"""A slice ends when so much of its time is over: what is left would be spent on calls of a step or two."""


class Training:
    """One run: a `pcviz.jobs.protocol.Job`. `prepare` before `advance`; `restore` before or after `prepare`. One that
    runs `beside` others, in a thread of its own, has its batches in one piece."""

    idle = False

    def __init__(self, experiment: Experiment, *, beside: bool = False) -> None:
        self.experiment = experiment
        self._beside = beside
        self.step = 0
        self.steps = experiment.learning.steps
        self.seconds = 0.0
        self.diverged = False
        self.path: Path | None = None
        self.marks: Marks | None = None
        self.data: Dataset
        self._stepper: Stepper
        self._report: Report | None = None
        self._recorded = self._wanted = False
        self._history = History(self.steps, experiment.steps_per_epoch, affordable_tests(experiment))
        self._watch = Watch(experiment)
        self._tested: tuple[int, dict[str, Value]] = (-1, {})
        self._restored: dict[str, np.ndarray] | None = None
        self._pace = Pace()
        self._begun = time.perf_counter()

    @property
    def done(self) -> bool:
        """Whether the last step was made, or the run diverged."""
        return self.diverged or self.step >= self.steps

    @property
    def device(self) -> str:
        """The device it runs on."""
        return device_name()

    @property
    def network(self) -> Network:
        """The network after the last step; there once the job is prepared."""
        return self._stepper.network

    @property
    def detailed(self) -> bool:
        """Whether the relaxation of the last step was recorded."""
        return self._recorded

    def prepare(self) -> None:
        """Load the data, build the network, compile."""
        tend_programs()
        experiment = self.experiment
        self.data = load(experiment.data, experiment.seed, experiment.dtype)
        self._stepper = Stepper(experiment, self.data, sharded=not self._beside)
        self._test = jax.device_put((self.data.x_test, self.data.y_test))
        self._chain = chain_energies(experiment)
        evaluate(self.network, *self._test)
        floors = _rounding(self.network, *self._stepper.batch(0))
        exact = self._stepper.method.plan.displaced
        self._floors = np.zeros(self.network.depth) if exact else np.asarray(floors)
        self._stepper.compile()
        if self._restored is not None:
            self._stepper.restore(self._restored)
            self._restored = None

    def advance(self, until_step: int, seconds: float, bulk: bool = False) -> None:
        """Train for about `seconds`, never past `until_step`; may stop in the middle of a long step. `bulk`: record the
        relaxation of the last step, or of the next long one that begins; that of `until_step` is recorded anyway."""
        begun = self._begun = time.perf_counter()
        self._wanted |= bulk
        until = min(until_step, self.steps)
        self._remember()
        enough = begun + FULL * seconds
        while self.step < until and not self.diverged:
            left = begun + seconds - time.perf_counter()
            if self._stepper.long:
                self._part_of_step(left, until)
            else:
                self._whole_steps(left, until, enough)
            self._remember()
            if time.perf_counter() >= enough:
                break
        if self.diverged:
            self._take_last()
        self.seconds += time.perf_counter() - begun

    def _whole_steps(self, seconds: float, until: int, enough: float) -> None:
        stop = min(until, self._history.next_test(self.step))
        stop = stop if self.path is None else min(stop, self.path.next_due(self.step))
        count = min(stop - self.step, STEPS_AT_ONCE, self._pace.affordable(seconds))
        ends = time.perf_counter() + self._pace.expected(count) >= enough
        last = self.step + count == until or (self._wanted and ends)
        kept = self._history.wanted(range(self.step + 1, self.step + STEPS_AT_ONCE + 1))
        begun = self._clock()
        with self._pace.measured(count):
            made = self._stepper.whole(self.step, count, kept, recorded=last)
        self.diverged = made.steps < count
        self._take(made, last, np.linspace(begun, self._clock(), count + 1)[1 : made.steps + 1])

    def _part_of_step(self, seconds: float, until: int) -> None:
        count = min(self._pace.affordable(seconds), self._stepper.inference_steps_left)
        last = self._stepper.part_recorded
        if last is None:
            last = self._wanted or self.step + 1 == until
        with self._pace.measured(count):
            made = self._stepper.part(self.step, count, recorded=last)
        if made is not None:
            self.diverged = not made.steps
            self._take(made, last, np.full(made.steps, self._clock()))

    def _remember(self) -> None:
        if self.path is not None and self.path.due(self.step):
            self.path.add(self.step, flat_weights(self.network))

    def _clock(self) -> float:
        """Compute seconds so far."""
        return self.seconds + time.perf_counter() - self._begun

    def _take(self, made: Made, last: bool, seconds: np.ndarray) -> None:
        """Record the steps just made, at these compute seconds; `last`: the relaxation of the last one is recorded."""
        if made.report is None:
            return
        self._report, self._recorded, self._wanted = made.report, last, self._wanted and not last
        self.step += made.steps
        steps = range(self.step - made.steps + 1, self.step + 1)
        losses, energies, changes = made.course
        began = self._watch.take(steps, losses, energies, changes, self._floors)
        self._history.take(steps, seconds, made.course, began)
        if self.step in self._history.tests:
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

    def run(self, seconds: float = 0.1) -> Iterator[Frame]:
        """Train to the end, with a frame about every `seconds` and one at the end; some of them, and the last, with the
        bulk channels."""
        self.prepare()
        bulk_at = float("-inf")
        while not self.done:
            interval = max(BULK_SECONDS, BULK_STEPS * self.seconds / max(self.step, 1))
            before, due = self.step, self.seconds - bulk_at >= interval
            self.advance(self.steps, seconds, bulk=due)
            if self.step > before or self.done:
                bulk = self.done or (due and self.detailed)
                bulk_at = self.seconds if bulk else bulk_at
                yield self.frame(bulk)

    def frame(self, bulk: bool) -> Frame:
        """What happened since the last call. The relaxation comes with the bulk channels, but not that of a long step
        which was not recorded."""
        if bulk and not self._recorded and self._report is not None and (again := self._stepper.again()) is not None:
            self._report, self._recorded = again, True
        values: dict[str, Value] = self._history.drained(self.experiment.network.depth)
        if self._report is not None:
            values |= self._energies(self._report)
            values["train_loss"] = float(self._report.loss)
            if bulk and self._recorded:
                values |= self._relaxation(self._report)
        if self.done or self._tested[0] < 0:
            self._test_metrics()
        values |= self._tested[1]
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
        if self._stepper.method.plan.initial == "feedforward":  # other starts cause errors without a target
            values["layers_with_signal"] = float(report.layers_with_signal)
        return values

    def _health(self, report: Report) -> dict[str, Value]:
        """Whether errors arrive and weights move as theory expects, and how much energy the relaxation leaves."""
        values: dict[str, Value] = {}
        energy, rule, start = np.asarray(report.energies), self.experiment.learning.facts, float(report.start)
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
        energies, updates = recorded(report.trace, len(self._stepper.rows))
        values: dict[str, Value] = {
            "trace_steps": self._stepper.rows,
            "energy_trace": energies,
            "total_energy_trace": energies.sum(1),
            "update_rms": updates,
        }
        if self._stepper.method.knows_equilibrium:
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
        counters = {
            "step": np.int64(self.step),
            "seconds": np.float64(self.seconds),
            "diverged": np.bool_(self.diverged),
        }
        saved = self._stepper.saved() | self._history.saved() | self._watch.saved() | counters
        return {name: np.asarray(value) for name, value in saved.items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from a checkpoint."""
        self.step, self.seconds = int(arrays["step"]), float(arrays["seconds"])
        self.diverged = bool(arrays["diverged"])
        self._history.restore(arrays)
        self._watch.restore(arrays)
        self._report, self._recorded, self._tested = None, False, (-1, {})
        if hasattr(self, "_stepper"):
            self._stepper.restore(arrays)
        else:
            self._restored = arrays


@compiled()
def _rounding(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """Energies of rounding of layers 1 … L at the feedforward pass, (L,)."""
    return rounding_energies(forward(network, x)[0], y)


def train(experiment: Experiment) -> Iterator[Frame]:
    """Train a network: yields frames until the last weight step or until the energy stops being finite.

    The command line and the app run the same job; `pcviz.instruments.CHANNELS` describes the values of a frame.
    """
    yield from Training(experiment).run()
