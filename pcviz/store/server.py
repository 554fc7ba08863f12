"""A store on a PostgreSQL server: what its connections are told, how writers take turns, what others have written."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

DRIVER = "psycopg"
LOCK = 0x70637669
"""Key of the lock that a process holds while it writes or migrates."""
BUSY_SECONDS = 8
"""A writer waits this long for its turn."""
IDLE_SECONDS = 5
"""A writer that is silent for so long in its turn loses it. Shorter than a lease lasts: others must not lose theirs."""
TAKE_TURN = f"SELECT pg_advisory_xact_lock({LOCK}), pg_notify('pcviz', '')"
SNAPSHOT = "REPEATABLE READ"
"""Level of isolation at which all statements see one state of the database."""
CONNECTION: Mapping[str, str | int] = {
    "application_name": "pcviz",
    "connect_timeout": 5,
    "options": f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout={IDLE_SECONDS}s",
    # A server that vanished is noticed within a dozen seconds instead of two hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
"""Parameters of connections; a URL may say otherwise."""


def begin(connection: Connection) -> None:
    """At the begin of a write transaction, wait until no other process writes, so that writers never meet: no deadlock,
    and nothing changes between what they read and what they write. Those who listen hear of the commit."""
    options = connection.get_execution_options()
    if not options.get("immediate", False):
        return
    if "patience" in options:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{options['patience']}s'")
    connection.exec_driver_sql(TAKE_TURN)


def listen(driver: Any, about: dict[Any, Any]) -> None:
    """Collect on this connection of the driver what `heard` reports; `about` is its `info`."""
    about["listens"] = True
    driver.execute("LISTEN pcviz")
    driver.commit()


def close_listener(_driver: Any, record: Any) -> None:
    """Close a connection that listens when it returns to the pool: nobody would take there what it hears."""
    if record.info.get("listens"):
        record.invalidate()


def heard(driver: Any) -> bool:
    """Whether other connections committed writes since the last call; asks nobody, so that it takes microseconds."""
    own = driver.info.backend_pid
    return any([note.pid != own for note in driver.notifies(timeout=0)])  # a list: all of them are taken
