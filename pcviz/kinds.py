"""Kinds of runs, and what each is told besides its experiment. The work itself is in `pcviz.jobs.JOBS`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from pcviz import chains, comparison, curvatures, landscapes
from pcviz.faults import shown

KINDS: dict[str, type[BaseModel] | None] = {
    "train": None,
    "landscape": None,
    "boundary": None,
    "relax": comparison.Options,
    "surface": landscapes.Options,
    "walk": None,
    "chain": chains.Options,
    "curvature": curvatures.Options,
}
"""Kind -> model of its options; None: any object."""


def options_of(kind: str, options: Any) -> BaseModel | None:
    """The options of a run in the model of its kind. Raises ValueError for an unknown kind and options that do not fit
    it (pydantic.ValidationError where a value is wrong)."""
    if kind not in KINDS:
        raise ValueError(f"kind: {shown(kind)} is unknown here (allowed: {', '.join(KINDS)})")
    if not isinstance(options, dict):
        raise ValueError(f"options: {shown(options)} is not a set of options")
    model = KINDS[kind]
    return None if model is None else model.model_validate(options)
