"""Where pcviz writes by default: in the working directory, else in the user's own folders."""

import logging
import os
import sys
from functools import cache
from pathlib import Path

LOG = logging.getLogger(__name__)
NAME = "pcviz.db"


@cache
def default_database() -> str:
    """URL of the store where PCVIZ_DATABASE is not set: `pcviz.db` in the working directory, or in the user's data
    folder if that is read-only. The same for the whole life of the process.

    Raises ValueError if neither can be written.
    """
    here = Path.cwd()
    if (here / NAME).exists() or os.access(here, os.W_OK):
        return f"sqlite:///{NAME}"
    folder = _folder("XDG_DATA_HOME", ".local/share")
    if folder is None or not _can_make(folder):
        nor = "there is no home folder" if folder is None else f"{folder} cannot be written"
        raise ValueError(
            f"PCVIZ_DATABASE: not set, {here} cannot be written and {nor} (allowed: a database URL, such as "
            "sqlite:////tmp/pcviz.db)"
        )
    LOG.warning("%s cannot be written: runs are kept in %s (PCVIZ_DATABASE names another place)", here, folder / NAME)
    return f"sqlite:///{quoted(folder / NAME)}"


def cache_folder(name: str) -> Path | None:
    """A folder of this name in the user's cache, for files that can be made anew; None if it cannot be written."""
    folder = _folder("XDG_CACHE_HOME", ".cache")
    return folder / name if folder is not None and _can_make(folder / name) else None


def ensure_home(folder: Path) -> None:
    """Streamlit does not start for a user without a home folder, as in containers: `folder` takes its place."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(folder)


def quoted(path: Path) -> str:
    """A path as part of a database URL, where `%`, `?` and `#` have a meaning."""
    return str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def _folder(variable: str, below_home: str) -> Path | None:
    named = os.environ.get(variable)
    if named and Path(named).is_absolute():  # relative ones are to be ignored (XDG Base Directory Specification)
        return Path(named) / "pcviz"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "pcviz"
    try:
        home = Path.home()
    except RuntimeError:  # a user without an account entry, as in containers
        return None
    return home / below_home / "pcviz"


def _can_make(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
