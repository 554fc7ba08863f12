"""How cells of studies are measured: one module for each kind, gathered in `MEASURES`."""

from importlib import import_module

from pcviz.instruments.reproduce.measures.base import Measure
from pcviz.instruments.reproduce.studies import MODULES

MEASURES: dict[str, Measure] = {
    name: measure for module in MODULES for name, measure in import_module(f"{__name__}.{module}").MEASURES.items()
}
"""Name of a study -> how it is measured."""
