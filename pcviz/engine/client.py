"""The server's handle on runs: start, steer, read. Writes requests; a worker fulfils them."""

import hmac
import secrets
import time
import uuid
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np

from pcviz.engine.access import NotAllowed, digest, fits, token
from pcviz.experiment import Experiment
from pcviz.experiment.looks import SHARES
from pcviz.frames import AXES, Frame
from pcviz.instruments import options_of
from pcviz.settings import Settings
from pcviz.store import Limits, RunRecord, Store
from pcviz.store.export import export
from pcviz.store.records import Wanted
from pcviz.store.room import Spaces, needed, refusal

SPACES_SECONDS = 1.0
STRANGE_SECONDS = 10.0
MOST_OWNERS = 1000
UNREAD: tuple[float, Spaces] = (float("-inf"), [])

NO_KEY = "This browser has not said yet who it is: until then the page only watches"


class Client:
    """Runs of one store. Methods that name an unknown run raise `UnknownRun`.

    On a shared server those that change something, and `export`, raise `NotAllowed` unless `proof` is the key of the
    run's owner or the token of its control link; whoever knows a run's id may read it. On other servers everybody may
    do everything.

    Methods that start a run raise `StoreFull` when it does not fit within `limits`; `leaving` are runs that the user
    watches now and stops watching once the new run starts.
    """

    def __init__(self, store: Store, *, shared: bool = False, limits: Limits | None = None) -> None:
        self.store = store
        self.shared = shared
        self.limits = limits
        self._secret = secrets.token_hex()
        self._spaces: tuple[float, Spaces] = UNREAD
        self._strange: dict[str | None, tuple[float, list[RunRecord]]] = {}

    def start(
        self,
        experiment: Experiment,
        session: str,
        key: str = "",
        *,
        wanted: Wanted = "running",
        allowed_until_step: int | None = None,
        leaving: Collection[str] = (),
    ) -> str:
        """Create a run of the owner with this key and return its id; with `wanted="paused"` it waits at step 0."""
        details: dict[str, Any] = {"wanted": wanted, "allowed_until_step": allowed_until_step, "leaving": leaving}
        return self._create(key, experiment=experiment, session=session, **details)

    def look(
        self,
        kind: str,
        experiment: Experiment,
        options: dict[str, Any],
        session: str,
        key: str = "",
        *,
        leaving: Collection[str] = (),
    ) -> str:
        """Create a run that looks at something instead of training, such as one relaxation or a plane; returns its
        id. Options may name another run, whose weights it looks at."""
        found = options_of(kind, options)
        steps = SHARES if found is None else found.steps(experiment)
        details: dict[str, Any] = {"kind": kind, "options": options, "steps": steps, "leaving": leaving}
        return self._create(key, experiment=experiment, session=session, **details)

    def full(self, kind: str, experiment: Experiment, key: str = "", leaving: Collection[str] = ()) -> str | None:
        """Why there is no room for a new run of this kind, in one line; None if there is. May be a second old."""
        if self.limits is None:
            return None
        now, (read_at, found) = time.monotonic(), self._spaces
        if now - read_at > SPACES_SECONDS:
            found = self.store.reader.spaces(self.limits)
            self._spaces = now, found
        return refusal(found, self.limits, digest(key), needed(kind, experiment.model_dump_json()), leaving)

    def pause(self, run: str, proof: str = "") -> None:
        """Stop after the current slice; nothing is lost."""
        self._check(run, proof)
        self.store.requests.want(run, "paused")

    def resume(self, run: str, proof: str = "") -> None:
        """Continue, without a step limit."""
        self._check(run, proof)
        self.store.requests.want(run, "running")

    def step(self, run: str, count: int = 1, proof: str = "") -> None:
        """Take `count` more weight steps, then pause."""
        self._check(run, proof)
        self.store.requests.allow_steps(run, count)

    def reset(self, run: str, proof: str = "", *, wanted: Wanted | None = None) -> None:
        """Restart at step 0 with the same settings, children too; `wanted` None keeps what was wanted before."""
        self._check(run, proof)
        self.store.requests.reset(run, wanted)

    def cancel(self, run: str, proof: str = "") -> None:
        """End a run and its children; the frames that they reported stay."""
        self._check(run, proof)
        self.store.requests.want(run, "cancelled")
        self._spaces = UNREAD

    def pin(self, run: str, pinned: bool = True, proof: str = "") -> None:
        """Keep a run from being pruned when the store is full."""
        self._check(run, proof)
        self.store.requests.pin(run, pinned)
        self._spaces = UNREAD

    def snapshot(self, run: str, proof: str = "") -> None:
        """Ask for a checkpoint now."""
        self._check(run, proof)
        self.store.requests.want_snapshot(run)

    def add_child(self, run: str, kind: str, options: dict[str, Any] | None = None, proof: str = "") -> str:
        """Add a child run, such as the plane of its path, that works on the run's network; returns its id."""
        self._check(run, proof)
        return self.store.requests.create_child(run, kind, options or {}, self.limits)

    def keep_token(self, run: str, proof: str = "") -> str:
        """Token with which a tab can `renew` a run on this server, but do nothing else: addresses may contain it."""
        self._check(run, proof)
        return token(self._secret, run)

    def keepable(self, runs: Iterable[str], tokens: Iterable[str] = ()) -> list[str]:
        """The runs that may be renewed with these keep tokens, one for each run, in the same order."""
        shown = chain(tokens, repeat(""))
        return [run for run, text in zip(runs, shown, strict=False) if not self.shared or self._is_keep(text, run)]

    def renew(self, runs: Iterable[str], tokens: Iterable[str] = ()) -> None:
        """Note that the runs are open in a tab that may steer them, all or none; unknown ids are ignored."""
        wanted = list(runs)
        if self.keepable(wanted, tokens) != wanted:
            raise NotAllowed("This run belongs to somebody else: watching does not keep it going")
        if wanted:
            self.store.requests.renew(wanted)

    def may(self, record: RunRecord, proof: str = "") -> bool:
        """Whether this proof permits steering the run."""
        return not self.shared or fits(proof, record.owner) or fits(proof, record.control)

    def get(self, run: str) -> RunRecord:
        """The record of a run: what is wanted of it and what was observed."""
        return self.store.reader.run(run)

    def children(self, run: str) -> list[RunRecord]:
        """The children of a run that this version can read, oldest first."""
        return [item for item in self.store.reader.families([run]) if item.parent == run and not item.unreadable]

    def runs(self, limit: int = 100, key: str = "") -> list[RunRecord]:
        """The newest runs that this version can read, newest first, without children; on a shared server only those of
        the owner with this key."""
        if self.shared and not key:
            return []
        strange = len(self.unreadable(key))
        found = self.store.reader.runs(limit + strange, self._owner(key))
        return [record for record in found if not record.unreadable][:limit]

    def unreadable(self, key: str = "") -> list[RunRecord]:
        """All runs that this version cannot read, newest first, also children of runs that it can read; on a shared
        server only those of the owner with this key. May be some seconds old."""
        if self.shared and not key:
            return []
        owner = self._owner(key)
        read_at, found = self._strange.get(owner, (float("-inf"), []))
        if time.monotonic() - read_at > STRANGE_SECONDS:
            found = self.store.reader.unreadable(owner)
            if len(self._strange) >= MOST_OWNERS:
                self._strange.clear()
            self._strange[owner] = time.monotonic(), found
        return found

    def export(self, run: str, target: Path, proof: str = "") -> None:
        """Write a run with all that belongs to it into a new store at `target`, even if this version cannot read it."""
        self._check(run, proof)
        export(self.store.database, run, target)

    def delete(self, run: str, proof: str = "") -> None:
        """Delete a run with all that belongs to it; a worker that computes it stops."""
        self._check(run, proof)
        self.store.requests.delete(run)
        self._spaces = UNREAD
        self._strange.clear()

    def last_frame(self, run: str) -> Frame | None:
        """The newest frame with the newest bulk channels; None before the first."""
        return self.store.reader.last_frame(run, self.get(run).generation)

    def weights(self, run: str) -> tuple[int, dict[str, np.ndarray]] | None:
        """Step and arrays of the newest complete checkpoint; None before the first."""
        return self.store.reader.checkpoint(run, self.get(run).generation)

    def frames(self, run: str, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The history of some channels: `seq`, `step`, `inference_step`, `epoch`, `seconds` and each name, as arrays
        (frames, *channel shape). A frame without a channel holds NaN there; a name that no frame has is left out."""
        stored = self.store.reader.frames(run, self.get(run).generation, bulk=False)
        history = [item.frame() for item in stored]
        columns = {axis: np.array([getattr(frame, axis) for frame in history]) for axis in ("seq", *AXES)}
        for name in names:
            found = [np.asarray(frame.values[name]) for frame in history if name in frame.values]
            if found:
                missing = np.full(found[-1].shape, np.nan)
                columns[name] = np.stack([np.asarray(frame.values.get(name, missing)) for frame in history])
        return columns

    def _create(self, key: str, **details: Any) -> str:
        if self.shared and not key:
            raise NotAllowed(NO_KEY)
        run = uuid.uuid4().hex
        rights: dict[str, Any] = {"id": run, "owner": digest(key), "control": digest(token(key, run))}
        try:
            return self.store.requests.create(limits=self.limits, **rights, **details)
        finally:
            self._spaces = UNREAD

    def _owner(self, key: str) -> str | None:
        """The owner whose runs are listed; None: those of all owners."""
        return digest(key) if self.shared else None

    def _is_keep(self, text: str, run: str) -> bool:
        return text.isascii() and hmac.compare_digest(text, token(self._secret, run))

    def _check(self, run: str, proof: str) -> None:
        if not self.may(self.get(run), proof):
            raise NotAllowed


@cache
def connect(settings: Settings) -> Client:
    """The one client of this process for these settings."""
    return Client(Store(settings.database), shared=settings.shared, limits=Limits.of(settings))
