"""Versions of the experiment: documents and addresses of earlier versions keep their meaning.

A version is a whole number: field `schema` of a document, key `v` of an address (none: the first release). It goes up
when a field is renamed or removed, when a value changes its meaning, and when a default changes. To raise it: add the
step from the present version to `UPGRADES`, the new defaults to `DEFAULTS` and `FOLLOWING`, and the new number to
`Experiment`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pcviz.experiment.descent import descent

Values: TypeAlias = dict[str, Any]
"""An experiment as field path -> value, without its version: {"network.depth": 8, "seed": 1}."""

FIRST = 1

UPGRADES: dict[int, Callable[[Values], Values]] = {1: dict}
"""Version n -> a function from values of version n to values of version n + 1, which leaves unknown values alone."""

_FIRST_RELEASE: Values = {
    "network.architecture": "mlp",
    "network.depth": 16,
    "network.width": 64,
    "network.activation": "relu",
    "network.parameterisation": "mupc",
    "network.skips": True,
    "network.biases": False,
    "network.auxiliary": 2,
    "network.loss": "mse",
    "network.gamma": 1.0,
    "network.output_precision": 1.0,
    "inference.solver": "gradient_descent",
    "inference.steps": "depth",
    "inference.step_size": 0.3,
    "inference.momentum": 0.9,
    "inference.initial": "feedforward",
    "inference.precision_schedule": "constant",
    "inference.spike_alpha": 1e-3,
    "inference.precision_decay": 1.0,
    "inference.nudging": "none",
    "inference.nudge_strength": 0.1,
    "inference.output_clamp": "soft",
    "inference.activity_decay": 0.0,
    "learning.rule": "pc",
    "learning.optimiser": "adam",
    "learning.learning_rate": "auto",
    "learning.adam_epsilon": 1e-8,
    "learning.lr_scaling": "none",
    "learning.forward_update": False,
    "learning.layer_rates": "1",
    "learning.batch_size": 64,
    "learning.steps": 200,
    "learning.weight_decay": 0.0,
    "learning.weight_norm": "none",
    "data.name": "digits",
    "data.train_size": "all",
    "data.test_size": "all",
    "seed": 0,
    "dtype": "float32",
}

DEFAULTS: dict[int, Values] = {
    1: _FIRST_RELEASE,
    # Relaxations of the first release ended before the layers near the input had learned anything.
    2: {**_FIRST_RELEASE, "inference.solver": "momentum", "inference.steps": "4depth", "inference.step_size": 0.1},
}
"""Version -> what addresses of that version leave out (`network.initialisation` follows the parameterisation)."""

_OF_RULES: dict[str, Mapping[str, Any]] = {
    "zil": descent(1.0, "depth"),
    "fixed_prediction": descent(1.0, "depth"),
    "strict": descent(0.3, "4depth"),
}
_OF_SCHEDULES = dict.fromkeys(("spiking", "decaying", "decaying_normalised"), descent(0.3, "depth"))

FOLLOWING: dict[int, dict[str, dict[str, Mapping[str, Any]]]] = {
    1: {"learning.rule": _OF_RULES},
    2: {"inference.precision_schedule": _OF_SCHEDULES, "learning.rule": _OF_RULES},
}
"""Version -> field -> its value -> the defaults that belong to it, instead of those above; the last field prevails."""


def current() -> int:
    """The version that this code writes."""
    return max(DEFAULTS)


def defaults_of(version: int, values: Mapping[str, Any]) -> Values:
    """The defaults of a version where the other options have these `values`."""
    found = dict(DEFAULTS[version])
    for path, choices in FOLLOWING[version].items():
        chosen = values.get(path)
        found |= choices.get(chosen, {}) if isinstance(chosen, str) else {}
    return found


def upgraded(values: Values, version: int) -> Values:
    """Values of an earlier version as values of the present version; present values stay as they are."""
    for step in range(version, current()):
        values = UPGRADES[step](values)
    return values


def upgraded_document(document: Values) -> Values:
    """A nested document of an earlier version as one of the present version; all others as they are.

    Options that a document of an earlier version leaves out take the defaults of that version.
    """
    version = document.get("schema")
    if type(version) is not int or not FIRST <= version < current():
        return document
    rest = {key: value for key, value in document.items() if key != "schema"}
    given = flatten(rest)
    values = upgraded({**defaults_of(version, given), **given}, version)
    return {"schema": current(), **unflatten(values)}


def upgraded_link(values: Mapping[str, Any], version: int, *, whole: bool) -> Values:
    """The values that an address of an earlier version holds, in the present version.

    `whole`: no other source fills in what it leaves out, so defaults that have changed since are added.
    """
    if version == current():
        return dict(values)
    then = defaults_of(version, values)
    meant = upgraded({**then, **values}, version)
    known = defaults_of(current(), meant) if whole else upgraded(then, version)
    return {path: value for path, value in meant.items() if path in values or known.get(path, ...) != value}


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Values:
    """Nested sections as one dictionary: {"network": {"depth": 8}} -> {"network.depth": 8}."""
    flat: Values = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        flat.update(flatten(value, path + ".") if isinstance(value, dict) else {path: value})
    return flat


def unflatten(flat: Mapping[str, Any]) -> Values:
    """Inverse of `flatten`."""
    tree: Values = {}
    for path, value in flat.items():
        *sections, name = path.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = value
    return tree
