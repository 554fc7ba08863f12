"""What the network view shows: which example, and how a relaxation is packed for the screen."""

from pydantic import Field

from pcviz.experiment.looks import AtStep

UNITS = 64
"""Most cells of a tile: wider layers show the greatest magnitude of neighbouring units."""
COLUMNS = 192
"""Most columns: in deeper networks neighbouring layers share one, which shows the greatest magnitude of each unit."""
CELLS = 200_000
"""Most cells of each of the three quantities, over all recorded steps: a relaxation takes a megabyte on the wire."""
NUMBERS = 40_000
"""Most numbers of each of the three quantities of the layer of which all are sent: a megabyte more."""
EDGES = 2**16
"""Most weights of that layer that are sent."""

LEAST, DECADES = 1e-12, 14
"""Codes of signed numbers: logarithms of magnitudes from LEAST on, over so many decades."""


class Options(AtStep):
    """What a run of kind "network" is told besides its parent: the example, by its place in the test set, and the
    layer (1 … L) of which all numbers are sent."""

    example: int = Field(0, ge=0)
    layer: int | None = Field(None, ge=1)


KINDS = {"network": None}
"""Kind of runs -> model of their options; None: any object."""
