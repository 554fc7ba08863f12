"""Escape race: how long BP and PC stay near the saddle at the origin, chain by chain (theory.md 4.7)."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel
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
    for rule, name in enumerate(labels(options)):
        _losses(made, run, options, rule, name)
        _counts(made, run, options, rule, name)
    _table(made, run, options)
    return made


def _losses(made: go.Figure, run: int, options: Options, rule: int, name: str) -> None:
    look = LOOKS[rule]
    first = ((options.hidden - 1) * len(RULES) + rule) * options.seeds
    for seed in range(options.seeds):
        made.add_scatter(
            x=[],
            y=[],
            mode="lines",
            name=name,
            legendgroup=name,
            showlegend=seed == 0,
            line=dict(color=look["color"], dash=look["dash"], width=1.4),
            hovertemplate=f"{name}, seed {seed}<br>update %{{x}}: loss %{{y:.3~g}}<extra></extra>",
            meta=_meta(run, x="race_steps", y="race_loss", index=first + seed),
        )


def _counts(made: go.Figure, run: int, options: Options, rule: int, name: str) -> None:
    look = LOOKS[rule]
    places = [hidden + (rule - 1) * APART for hidden in range(1, DEEPEST + 1)]
    axes = dict(x=places, y=[], xaxis="x2", yaxis="y2", showlegend=False, legendgroup=name)
    for seed in range(options.seeds):
        index = rule * options.seeds + seed
        for channel, symbol, said in (
            ("race_counts", look["symbol"], "%{y:,} updates"),
            ("race_capped", "triangle-up-open", "not within %{y:,} updates"),
        ):
            made.add_scatter(
                mode="markers",
                name=name,
                marker=dict(symbol=symbol, size=5, color=look["color"], opacity=0.55),
                hovertemplate=f"{name}, seed {seed}<br>{said}<extra></extra>",
                meta=_meta(run, y=channel, index=index),
                **axes,
            )
    made.add_scatter(
        mode="markers",
        name=name,
        marker=dict(symbol="line-ew", size=14, line=dict(color=look["color"], width=2.5)),
        cliponaxis=False,
        hovertemplate=f"{name}, median<br>%{{y:,}} updates<extra></extra>",
        meta=_meta(run, y="race_median", index=rule),
        **axes,
    )


def _table(made: go.Figure, run: int, options: Options) -> None:
    """The medians as numbers below the dots, one row for each rule."""
    font = dict(size=9.5, color=style.TEXT)
    made.add_heatmap(
        x=list(range(1, DEEPEST + 1)),
        y=list(range(len(RULES))),
        z=[],
        xaxis="x2",
        yaxis="y3",
        colorscale=[[0, style.CLEAR], [1, style.CLEAR]],
        showscale=False,
        hoverinfo="skip",
        texttemplate="%{z:d}",
        textfont=font,
        meta=_meta(run, z="race_median", transpose=True),
    )
    for rule in range(len(RULES)):
        made.add_scatter(
            x=[],
            y=[rule] * DEEPEST,
            xaxis="x2",
            yaxis="y3",
            mode="text",
            showlegend=False,
            hoverinfo="skip",
            text=[f">{options.cap / 1000:g}k"] * DEEPEST,
            textfont=font,
            meta=_meta(run, x="race_above_cap", index=rule),
        )


def _meta(run: int, **bound: Any) -> dict[str, Any]:
    return Binding(run=run, kind="chain", **bound).meta()


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
        "fastest, for its saddle is strict at every depth. PC with few large steps of inference may stay behind in "
        "deep chains: the last weight grows until dt (1 + w²) = 2, where Euler steps cease to converge; more or "
        "smaller steps help.",
        csv=("race_steps", "race_loss", "race_counts", "race_capped", "race_median", "race_above_cap"),
        table="latest",
        idle="Press Start to let them race.",
        waiting="They are about to start …",
        note="{race_diverged?Some diverged: learning rate or dt is too great|}",
    )
