"""How cells of studies are measured: one module for each kind, gathered in `MEASURES`."""

from importlib import import_module

from pcviz.instruments.reproduce.measures.base import Measure

MODULES = (
    "transfer",
    "forward_pass",
    "conditioning",
    "backprop",
    "deep_methods",
    "inference_budget",
    "depth_stability",
    "courses",
    "energy_imbalance",
    "adamw_width",
)

MEASURES: dict[str, Measure] = {
    name: measure for module in MODULES for name, measure in import_module(f"{__name__}.{module}").MEASURES.items()
}
"""Name of a study -> how it is measured."""
