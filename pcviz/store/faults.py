"""Faults of the store, each in one line that says what to do. The rest of the code sees a single exception."""

import sqlite3

_ADVICE = {
    sqlite3.SQLITE_BUSY: "is locked by another program; close that, and pcviz continues by itself",
    sqlite3.SQLITE_LOCKED: "is locked by another program; close that, and pcviz continues by itself",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space, and pcviz continues by itself",
    sqlite3.SQLITE_READONLY: "cannot be written; give write permission, or name another file in PCVIZ_DATABASE",
    sqlite3.SQLITE_PERM: "cannot be written; give write permission, or name another file in PCVIZ_DATABASE",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened or created; give permission, or name another file in PCVIZ_DATABASE",
    sqlite3.SQLITE_NOTADB: "is not a pcviz store; name another file in PCVIZ_DATABASE",
    sqlite3.SQLITE_CORRUPT: "is damaged; put a backup in its place, or move it away and restart pcviz",
    sqlite3.SQLITE_IOERR: "cannot be read or written (disk error {name}); fix that, and pcviz continues by itself",
}


_OURS = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
)
"""Mistakes of the program, not of the store."""


_DAMAGED = "is damaged ({text}); restore a backup, or empty the database and restart pcviz"
_FORBIDDEN = "cannot be used ({text}); give permission, or name another database in PCVIZ_DATABASE"
_ADVICE_BY_STATE = {
    "25006": _FORBIDDEN,  # read-only, such as a standby
    "42501": _FORBIDDEN,
    "42703": _DAMAGED,  # no such column
    "42P01": _DAMAGED,  # no such table
    "53100": "cannot grow: the disk is full; free some space, and pcviz continues by itself",
    "55P03": "is locked by another program; close that, and pcviz continues by itself",
}
"""By the SQLSTATE of a PostgreSQL server."""
_OUR_STATES = ("0A", "21", "22", "23", "42")
"""Classes of SQLSTATE that are mistakes of the program."""


class StoreFault(Exception):
    """The store cannot be used now: one line that names it, what is wrong, and what to do. It may be tried again."""


class MissingStore(StoreFault):
    """There is no store (any more) where it should be."""


def explained(error: BaseException | None, place: str) -> StoreFault | None:
    """The fault behind an exception of a database driver; None for a mistake of the program."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None if isinstance(error, sqlite3.Error) else _of_a_server(error, place)
    if advice := _ADVICE.get(code & 0xFF):
        name = getattr(error, "sqlite_errorname", "")
        return StoreFault(f"{place} {advice.format(name=name)}")
    text = " ".join(str(error).split())
    if text.startswith(("no such table", "no such column")) or "has no column" in text:
        return StoreFault(f"{place} is damaged ({text}); put a backup in its place, or move it away and restart pcviz")
    if code & 0xFF in _OURS:
        return None
    return StoreFault(f"{place} cannot be used ({text}); fix that, and pcviz continues by itself")


def _of_a_server(error: BaseException | None, place: str) -> StoreFault | None:
    """The fault behind the exception of a server's driver, by its SQLSTATE; what has none (a connection that failed) by
    its name in PEP 249."""
    state = getattr(error, "sqlstate", None) or ""
    text = " ".join(str(error).split())[:200]
    if advice := _ADVICE_BY_STATE.get(state):
        return StoreFault(f"{place} {advice.format(text=text)}")
    names = {kind.__name__ for kind in type(error).__mro__}
    if state[:2] in _OUR_STATES or not (state or names & {"OperationalError", "InterfaceError"}):
        return None
    return StoreFault(f"{place} does not answer ({text}); check the database server, and pcviz continues by itself")
