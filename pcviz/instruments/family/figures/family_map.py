"""Map: where in a plane of two exponents a member is stable and learns features, by both rules."""

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.experiment.family import CLASSES, RULES
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.family.options import SYMBOLS, Options
from pcviz.instruments.family.picture import plane

COLOURS = (style.VERMILLION, style.ZERO, style.SKY, style.GREEN)
"""Of CLASSES."""
SCALE = [[(place + end) / len(COLOURS), colour] for place, colour in enumerate(COLOURS) for end in (0, 1)]
WORDS = dict(zip(CLASSES, ("unstable", "updates vanish", "lazy", "stable, learns features"), strict=True))


def figure(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> go.Figure:
    """Both maps with shared axes; the chosen member is marked."""
    options = options or Options()
    x, y, classes = plane(options)
    title = dict(showgrid=False)
    made = style.blank(
        margin=dict(t=44),
        xaxis=dict(domain=[0, 0.48], title_text=SYMBOLS[options.x], **title),
        yaxis=dict(title_text=SYMBOLS[options.y], **title),
        xaxis2=dict(domain=[0.52, 1], anchor="y2", title_text=SYMBOLS[options.x], matches="x", **title),
        yaxis2=dict(anchor="x2", matches="y", showticklabels=False, **title),
    )
    at = options.member._asdict()
    for second, rule in enumerate(RULES):
        axes: dict[str, Any] = dict(xaxis="x2", yaxis="y2") if second else {}
        traces = Traces(made, run, "family", **axes)
        scale: dict[str, Any] = dict(colorscale=SCALE, zmin=-0.5, zmax=len(CLASSES) - 0.5, showscale=False)
        traces.add(
            go.Heatmap, x=x.tolist(), y=y.tolist(), z=classes[second].tolist(), hover="(%{x:.2f}, %{y:.2f})", **scale
        )
        for name, colour in zip(CLASSES, COLOURS, strict=True) if not second else ():
            traces.markers(WORDS[name], x=[None], y=[None], symbol="square", size=10, colour=colour)
        mark = dict(symbol="x", size=11, colour="#000000", edge=1.5, legend=False)
        traces.markers("chosen", x=[at[options.x]], y=[at[options.y]], hover="the chosen member", **mark)
        ring = dict(symbol="circle-open", size=20, edge=3, edge_colour="#000000", legend=False)
        hover = f"measured by {rule}: stable, learns features"
        traces.markers("measured", x="family_at", y=f"family_at_{rule.lower()}", hover=hover, **ring)
        place = dict(xref="x2 domain", yref="y2 domain") if second else dict(xref="x domain", yref="y domain")
        style.write(made, rule, x=0.5, y=1, yanchor="bottom", font=dict(size=12), **place)
    return made


def panel(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> Panel:
    """The panel on the Scaling page; `options` are those of the run."""
    chosen = options or Options()
    return Panel(
        name="family-map",
        title=f"The family over {SYMBOLS[chosen.x]} and {SYMBOLS[chosen.y]} (derived, not the paper's table)",
        figure=figure(experiment, run=run, options=options),
        alt="Two maps of the plane of two exponents, backpropagation and predictive coding side by side: where members "
        "are unstable, vanish, are lazy, or are stable and learn features. A cross marks the chosen member.",
        help="Derived for the sizes that are measured, the other exponents as chosen. Unstable: something grows. Lazy: "
        "the network learns, but its features freeze, in width or in depth. The limits paper claims that the green set "
        "is the same for PC and BP; outside of it they may differ, where S is not one (docs/theory.md 2.5). Cross: the "
        "chosen member; a ring around it: measured to belong to the set.",
        csv=("family_at", "family_at_bp", "family_at_pc"),
        idle="Press Measure to begin. The map is derived.",
        waiting="The map is derived; a ring follows from the measurement.",
    )
