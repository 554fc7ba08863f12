"""The options of looks as their widgets hold them and as addresses write them: one entry for each kind of look.

Keys of widgets are those of addresses. An address leaves out what equals the options of its run, or, without a run, the
defaults; its values are validated through the model of the options before a widget sees it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pcviz.experiment.faults import valid_part
from pcviz.experiment.looks import LookOptions
from pcviz.experiment.solvers import SOLVERS
from pcviz.instruments import KINDS

FRESH = "fresh weights"
"""Value of the choice of a network if no stored run is chosen."""
NONE = "none"
"""How addresses spell an option without a value."""
SEPARATORS = {"solvers": ",", "vary": ";"}
"""Options that are lists -> what stands between two of their values in an address."""


class Instrument(NamedTuple):
    """A kind of look: the path of its page, the model of its options, and widget key -> field of that model."""

    page: str
    model: type[LookOptions]
    fields: dict[str, str]

    @property
    def defaults(self) -> dict[str, Any]:
        """What the widgets hold at first."""
        return self.held(self.model().model_dump())

    def held(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Options as the widgets hold them."""
        whole = self.model.model_validate(options).model_dump()
        return {key: _held(key, whole[field]) for key, field in self.fields.items()}

    def options(self, held: Mapping[str, Any]) -> dict[str, Any]:
        """What the widgets hold as options, valid or not: the inverse of `held`."""
        return {field: None if held[key] == FRESH else held[key] for key, field in self.fields.items()}

    def parse(self, texts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        """(the valid values of an address, as the widgets hold them; one message for each invalid one)."""
        kept = {self.fields[key]: _value(self.fields[key], text) for key, text in texts.items()}
        made, lines = valid_part(kept, self.model.model_validate, self.model)
        messages = [f"{self._key(field)}:{rest}" for field, _, rest in (line.partition(":") for line in lines)]
        return {self._key(field): _held(self._key(field), value) for field, value in made.items()}, messages

    def texts(self, held: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, str]:
        """The inverse of `parse`: values that differ from `base`, as an address writes them."""
        texts = {key: _text(field, held[key]) for key, field in self.fields.items() if key in held}
        return {key: text for key, text in texts.items() if text != _text(self.fields[key], base[key])}

    def _key(self, field: str) -> str:
        return next(key for key, name in self.fields.items() if name == field)


def _held(key: str, value: Any) -> Any:
    if key in ("source", "curved_source", "diagnosed_source") and value is None:
        return FRESH
    return list(value) if isinstance(value, tuple) else value


def _value(field: str, text: str) -> Any:
    if text == NONE:
        return () if field in SEPARATORS else None
    if field in SEPARATORS:
        return tuple(text.split(SEPARATORS[field]))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text


def _text(field: str, value: Any) -> str:
    if value in (None, FRESH, []):
        return NONE
    if field == "solvers":
        value = [name for name in SOLVERS if name in value]
    if field in SEPARATORS:
        return SEPARATORS[field].join(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


INSTRUMENTS: dict[str, Instrument] = {
    kind: Instrument(model.PAGE, model, model.KEYS) for kind, model in KINDS.items() if model is not None
}
"""Kind of look -> its options on a page."""


def on(page: str) -> dict[str, Instrument]:
    """The instruments of a page, by the kind of their runs."""
    return {kind: instrument for kind, instrument in INSTRUMENTS.items() if instrument.page == page}
