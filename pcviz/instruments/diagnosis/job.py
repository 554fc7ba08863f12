"""Measuring the evidence of a diagnosis: the experiment and its twins in training, and probes of single batches."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax.numpy as jnp
import numpy as np
from pydantic import ValidationError

from pcviz.data import load
from pcviz.data.batches import batch_indices
from pcviz.data.dataset import Dataset
from pcviz.experiment import Experiment
from pcviz.frames import Value
from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.attempts import Attempt, attempt_of, next_remedy, packed
from pcviz.instruments.diagnosis.channels import BASELINES, PROBES, RELAXATIONS
from pcviz.instruments.diagnosis.evidence import END, START, Evidence, late
from pcviz.instruments.diagnosis.options import Options
from pcviz.instruments.diagnosis.treatments import TREATMENTS, treated
from pcviz.instruments.diagnosis.twins import PLANTED, RELAXING, TWINS, twin
from pcviz.instruments.diagnosis.verdict import diagnose
from pcviz.instruments.network.job import pictured
from pcviz.jobs.background import until
from pcviz.jobs.history import History
from pcviz.jobs.look import Look
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import Work, finish
from pcviz.pcn import Network
from pcviz.pcn.feedforward import feedforward, forward
from pcviz.pcn.network import with_precision
from pcviz.probes import baselines
from pcviz.probes.alignment import Gradients, backprop_gradients
from pcviz.probes.hessian import largest_eigenvalue
from pcviz.probes.vitals import Downward, downward, rms, upward

MOST_EXAMPLES = 64
"""Most examples of the probed batch."""
CURVED = 2
"""Examples whose curvature is measured where an energy rises."""
USUAL = 0.02
"""|dW_l| / |W_l| of networks that learn well is about this: where more moves a smaller rate is tried, else a larger."""
CURVE = 64
"""Most points of a training's curve."""
FIRST = 10
"""Weight steps at the start whose changes of weights count: later ones are those of a network that has gone astray."""
BESIDE = ("own", "backprop")
"""Twins that are trained at the same time."""


