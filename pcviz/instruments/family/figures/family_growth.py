"""Growth: what a member does against width and against depth, by both rules, beside what is derived."""

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.experiment.family import RULES
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.family.figures.looks import AT_START, COLOURS, DASHES, NAMES, SEEN, SYMBOLS, title
from pcviz.instruments.family.options import DEPTHS, NARROW, SHALLOW, WIDTHS, Options
from pcviz.instruments.family.picture import curves


def figure(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> go.Figure:
    """All quantities against N and against L, both logarithmic: points are measured, lines derived."""
    options = options or Options()
    made = style.blank(
        margin=dict(t=58),
        xaxis=_sizes(WIDTHS, domain=[0, 0.45], title_text=f"width N (L = {SHALLOW})"),
        yaxis=style.log_axis(title_text="rms"),
        xaxis2=_sizes(DEPTHS, domain=[0.55, 1], anchor="y2", title_text=f"depth L (N = {NARROW})"),
        yaxis2=style.log_axis(anchor="x2"),
    )
    for second, (size, sizes, law) in enumerate(zip("NL", (WIDTHS, DEPTHS), curves(options.member), strict=True)):
        channels = (
            dict(x="family_depths", y="family_by_depth") if second else dict(x="family_widths", y="family_by_width")
        )
        traces = Traces(made, run, "family", **dict(xaxis="x2", yaxis="y2") if second else {})
        for index, (rule, name) in enumerate(SEEN):
            if name in AT_START and rule != RULES[0]:
                continue
            own = traces.sharing(colour=COLOURS[name], legendgroup=title(rule, name))
            own.line(
                title(rule, name), x=list(sizes), y=law[index].tolist(), dash=DASHES[rule], width=1.4, legend=False
            )
            hover = f"{title(rule, name)}<br>{size} = %{{x}}: %{{y:.3~g}}"
            look = dict(symbol=SYMBOLS[rule], size=8 if rule == RULES[0] else 11, legend=not second)
            own.markers(title(rule, name), index=index, hover=hover, **channels, **look)
    return made


def _sizes(sizes: tuple[int, ...], **options: Any) -> dict[str, Any]:
    """A logarithmic axis with a tick at each size."""
    ticks = dict(tickmode="array", tickvals=sizes, ticktext=list(map(str, sizes)))
    return dict(type="log", showgrid=False, **ticks, **options)


def panel(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> Panel:
    """The panel on the Scaling page; `options` are those of the run."""
    return Panel(
        name="family-growth",
        title="Growth with width and depth",
        figure=figure(experiment, run=run, options=options),
        alt=f"Root mean squares of {', '.join(NAMES.values())} against width and against depth, both logarithmic, for "
        "backpropagation and predictive coding, with the derived curves.",
        help="Linear residual networks from the feedforward start. Activities: those of the last hidden layer. Updates "
        "are what one small weight step changes, divided by its size: of the output by all layers, of features by the "
        "hidden layers, as a share of the last hidden activities. Dots: BP; open diamonds: PC at the equilibrium; "
        "geometric means over the seeds. Lines are derived to leading order in 1/N (docs/theory.md 2.5).",
        csv=("family_widths", "family_by_width", "family_depths", "family_by_depth"),
        idle="Press Measure to begin. Lines are derived.",
        waiting="The first network is being measured …",
    )
