"""A network in training, and the compiled programs that make its weight steps: several in one call, or a long one in
several calls."""

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from pcviz.brief import short
from pcviz.data import Dataset
from pcviz.data.batches import batch_indices
from pcviz.experiment import Experiment
from pcviz.experiment.cost import estimate
from pcviz.frames import STEP_ROWS, trace_rows
from pcviz.jobs.background import aside
from pcviz.numerics import device_kind
from pcviz.numerics.compiling import compiled
from pcviz.pcn import Network, build, learning, shards
from pcviz.pcn.learning import Batches, Report, Step
from pcviz.pcn.plan import State
from pcviz.pcn.trace import padded_rows

STEPS_AT_ONCE = 64
"""Maximum number of weight steps in one call of the compiled loop."""
NOISE = 2
"""Separates the noise in initial activities from all other random numbers drawn from the seed."""


@short
class Made(NamedTuple):
    """Weight steps just made, all finite: how many, the report of the last one (None if there is none), their losses
    (M,), energies and weight changes (M, L), NumPy."""

    steps: int
    report: Report | None
    course: list[np.ndarray]


@short
class Chunk(NamedTuple):
    """A call of the compiled loop: the `state` (network and slots) before it, the weight steps `before` it and in it,
    and which of these are `kept` in the history (STEPS_AT_ONCE,)."""

    state: tuple[Network, Any]
    before: int
    steps: int
    kept: np.ndarray


