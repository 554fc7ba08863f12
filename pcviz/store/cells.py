"""Results of cells by what they follow from, so that none is computed twice."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select

from pcviz.store.database import Database
from pcviz.store.tables import cells

MOST = 200_000
"""Results that are kept: the latest ones."""
AT_ONCE = 500
"""Keys in one statement."""


class Cells:
    """A `pcviz.jobs.protocol.Memory` in a database. Results are JSON extended by NaN and infinity."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        """The results of those keys that have one."""
        found: dict[str, Any] = {}
        wanted = list(keys)
        with self._database.reading() as connection:
            for first in range(0, len(wanted), AT_ONCE):
                some = wanted[first : first + AT_ONCE]
                rows = connection.execute(select(cells.c.key, cells.c.result).where(cells.c.key.in_(some)))
                found |= {key: json.loads(result) for key, result in rows}
        return found

    def keep(self, results: Mapping[str, Any]) -> None:
        """Add results; what is known already stays. Beyond MOST the oldest go."""
        now = time.time()
        with self._database.writing() as connection:
            known = set(connection.execute(select(cells.c.key).where(cells.c.key.in_(results))).scalars())
            rows = [
                {"key": key, "result": json.dumps(result), "created_at": now}
                for key, result in results.items()
                if key not in known
            ]
            if rows:
                connection.execute(insert(cells), rows)
            if (excess := (connection.execute(select(func.count()).select_from(cells)).scalar() or 0) - MOST) > 0:
                oldest = select(cells.c.key).order_by(cells.c.created_at).limit(excess)
                connection.execute(delete(cells).where(cells.c.key.in_(oldest)))
