"""Versions of the tables: which one a store has, and its upgrade to the current one (with Alembic).

A version is a whole number; `migrations/versions/v<n>_<what>.py` makes n from n - 1. Stores of the first release have
no number. To change the tables: edit `tables.py`, add the next file, and a store of the previous version to the tests.
"""

import re
from pathlib import Path

from sqlalchemy import Connection, Inspector, inspect, text

from pcviz.store.faults import StoreFault

FOLDER = Path(__file__).parent / "migrations"
CURRENT = max(int(found[1]) for path in FOLDER.glob("versions/v*.py") if (found := re.match(r"v(\d+)_", path.name)))
TABLE = "alembic_version"


def version_of(connection: Connection, place: str) -> int | None:
    """The version of the tables, 0 for a store of the first release, None where there are no tables yet. Only reads.

    Raises StoreFault for a version that this pcviz does not know and for tables of another program.
    """
    found = inspect(connection)
    names = set(found.get_table_names())
    if not names:
        return None
    version = str(connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalar()) if TABLE in names else "0"
    if not _is_ours(found, names) or not version.isdigit() or version != str(int(version)):
        raise StoreFault(f"{place} belongs to another program; name another store in PCVIZ_DATABASE")
    if int(version) > CURRENT:
        raise StoreFault(
            f"{place} has version {version}, and this pcviz knows versions up to {CURRENT}: a later pcviz wrote it; "
            "start that one, or name another store in PCVIZ_DATABASE"
        )
    return int(version)


def _is_ours(found: Inspector, names: set[str]) -> bool:
    """Whether pcviz made these tables: some may be missing, and other programs may have a table `runs` too."""
    return "runs" in names and "experiment_json" in {column["name"] for column in found.get_columns("runs")}


def upgrade(connection: Connection, place: str) -> None:
    """Upgrade the tables to the current version, in `connection`'s transaction. Raises StoreFault if that fails."""
    from alembic import command  # only a store that is not up to date waits for these imports
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, "head")
    except StoreFault:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise StoreFault(
            f"{place} cannot be brought to version {CURRENT} ({reason}); nothing was changed: name another store in "
            "PCVIZ_DATABASE, or start the pcviz that wrote it"
        ) from error