class Stepper:
    """Makes the weight steps of an experiment on the training examples of `data`. A training beside others must not be
    `sharded`: its shards wait for each other, and may hold the threads that the others wait for."""

    def __init__(self, experiment: Experiment, data: Dataset, *, sharded: bool = True) -> None:
        self.experiment = experiment
        self._examples = data.x_train, data.y_train
        self.rows = trace_rows(experiment.inference_steps, STEP_ROWS)
        self.long = device_kind.in_use().long_steps(estimate(experiment))
        self.method = learning.method_of(experiment, shards=shards.shards_of(experiment) if sharded else 1)
        self.numbers = self._spread(learning.numbers_of(experiment, jax.device_put(padded_rows(self.rows, STEP_ROWS))))
        no_rows = self._spread(jax.device_put(padded_rows(np.arange(0), STEP_ROWS)))
        self._unrecorded = self.numbers._replace(rows=no_rows)
        self._data = self._spread((jax.device_put(data.x_train), jax.device_put(data.y_train)))
        self._last: Chunk | None = None
        self._pending: tuple[Step, int, bool] | None = None
        self._under_way: Any = None
        self._compiled = aside(partial(self._compile, jax.eval_shape(self._fresh)))
        fresh = self._fresh()
        self._network: Network | None = fresh[0]
        self._state = self._spread(fresh)

    @property
    def network(self) -> Network:
        """The network after the last step."""
        if self._network is None:
            network = self._state[0]
            self._network = shards.on_one(network) if self.method.shards > 1 else network
        return self._network

    def compile(self) -> None:
        """Wait until the programs are compiled, which begins when it is made. Raises what compiling them raised."""
        self._compiled.result()

    def _fresh(self) -> tuple[Network, Any]:
        """The network and the slots of a new run."""
        network = build(self.experiment, self._examples[0].shape[1], self._examples[1].shape[1])
        return network, learning.fresh_slots(self.method, network, self.numbers)

    def _compile(self, shapes: tuple[Network, Any]) -> None:
        """Run the programs on zeros of these shapes, without a step: two cores compile them and draw the weights."""
        state = self._spread(jax.tree.map(lambda leaf: jax.device_put(np.zeros(leaf.shape, leaf.dtype)), shapes))
        if self.long:
            step = self._begin(state, 0)
            self._under_way = jax.tree.structure(self._moving(step))
            learning.finish_step(self.method, self._relax(step, 0, 0, 0), *self.batch(0), self._unrecorded)
        else:
            self._run(Chunk(state, 0, 0, np.zeros(STEPS_AT_ONCE, bool)), recorded=False)

    def batch(self, step: int) -> tuple[jax.Array, jax.Array]:
        """The examples of the weight step after `step` others."""
        chosen = self._indices(step)
        return jax.device_put(self._examples[0][chosen]), jax.device_put(self._examples[1][chosen])

    def whole(self, step: int, count: int, kept: np.ndarray, *, recorded: bool) -> Made:
        """Make `count` weight steps after `step` others, fewer if one is not finite. `kept` (STEPS_AT_ONCE,): whose
        weight changes are measured; `recorded`: record the relaxation of the last one."""
        chunk = Chunk(self._state, step, count, kept)
        network, slots, report, course, done = self._run(chunk, recorded=recorded)
        made = int(done)
        if 0 < made < count:  # again, because the loop ends with the weights of the step that is not finite
            chunk = chunk._replace(steps=made)
            network, slots, report, course, _ = self._run(chunk, recorded=recorded)
        if made:
            self._go_on(network, slots)
            self._last = chunk
        return Made(made, _read(report) if made else None, [np.asarray(rows)[:made] for rows in course])

    def again(self) -> Report | None:
        """The report of the last weight step with its relaxation, which was not recorded: the last call is repeated.
        None where that would take as long as a long step."""
        return None if self._last is None else _read(self._run(self._last, recorded=True)[2])

    def _run(self, chunk: Chunk, *, recorded: bool) -> Any:
        steps = range(chunk.before, chunk.before + STEPS_AT_ONCE)
        chosen = np.zeros((STEPS_AT_ONCE, self.experiment.learning.batch_size), np.int32)
        for row, step in zip(chosen[: chunk.steps], steps, strict=False):
            row[:] = self._indices(step)
        numbers = self.numbers if recorded else self._unrecorded
        batches = Batches(self._data[0], self._data[1], chosen, chunk.kept)
        return learning.weight_steps(
            self.method, *chunk.state, batches, chunk.steps, numbers, noise_keys(self.experiment, steps)
        )

    def _go_on(self, network: Network, slots: Any) -> None:
        """Continue with this state, which with shards is on all of them."""
        self._state, self._network = (network, slots), None

    def _spread(self, tree: Any) -> Any:
        return shards.on_all(tree) if self.method.shards > 1 else tree

    def part(self, step: int, count: int, *, recorded: bool) -> Made | None:
        """Continue the long weight step after `step` others by `count` inference steps; None until it is
        made. `recorded`: record its relaxation, if it begins now."""
        under_way, t, recorded = self._pending or (self._begin(self._state, step), 0, recorded)
        total = self.experiment.inference_steps
        last = min(total, t + count)
        under_way = jax.block_until_ready(self._relax(under_way, step, t, last, recorded=recorded))
        self._pending = under_way, last, recorded
        if last < total:
            return None
        self._pending = None
        numbers = self.numbers if recorded else self._unrecorded
        network, slots, report = learning.finish_step(self.method, under_way, *self.batch(step), numbers)
        if not bool(report.finite):
            return Made(0, None, [])
        changes = learning.weight_changes_of_step(self._state[0], network)
        self._go_on(network, slots)
        course = [np.asarray(row)[None] for row in (report.loss, report.energies, changes)]
        return Made(1, report._replace(weight_changes=changes), course)

    @property
    def inference_steps_left(self) -> int:
        """How many inference steps are left of the long weight step under way, or of the next one."""
        return self.experiment.inference_steps - (0 if self._pending is None else self._pending[1])

    @property
    def part_recorded(self) -> bool | None:
        """Whether the long weight step under way is recorded; None if none is under way."""
        return None if self._pending is None else self._pending[2]

    def _begin(self, state: tuple[Network, Any], step: int) -> Step:
        key = noise_keys(self.experiment, range(step, step + 1))[0]
        return learning.begin_step(self.method, *state, *self.batch(step), self._unrecorded, key)

    def _relax(self, under_way: Step, step: int, first: int, last: int, *, recorded: bool = False) -> Step:
        numbers = self.numbers if recorded else self._unrecorded
        span = (np.int32(first), np.int32(last))
        relaxed: Step = learning.advance_step(self.method, under_way, *self.batch(step), numbers, span)
        return relaxed

    def _indices(self, step: int) -> np.ndarray:
        return batch_indices(self.experiment.seed, step, len(self._examples[0]), self.experiment.learning.batch_size)

    def saved(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps: weights and optimiser state, and the step under way if there is one."""
        saved = {f"leaf_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(self._state))}
        if self._pending is not None:
            under_way, t, recorded = self._pending
            saved |= {f"pending_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(self._moving(under_way)))}
            saved |= {"inference_step": np.int64(t), "pending_recorded": np.bool_(recorded)}
        return {name: np.asarray(value) for name, value in saved.items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from the arrays of `saved`. A step under way of an earlier version begins anew."""
        now, shape = jax.tree.flatten(self._state)
        leaves = [jax.device_put(arrays[f"leaf_{i}"]) for i in range(len(now))]
        self._go_on(*self._spread(jax.tree.unflatten(shape, leaves)))
        self._pending = self._last = None
        if self.long and "pending_recorded" in arrays:
            leaves = [jax.device_put(arrays[f"pending_{i}"]) for i in range(self._under_way.num_leaves)]
            moved = jax.tree.unflatten(self._under_way, leaves)
            step = moved if isinstance(moved, Step) else Step(self._state[0], self._state[1], moved)
            self._pending = step, int(arrays["inference_step"]), bool(arrays["pending_recorded"])

    def _moving(self, step: Step) -> Step | State:
        """What a step under way has changed: the relaxation alone, unless weights change with it."""
        return step.relaxation if self.method.rule.learns_at_the_end else step


def _read(report: Report) -> Report:
    """The report in NumPy."""
    read: Report = jax.tree.map(np.asarray, report)
    return read


def noise_keys(experiment: Experiment, steps: Iterable[int]) -> Any:
    """Keys of the noise in the initial activities of these weight steps; without noise, anything of that length."""
    numbers = np.asarray(steps)
    return _noise_keys(experiment.seed, numbers) if experiment.inference.initial == "normal" else numbers


@compiled()
def _noise_keys(seed: jax.Array, steps: jax.Array) -> jax.Array:
    purpose = jax.random.fold_in(jax.random.key(seed), NOISE)
    return jax.vmap(lambda step: jax.random.fold_in(purpose, step))(steps)
