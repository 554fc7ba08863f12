"""What is chosen by the kind of the device in use: how programs are compiled, and how work is cut into pieces.

By the kind alone, never by measured time: results must not depend on how busy a machine is. What an accelerator gets
follows from how XLA runs programs there, and was not measured (performance.md 6).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from pcviz.experiment import cost
from pcviz.experiment.cost import Cost


@dataclass(frozen=True)
class DeviceKind:
    """`options` of the compiler, and wanted layers of a tile (`tile_layers`) of a stage of so many layers of such a
    width.

    A weight step is long, and cut into several calls, with `speed` times the arithmetic of a long one on two cores, or
    with more than `most_in_turn` products that wait for each other. `batch`: independent pieces of work that are done
    at once, as long as they hold `batch_numbers` at most. `lanes`: trainings of one shape that one program makes.
    """

    options: dict[str, bool | int] | None
    tile_layers: Callable[[int, int], int]
    speed: float
    most_in_turn: float
    batch: int
    batch_numbers: int
    lanes: int

    def long_steps(self, estimated: Cost) -> bool:
        """Whether weight steps of this cost run as several calls, with checkpoints in between."""
        too_much = estimated.flops_per_step > self.speed * cost.LONG_STEP_FLOPS
        return too_much or estimated.in_turn > self.most_in_turn

    def at_once(self, numbers: int) -> int:
        """How many independent pieces of work that hold so many numbers each are done at once."""
        return max(1, min(self.batch, self.batch_numbers // numbers))


def _in_cache(count: int, width: int) -> int:
    """At most 8 layers, of at most 256 units in all: more than that, and each product is shared among threads that wait
    for each other longer than they compute; and at most half of a stage, so that the front leaves some of a shallow one
    out."""
    return max(1, min(8, 256 // width, count // 2))


def _worth_a_wait(_count: int, width: int) -> int:
    """Layers of 2²² weights in all: most stages are one tile, and where there are several, the wait between two is
    little beside their work."""
    return max(1, 2**22 // width**2)


CPU = DeviceKind(
    # The older code generator compiles our loops in two thirds of the time, and they are faster; with few passes of
    # optimisation in 0.55 to 0.95 of that, and they are up to 1.2 times as fast, in wide networks a little slower
    # (jax 0.10; performance.md 3).
    # Code is generated in two parts, one for each core, instead of 32: that takes nine tenths of the CPU time.
    options={
        "xla_cpu_use_fusion_emitters": False,
        "xla_backend_optimization_level": 1,
        "xla_cpu_parallel_codegen_split_count": 2,
    },
    tile_layers=_in_cache,
    speed=1,
    most_in_turn=float("inf"),
    batch=1,
    batch_numbers=0,
    lanes=8,
)
ACCELERATOR = DeviceKind(
    options=None,
    tile_layers=_worth_a_wait,
    speed=50,
    most_in_turn=4096,
    batch=16,
    batch_numbers=2**26,
    lanes=64,
)


def in_use() -> DeviceKind:
    """The kind of the device in use; one that was looked for can no longer be chosen."""
    return CPU if jax.default_backend() == "cpu" else ACCELERATOR


def mapped(function: Callable[[Any], Any], items: Any, numbers: int) -> Any:
    """`jax.lax.map`, but as many items at once as suits the device; work on each holds so many numbers."""
    count = in_use().at_once(numbers)
    return jax.lax.map(function, items, batch_size=count if count > 1 else None)
