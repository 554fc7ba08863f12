"""What was run, in the one line that images of panels carry."""

from __future__ import annotations

from typing import Any

import pcviz
from pcviz.experiment import Experiment, fields
from pcviz.faults import shown
from pcviz.kinds import options_of
from pcviz.store import RunRecord

NAMED = ("data.name", "network.activation", "network.depth", "network.width", "seed")
"""Fields that the line always tells, in words of their own."""
OF_NO_NETWORK = "chain"


def line(experiment: Experiment, record: RunRecord | None = None) -> str:
    """Data, network, whatever differs from the defaults, seed, version; and what a run that looks at something was
    told, without its list of solvers, which the legend has."""
    told = [] if record is None else _told(record)
    if record is not None and record.kind == OF_NO_NETWORK:
        return " · ".join([*told, f"pcviz {pcviz.__version__}"])
    network, titles = experiment.network, fields()
    others = [
        f"{titles[path].title} {shown(value)}" for path, value in experiment.differences().items() if path not in NAMED
    ]
    return " · ".join(
        [
            f"{experiment.data.name}, {network.activation} {network.depth} × {network.width}",
            *([", ".join(others)] if others else []),
            *told,
            f"seed {experiment.seed}",
            f"pcviz {pcviz.__version__}",
        ]
    )


def _told(record: RunRecord) -> list[str]:
    """The options of a run that differ from their defaults; of chains all, for there is nothing else to tell."""
    options = options_of(record.kind, record.options)
    if options is None:
        return []
    values: dict[str, Any] = options.model_dump(exclude_defaults=record.kind != OF_NO_NETWORK)
    parts = []
    if source := values.pop("source", None):
        parts.append(f"weights of run {source[:8]}")
    values.pop("solvers", None)
    parts += [f"{name.replace('_', ' ')} {shown(value)}" for name, value in values.items() if value is not None]
    return [", ".join(parts)] if parts else []
