"""What a job is: work that the worker advances in short slices and that reports frames."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pcviz.frames import Frame


class Incomplete(RuntimeError):
    """Parts of a job failed; the others are done, and what they gave is kept."""


class Memory(Protocol):
    """Results that are known already, by what they follow from; they can be written as JSON."""

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        """The results of those keys that have one."""

    def keep(self, results: Mapping[str, Any]) -> None:
        """Add results."""


class Elsewhere(Protocol):
    """Other processes, as a `concurrent.futures.Executor` that outlives its processes. `place` names them; `slots` is
    how many calls they work on at a time, at present."""

    place: str

    @property
    def slots(self) -> int: ...

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Let one of the processes call an importable function. The future raises BrokenExecutor if the process died,
        CancelledError if all were lost."""


@runtime_checkable
class Divides(Protocol):
    """A job of many parts: it uses results which are known already, and other processes."""

    memory: Memory | None
    elsewhere: Elsewhere | None

    def withdraw(self) -> None:
        """Take back what other processes were asked for: nobody waits for it."""


class Job(Protocol):
    """One run's work. All methods are called from one thread at a time.

    Results depend on the experiment alone, not on slice lengths, frame times or restores in between. A child, which
    works on another job's network, is built with that job, its parent; it sees the parent between the parent's slices,
    except in `prepare`, during which the parent may be advancing: `prepare` must not touch the parent's arrays.
    """

    @property
    def step(self) -> int:
        """Progress in the job's own unit: weight steps (0: fresh), hundredths of a look, members of a group; of a child
        that follows a training, the parent's step that it works on."""

    @property
    def steps(self) -> int:
        """The last step, in the same unit."""

    @property
    def done(self) -> bool:
        """Whether nothing is left to do: the last step was made, or the run diverged. A child is asked again later."""

    @property
    def diverged(self) -> bool:
        """Whether its energy stopped being finite."""

    seconds: float
    """Compute seconds of this generation; the worker that restores a job may increase them."""

    @property
    def device(self) -> str:
        """The device it runs on, as displayed: "cpu", "NVIDIA H200"."""

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do: for a child until its parent has advanced, for a group until another process
        has answered; always False for other runs."""

    def prepare(self) -> None:
        """Load data, trace, compile: may take many seconds and runs in a thread of its own."""

    def advance(self, until_step: int, seconds: float, bulk: bool = False) -> None:
        """Work for about `seconds`, never past `until_step`; may stop in the middle of a long weight step. `bulk`: the
        frame that follows will be asked for the bulk channels, which cost less if that is known before."""

    def frame(self, bulk: bool) -> Frame:
        """What happened since the last call, with the bulk channels or without; run, generation and seq stay empty."""

    @property
    def detailed(self) -> bool:
        """Whether the bulk channels of the present step are there, so that asking for them computes nothing again."""

    def checkpoint(self) -> dict[str, np.ndarray]:
        """Everything that `restore` needs to continue bitwise, even in the middle of a weight step."""

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from a checkpoint, before or after `prepare`."""
