"""Where this server stands: on its own machine alone, or open to others, and whose rules hold there."""

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
"""Besides two for each page: store, scripts, worker, and a backlog of connections."""
SHARED = "only the browser that started a run controls it."


def settings() -> Settings:
    """Settings of this server: the environment's. One that other machines can reach is shared, unless PCVIZ_SHARED says
    in so many words that it is not. Raises ValueError as `Settings.from_environment`."""
    given = Settings.from_environment()
    return given if os.environ.get("PCVIZ_SHARED") else replace(given, shared=is_open())


def is_open() -> bool:
    """Whether the server listens on more than this machine's loopback: `server.address` is none, or not localhost."""
    address = (config.get_option("server.address") or "").lower()
    try:
        return not ip_address(address).is_loopback
    except ValueError:
        return address != "localhost"


def note() -> str | None:
    """Who can reach this server and who controls runs there, in a sentence; None where nobody else is."""
    shared = settings().shared
    if is_open():
        rule = SHARED if shared else "everybody there controls every run (PCVIZ_SHARED=0)."
        return f"Other machines can reach this server: {rule}"
    return f"This server is shared: {SHARED}" if shared else None


def make_room(given: Settings) -> None:
    """Let this process hold as many connections as the ceilings allow: systems begin with 1024 files, often."""
    if resource is None:
        return
    wanted = 2 * given.streams + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
