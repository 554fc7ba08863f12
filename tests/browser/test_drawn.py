"""What every panel draws, as rendered: each trace's name, axes, and the channel that its numbers come from.

`drawn.txt` was read line by line against the meaning of the channels (the `channels.py` of the instruments): whoever
binds a line to another channel, or swaps two labels, has to change it there, where it reads as what it is. The numbers
are planted (`planted.py`), go through stream and scripts as those of a run do, and are read back from Plotly. Write the
table anew with `python -m tests.browser.test_drawn`, and read what has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page, sync_playwright

from pcviz.experiment import Experiment, from_paths
from pcviz.figures import bindings
from pcviz.figures.panel import Panel
from pcviz.instruments.chain.options import Options as Chain
from pcviz.instruments.panels import PANELS, panel
from pcviz.instruments.reproduce.options import Options as Finding
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.sweep.options import Options as Sweep
from tests.browser.conftest import QUIET
from tests.browser.fake_stream import BASELINE, RUN, FakeStream, fake_stream
from tests.browser.install import find_browser
from tests.browser.planted import DEEP, DEPTH, ROW, SMOOTHED, SOURCES, found, planted
from tests.descent import DESCENT

WORDS = {"z": "height", "customdata": "value in the label"}
EXPECTED = Path(__file__).with_name("drawn.txt")
READ = Path(__file__).with_name("read_panels.js").read_text(encoding="utf-8")
RUNS = (RUN, BASELINE, "d" * 32)
BASE = {**DESCENT, "network.depth": DEPTH, "network.width": 8, "network.activation": "tanh", "data.name": "moons"}
VARY = ("learning.learning_rate=log:1e-3..1:4", "network.width=1..10")
"""As many values as are planted."""
DEPTHS = (3, 4, 5, 6, 7, 8, 9, 10)
CHOSEN = {
    "inference-budget": {"depths": DEPTHS},
    "conditioning": {"depths": DEPTHS, "widths": (32,), "kinds": STUDIES["conditioning"].full.kinds[:8]},
    "deep-methods": {"depths": DEPTHS, "methods": ("bp", "pc_small")},
}
"""Protocols with as many places as are planted."""


class Planted(Finding):
    """A finding with such a protocol."""

    @property
    def chosen(self) -> Any:
        """The networks."""
        return self.study.full._replace(**CHOSEN[self.finding])


OPTIONS: dict[str, dict[str, Any]] = {
    "learning-curves": {"baseline": 1},
    "escape-race": {"options": Chain(hidden=2, seeds=2)},
    "finding-1": {"options": Planted(finding="inference-budget")},
    "finding-2": {"options": Planted(finding="conditioning")},
    **{name: {"options": Sweep(vary=VARY)} for name in ("sweep-map", "sweep-curves", "sweep-optimum")},
}
ALIKE = ("finding-3", "finding-4", "finding-5", "finding-6")
"""Panels that draw as those of lower numbers do."""


class Case(NamedTuple):
    """Panels of another experiment, or with other options, that draw something else than those of the first case."""

    changes: dict[str, Any]
    panels: tuple[str, ...]
    options: dict[str, Any] | None = None


CASES = {
    "pc": Case({}, tuple(name for name in PANELS if panel(name, Experiment()).view == "plot" and name not in ALIKE)),
    "bp": Case({"learning.rule": "bp"}, ("energy-balance", "activity-convergence", "learning-curves")),
    "linear": Case({"network.activation": "linear"}, ("activity-convergence", "surface-energy")),
    "error-based": Case({"inference.solver": "error_based"}, ("activity-spectrum",)),
    "momentum": Case({"inference.solver": "momentum"}, ("activity-spectrum",)),
    "deep": Case({"network.depth": DEEP}, ("activity-convergence",), {"run": 2}),
    "third option": Case({}, ("sweep-map",), {"options": Sweep(vary=(*VARY, "network.skips=true,false"))}),
    "regression": Case({"data.name": "regression", "learning.batch_size": 8}, ("learning-curves", "predictions")),
    "digits": Case({"data.name": "digits"}, ("predictions",)),
    "by epoch": Case({}, ("learning-curves",), {"x": "epoch", "log": False, "smoothing": SMOOTHED}),
    "by seconds": Case({}, ("learning-curves",), {"x": "seconds", "smoothing": SMOOTHED}),
    "reference": Case({}, ("finding-1",), {"options": Planted(finding="deep-methods")}),
    "F*": Case({}, ("landscape",), {"energy": True, "log": False}),
}


@cache
def shown() -> dict[str, Panel]:
    """The panels of all cases."""
    made = {}
    for name, (changes, panels, options) in CASES.items():
        experiment = from_paths({**BASE, **changes})
        for one in panels:
            made[f"{name} / {one}"] = panel(one, experiment, **(options or OPTIONS.get(one, {})))
    return made


def read(page: Page, server: FakeStream, panels: dict[str, Panel]) -> dict[str, list[str]]:
    """The panels as they are drawn from planted frames, line by line."""
    server.show(Experiment(), RUNS)
    server.data["panels"] = [{**made.for_client(), "name": name} for name, made in panels.items()]
    for step, source in enumerate(SOURCES, 1):
        run = {"train of the deep run": 2, "train of the second run": 1}.get(source, 0)
        server.frame(source.split()[0], step, planted(source), run=RUNS[run])
    page.goto(server.url)
    steps = {name: str(max(_steps(made))) for name, made in panels.items() if not made.absent}
    sliders = [name for name in steps if panels[name].scrub and not any(b.run for b in bindings(panels[name].figure))]
    drawn = page.evaluate(READ, {"panels": len(panels), "steps": steps, "sliders": sliders, "row": ROW})
    return {seen["panel"]: list(lines(seen, panels[seen["panel"]])) for seen in drawn}


def _steps(made: Panel) -> Iterator[int]:
    """Steps of the frames that a panel takes."""
    for bound in bindings(made.figure):
        yield 1 + SOURCES.index({2: SOURCES[0], 1: SOURCES[1]}.get(bound.run, bound.kind))


def lines(seen: dict[str, Any], made: Panel) -> Iterator[str]:
    """Title, note, channels of the table, legend, and one line for each trace."""
    yield f"{seen['title']}; table: {', '.join(made.csv)}"
    if made.absent:
        yield f"  {seen['waiting']}"
        return
    sources, traces = _origins(seen["traces"])
    yield f"  from: {', '.join(sorted(sources))}"
    if made.note:
        last = max(sources, key=SOURCES.index)
        assert filled(made.note, planted(last)) == seen["note"]
        yield f"  note: {made.note}"
    for label in ("legend", "written"):
        if seen[label]:
            yield f"  {label}: {', '.join(seen[label])}"
    yield from (f"  {text}" for text in traces)


def filled(note: str, values: dict[str, Any]) -> str:
    """A note as a panel writes it with planted values, which are whole and large."""

    def written(match: re.Match[str]) -> str:
        name, yes, form, digits = match.groups()
        if yes is not None:
            return yes
        if form == "g":
            return f"{values[name]:.{int(digits) - 1}e}".replace("e+0", "e+")
        return f"{100 * values[name]:.0f} %" if form else f"{values[name]:.0f}"

    return re.sub(r"\{(\w+)(?:\?([^|}]*)\|[^}]*|:(%|g)(\d*))?\}", written, note)


def _origins(traces: list[dict[str, Any]]) -> tuple[set[str], list[str]]:
    """The frames that traces are drawn from, and each trace in a line."""
    sources: set[str] = set()
    texts: dict[int, list[str]] = {}
    # Exact zeros look alike in all frames: they come last.
    for i in sorted(range(len(traces)), key=lambda i: any(_zero(values) for values in traces[i]["data"].values())):
        data, axes = traces[i]["data"], {axis["id"][0]: _title(axis) for axis in traces[i]["axes"]}
        origins = {key: found(values, sources) for key, values in data.items()}
        own = {source for source, _ in origins.values() if source}
        assert len(own) <= 1, f"{traces[i]['name']!r} mixes {own}"
        assert "z" in data or len({len(values) for values in data.values()}) == 1, f"{traces[i]['name']!r}: {data}"
        sources |= own
        parts = [f"{axes.get(key, WORDS.get(key, key))} = {text}" for key, (_, text) in origins.items()]
        texts[i] = [
            f"{traces[i]['type']} {traces[i]['name']!r}",
            *parts,
            *_words(traces[i]),
            *(f"of {name}" for name in own),
        ]
    only = {f"of {name}" for name in sources} if len(sources) == 1 else set()
    return sources, [" | ".join(text for text in texts[i] if text not in only) for i in range(len(traces))]


def _zero(values: list[Any]) -> bool:
    flat = [v for row in values for v in (row if isinstance(row, list) else [row])]
    return {0} == {v for v in flat if v is not None}


def _title(axis: dict[str, Any]) -> str:
    """The title of an axis, or what stands at its ticks; and its name, where it is not the only one."""
    said = axis["title"] or f"ticks {', '.join(axis['ticks'] or ['hidden'])}"
    number = f"{axis['id']}: " if axis["id"][1:] else ""
    return number + said + (" [log]" if axis["type"] == "log" else "")


def _words(trace: dict[str, Any]) -> Iterator[str]:
    for label in ("colours", "written", "hover"):
        if trace[label]:
            yield f"{label}: {trace[label].removesuffix('<extra></extra>')}"


def test_every_trace_draws_the_channel_of_its_name(page: Page, server: FakeStream) -> None:
    drawn, expected = read(page, server, shown()), table()
    assert list(drawn) == list(expected)
    for name, expected_lines in expected.items():
        assert drawn[name] == expected_lines, name


def table() -> dict[str, list[str]]:
    """What `drawn.txt` says."""
    blocks = EXPECTED.read_text(encoding="utf-8").strip().split("\n\n")
    return {head: rest for head, *rest in (block.split("\n") for block in blocks)}


if __name__ == "__main__":
    with fake_stream() as stream, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_browser()), args=list(QUIET))
        blocks = read(browser.new_page(), stream, shown()).items()
        EXPECTED.write_text("\n\n".join("\n".join([head, *rest]) for head, rest in blocks) + "\n", encoding="utf-8")
