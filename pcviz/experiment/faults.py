"""The faults of an input, one line each: field, value, allowed range."""

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pcviz.experiment import DATASETS, DEPTHS, FORM_STEPS_MAX, Experiment, Section, fields, layer_rates
from pcviz.experiment.schema import FIRST, current


def _sizes(part: Literal["train", "test"]) -> str:
    """How many examples the data sets have at most: "1 to 1437 (digits), 8192 (moons, circles), or all"."""
    owners: dict[int, list[str]] = {}
    for name, facts in DATASETS.items():
        owners.setdefault(facts.train_max if part == "train" else facts.test_max, []).append(name)
    most = ", ".join(f"{size} ({', '.join(names)})" for size, names in owners.items())
    return f"1 to {most}, or all"


_OWN_RANGES = {
    "data.name": f"{', '.join(DATASETS)}, or the name of your own data set",
    "inference.steps": f"0 or more, or {', '.join(DEPTHS)}",
    "learning.learning_rate": "above 0 to 100, or auto",
    "learning.layer_rates": layer_rates.allowed(),
    "learning.weight_norm": "above 0 to 100, or none",
    "data.train_size": _sizes("train"),
    "data.test_size": _sizes("test"),
}
"""Ranges of the fields whose limits are validators instead of annotations."""
_FORM_RANGES = {"inference.steps": f"0 to {FORM_STEPS_MAX}, or {', '.join(DEPTHS)}"}
"""Ranges that are tighter in form and URL."""
_FURTHER = {"learning.batch_size": ", at most the training examples"}
"""Further limits, which another field sets."""


def faults(error: ValidationError, of: type[BaseModel] | None = Experiment, *, form: bool = False) -> list[str]:
    """One line for each fault, such as `network.depth: 3200 is above 512 (allowed: 2 to 512)`; `of`: the model that
    refused, Experiment or options of a kind of runs; `form`: with the limits of form and URL."""
    model = of or Experiment
    lines: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        path = _path(fault["loc"], model)
        lines.setdefault(path or fault["msg"], _line(path, fault, _fields(model), form))
    return list(lines.values())


def valid_part(
    values: dict[str, Any], check: Callable[[dict[str, Any]], object], of: type[BaseModel] = Experiment, **limits: bool
) -> tuple[dict[str, Any], list[str]]:
    """(the `values` that pass the `check`, converted to their types; one line for each value that does not).
    Arguments as for `faults`."""
    kept, lines = dict(values), list[str]()
    types: dict[str, Any] = {path: info.annotation for path, info in _fields(of).items()}
    while True:
        try:
            check(kept)
        except ValidationError as error:
            wrong = {line.partition(":")[0]: line for line in faults(error, of, **limits)}
            lines += [line for path, line in wrong.items() if path in kept]
            rest = {path: value for path, value in kept.items() if path not in wrong}
            if len(rest) < len(kept):
                kept = rest
                continue  # if no value is at fault, a default does not fit the others: the page says so
        return {path: TypeAdapter(types[path]).validate_python(kept[path]) for path in kept}, lines


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return fields() if model is Experiment else dict(model.model_fields)


def _path(loc: tuple[int | str, ...], model: Any) -> str:
    parts: list[str] = []
    for part in loc:
        parts.append(str(part))
        names = {info.alias or name: info for name, info in model.model_fields.items()}
        annotation = names[part].annotation if part in names else None
        if not (isinstance(annotation, type) and issubclass(annotation, Section)):
            break  # the rest names a member of a union, not a field
        model = annotation
    return ".".join(parts)


def _line(path: str, fault: Any, known: dict[str, FieldInfo], form: bool) -> str:
    kind, value, context = fault["type"], shown(fault["input"]), fault.get("ctx", {})
    message = str(context.get("error", ""))
    if kind == "value_error" and message.split(":")[0] in known:
        return message
    if kind == "extra_forbidden":
        return f"{shown(path)}: unknown field (value {value}; allowed: {', '.join(_siblings(path, known))})"
    if path not in known and path != "schema":
        return f"{shown(path) or 'experiment'}: {value} is not a set of options (allowed: field names with values)"
    wrong = {
        "greater_than_equal": f"is below {context.get('ge')}",
        "greater_than": f"is not above {context.get('gt')}",
        "less_than_equal": f"is above {context.get('le')}",
        "less_than": f"is not below {context.get('lt')}",
    }.get(kind, "is not one of the allowed values")
    return f"{path}: {value} {wrong} (allowed: {_allowed(path, known.get(path), form)})"


def shown(value: Any) -> str:
    """A value as a person would type it, cut to a readable length."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def one_line(error: Exception) -> str:
    """What went wrong, for people."""
    text = " ".join(str(error).replace("\0", " ").split())  # PostgreSQL refuses a NUL
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def allowed(path: str, of: type[BaseModel] = Experiment, *, form: bool = False) -> str:
    """The allowed range or values of a field, in words: `2 to 512`, `adam, sgd, adamw`; arguments as for `faults`."""
    return _allowed(path, _fields(of).get(path), form)


def _allowed(path: str, info: FieldInfo | None, form: bool) -> str:
    if form and path in _FORM_RANGES:
        return _FORM_RANGES[path]
    if path == "schema":
        return str(current()) if current() == FIRST else f"{FIRST} to {current()}"
    if info is None or path in _OWN_RANGES:
        return _OWN_RANGES[path]
    if info.annotation is bool:
        return "true, false"
    if get_origin(info.annotation) is Literal:
        return ", ".join(str(choice) for choice in get_args(info.annotation))
    low, high = limits(info)
    if low[0] is None and high[0] is None:
        patterns = [rule.pattern for rule in info.metadata if getattr(rule, "pattern", None)]
        return f"text that matches {patterns[0]}" if patterns else "a list of names"
    kind = "a whole number from " if int in (info.annotation, *get_args(info.annotation)) else ""
    return kind + f"{_bound(low, 'above')} to {_bound(high, 'below')}" + _FURTHER.get(path, "")


def _bound(bound: tuple[float | None, bool], outside: str) -> str:
    value, excluded = bound
    if value is None:
        return "any"
    return (f"{outside} " if excluded else "") + (str(value) if isinstance(value, int) else f"{value:g}")


def limits(info: FieldInfo) -> tuple[tuple[float | None, bool], tuple[float | None, bool]]:
    """((lowest, is it excluded), (highest, is it excluded)) of a numeric field; None where there is no limit."""
    low: tuple[float | None, bool] = (None, False)
    high: tuple[float | None, bool] = (None, False)
    for rule in info.metadata:
        low = (rule.ge, False) if hasattr(rule, "ge") else (rule.gt, True) if hasattr(rule, "gt") else low
        high = (rule.le, False) if hasattr(rule, "le") else (rule.lt, True) if hasattr(rule, "lt") else high
    return low, high


def _siblings(path: str, known: dict[str, FieldInfo]) -> list[str]:
    section = path.rpartition(".")[0]
    names = [name.removeprefix(f"{section}.") for name in known if name.startswith(f"{section}.")]
    return names or list(dict.fromkeys(name.split(".")[0] for name in known))
