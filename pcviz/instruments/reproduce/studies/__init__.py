"""What studies claim and how their cells are read: one module for each, gathered in `STUDIES`."""

from importlib import import_module

from pcviz.instruments.reproduce.study import Study

MODULES = (
    "transfer",
    "forward_pass",
    "conditioning",
    "backprop",
    "deep_methods",
    "inference_budget",
    "depth_stability",
    "gamma0",
    "saddles",
    "energy_imbalance",
    "adamw_width",
)
"""In reading order."""

STUDIES: dict[str, Study] = {
    name: study for module in MODULES for name, study in import_module(f"{__name__}.{module}").STUDIES.items()
}
"""Name -> study."""
