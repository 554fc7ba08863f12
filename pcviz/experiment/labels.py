"""Values of options as a person reads them: "μPC" for `mupc`."""

from collections.abc import Mapping
from typing import Any

from pcviz.experiment.architectures import ARCHITECTURES
from pcviz.experiment.data import facts_of
from pcviz.experiment.parameterisations import PARAMETERISATIONS
from pcviz.experiment.rules import RULES
from pcviz.experiment.solvers import SOLVERS

NAMED: dict[str, Mapping[str, Any]] = {
    "network.architecture": ARCHITECTURES,
    "network.parameterisation": PARAMETERISATIONS,
    "inference.solver": SOLVERS,
    "learning.rule": RULES,
}
"""Fields whose values have labels of their own -> the table with these labels."""


def value_label(path: str, value: Any) -> str:
    """The value of a field in words."""
    if path == "data.name":
        return facts_of(value).label
    if path in NAMED:
        return str(NAMED[path][value].label)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).upper() if path == "network.loss" else str(value).replace("_", " ")
