"""One poller for all live streams: reads what is new once, and gives each subscriber what it has not seen.

A subscriber's position is its cursor: per run the generation and seq delivered last, and the state shown last. A
subscriber that is busy is served at a later tick, so the last event is never lost. The poller's thread ends with the
last subscriber.
"""

import asyncio
import logging
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeAlias

import orjson

from pcviz.frames import HEAD
from pcviz.store import RunRecord, Store, StoredFrame, StoreFault, Watcher

LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.05
FAULT_SECONDS = 1.0
FRAME_SECONDS = 0.1
"""Least time between two batches that hold frames only; changes of state are sent at once."""
RENEW_SECONDS = 30.0
PAGE = 500
"""Most frames of one run in a batch: a long history arrives in pages."""
RUNS_PER_QUERY = 500
ENTRY_BYTES = 64
"""More bytes than an entry of a cursor takes in an address."""

SHOWN = ("generation", "state", "message", "device", "restarts", "wanted")
"""Columns of a run whose change is sent as an event."""
STATE = (*SHOWN, "parent", "kind", "step", "steps", "seconds")
"""Columns that such an event carries, besides the run's id."""
Shown: TypeAlias = tuple[object, ...]

Cursor: TypeAlias = dict[str, tuple[int, int]]
"""Run -> (generation, seq) of the last frame delivered."""


class Subscriber:
    """One open stream of `runs`, which renews those that are `kept`. The event loop awaits `batch`; the poller fills
    it. `END` is the last batch."""

    END = b""

    def __init__(self, runs: Iterable[str], cursor: Cursor, kept: Iterable[str] = (), most_entries: int = 256) -> None:
        self.runs = tuple(runs)
        self.kept = tuple(kept)
        self.cursor = dict(cursor)
        self._most_entries = most_entries
        self.states: dict[str, Shown] = {}
        self._fault = ""
        self.sent_at = float("-inf")
        self.behind = True
        self.busy = False
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()

    async def batch(self, timeout: float) -> bytes | None:
        """The next events; None when there was nothing for `timeout` seconds."""
        self.busy = False
        try:
            return await asyncio.wait_for(self._queue.get(), timeout)
        except TimeoutError:
            return None

    def event(self, name: str, data: bytes) -> bytes:
        """An event whose id is the position after it. A position that is too long is cut: frames of omitted runs are
        sent again after a reconnection, and the browser recognises them by their seq."""
        position = format_cursor(self.cursor)
        if len(self.cursor) > self._most_entries:
            ordered = sorted(self.cursor, key=lambda run: run not in self.runs)
            position = format_cursor({run: self.cursor[run] for run in ordered[: self._most_entries]})
        return b"event: %b\nid: %b\ndata: %b\n\n" % (name.encode(), position.encode(), data)

    def tell(self, fault: str) -> None:
        """Send a fault of the store, once; "" when the store can be used again."""
        if fault != self._fault:
            self._fault = fault
            self.give(self.event("fault", orjson.dumps({"message": fault})))

    def give(self, batch: bytes) -> None:
        """Hand over events, from any thread."""
        self.busy = True
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, batch)
        except RuntimeError:
            LOG.debug("A stream's event loop is gone")


