"""What every panel draws, line by line: titles, axes, and which channel stands behind which name.

`drawn.txt` was read line by line against the meaning of the channels (pcviz/frames.py): whoever binds a line to another
channel, or swaps two labels, has to change it there, where it reads as what it is.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel
from pcviz.instruments.panels import PANELS, panel

EXPECTED = Path(__file__).with_name("drawn.txt")
BASE = {"network.depth": 4, "network.width": 8, "network.activation": "tanh", "data.name": "moons"}
CASES: dict[str, Experiment] = {
    "pc": from_paths(BASE),
    "bp": from_paths({**BASE, "learning.rule": "bp"}),
    "linear": from_paths({**BASE, "network.activation": "linear"}),
    "error-based": from_paths({**BASE, "inference.solver": "error_based"}),
    "33 layers": from_paths({**BASE, "network.depth": 33}),
    "regression": from_paths({**BASE, "data.name": "regression", "learning.batch_size": 8}),
}


def lines(made: Panel) -> Iterator[str]:
    """Title, axes in order of their names, and one line for each trace."""
    figure = made.figure
    yield f"{made.title}; note: {made.note or '-'}; csv: {', '.join(made.csv)}"
    for name, axis in sorted(axes(figure)):
        yield f"  {name}: {axis.title.text} [{axis.type or 'linear'}]"
    yield from (f"  written: {annotation.text}" for annotation in figure.layout.annotations if annotation.text)
    for trace in figure.data:
        said = [told(trace.meta), f"hover: {trace.hovertemplate or '-'}"]
        if trace.type in ("heatmap", "surface") and trace.colorbar.title.text:
            said.append(f"colours: {trace.colorbar.title.text}")
        places = [] if trace.type == "surface" else [axis for axis in (trace.xaxis, trace.yaxis) if axis]
        yield f"  {' '.join([trace.type, repr(trace.name), *places])}: {'; '.join(said)}"


def axes(figure: go.Figure) -> Iterator[tuple[str, Any]]:
    for key in figure.layout:
        if key.startswith(("xaxis", "yaxis")) and figure.layout[key].title.text:
            yield key, figure.layout[key]


def told(meta: dict[str, Any] | None) -> str:
    """A binding without what it leaves at the default."""
    if not meta:
        return "fixed"
    given = Binding.model_validate(meta).model_dump(exclude_defaults=True, exclude={"keep"})
    return ", ".join(f"{key}={value}" for key, value in sorted(given.items()))


@cache
def drawn() -> dict[str, list[str]]:
    """Every panel of every case that says something else than that of the case `pc`."""
    found: dict[str, list[str]] = {}
    for case, experiment in CASES.items():
        for name in PANELS:
            said = list(lines(panel(name, experiment)))
            if case == "pc" or said != found[f"pc / {name}"]:
                found[f"{case} / {name}"] = said
    return found


def written() -> dict[str, list[str]]:
    """The same from `drawn.txt`."""
    blocks = EXPECTED.read_text(encoding="utf-8").strip().split("\n\n")
    return {head: rest for head, *rest in (block.split("\n") for block in blocks)}


@pytest.mark.parametrize("place", sorted(drawn() | written()))
def test_what_is_drawn_is_what_is_written(place: str) -> None:
    assert drawn().get(place) == written().get(place)


if __name__ == "__main__":
    EXPECTED.write_text(
        "\n\n".join("\n".join([head, *rest]) for head, rest in drawn().items()) + "\n", encoding="utf-8"
    )
