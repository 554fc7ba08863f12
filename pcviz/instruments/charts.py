"""Charts: curves over the same places, as tables for a terminal, a spreadsheet, a paper."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_COLUMNS = 8
"""Most places of a chart that a table for people shows."""


class Curve(NamedTuple):
    """One value for each place of a chart, NaN where it is not known: the `middle`, the ends `low` and `high` of its
    interval, what it is only known to be `above`, and a `reference` value beside it. Empty: there is none anywhere."""

    name: str
    middle: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    above: Sequence[float] = ()
    reference: Sequence[float] = ()


class Chart(NamedTuple):
    """Curves over the same places: numbers, or names (then `joined` should be False). `x` and `y` are the titles of the
    axes, `help` says in a sentence or two how to read it, `reference` what the reference values are."""

    title: str
    x: str
    y: str
    places: Sequence[float | str]
    curves: Sequence[Curve]
    help: str
    log_x: bool = False
    log_y: bool = False
    joined: bool = True
    reference: str = "published"


def written(chart: Chart) -> dict[str, Any]:
    """A chart as documents hold it: plain numbers."""
    return {**chart._asdict(), "places": list(chart.places), "curves": [_written(curve) for curve in chart.curves]}


def _written(curve: Curve) -> dict[str, Any]:
    name, *parts = curve
    return dict(zip(Curve._fields, (name, *([float(value) for value in part] for part in parts)), strict=True))


def number(value: float | None) -> str:
    """A number as tables show it."""
    return "–" if value is None or math.isnan(value) else f"{value:.4g}"


def chart_rows(chart: dict[str, Any], most: int = MOST_COLUMNS) -> list[list[str]]:
    """A chart of a document: a heading, and a row for each curve, with its interval; a further row for what stands
    beside it. Of more than `most` places so many are shown, spread evenly."""
    places = chart["places"]
    last = len(places) - 1
    shown = sorted({round(i * last / (most - 1)) for i in range(most)}) if len(places) > most else range(len(places))
    head = " ".join(filter(None, [chart["title"], f"({chart['x']})" if chart["x"] else ""]))
    rows = [[head, *(place if isinstance(place, str) else f"{place:g}" for place in (places[at] for at in shown))]]
    for curve in chart["curves"]:
        rows.append([curve["name"], *(_told(curve, at) for at in shown)])
        if any(not _missing(value) for value in curve["reference"]):
            rows.append([f"  {chart['reference']}", *(number(curve["reference"][at]) for at in shown)])
    return rows


def _told(curve: dict[str, Any], at: int) -> str:
    if len(curve["above"]) and not _missing(curve["above"][at]):
        return f"> {number(curve['above'][at])}"
    ends = [curve[end][at] for end in ("low", "high") if len(curve[end])]
    wide = len(ends) == 2 and not any(map(_missing, ends)) and ends[0] != ends[1]
    return number(curve["middle"][at]) + (f" ({ends[0]:.3g} to {ends[1]:.3g})" if wide else "")


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def chart_values(charts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each place of each curve of the charts of a document."""
    parts = ("middle", "low", "high", "above", "reference")
    return [
        {"chart": chart["title"], "curve": curve["name"], "place": str(place)}
        | {part: curve[part][at] if len(curve[part]) else None for part in parts}
        for chart in charts
        for curve in chart["curves"]
        for at, place in enumerate(chart["places"])
    ]


def latex(chart: dict[str, Any]) -> str:
    """A chart of a document as a LaTeX table of the package booktabs."""
    head, *rows = [[_escaped(cell) for cell in row] for row in chart_rows(chart, most=len(chart["places"]) + 1)]
    lines = [" & ".join(row) + r" \\" for row in rows]
    columns = "l" + "r" * (len(head) - 1)
    begin, end = rf"\begin{{tabular}}{{{columns}}}", r"\end{tabular}"
    heading = " & ".join(head) + r" \\"
    return "\n".join([begin, r"\toprule", heading, r"\midrule", *lines, r"\bottomrule", end, ""])


_SYMBOLS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "μ": r"$\mu$", "κ": r"$\kappa$", "γ": r"$\gamma$",
    "β": r"$\beta$", "α": r"$\alpha$", "λ": r"$\lambda$", "√": r"$\surd$", "–": "--", "₁": r"$_1$", "ᵖ": r"$^p$",
}  # fmt: skip


def _escaped(text: str) -> str:
    return "".join(_SYMBOLS.get(letter, letter) for letter in text)
