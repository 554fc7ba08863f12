"""Instruments: one folder for each thing that measures and shows, with its options, channels, job, figures and view.

A part is a module of the folder that holds a table; all tables of a part are gathered here. Options and channels are
light and shared by server and worker. Jobs are gathered in `pcviz.instruments.jobs`, which the server never loads,
figures in `pcviz.instruments.panels` and views in `pcviz.instruments.views`, which the worker never loads.
"""

from importlib import import_module
from typing import Any

from pcviz.experiment.faults import shown
from pcviz.experiment.looks import LookOptions
from pcviz.frames import FOLLOWED, PROGRESS, Channel

INSTRUMENTS = (
    "training",
    "relaxation",
    "plane",
    "chain",
    "curvature",
    "reproduce",
    "diagnosis",
    "network",
    "predictions",
    "replay",
    "sweep",
    "family",
)
"""Folders, in reading order."""


def gathered(part: str, table: str) -> dict[str, Any]:
    """The entries of `table` in the module `part` of every instrument. Raises ValueError if two have one name."""
    entries: dict[str, Any] = {}
    for instrument in INSTRUMENTS:
        own = getattr(import_module(f"{__name__}.{instrument}.{part}"), table)
        if taken := entries.keys() & own.keys():
            raise ValueError(f"{table} of {instrument}: another instrument has {', '.join(sorted(taken))} already")
        entries |= own
    return entries


KINDS: dict[str, type[LookOptions] | None] = gathered("options", "KINDS")
"""Kind of run -> model of its options; None: any object."""

CHANNELS: dict[str, Channel] = {**PROGRESS, **FOLLOWED, **gathered("channels", "CHANNELS")}
"""Every channel of a frame by name: what jobs fill, the store keeps, the stream carries and figures draw."""


def options_of(kind: str, options: Any) -> LookOptions | None:
    """The options of a run in the model of its kind. Raises ValueError for an unknown kind and options that do not fit
    it (pydantic.ValidationError where a value is wrong)."""
    if kind not in KINDS:
        raise ValueError(f"kind: {shown(kind)} is unknown here (allowed: {', '.join(KINDS)})")
    if not isinstance(options, dict):
        raise ValueError(f"options: {shown(options)} is not a set of options")
    model = KINDS[kind]
    return None if model is None else model.model_validate(options)
