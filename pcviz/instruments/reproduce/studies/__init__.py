"""What studies claim and how their cells are read: one module for each, gathered in `STUDIES`."""

from importlib import import_module

from pcviz.instruments.reproduce.study import Study

MODULES = (
    "transfer",
    "backprop",
    "stable_family",
    "gamma0",
    "depth_stability",
    "initialisation",
    "energy_imbalance",
    "adamw_width",
    "activity_decay",
    "forward_pass",
    "conditioning",
    "pc_alm",
    "trust_region",
    "escape",
    "saddles",
    "matrix_completion",
    "deep_methods",
    "inference_budget",
)
"""In reading order."""

STUDIES: dict[str, Study] = {
    name: study for module in MODULES for name, study in import_module(f"{__name__}.{module}").STUDIES.items()
}
"""Name -> study."""