class Hub:
    """All subscribers of one server."""

    def __init__(self, store: Store, worker_fault: Callable[[], str] = lambda: "") -> None:
        """`worker_fault` returns why the worker cannot use the store, "" if it can."""
        self._store = store
        self._worker_fault = worker_fault
        self._subscribers: set[Subscriber] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def subscribe(self, subscriber: Subscriber) -> None:
        """Serve a stream from now on."""
        with self._lock:
            self._subscribers.add(subscriber)
            if self._thread is None:
                self._thread = threading.Thread(target=self._poll, name="pcviz-stream", daemon=True)
                self._thread.start()
        if self._closed:
            subscriber.give(Subscriber.END)
        self._wake.set()

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Stop serving a stream: its client has left."""
        with self._lock:
            self._subscribers.discard(subscriber)
        self._wake.set()

    def close(self) -> None:
        """End all streams, also those opened later, because the server stops. Takes no lock, so that a signal handler
        may call it."""
        self._closed = True
        for subscriber in tuple(self._subscribers):
            subscriber.give(Subscriber.END)
        self._wake.set()

    def _poll(self) -> None:
        watcher: Watcher | None = None
        renewed_at = time.monotonic()
        while (listening := self._listening()) is not None:
            fault, pause = self._worker_fault(), POLL_SECONDS
            try:
                watcher = watcher or Watcher(self._store.database)
                if watcher.changed():
                    for subscriber in listening:
                        subscriber.behind = True
                self._serve([item for item in listening if item.behind and not item.busy])
                if time.monotonic() - renewed_at > RENEW_SECONDS:
                    renewed_at = time.monotonic()
                    for runs in _chunks({run for item in listening for run in item.kept}):
                        self._store.requests.renew(runs)
            except StoreFault as error:
                fault, pause = str(error), FAULT_SECONDS
                _close(watcher)
                watcher = None
            except Exception:
                LOG.exception("Cannot serve the streams")
                pause = FAULT_SECONDS
            for subscriber in listening:
                subscriber.tell(fault)
            self._wake.wait(pause)
            self._wake.clear()
        _close(watcher)

    def _listening(self) -> tuple[Subscriber, ...] | None:
        """The subscribers; None if there are none: then the thread ends."""
        with self._lock:
            if not self._subscribers:
                self._thread = None
                return None
            return tuple(self._subscribers)

    def _serve(self, subscribers: list[Subscriber]) -> None:
        if not subscribers:
            return
        families: dict[str, dict[str, RunRecord]] = defaultdict(dict)
        for runs in _chunks({run for item in subscribers for run in item.runs}):
            for record in self._store.reader.families(runs):
                families[record.id][record.id] = families[record.parent or record.id][record.id] = record
        pages: dict[tuple[str, int, int], list[StoredFrame]] = {}
        for subscriber in subscribers:
            records = {key: record for run in subscriber.runs for key, record in families[run].items()}
            self._serve_one(subscriber, list(records.values()), pages)

    def _serve_one(
        self, subscriber: Subscriber, records: list[RunRecord], pages: dict[tuple[str, int, int], list[StoredFrame]]
    ) -> None:
        """Give a subscriber its next batch; subscribers at the same position share the frames read."""
        changed = [record for record in records if subscriber.states.get(record.id) != _shown(record)]
        early = time.monotonic() - subscriber.sent_at < FRAME_SECONDS
        if early and not changed:
            return  # still behind, so a later tick serves it
        events: list[bytes] = []
        complete = True
        there = {record.id for record in records}
        subscriber.cursor = {run: place for run, place in subscriber.cursor.items() if run in there}
        for record in records:
            generation, seq = subscriber.cursor.get(record.id, (0, 0))
            after = seq if generation == record.generation else 0
            if record.seq > after:
                place = (record.id, record.generation, after)
                if place not in pages:
                    pages[place] = self._store.reader.frames(*place, limit=PAGE)
                for frame in pages[place]:
                    subscriber.cursor[record.id] = (frame.generation, frame.seq)
                    events.append(subscriber.event("frame", _frame(frame, record.parent)))
                after = subscriber.cursor.get(record.id, (0, after))[1]
            # A state is sent only after all frames up to it.
            if after < record.seq:
                complete = False
            elif record in changed:
                subscriber.states[record.id] = _shown(record)
                events.append(subscriber.event("state", _state(record)))
        if complete:
            subscriber.behind = False
        if complete and all(record.ended or record.unreadable for record in records):
            events.append(subscriber.event("end", orjson.dumps({"runs": subscriber.runs})))
            subscriber.tell("")
            subscriber.give(b"".join(events))
            subscriber.give(Subscriber.END)
        elif events:
            subscriber.sent_at = time.monotonic()
            subscriber.give(b"".join(events))


_ENTRY = re.compile(r"([0-9a-f]{32})\.([0-9]{1,9})\.([0-9]{1,9})")


def _close(watcher: Watcher | None) -> None:
    """Close a connection that may be broken."""
    if watcher is not None:
        with suppress(Exception):
            watcher.close()


def _chunks(wanted: Iterable[str]) -> Iterator[list[str]]:
    """Runs in lists that fit into one query."""
    runs = sorted(wanted)
    for first in range(0, len(runs), RUNS_PER_QUERY):
        yield runs[first : first + RUNS_PER_QUERY]


def parse_cursor(text: str, most: int = 16_384) -> Cursor:
    """`<run>.<generation>.<seq>` joined by commas, of at most `most` characters; raises ValueError."""
    if len(text) > most:
        raise ValueError(f"{len(text)} characters (allowed: up to {most})")
    cursor: Cursor = {}
    for entry in filter(None, text.split(",")):
        found = _ENTRY.fullmatch(entry)
        if found is None:
            raise ValueError(f"{entry[:64]!r} is not <run>.<generation>.<seq>")
        cursor[found[1]] = (int(found[2]), int(found[3]))
    return cursor


def format_cursor(cursor: Cursor) -> str:
    """Inverse of `parse_cursor`."""
    return ",".join(f"{run}.{generation}.{seq}" for run, (generation, seq) in cursor.items())


def _frame(frame: StoredFrame, parent: str | None) -> bytes:
    head = {name: getattr(frame, name) for name in HEAD}
    return orjson.dumps(head | {"parent": parent})[:-1] + b',"values":' + frame.values_json.encode() + b"}"


def _shown(record: RunRecord) -> Shown:
    return tuple(getattr(record, name) for name in SHOWN)


def _state(record: RunRecord) -> bytes:
    return orjson.dumps({"run": record.id} | {name: getattr(record, name) for name in STATE})
