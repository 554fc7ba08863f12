"""Exponents of a member in width and in depth, by both rules, beside those derived."""

import numpy as np
import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.experiment.family import QUANTITIES, RULES, ZERO
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.family.figures.looks import COLOURS, NAMES, SEEN, SYMBOLS
from pcviz.instruments.family.options import Options
from pcviz.instruments.family.picture import STEEP, exponents

LOWEST = -2.0
ASIDE = 0.2
"""How far BP stands to the left of a quantity's place, and PC to the right."""


def figure(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> go.Figure:
    """Eight places, the quantities in width and in depth; measured with intervals, derived as open squares."""
    options = options or Options()
    places = [axis * (len(QUANTITIES) + 0.6) + at for axis in range(2) for at in range(len(QUANTITIES))]
    made = style.blank(
        margin=dict(t=46, b=62),
        xaxis=dict(
            range=[-0.6, places[-1] + 0.6], tickmode="array", tickvals=places, showgrid=False,
            ticktext=[name.replace(" of the ", "<br>of ").replace(" of f", "<br>of f") for name in NAMES.values()] * 2,
        ),
        yaxis=dict(title_text="exponent", range=[LOWEST, STEEP + 0.3]),
    )  # fmt: skip
    for axis, size in enumerate(("width N", "depth L")):
        ends = places[axis * len(QUANTITIES)] - 0.5, places[(axis + 1) * len(QUANTITIES) - 1] + 0.5
        made.add_shape(
            type="rect", x0=ends[0], x1=ends[1], y0=-ZERO[axis], y1=ZERO[axis], layer="below", line_width=0,
            fillcolor=style.ZERO,
        )  # fmt: skip
        style.write(made, size, x=(ends[0] + ends[1]) / 2, xref="x", y=1, yanchor="bottom")
    law = exponents(options.member)
    shown = np.where(law > STEEP, STEEP, law)
    for index, (rule, name) in enumerate(SEEN):
        aside = ASIDE * (1 if RULES.index(rule) else -1)
        x = [places[axis * len(QUANTITIES) + QUANTITIES.index(name)] + aside for axis in range(2)]
        traces = Traces(made, run, "family", x=x, index=index, legend=False)
        derived = dict(x=x, y=shown[:, index].tolist(), symbol="square-open", size=13, colour=style.TEXT)
        hover = f"derived, {NAMES[name]}, {rule}: %{{y:.2f}}"
        Traces(made, run, "family").markers("derived", legend=not index, legendgroup="derived", hover=hover, **derived)
        for end in ("low", "high"):
            traces.markers(f"95 % {end}", y=f"family_{end}", symbol="line-ew-open", size=9, colour=COLOURS[name])
        look = dict(colour=COLOURS[name], size=9, hover=f"{NAMES[name]}, {rule}: %{{y:.2f}}")
        first = name == QUANTITIES[-1]
        traces.markers(rule, y="family_exponents", symbol=SYMBOLS[rule], **look, legend=first, legendgroup=rule)
        hover = f"{NAMES[name]}, {rule}: above %{{y:g}}"
        traces.markers(rule, y="family_steep", symbol="triangle-up-open", size=9, colour=COLOURS[name], hover=hover)
    return made


def panel(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> Panel:
    """The panel on the Scaling page; `options` are those of the run."""
    return Panel(
        name="family-exponents",
        title="Exponents, measured and derived",
        figure=figure(experiment, run=run, options=options),
        alt="Growth exponents in width and in depth of activities, output and both updates, for backpropagation and "
        "predictive coding, with intervals, beside the derived ones.",
        help="A quantity grows as N to this power, and as L. A member is stable and learns features if all of them lie "
        "in the grey bands (the output may fall with N): nothing grows, and neither updates nor features freeze. "
        f"Means over seeds with 95 % intervals; squares: derived for the same sizes. At {STEEP:g}: steeper or "
        "exponential.",
        csv=("family_exponents", "family_low", "family_high"),
        idle="Press Measure to begin. Squares are derived.",
        waiting="Exponents follow once all sizes of a seed are measured.",
        note="measured: BP {family_in_bp?stable, learns features|not in the set} · "
        "PC {family_in_pc?stable, learns features|not in the set}",
    )
