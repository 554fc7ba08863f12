"""The store: runs, what each should do and what it does, their frames and checkpoints. Server and workers share it.

One SQLite file by default, a PostgreSQL database by setting. Three classes fix which process writes what: `Requests`
has the writes of the server, `Observations` those of a worker, `Reader` what both may read.
"""

from pcviz.store.cells import Cells
from pcviz.store.database import Database, Watcher
from pcviz.store.faults import StoreFault
from pcviz.store.observations import Lost, Observations
from pcviz.store.reader import Reader, StoredFrame
from pcviz.store.records import TERMINAL, RunRecord, UnknownRun, Unreadable
from pcviz.store.requests import Requests
from pcviz.store.room import Limits, StoreFull

__all__ = [
    "TERMINAL",
    "Database",
    "Limits",
    "Lost",
    "Observations",
    "Reader",
    "Requests",
    "RunRecord",
    "Store",
    "StoreFault",
    "StoreFull",
    "StoredFrame",
    "UnknownRun",
    "Unreadable",
    "Watcher",
]


class Store:
    """A database with its reader and the server's requests. Safe to use from any thread.

    It opens at its first use; until it can be opened, and whenever it cannot be used, calls raise `StoreFault`.
    `founding`: see `Database`.
    """

    def __init__(self, url: str, *, founding: bool = True) -> None:
        self.database = Database(url, founding=founding)
        self.reader = Reader(self.database)
        self.requests = Requests(self.database)
        self.cells = Cells(self.database)

    def observations(self, worker: str) -> Observations:
        """The writes of the worker named `worker`; to be used by one thread only."""
        return Observations(self.database, worker)

    def close(self) -> None:
        """Close idle connections."""
        self.database.close()