class DiagnosisJob(Look[Options]):
    """A run of kind "diagnose"."""

    KIND, OPTIONS = "diagnose", Options

    def _begin(self) -> None:
        made = None if self._source is None else self._source.step
        self.count = self.options.step or made or self.options.compared_steps(self.experiment)
        self.data: Dataset
        self._steps = np.asarray(sorted(History(self.count, self.experiment.steps_per_epoch).rows))
        last = len(self._steps) - 1
        self._rows = np.unique(np.linspace(0, last, min(last + 1, CURVE)).round().astype(int))
        self._found: dict[str, Value] = {"compared_steps": float(self.count)}
        self.attempts: list[Attempt] = []

    def prepare(self) -> None:
        """Load the data and build the network."""
        experiment = self.experiment
        size = min(MOST_EXAMPLES, experiment.learning.batch_size)
        self._load(batch_indices(experiment.seed, 0, experiment.data.train_count, size))
        self.data = load(experiment.data, experiment.seed, experiment.dtype)

    @property
    def evidence(self) -> Evidence:
        """What is known so far."""
        return Evidence(self.experiment, dict(self._found))

    def _values(self, bulk: bool) -> dict[str, Value]:
        return {name: value for name, value in self._found.items() if bulk or np.ndim(value) == 0}

    # --- the work, cut wherever something is yielded

    def know(self, values: dict[str, Value]) -> None:
        """Take evidence of this experiment that was measured before: only the remedies are left to be tried."""
        self._found |= values

    def _work(self) -> Iterator[object]:
        if "twin_steps" not in self._found:
            yield from self._measure()
        yield from self._try_remedies()
        self._share = dict.fromkeys(self._share, 1.0)

    def _measure(self) -> Iterator[object]:
        fresh = self.network
        with ThreadPoolExecutor(1, "pcviz-aside") as pool:  # small networks leave a core idle, compilation another
            aside = pool.submit(self._aside, fresh)
            yield from self._follow("own")
            yield from until(aside)
        examined, vitals, backprop = aside.result()
        self._found |= examined
        self._probed(START, fresh, vitals)
        self._probed(END, self.network, (yield from self._vitals(self.network)))
        self._share["probes"] = 0.6
        if backprop is not None:
            self._note("backprop", backprop)
        if self.options.picture:
            yield from self._picture()
        yield from self._follow("sound")
        evidence = self.evidence
        if evidence.make_costs or evidence.points(evidence.healthy, "own") >= evidence.costs:
            yield from self._follow("relaxed")
        if evidence.make_costs:
            for name in PLANTED:
                yield from self._follow(f"sound but {name}")
        if evidence.falls_behind_neighbours:
            yield from self._follow("biased")
        if self.evidence.relaxation_costs:
            settled = np.isfinite(self.evidence.probe("vital_error", END)).all()
            yield from self._treat(self.network if settled else fresh)
        if self.evidence.left >= self.evidence.costs:
            for name in RELAXING:
                yield from self._follow(f"treated {name}")
        if self.evidence.settings_interact and not evidence.make_costs:
            for name in PLANTED:
                yield from self._follow(f"sound but {name}")
        if self.evidence.settings_interact:
            for name in PLANTED:
                yield from self._follow(f"treated {name}")
        elif self.evidence.relaxation_costs and self.evidence.gradients_are_fine:
            moved = self.evidence.of_twin("twin_change", "own")
            yield from self._follow("slower" if moved > USUAL else "faster")
        self._share["twins"] = 1.0
        self._mark_layers()

    def _try_remedies(self) -> Iterator[object]:
        """Train with the remedies, one cause's after the other's, until nothing more is left; where causes are still
        left then, diagnose what the remedies have made of the experiment."""
        now, evidence = self.experiment, self.evidence
        while len(self.attempts) < self.options.attempts:
            changes = next_remedy(now, diagnose(evidence), [attempt.experiment for attempt in self.attempts])
            if changes is None:
                return
            now = now.changed(changes)
            training = Training(now.changed({"learning.steps": self.count}))
            training.prepare()
            yield True
            while not training.done:
                training.advance(self.count, self._slice)
                yield True
            values = training.frame(bulk=False).values
            self.attempts.append(attempt_of(self.evidence, now, changes, values, diverged=training.diverged))
            self._found["attempts"] = packed(self.attempts)
            self._share["remedies"] = len(self.attempts) / self.options.attempts
            yield True
            if self.attempts[-1].left < limit.LEAVES.value:
                return
            again = DiagnosisJob(now, Options(step=self.count))
            again.prepare()
            while not again.done:
                again.advance(again.steps, self._slice)
                yield True
            evidence = again.evidence

    def _examined(self, network: Network) -> dict[str, Value]:
        """What the data are like, and what simple learners make of them."""
        data = self.data
        inputs = data.x_train.astype(np.float64)
        top = np.asarray(feedforward(network, jnp.concatenate([data.x_train, data.x_test]))[0][-1])
        features = np.split(top.reshape(len(top), -1), [len(data.x_train)])
        simple = {
            "chance": baselines.chance(data),
            "linear": baselines.linear(data),
            "random features": baselines.linear(data, *features),
            "neighbours": baselines.neighbours(data),
        }
        found: dict[str, Value] = {
            "feature_mean": inputs.mean(0),
            "feature_deviation": inputs.std(0),
            "baseline_loss": np.array([simple[name].loss for name in BASELINES]),
            "baseline_accuracy": np.array([simple[name].accuracy for name in BASELINES]),
        }
        if data.task == "classification":
            found["class_share"] = data.y_train.astype(np.float64).mean(0)
        return found

    def _picture(self) -> Iterator[object]:
        """The relaxation of the first example with the last weights, for the network view."""
        shades = self.data.shades(np.asarray(self.x[0]))
        found = yield from pictured(self.experiment, self.network, self.x[:1], self.y[:1], shades)
        if found:
            self._found |= found | {"network_example": 0.0}

    def _mark_layers(self) -> None:
        """The layers that the worst finding with any concerns, for the network view."""
        layers = next((cause.layers for cause in diagnose(self.evidence).causes if cause.layers), ())
        self._found["network_hurt"] = np.isin(np.arange(1, self.network.depth + 1), layers).astype(np.uint8)

    def _aside(self, fresh: Network) -> tuple[dict[str, Value], dict[str, Any], Training | None]:
        """What needs nothing of the experiment's own training: the data examined, the vital signs of fresh weights, and
        the twin of backpropagation."""
        return self._examined(fresh), finish(self._vitals(fresh)), finish(self._trained("backprop"))

    def _follow(self, name: str) -> Iterator[object]:
        """Train a twin, if there is one."""
        training = yield from self._trained(name)
        if training is not None:
            self._note(name, training)

    def _trained(self, name: str) -> Work[Training | None]:
        """The training of a twin; None if there is no such twin, or its settings make no sense together."""
        try:
            other = twin(name, self.experiment)
        except ValidationError:
            return None
        if other is None:
            return None
        training = Training(other.changed({"learning.steps": self.count}), beside=name in BESIDE)
        training.prepare()
        yield
        while not training.done:
            training.advance(self.count, self._slice)
            if name == "own":
                self._share["own"] = training.step / self.count
            yield
        return training

    def _note(self, name: str, training: Training) -> None:
        values = training.frame(bulk=False).values
        losses, changes = (np.asarray(values[f"{n}_history"]) for n in ("train_loss", "weight_change"))
        if name == "own":
            self.network = training.network
            self._found["curve_steps"] = self._steps[self._rows]
            self._found["weight_changes"] = np.median(changes, 0) if len(changes) else np.full(changes.shape[1], np.nan)
        losses = losses[:, 0] if losses.size else np.array([np.nan])
        self._put("twin_steps", name, float(training.step))
        self._put("twin_loss", name, np.inf if training.diverged else float(values["test_loss"]))
        self._put("twin_accuracy", name, float(values.get("test_accuracy", np.nan)))
        self._put("twin_train_loss", name, np.inf if training.diverged else float(late(losses).mean()))
        first = changes[:FIRST]
        moves = first[first != 0]
        self._put("twin_change", name, float(np.median(moves)) if moves.size else 0.0 if first.size else np.nan)
        curve = np.array(self._found.get("twin_curve", np.full((len(self._rows), len(TWINS)), np.nan)))
        made = self._rows < len(losses)
        curve[made, TWINS.index(name)] = losses[self._rows[made]]
        self._found["twin_curve"] = curve

    def _put(self, channel: str, name: str, value: float) -> None:
        numbers = np.array(self._found.get(channel, np.full(len(TWINS), np.nan)))
        numbers[TWINS.index(name)] = value
        self._found[channel] = numbers

    def _vitals(self, network: Network) -> Work[dict[str, Any]]:
        """The vital signs of a network on the batch, by channel."""
        x, y = self.x, self.y
        reference = backprop_gradients(network, x, y)
        yield
        up = upward(network, x)
        yield
        down = downward(self.experiment, network, x, y, reference)
        yield
        return {
            "vital_rows": down.steps,
            "vital_activity": up.activity,
            "vital_rank": up.rank,
            "vital_quiet": up.quiet,
            "vital_error": down.error,
            "vital_floor": down.floor,
            "vital_gradient": down.gradient,
            "vital_backprop": rms(reference),
            "vital_cosine": down.cosine,
            "vital_ratio": down.ratio,
            "vital_energy": down.energies,
        }

    def _probed(self, place: int, network: Network, vitals: dict[str, Any]) -> None:
        """Note the vital signs of a network, and the curvature of its energy where that rises."""
        self._found["vital_rows"] = vitals.pop("vital_rows")
        for name, value in (vitals | {"vital_curvature": np.nan}).items():
            self._put_probe(name, place, value)
        if self.evidence.energy_rises(place):
            self._put_probe("vital_curvature", place, self._curvature(network))

    def _put_probe(self, channel: str, place: int, value: Any) -> None:
        rows = np.array(self._found.get(channel, np.full((*np.shape(value), len(PROBES)), np.nan)))
        rows[..., place] = value
        self._found[channel] = rows

    def _curvature(self, network: Network) -> float:
        """The greatest curvature of the energy in the activities at the feedforward pass of a few examples."""
        x, y = self.x[:CURVED], self.y[:CURVED]
        layers = [np.asarray(z) for stack in forward(network, x)[0] for z in stack]
        if not all(np.isfinite(z).all() for z in layers):
            return np.nan
        return float(largest_eigenvalue(network, x, y, layers).max())

    def _treat(self, network: Network) -> Iterator[object]:
        """Relax the batch with one treatment of the relaxation at a time."""
        reference = backprop_gradients(network, self.x, self.y)
        shape = (network.depth, len(RELAXATIONS))
        cosine, heard = np.full(shape, np.nan), np.full(shape, np.nan)
        for column, name in enumerate(RELAXATIONS):
            other = self.experiment
            if name != "own":
                if not TREATMENTS[name].changes(other):
                    continue
                try:
                    other = treated(other, [name])
                except ValidationError:
                    continue
            down = self._relaxed(other, network, reference)
            cosine[:, column], heard[:, column] = down.cosine, down.error > down.floor
            yield True
        self._found |= {"treated_cosine": cosine, "treated_heard": heard}

    def _relaxed(self, other: Experiment, network: Network, reference: Gradients) -> Downward:
        network = with_precision(network, other.network.output_precision)
        return downward(other, network, self.x, self.y, reference)


JOBS = {"diagnose": DiagnosisJob}
