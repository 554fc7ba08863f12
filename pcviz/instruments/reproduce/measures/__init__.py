"""How cells of studies are measured: one module for each kind, gathered in `MEASURES`."""

from importlib import import_module

from pcviz.instruments.reproduce.measures.base import Measure

MODULES = (
    "adamw_width",
    "backprop",
    "conditioned",
    "conditioning",
    "courses",
    "deep_methods",
    "depth_stability",
    "energy_imbalance",
    "escape",
    "forward_pass",
    "inference_budget",
    "matrix_completion",
    "pc_alm",
    "stable_family",
    "transfer",
    "trust_region",
)

MEASURES: dict[str, Measure] = {
    name: measure for module in MODULES for name, measure in import_module(f"{__name__}.{module}").MEASURES.items()
}
"""Name of a study -> how it is measured."""
