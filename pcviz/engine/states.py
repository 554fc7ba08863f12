"""Which state a run should be in: decisions only, from what is requested and what its worker knows."""

from pcviz.store.records import TERMINAL, State, Wanted


def state_of_run(now: State, wanted: Wanted, *, rests: bool, ready: bool) -> State:
    """The state for a run in state `now`: `rests` if it should not advance, `ready` if its job is prepared."""
    if now in TERMINAL:
        return now
    if wanted == "cancelled":
        return "cancelled"
    if rests:
        return "paused"
    if now == "paused":
        return "running" if ready else "queued"
    return now


def state_of_child(now: State, wanted: Wanted, *, parent: State, parent_rests: bool, ready: bool, idle: bool) -> State:
    """The state for a child run, which ends and rests with its parent: `idle` if it waits for the parent to advance."""
    if now in TERMINAL:
        return now
    if wanted == "cancelled" or parent == "failed":
        return "cancelled"
    if wanted == "paused":
        return "paused"
    if idle and parent in TERMINAL:
        return "done"
    if idle:
        return "paused" if parent == "paused" else now
    if now == "paused" and (ready or parent in TERMINAL or not parent_rests):
        return "running" if ready else "queued"
    return now
