"""A run that the worker has leased: its job, how much of it is stored, and what one slice of work does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pcviz.engine.scheduler import (
    FRAME_SECONDS,
    Candidate,
    checkpoint_interval,
    frame_interval,
)
from pcviz.engine.states import state_of_child, state_of_run
from pcviz.frames import BULK_SECONDS, BULK_STEPS
from pcviz.jobs.protocol import Divides
from pcviz.store import TERMINAL, Observations, RunRecord
from pcviz.store.records import State

if TYPE_CHECKING:  # importing pcviz.jobs loads JAX, for which the worker's main thread does not wait
    from pcviz.jobs.protocol import Job

EARLY = 0.8
"""Share of the frame interval after which a frame may be published: slices end just before or after it is over."""


class LeasedRun:
    """One claimed run. Methods that write raise `Lost` once the run was reset or taken over.

    `step`, `seq` and `state` are the stored ones: the job may be ahead by less than a frame, or behind after a restart.
    """

    def __init__(
        self, observations: Observations, record: RunRecord, parent: LeasedRun | None, place: tuple[int, int]
    ) -> None:
        self.record = record
        self.parent = parent
        self.job: Job | None = None
        self.state: State = record.state
        self.step, self.seq, self.frame_bytes = record.step, record.seq, record.frame_bytes
        self.candidate = Candidate(record.id, record.payer, record.kind != "train")
        self.rested_at = time.monotonic()
        self._observations = observations
        self._place = place
        self._seconds = record.seconds
        self._asked_at: int | None = None
        self._frame_at = self._bulk_at = float("-inf")
        self._compute = 0.0
        self._last_write = 0.0
        self._saved_step = self._answered = 0
        self._unsaved = False  # the job went on since the last checkpoint began
        self._saving: Iterator[int] | None = None
        self._ending: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the run has finished: nothing follows in this generation."""
        return self.state in TERMINAL

    @property
    def resting(self) -> bool:
        """Whether it should not advance now: it has ended, is paused, or is at its step limit."""
        reached = self.step if self.job is None else max(self.step, self.job.step)
        return self.ended or self.record.rests_at(reached)

    @property
    def replaying(self) -> bool:
        """Whether the job, after it was restored, is still behind the stored step."""
        return self.job is not None and not self.job.done and self.job.step < self.step

    @property
    def idle(self) -> bool:
        """Whether this is a child run that has nothing to do until its parent advances."""
        if self.parent is None or self.job is None or self.parent.job is None:
            return False
        return (self.job.idle or self.job.done) and self._asked_at == self.parent.job.step

    def adopt(self, job: Job) -> None:
        """Take over a prepared job."""
        self.job = job
        values = {"state": "running"} if self.state in ("queued", "compiling") else {}
        self.observe(device=job.device, **values)
        self._go_on_counting()

    def leave(self) -> None:
        """Let go of the job."""
        if isinstance(self.job, Divides):
            self.job.withdraw()
        self.job = None

    def show_compiling(self) -> None:
        """Report that its job is being loaded and compiled."""
        if self.state in ("queued", "running"):
            self.observe(state="compiling")

    def fail(self, message: str) -> None:
        """Report that its job raised."""
        self.observe(state="failed", message=message)

    def follow(self, record: RunRecord) -> None:
        """Adopt new requests."""
        self.record = record
        self.settle()

    def settle(self) -> None:
        """Move to the state that the run should be in."""
        due = self._due
        if due == self.state:
            return
        if due in ("paused", "cancelled"):
            self._stop(due)
        else:
            self.observe(state=due)
        if due == "cancelled":
            self.save()

    @property
    def _due(self) -> State:
        wanted, ready = self.record.wanted, self.job is not None
        if self.parent is None:
            return state_of_run(self.state, wanted, rests=self.resting, ready=ready)
        parent = self.parent
        return state_of_child(
            self.state, wanted, parent=parent.state, parent_rests=parent.resting, ready=ready, idle=self.idle
        )

    def observe(self, **values: Any) -> None:
        """Write columns of the record that the worker observes."""
        self._observations.observe(self.record.id, self.record.generation, **values)
        self._remember(values)

    def _stop(self, state: State) -> None:
        """Publish how far the job is, then rest or end."""
        orphan = self.parent is not None and self.parent.state == "failed"
        values = {"message": "The run that it belongs to has failed."} if orphan else {}
        if self.parent is None and self.job is not None and not self.replaying and self.job.step > self.step:
            self._publish(bulk=True, state=state)
        else:
            self.observe(state=state, **values)

    def save(self) -> None:
        """Write a whole checkpoint now, unless one of the present step exists or the job cannot give one."""
        if self.job is None or self.parent is not None or self.replaying:
            return
        if self._unsaved:
            self._begin_checkpoint()
        while self._saving is not None:
            self._write_part()

    def work(self, seconds: float) -> None:
        """One slice: write parts of a checkpoint, catch up with the stored step, or advance and report."""
        assert self.job is not None
        self._write_parts(seconds)
        if self._ending is not None or (self.ended and not self.replaying):
            return
        if self.parent is not None:
            self._work_on_parent(seconds, self.parent)
        elif self.replaying:
            self.job.advance(self.step, seconds)
            self._unsaved = True
            if not self.replaying:
                self.job.frame(bulk=False)  # already stored; the next frame must count from here
                self._go_on_counting()
        elif self.job.done:
            self._end()
        elif self.resting:
            self._take_snapshot()
        else:
            self._advance(seconds)

    @property
    def has_work(self) -> bool:
        """Whether `work` has something to do, not counting what children need."""
        if self.job is None:
            return False
        if self._saving is not None:
            return True
        if self.ended or self._ending is not None:
            return False
        if self.parent is not None:
            ready = self.parent.job is not None and not self.parent.replaying and not self.parent.has_first_step_ahead
            return ready and self.record.wanted == "running" and not self.idle
        return not (self.resting or self.job.idle) or self.wants_snapshot

    @property
    def has_first_step_ahead(self) -> bool:
        """Whether a training is about to make its first step, which comes before what its children find."""
        return not self.candidate.extra and self.has_work and self.job is not None and self.job.step == 0

    def _advance(self, seconds: float) -> None:
        assert self.job is not None
        began = time.monotonic()
        self.job.advance(self.record.limit, seconds, bulk=self._is_bulk_due(began + seconds))
        self._unsaved = True
        self._compute += time.monotonic() - began
        if self.job.done:
            self._end()
        elif self.job.step >= self.record.limit:
            self.settle()
        else:
            self._report()

    def _report(self) -> None:
        """Publish a frame if its interval is over, and begin a checkpoint if it is time for one."""
        assert self.job is not None
        now = time.monotonic()
        interval, every = frame_interval(FRAME_SECONDS, self.frame_bytes), checkpoint_interval(self._last_write)
        save = (self._compute >= every and self._saving is None) or self._snapshot_due
        # Once frames are rarer than checkpoints, checkpoints get no frame of their own: the frame budget must last.
        due = now - self._frame_at >= EARLY * interval or (save and interval <= every)
        if due and self.job.step > self.step:
            self._publish(bulk=save or (self._is_bulk_due(now) and self.job.detailed))
        if save:
            self._begin_checkpoint()

    def _is_bulk_due(self, now: float) -> bool:
        """Whether a frame at the time `now` should have the bulk channels."""
        assert self.job is not None
        step_seconds = self.job.seconds / self.job.step if self.job.step else 0.0
        interval = max(frame_interval(BULK_SECONDS, self.frame_bytes), BULK_STEPS * step_seconds)
        return now - self._bulk_at >= EARLY * interval

    def _work_on_parent(self, seconds: float, parent: LeasedRun) -> None:
        assert self.job is not None and parent.job is not None
        had_work = not (self.job.idle or self.job.done)
        self.job.advance(parent.job.step, seconds)
        finished = self.job.idle or self.job.done
        self._asked_at = parent.job.step if finished else None
        if finished and not had_work and self.job.step == self._place[0]:
            return  # the parent moved, but there is nothing new to show
        if finished or time.monotonic() - self._frame_at >= EARLY * frame_interval(BULK_SECONDS, self.frame_bytes):
            # A child must never publish a step that its parent has not published yet.
            if parent.job.step > parent.step and not parent.replaying:
                parent._publish(bulk=False)
            self._publish(bulk=True)

    def _publish(self, bulk: bool, **values: Any) -> None:
        assert self.job is not None
        frame = self.job.frame(bulk)
        inference_step = frame.inference_step
        if self.parent is not None and frame.step == self._place[0]:
            # The inference step distinguishes frames of a child at the same step of its parent.
            inference_step = max(inference_step, self._place[1] + 1)
        frame = replace(
            frame,
            run=self.record.id,
            generation=self.record.generation,
            seq=self.seq + 1,
            inference_step=inference_step,
        )
        self.frame_bytes = self._observations.publish(frame, **values)
        self.seq, self.step, self._place = frame.seq, frame.step, (frame.step, inference_step)
        self._frame_at = time.monotonic()
        self._bulk_at = self._frame_at if bulk else self._bulk_at
        self._remember(values)

    def _end(self) -> None:
        """The job is done: publish the last frame and begin the checkpoint, whose last part sets the final state."""
        assert self.job is not None
        ending = "diverged" if self.job.diverged else "done"
        if self.job.step > self.step:
            self._publish(bulk=True)
        self._ending = ending
        if self._saving is None or self._unsaved:
            self._begin_checkpoint()

    def _begin_checkpoint(self) -> None:
        assert self.job is not None
        began = time.monotonic()
        self._saved_step, self._unsaved, self._compute = self.job.step, False, 0.0
        self._answered = self.record.snapshot_wanted
        # Only the frame of this very step belongs to the checkpoint and keeps its bulk channels.
        seq = self.seq if self.step == self.job.step else 0
        arrays = self.job.checkpoint()
        self._saving = self._observations.checkpoint(self.record.id, self.record.generation, self.job.step, seq, arrays)
        self._last_write = time.monotonic() - began

    def _write_parts(self, seconds: float) -> None:
        """Continue writing the checkpoint for about `seconds`."""
        deadline = time.monotonic() + seconds
        while self._saving is not None:
            self._write_part()
            if time.monotonic() >= deadline:
                break

    def _write_part(self) -> None:
        assert self._saving is not None
        began = time.monotonic()
        if next(self._saving, None) is None:
            self._saving = None
            # A checkpoint is progress: a run that is killed again and again within one long step can still finish.
            values: dict[str, Any] = {"snapshot_done": self._answered, "strikes": 0}
            if self._ending is not None and not self.ended:
                values["state"] = self._ending
            step = self._saved_step
            self._observations.complete_checkpoint(self.record.id, self.record.generation, step, **values)
            self.record = replace(self.record, snapshot_done=self._answered)
            self.step = max(self.step, step)
            self._remember(values)
        self._last_write += time.monotonic() - began

    def _go_on_counting(self) -> None:
        """Let a restored job count compute seconds from the stored value, which it cannot know."""
        assert self.job is not None
        self.job.seconds = max(self.job.seconds, self._seconds)

    @property
    def wants_snapshot(self) -> bool:
        """Whether a requested checkpoint is not written yet; a run that has ended keeps its last one."""
        return self.parent is None and not self.ended and self.record.snapshot_wanted > self.record.snapshot_done

    @property
    def _snapshot_due(self) -> bool:
        return self.wants_snapshot and self._saving is None and self.job is not None and not self.replaying

    def _take_snapshot(self) -> None:
        if self._snapshot_due:
            self._begin_checkpoint()

    def _remember(self, values: dict[str, Any]) -> None:
        state = values.get("state", self.state)
        if state == "paused" != self.state:
            self.rested_at = time.monotonic()
        self.state = state
