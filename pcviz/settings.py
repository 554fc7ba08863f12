"""Settings of a server and its workers, from the environment. Nothing here belongs to an experiment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pcviz.places import default_database
from pcviz.spelling import is_plain_number


@dataclass(frozen=True)
class Settings:
    """`database`: SQLAlchemy URL of the store; `store_limit`: bytes above which old runs are pruned, and new ones
    refused where that is not enough; `owner_limit`: the same for the runs of one owner, on a shared server only;
    `paused_days`: a paused run that nobody looked at for longer may be pruned; `idle_minutes`: a run that is open in no
    tab for longer is paused, on a shared server only; `shared`: only owners control runs."""

    database: str = "sqlite:///pcviz.db"
    store_limit: int = 2_000_000_000
    owner_limit: int = 500_000_000
    paused_days: float = 7.0
    idle_minutes: float = 10.0
    shared: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read PCVIZ_DATABASE, PCVIZ_STORE_LIMIT and so on; raises ValueError naming the variable, its value and what
        is allowed."""
        return cls(
            database=environment.get("PCVIZ_DATABASE") or default_database(),
            store_limit=int(_positive(environment, "PCVIZ_STORE_LIMIT", cls.store_limit)),
            owner_limit=int(_positive(environment, "PCVIZ_OWNER_LIMIT", cls.owner_limit)),
            paused_days=_positive(environment, "PCVIZ_PAUSED_DAYS", cls.paused_days),
            idle_minutes=_positive(environment, "PCVIZ_IDLE_MINUTES", cls.idle_minutes),
            shared=_switch(environment, "PCVIZ_SHARED"),
        )


def _positive(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name) or str(default)
    value = float(text) if is_plain_number(text) else 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}: {text} is not a number above 0")
    return value


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = (environment.get(name) or "0").lower()
    if text not in ("0", "1", "false", "true", "no", "yes"):
        raise ValueError(f"{name}: {text} is neither 1 nor 0")
    return text in ("1", "true", "yes")
