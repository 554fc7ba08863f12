"""pcviz: a live laboratory for predictive coding networks.

Public names are resolved on first use (PEP 562), so that `import pcviz` loads neither JAX nor Streamlit.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pcviz.experiment import Experiment
    from pcviz.instruments.diagnosis.examine import diagnose
    from pcviz.jobs.history import history
    from pcviz.jobs.training import train
    from pcviz.pcn import build, relax, weight_gradients, with_weights

__version__ = "0.1.0"

_HOMES = {
    "Experiment": "pcviz.experiment",
    "build": "pcviz.pcn",
    "with_weights": "pcviz.pcn",
    "relax": "pcviz.pcn",
    "weight_gradients": "pcviz.pcn",
    "train": "pcviz.jobs.training",
    "diagnose": "pcviz.instruments.diagnosis.examine",
    "history": "pcviz.jobs.history",
}
"""Public name -> the module that holds it."""

__all__ = [
    "Experiment",
    "__version__",
    "build",
    "diagnose",
    "history",
    "relax",
    "train",
    "weight_gradients",
    "with_weights",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pcviz' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # a later import of the submodule of the same name must not win, and the next use is direct
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
