"""Groups of options: what all of them share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from pcviz.experiment.spelling import is_odd_number


def option(
    default: Any,
    title: str,
    description: str,
    *,
    formula: str | None = None,
    simple: bool = False,
    advanced: bool = False,
    needs: Mapping[str, Sequence[str]] | None = None,
    log: bool = False,
    **limits: Any,
) -> Any:
    """A field of the experiment: default, label, help, formula (TeX), limits.

    `simple`: newcomers need it. `advanced`: few people do. `needs`: the values of other fields (by path) without which
    it has no effect. `log` asks for a logarithmic control.
    """
    extra: dict[str, Any] = {
        "formula": formula,
        "simple": simple,
        "advanced": advanced,
        "needs": {path: list(values) for path, values in (needs or {}).items()},
        "log": log,
    }
    return Field(default, title=title, description=description, json_schema_extra=extra, **limits)


def one_of(names: Iterable[str | int]) -> Any:
    """The type, for pydantic, of a field that holds one of `names`."""
    return Literal[tuple(names)]


class Section(BaseModel):
    """A group of options: immutable, without unknown fields, without NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_spelt_plainly(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation is not bool:
            raise ValueError("true and false are not numbers")
        if isinstance(value, str) and is_odd_number(value):
            raise ValueError("numbers are spelt with digits, a point and an exponent only")
        return value
