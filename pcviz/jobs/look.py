"""Looks: runs that examine a network instead of training it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.experiment.looks import LookOptions
from pcviz.frames import Frame, Value
from pcviz.jobs.device import device_name, tend_programs
from pcviz.jobs.stored import arrays_of, with_arrays
from pcviz.jobs.training import Training
from pcviz.pcn import Network, build
from pcviz.pcn.network import replaced, stacked_weights

KNOWN_SHARE = 0.02
"""Share of the work after which the pace so far predicts how long the rest takes."""
Options = TypeVar("Options", bound=LookOptions)
_ENDED = object()


@short
class Stored(NamedTuple):
    """A training's checkpoint: its step and arrays, and the experiment that it belongs to."""

    step: int
    arrays: dict[str, np.ndarray]
    experiment: Experiment


class Look(ABC, Generic[Options]):
    """A `pcviz.jobs.protocol.Job` whose steps are shares of its work (hundredths); slices end where `_work` yields.

    `source` is the training whose weights it uses, if its options name one. After a restart it computes everything
    again, with the same result. A checkpoint keeps those weights, because that training may have continued since.
    """

    KIND: ClassVar[str]
    OPTIONS: type[Options]

    diverged = False
    detailed = True

    x: jax.Array
    y: jax.Array
    network: Network

    def __init__(
        self,
        experiment: Experiment,
        options: dict[str, Any] | Options | None = None,
        source: tuple[int, dict[str, np.ndarray], Experiment] | None = None,
    ) -> None:
        self.experiment = experiment
        self.options = options if isinstance(options, self.OPTIONS) else self.OPTIONS.model_validate(options or {})
        self.step, self.steps = 0, self.options.steps(experiment)
        self.seconds = 0.0
        self._source = None if source is None else Stored(*source)
        self._expected = self.options.parts(experiment)
        self._share = dict.fromkeys(self._expected, 0.0)
        self._training: Training | None = None
        self._training_steps: tuple[int, int] | None = None
        self._compiling = False
        self._slice = 0.0
        self._progress: Iterator[Any] = self._work()
        self._begin()

    def _begin(self) -> None:
        """Set up what a kind of look needs besides, before its work."""

    @property
    def done(self) -> bool:
        """Whether everything is computed."""
        return self.step >= self.steps

    @property
    def idle(self) -> bool:
        """Whether it waits for other processes."""
        return False

    @property
    def device(self) -> str:
        """The device it runs on."""
        return device_name()

    @property
    def source_step(self) -> float:
        """The step of the stored weights, NaN if they are fresh."""
        return float("nan") if self._source is None else float(self._source.step)

    @abstractmethod
    def _work(self) -> Iterator[object]:
        """Do the work, yielding often; keeps the `_share` done of each part up to date."""

    def _piece(self, seconds: float) -> bool:
        """Work up to the next yield, with `seconds` left of the slice; False if nothing was left."""
        self._slice = seconds
        return next(self._progress, _ENDED) is not _ENDED

    def advance(self, until_step: int, seconds: float, bulk: bool = False) -> None:
        """Work for about `seconds`, not past `until_step`."""
        begun = time.perf_counter()
        while self.step < min(until_step, self.steps):
            self.step = self._reached if self._piece(begun + seconds - time.perf_counter()) else self.steps
            if self.idle or time.perf_counter() - begun >= seconds:
                break
        self.seconds += time.perf_counter() - begun

    @property
    def _reached(self) -> int:
        """The step reached, as long as work is left."""
        return max(self.step, min(self.steps - 1, int(self.steps * self._done)))

    @property
    def _done(self) -> float:
        """The share of the work that is done."""
        expected = self._expected
        return sum(expected[p] * done for p, done in self._share.items()) / sum(expected[p] for p in self._share)

    @property
    def seconds_left(self) -> float:
        """Compute time left at the pace so far; NaN: not known yet, or nothing is left."""
        known = self._done >= KNOWN_SHARE and not self.done
        return self.seconds * (1 / self._done - 1) if known else float("nan")

    @property
    def doing(self) -> str:
        """What it is doing, in words."""
        if self._training_steps is not None:
            return "training: step {} of {}".format(*self._training_steps)
        return "compiling" if self._compiling else ""

    def frame(self, bulk: bool) -> Frame:
        """All that is known so far."""
        trained, wanted = self._training_steps or (float("nan"), float("nan"))
        progress: dict[str, Value] = {
            "seconds_left": self.seconds_left,
            "training_step": trained,
            "training_steps": wanted,
            "compiling": float("nan") if self.done else float(self._compiling),
        }
        values = self._values(bulk) | progress
        return Frame(self.KIND, self.step, values, self.inference_step, seconds=self.seconds, done=self.done)

    @property
    def inference_step(self) -> int:
        """The inference step that the frame shows; 0 if it shows none."""
        return 0

    @abstractmethod
    def _values(self, bulk: bool) -> dict[str, Value]:
        """What is known so far, channel by channel."""

    def _while_compiling(self, work: Iterator[object]) -> Iterator[object]:
        """Pass `work` on, reported as compilation."""
        self._compiling = True
        yield from work
        self._compiling = False

    def run(self) -> None:
        """Do all of the work at once."""
        self.prepare()
        while not self.done:
            self.advance(self.steps, 1.0)

    def finish(self) -> None:
        """Finish the parts that were begun, and begin no others: nothing, where there are none."""

    @abstractmethod
    def prepare(self) -> None:
        """Do the slow preparations, before the first piece of work."""

    def _load(self, chosen: np.ndarray | slice) -> None:
        """Load the chosen training examples and build the fresh network."""
        if getattr(self.options, "source", None) is not None and self._source is None:
            raise ValueError("source: the run has no stored weights yet")
        tend_programs()
        experiment = self.experiment
        data = load(experiment.data, experiment.seed, experiment.dtype)
        self.x, self.y = jnp.asarray(data.x_train[chosen]), jnp.asarray(data.y_train[chosen])
        self.network = build(experiment, self.x.shape[1], self.y.shape[1])

    def _load_at(self, chosen: np.ndarray | slice, step: int | None) -> None:
        """`_load`, with the weights after `step` steps of training (None: the stored or the fresh ones). Weights that
        are not stored are retrained by `_weights`."""
        self._load(chosen)
        if self._source is not None:
            self.network = with_arrays(self.network, self._source.arrays)
        self._training = self._retraining(self.experiment, step)
        if self._training is None:
            self._share.pop("train", None)

    def _retraining(self, experiment: Experiment, step: int | None) -> Training | None:
        """The prepared training that leads to the weights after `step` steps, of the stored run if there is one, else
        of the experiment; None if no training is needed."""
        if step is None or step == self.source_step:
            return None
        trained = experiment if self._source is None else self._source.experiment
        training = Training(trained.changed({"learning.steps": max(1, step)}))
        training.prepare()
        return training

    def _weights(self, step: int | None) -> Iterator[object]:
        """Train up to the weights requested from `_load_at`, if they are not stored."""
        if self._training is not None:
            trained = yield from self._train(self._training, step or 0)
            self.network = replaced(self.network, stacked_weights(trained))
            self._source = Stored(step or 0, arrays_of(self.network), self._training.experiment)
            self._training = None

    def _train(self, training: Training, wanted: int, part: str = "train") -> Generator[object, None, Network]:
        """Return the network after `wanted` steps of a prepared training: the same as in any run of its experiment."""
        while training.step < wanted:
            self._training_steps = training.step, wanted
            training.advance(wanted, self._slice)
            if training.diverged:
                raise ValueError(
                    f"step: this network diverges in step {training.step + 1} (allowed: 0 to {training.step})"
                )
            self._share[part] = training.step / wanted
            yield True
        self._training_steps = None
        return training.network

    def checkpoint(self) -> dict[str, np.ndarray]:
        """The progress, and the stored weights."""
        kept = {"step": np.asarray(self.step), "seconds": np.asarray(self.seconds)}
        if self._source is not None:
            kept |= {name: self._source.arrays[name] for name in arrays_of(self.network)}
            kept["source_step"] = np.asarray(self._source.step)
        return kept

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Begin again, with the stored weights of the checkpoint."""
        if "source_step" in arrays:
            before = self._source
            experiment = self.experiment if before is None else before.experiment
            self._source = Stored(int(arrays["source_step"]), arrays, experiment)
            if hasattr(self, "network") and (before is None or before.step != self._source.step):
                self.prepare()
