"""Escape race: how long BP and PC stay near the saddle at the origin, chain by chain (theory.md 4.7)."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.chain.options import DEEPEST, ESCAPED, POWER, RULES, Options

LOOKS: tuple[dict[str, str], ...] = (
    dict(color=style.VERMILLION, dash="solid", symbol="circle", sign="●"),
    dict(color=style.BLUE, dash="dash", symbol="square", sign="■"),
    dict(color=style.GREEN, dash="dot", symbol="diamond", sign="◆"),
)
"""Colour, dash and symbol of each of RULES, and the symbol in text."""
SHORT = ("BP", "PC", "PC eq.")
APART = 0.27
"""Distance of two rules of the same chain."""


def labels(options: Options) -> tuple[str, ...]:
    """The rules as the legend names them."""
    return RULES[0], f"{RULES[1]}, {options.inference_steps} steps", RULES[2]


def figure(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> go.Figure:
    """Loss against updates for each start of the chain with `options.hidden` units, and updates until the escape of
    every chain: one dot for each start, the median with its number."""
    options = options or Options()
    made = style.blank(
        margin=dict(t=40),
        xaxis=style.log_axis(domain=[0, 0.42], title_text=f"updates (H = {options.hidden})", nticks=6),
        yaxis=dict(title_text="loss", range=[0, 1.2 * POWER / 2]),
        xaxis2=dict(
            domain=[0.56, 1], anchor="y3", title_text="hidden units H", range=[0.5, DEEPEST + 0.5],
            tickmode="array", tickvals=list(range(1, DEEPEST + 1)), showgrid=False, zeroline=False,
        ),
        yaxis2=style.log_axis(domain=[0.36, 1], anchor="x2", title_text="until the escape", nticks=5),
        yaxis3=dict(
            domain=[0, 0.27], anchor="x2", range=[2.5, -0.5], fixedrange=True, showgrid=False, showline=False,
            ticks="", tickmode="array", tickvals=list(range(len(RULES))),
            ticktext=[f"{look['sign']} {name}" for look, name in zip(LOOKS, SHORT, strict=True)],
        ),
    )  # fmt: skip
    line = dict(color=style.GRID, dash=style.BASELINE_DASH, width=1.2)
    made.add_shape(type="line", xref="x domain", x0=0, x1=1, yref="y", y0=ESCAPED, y1=ESCAPED, line=line)
    traces = Traces(made, run, "chain")
    for rule, name in enumerate(labels(options)):
        _losses(traces, options, rule, name)
        _counts(traces, options, rule, name)
    _table(traces, options)
    return made


def _losses(traces: Traces, options: Options, rule: int, name: str) -> None:
    look = dict(colour=LOOKS[rule]["color"], dash=LOOKS[rule]["dash"], width=1.4)
    losses = traces.sharing(x="race_steps", y="race_loss", legendgroup=name, **look)
    first = ((options.hidden - 1) * len(RULES) + rule) * options.seeds
    for seed in range(options.seeds):
        hover = f"{name}, seed {seed}<br>update %{{x}}: loss %{{y:.3~g}}"
        losses.line(name, index=first + seed, legend=seed == 0, hover=hover)


def _counts(traces: Traces, options: Options, rule: int, name: str) -> None:
    colour, symbol = LOOKS[rule]["color"], LOOKS[rule]["symbol"]
    places = [hidden + (rule - 1) * APART for hidden in range(1, DEEPEST + 1)]
    chains = traces.sharing(x=places, xaxis="x2", yaxis="y2", legend=False, legendgroup=name)
    for seed in range(options.seeds):
        start = chains.sharing(index=rule * options.seeds + seed, colour=colour, size=5, marker=dict(opacity=0.55))
        hover = f"{name}, seed {seed}<br>%{{y:,}} updates"
        start.markers(name, y="race_counts", symbol=symbol, hover=hover)
        hover = f"{name}, seed {seed}<br>not within %{{y:,}} updates"
        start.markers(name, y="race_capped", symbol="triangle-up-open", hover=hover)
    median = chains.sharing(y="race_median", index=rule, cliponaxis=False)
    hover = f"{name}, median<br>%{{y:,}} updates"
    median.markers(name, symbol="line-ew", size=14, edge=2.5, edge_colour=colour, hover=hover)


def _table(traces: Traces, options: Options) -> None:
    """The medians as numbers below the dots, one row for each rule."""
    table = traces.sharing(xaxis="x2", yaxis="y3", textfont=dict(size=9.5, color=style.TEXT))
    table.add(
        go.Heatmap,
        x=list(range(1, DEEPEST + 1)),
        y=list(range(len(RULES))),
        z="race_median",
        transpose=True,
        colorscale=style.flat(style.CLEAR),
        showscale=False,
        texttemplate="%{z:d}",
    )
    cap = table.sharing(x="race_above_cap", text=[f">{options.cap / 1000:g}k"] * DEEPEST, legend=False)
    for rule in range(len(RULES)):
        cap.add(go.Scatter, y=[rule] * DEEPEST, index=rule, mode="text")


def panel(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> Panel:
    """The panel on the Landscape page; `options` are those of the run."""
    options = options or Options()
    units = "1 hidden unit" if options.hidden == 1 else f"{options.hidden} hidden units"
    return Panel(
        name="escape-race",
        title="Escape from the saddle",
        figure=figure(experiment, run=run, options=options),
        alt=f"Left, loss against updates for chains with {units}, each rule from {options.seeds} starts. Right, "
        "updates until the escape for chains of 1 to 5 hidden units, each rule, with the medians as numbers.",
        help="All chains start near the origin (standard deviation 0.05), where the loss is 0.505, and take one step "
        f"for each fresh batch of 64. Escaped means: loss below {ESCAPED} (dashed line). Every rule sees the same "
        "starts and batches; numbers are medians. Triangles were stopped at the cap. PC at equilibrium escapes "
        "fastest, because its saddle is strict at every depth. PC with few large inference steps may fall behind in "
        "deep chains: the last weight grows until dt (1 + w²) = 2, where Euler steps cease to converge; more or "
        "smaller steps help.",
        csv=("race_steps", "race_loss", "race_counts", "race_capped", "race_median", "race_above_cap"),
        idle="Press Start to begin the race.",
        waiting="The race is about to start …",
        note="{race_diverged?Some diverged: learning rate or dt is too large|}",
    )
