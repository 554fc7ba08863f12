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
    """The fault behind the exception of a server's driver: PEP 249 names those that are no mistake of the program."""
    if error is None or not {"OperationalError", "InterfaceError"} & {kind.__name__ for kind in type(error).__mro__}:
        return None
    reason = " ".join(str(error).split())[:200]
    return StoreFault(f"{place} does not answer ({reason}); check the database server, and pcviz continues by itself")
