"""What is replayed: the training up to a weight step."""

from pydantic import Field

from pcviz.experiment.section import Section

BYTES = 4_000_000
"""About how much all rows take."""
LEAST, MOST = 8, 96
"""Rows, however large or small they are."""


class Options(Section):
    """What a run of kind "replay" is told besides its parent: the weight step up to which it goes."""

    until: int = Field(ge=1)


KINDS = {"replay": None}
"""Kind of runs -> model of their options; None: any object."""
