"""Describes a run in one line, for images of panels."""

from typing import Any

import pcviz
from pcviz.experiment import Experiment, fields
from pcviz.experiment.faults import shown
from pcviz.experiment.labels import value_label
from pcviz.experiment.looks import LookOptions
from pcviz.instruments import options_of

NAMED = ("data.name", "network.activation", "network.depth", "network.width", "seed")
"""Fields that the line always contains, in its own words."""


def line(experiment: Experiment, kind: str = "train", options: dict[str, Any] | None = None) -> str:
    """Data, network, settings that differ from the defaults, the options of a run of this kind, seed, version."""
    model = options_of(kind, options or {})
    chosen, version = _options_text(model), f"pcviz {pcviz.__version__}"
    if model is not None and not model.OF_NETWORK:
        return f"{chosen} · {version}"
    network, titles = experiment.network, fields()
    others = [
        f"{titles[path].title} {value_label(path, value)}"
        for path, value in experiment.differences().items()
        if path not in NAMED
    ]
    parts = [
        f"{experiment.data.name}, {network.activation} {network.depth} × {network.width}",
        ", ".join(others),
        chosen,
        f"seed {experiment.seed}",
        version,
    ]
    return " · ".join(part for part in parts if part)


def _options_text(model: LookOptions | None) -> str:
    """The options that differ from their defaults; all options if the look has no network. Solvers are left out: the
    legend names them."""
    if model is None:
        return ""
    values = model.model_dump(exclude={"solvers"}, exclude_defaults=model.OF_NETWORK)
    values |= {name: ", ".join(value) for name, value in values.items() if isinstance(value, tuple)}
    source = values.pop("source", None)
    parts = [f"weights of run {source[:8]}"] if source else []
    return ", ".join([*parts, *(f"{name.replace('_', ' ')} {shown(value)}" for name, value in values.items())])
