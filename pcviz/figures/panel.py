"""A panel: a live figure with its texts and the channels behind it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from typing import Any, Literal

import plotly.graph_objects as go

HISTORY_AXES = ("step_history", "epoch_history", "seconds_history")
PARTS = {"train_loss_history": ["", "least", "greatest"]}
"""Names of the parts of channels whose parts are not layers, for CSV headings."""


@dataclass(frozen=True)
class Toggle:
    """A button in the panel's header that switches the figure's layout: path -> (value off, value on)."""

    label: str
    help: str
    relayout: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Choice:
    """A control in the panel's header by which the page makes another figure or computes something else: the `key` of
    the option, its label and help, its value now, and the values allowed with their labels (None: False and True)."""

    key: str
    label: str
    help: str
    value: Any
    options: Mapping[Any, str] | None = None
    disabled: bool = False

    def for_client(self) -> dict[str, Any]:
        """The control as JSON values; options as a list of pairs, which keeps numbers and their order."""
        return asdict(self) | {"options": None if self.options is None else list(self.options.items())}


LOG_STEPS = Toggle(
    "log t",
    "Logarithmic inference steps (step 0 is left out)",
    {"xaxis.type": ("linear", "log"), "xaxis.autorangeoptions.clipmin": (-0.5, 0.9)},
)
"""Makes an x axis of inference steps (style.step_axis) logarithmic."""


@dataclass(frozen=True)
class Panel:
    """What the client needs to draw a live figure.

    `alt` says what is shown to people who cannot see it, `help` how to read it, `idle` what to do
    while there is no run, `waiting` why it is still empty in a run, and `ended` after it; `absent` says in one sentence
    that the panel does not apply to this experiment, and then it shows nothing else.
    `note` is a line under the title with values in it: `{channel:format}` or `{channel?text if not 0|text if 0}`
    (formats: share in percent %0, %1, significant digits g3, of ten to the power of the value x2, duration t; none: as
    it is); its parts are separated by " · ", and those whose values are known are shown.
    `scrub` names the channel along which a slider chooses the row of `row="scrub"` bindings: the panel's own, or the
    page's where it has one. `cursor` names the channel whose value in that row is marked by a line on each of
    `cursor_axes`. `trail` names channels of `csv` with weight steps and places (x, y): where the page's timeline stands
    is marked there.
    A panel that can `pick` reports clicks on its points to the page; panels with the same `link` zoom together; those
    in `space` (three axes) are turned instead of zoomed. A `bare` panel shows no axes before its first values.
    `view` says which script draws it: "plot" its figure, "network" the network view, where `front` marks how far an
    error comes in exact arithmetic, or "examples" images in `rows` with these headings.
    `csv` lists the channels to export: one line for each recorded weight step, or for each value of the latest arrays.
    """

    name: str
    title: str
    figure: go.Figure
    alt: str
    help: str
    csv: tuple[str, ...]
    table: Literal["history", "latest"] = "latest"
    scrub: str | None = None
    cursor: str | None = None
    cursor_axes: tuple[str, ...] = ("xaxis",)
    trail: tuple[str, str, str] | None = None
    idle: str = "Press Train to begin."
    waiting: str = "Waiting for the first values …"
    ended: str = "The run ended without values."
    absent: str | None = None
    view: Literal["plot", "network", "examples"] = "plot"
    front: bool = False
    rows: tuple[str, ...] = ()
    note: str | None = None
    toggles: tuple[Toggle, ...] = ()
    pick: bool = False
    link: str | None = None
    space: bool = False
    bare: bool = False

    def for_client(self) -> dict[str, Any]:
        """The panel as JSON values; the figure as a JSON string, which the client parses once."""
        names = (*HISTORY_AXES, *self.csv) if self.table == "history" else self.csv
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {
            "figure": self.figure.to_json(),
            "csv": [[name, name.removesuffix("_history"), PARTS.get(name)] for name in names],
            "cursor_axes": list(self.cursor_axes) if self.cursor else [],
            "toggles": [
                {"label": t.label, "help": t.help, "relayout": {k: list(v) for k, v in t.relayout.items()}}
                for t in self.toggles
            ],
        }


def panels_in(folder: str, *names: str) -> dict[str, Callable[..., Panel]]:
    """The panels of a folder by name, in this order: "learning-curves" is `panel` in its module `learning_curves`."""
    return {name: import_module(f"{folder}.{name.replace('-', '_')}").panel for name in names}
