"""Short texts of results for a Python prompt: arrays as format and shape, numbers in full.

A class that holds arrays is decorated: `@short`.
"""

import textwrap
from collections import Counter
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

COLUMNS = 100
_TIED = "\0"
"""A space at which no line breaks."""


Class = TypeVar("Class", bound=type)


def short(cls: Class) -> Class:
    """Class decorator: instances of this dataclass or named tuple are shown by `represent`."""
    cls.__repr__ = represent  # type: ignore[assignment]
    return cls


def represent(self: Any) -> str:
    """A dataclass or named tuple in one or a few lines: `Evaluation(loss=0.52, accuracy=0.9)`."""
    line = _line(self)
    if len(line) <= COLUMNS:
        return line
    tied = line.replace(" ", _TIED).replace(f",{_TIED}", ", ")
    rows = textwrap.wrap(tied, COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(rows).replace(_TIED, " ")


def _line(value: Any) -> str:
    names = [field.name for field in fields(value)] if is_dataclass(value) else value._fields
    return f"{type(value).__name__}({', '.join(f'{name}={shown(getattr(value, name))}' for name in names)})"


def shown(value: Any) -> str:
    """A value: numbers and words in full, arrays as `float32[64,10]`, collections as what is in them."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        try:
            return f"{float(value):.6g}" if value.shape == () else _array(value)
        except TypeError:  # a random key, or no number yet, inside a compiled function
            return _array(value)
    if type(value).__repr__ is represent:
        return _line(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list) or type(value) is tuple:
        counts = Counter(shown(item) for item in value)
        inside = ", ".join(f"{count} × {text}" if count > 1 else text for text, count in counts.items())
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def _array(value: Any) -> str:
    return f"{value.dtype}[{','.join(map(str, value.shape))}]"
