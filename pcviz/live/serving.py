"""Whether other machines can reach this server, and whether it is shared."""

import os
from dataclasses import replace
from ipaddress import ip_address

from streamlit import config

from pcviz.settings import Settings

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

SPARE_FILES = 512
"""Files besides two for each page: store, scripts, worker, and a backlog of connections."""
SHARED = "only the browser that started a run controls it."


def settings() -> Settings:
    """Settings of this server, from the environment. Without PCVIZ_SHARED, a server is shared if other machines can
    reach it. Raises ValueError as `Settings.from_environment`."""
    found = Settings.from_environment()
    return found if os.environ.get("PCVIZ_SHARED") else replace(found, shared=is_open())


def is_open() -> bool:
    """Whether the server listens on more than this machine's loopback: `server.address` is none, or not localhost."""
    address = (config.get_option("server.address") or "").lower()
    try:
        return not ip_address(address).is_loopback
    except ValueError:
        return address != "localhost"


def note() -> str | None:
    """Who can reach this server and who controls runs there, in a sentence; None if it is neither open nor shared."""
    shared = settings().shared
    if is_open():
        rule = SHARED if shared else "everybody there controls every run (PCVIZ_SHARED=0)."
        return f"Other machines can reach this server: {rule}"
    return f"This server is shared: {SHARED}" if shared else None


def make_room(given: Settings) -> None:
    """Let this process open as many connections as the ceilings allow: many systems allow 1024 files by default."""
    if resource is None:
        return
    wanted = 2 * given.streams + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
