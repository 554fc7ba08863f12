"""Settings of a server and its workers, from the environment. Nothing here belongs to an experiment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

from pcviz.experiment.spelling import is_plain_number
from pcviz.places import default_database

MOST_WORKERS = 256
"""Most processes of this machine for groups: more are work for a cluster."""


@dataclass(frozen=True)
class Settings:
    """`database`: SQLAlchemy URL of the store; `store_limit`: bytes above which old runs are pruned, and new ones
    refused where that is not enough; `owner_limit`: the same for the runs of one owner, on a shared server only;
    `paused_days`: days after which a paused run that was not viewed may be pruned; `idle_minutes`: minutes after which
    a run that is open in no tab is paused, on a shared server only; `shared`: only owners control runs.

    Ceilings: `streams` (of one server) and `streams_per_address`: live streams open at a time, and as many pages;
    `stream_runs`: runs that one stream may name; `request_bytes`: length of an address, and of all headers of a
    request. `proxies`: addresses whose X-Forwarded-For header is trusted.

    Sweeps and other groups run in the worker, in `sweep_workers` processes beside it, or on the Dask cluster of a
    `scheduler`."""

    database: str = "sqlite:///pcviz.db"
    store_limit: int = 2_000_000_000
    owner_limit: int = 500_000_000
    paused_days: float = 7.0
    idle_minutes: float = 10.0
    shared: bool = False
    streams: int = 2048
    streams_per_address: int = 512
    stream_runs: int = 64
    request_bytes: int = 32_768
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    sweep_workers: int = 0
    scheduler: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError if groups would run in two places."""
        if self.sweep_workers and self.scheduler:
            raise ValueError(
                f"PCVIZ_SWEEP_WORKERS: {self.sweep_workers} does not go with PCVIZ_SCHEDULER (allowed: one of the two)"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read PCVIZ_<NAME OF THE FIELD>; raises ValueError naming the variable, its value and what is allowed."""
        return cls(
            database=environment.get("PCVIZ_DATABASE") or default_database(),
            store_limit=int(_positive(environment, "PCVIZ_STORE_LIMIT", cls.store_limit)),
            owner_limit=int(_positive(environment, "PCVIZ_OWNER_LIMIT", cls.owner_limit)),
            paused_days=_positive(environment, "PCVIZ_PAUSED_DAYS", cls.paused_days),
            idle_minutes=_positive(environment, "PCVIZ_IDLE_MINUTES", cls.idle_minutes),
            shared=_switch(environment, "PCVIZ_SHARED"),
            streams=_count(environment, "PCVIZ_STREAMS", cls.streams),
            streams_per_address=_count(environment, "PCVIZ_STREAMS_PER_ADDRESS", cls.streams_per_address),
            stream_runs=_count(environment, "PCVIZ_STREAM_RUNS", cls.stream_runs),
            request_bytes=_count(environment, "PCVIZ_REQUEST_BYTES", cls.request_bytes, 2048),
            proxies=_networks(environment, "PCVIZ_PROXIES"),
            sweep_workers=_count(environment, "PCVIZ_SWEEP_WORKERS", cls.sweep_workers, 0, MOST_WORKERS),
            scheduler=environment.get("PCVIZ_SCHEDULER") or cls.scheduler,
        )


def _positive(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name) or str(default)
    value = float(text) if is_plain_number(text) else 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}: {text} is not a number above 0")
    return value


def _count(environment: Mapping[str, str], name: str, default: int, least: int = 1, most: int = 999_999_999) -> int:
    text = environment.get(name) or str(default)
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not least <= value <= most:
        raise ValueError(f"{name}: {text} is not a whole number from {least} to {most}")
    return value


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = (environment.get(name) or "0").lower()
    if text not in ("0", "1", "false", "true", "no", "yes"):
        raise ValueError(f"{name}: {text} is neither 1 nor 0")
    return text in ("1", "true", "yes")


def _networks(environment: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    text = environment.get(name) or ""
    try:
        return tuple(ip_network(entry.strip()) for entry in text.split(",") if entry.strip())
    except ValueError:
        raise ValueError(f"{name}: {text} is not a list of addresses such as 127.0.0.1, 10.0.0.0/8") from None
