"""Loss and equilibrated energy F* on one plane through the weights: each, their ratio, both in space, and walks."""

from collections.abc import Callable
from functools import partial

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.plane.options import DIRECTIONS, STEPS, WALKS, Directions

SIDES = {
    "loss": ("landscape", "loss", "the loss"),
    "energy": ("landscape_energy", "F*", "the energy at the equilibrium of inference"),
}
"""Channel, short name and words of the two surfaces."""
TITLES = {"loss": "Loss: where backprop descends", "energy": "F*: where predictive coding descends"}
HELP = {
    "loss": "The mean feedforward loss of the probe examples.",
    "energy": "The energy that is left once inference has settled. By the envelope theorem its slope in the weights is "
    "what predictive coding learns from. For linear networks with mse F* = ½ rᵀS⁻¹r; for others it is relaxed until "
    "half its squared gradient in the errors is at most 10⁻⁶ of it. The line above gives the largest share that was "
    "left at a point; rounding, or kinks of the activation (hard tanh), can keep it above that. Kinks (relu, "
    "leaky relu, selu) can make several minima: F* is the one reached from the feedforward state.",
}
LOOKS = ((style.ORANGE, "dash", "square"), (style.VERMILLION, "solid", "circle"))
"""Colour, dash and symbol of each walk."""
HEIGHTS = dict(x="landscape_x", y="landscape_y")
SurveyPanel = partial(Panel, idle="Press Survey to begin.", waiting="Waiting for the first points …")


def figure(experiment: Experiment, *, run: int = 0, log: bool = True, kind: str = "loss") -> go.Figure:
    """A surface with contours, arrows downhill, the path, and the walks from the point clicked."""
    channel, name, _ = SIDES[kind]
    made = style.blank(
        margin=style.LEGEND,
        hoverdistance=12,  # elsewhere hovering picks the nearest trace; here a click means the point beneath it
        **style.plane_axes("direction 1", "direction 2"),
    )
    traces = Traces(made, run, "plane")
    surface = traces.sharing(z=channel, **HEIGHTS)
    hover = f"{name} %{{customdata:.5~g}}<br>(%{{x:.3~g}}, %{{y:.3~g}})"
    surface.map(name, log=log, bar=style.colour_bar(name), hover=hover)
    surface.contours("contours", opacity=0.45, log=log, ncontours=12, connectgaps=False)
    downhill = traces.sharing(colour="rgba(255,255,255,0.85)", width=1.1, legend=False)
    downhill.line("downhill", x=f"arrows_{kind}_x", y=f"arrows_{kind}_y")
    path = traces.sharing(x="path_x", y="path_y")
    path.cased_line("path")
    weights = path.sharing(index=-1, text=f"path_{kind}", hover=f"weights: {name} %{{customdata:.5~g}}")
    weights.markers("weights", symbol="diamond", size=11, colour=style.SKY, edge=2)
    for (rule, label), (colour, dash, symbol) in zip(WALKS.items(), LOOKS, strict=True):
        walk = Traces(made, run, "walk", x=f"walk_{rule}_x", y=f"walk_{rule}_y")
        walk.line(label, colour=colour, width=2.4, dash=dash)
        walk.markers(f"{label} now", index=-1, symbol=symbol, size=9, colour=colour, edge=1.5, legend=False)
    walk.markers("clicked", index=0, symbol="x-thin", size=10, edge=2.5, legend=False)
    return made


def panel(
    experiment: Experiment, *, run: int = 0, log: bool = True, kind: str = "loss", directions: Directions = "random"
) -> Panel:
    """One of the two surfaces; `directions` of its plane are named beneath the title."""
    words = SIDES[kind][2]
    here = "loss {loss_here:g4} at the weights" if kind == "loss" else "F* {energy_here:g4} at the weights"
    if kind == "energy":
        exact = experiment.network.has_closed_form
        here += ", in closed form" if exact else ", relaxed to {energy_tolerance:g1}"
    return SurveyPanel(
        name=f"surface-{kind}",
        title=TITLES[kind],
        figure=figure(experiment, run=run, log=log, kind=kind),
        alt=f"Heat map of {words} on a plane through the weights, with contours, arrows downhill, and paths.",
        help=f"{HELP[kind]} Arrows point downhill on the picture, all of the same length. Click a point: backprop and "
        f"predictive coding start there and take {STEPS} weight steps each; you see their projections. Contours "
        "interpolate between computed points; blank cells are not computed, or overflow.",
        csv=("landscape_x", "landscape_y", SIDES[kind][0], "path_steps", "path_x", "path_y"),
        note=f"{here} · plane: {DIRECTIONS[directions].help}",
        pick=True,
        link="plane",
    )


def ratio_figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Loss over F*: 1 where nothing is gained by inference; for linear networks between the eigenvalues of S."""
    made = style.blank(**style.plane_axes("direction 1", "direction 2"))
    hover = "loss / F* %{customdata:.4~g}<br>(%{x:.3~g}, %{y:.3~g})"
    surface = Traces(made, run, "plane", z="landscape_ratio", **HEIGHTS)
    surface.map("ratio", bar=style.colour_bar("loss / F*"), hover=hover)
    return made


def ratio_panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel of the ratio of loss and F*."""
    return SurveyPanel(
        name="surface-ratio",
        title="Loss over F*",
        figure=ratio_figure(experiment, run=run),
        alt="Heat map of the ratio of loss and equilibrated energy on the plane.",
        help="How much of the loss inference removes; never below 1/λ. For linear networks with mse F* = ½ rᵀS⁻¹r: "
        "the ratio lies between the least and the greatest eigenvalue of S. Where it is near 1/λ everywhere, as in "
        "wide networks, predictive coding is backprop.",
        csv=("landscape_x", "landscape_y", "landscape_ratio"),
    )


def space_figure(experiment: Experiment, *, run: int = 0, log: bool = True) -> go.Figure:
    """Both surfaces over the plane, F* beneath the loss."""
    grid = dict(show=True, color="rgba(255,255,255,0.35)", width=1)
    axis = dict(gridcolor=style.GRID, color=style.TEXT, backgroundcolor=style.CLEAR, showspikes=False)
    made = style.blank(
        margin=dict(l=0, r=0, t=24, b=0),
        scene=dict(
            xaxis=dict(title_text="direction 1", **axis),
            yaxis=dict(title_text="direction 2", **axis),
            zaxis=dict(title_text="height", type="log" if log else "linear", exponentformat="power", **axis),
            camera=dict(eye=dict(x=1.25, y=-1.25, z=0.8), center=dict(x=0, y=0, z=-0.12)),
            aspectratio=dict(x=1, y=1, z=0.8),
        ),
    )
    surface = Traces(made, run, "plane", zero="omit" if log else None, **HEIGHTS)
    for (channel, name, _), colour in zip(SIDES.values(), (style.BLUE, style.ORANGE), strict=True):
        surface.add(
            go.Surface,
            name,
            z=channel,
            legend=True,
            colorscale=style.flat(colour),
            showscale=False,
            contours=dict(x=grid, y=grid),
            lighting=dict(ambient=0.85, diffuse=0.35, specular=0.05, roughness=0.9),
            connectgaps=False,
            hover=f"{name} %{{z:.5~g}}<br>(%{{x:.3~g}}, %{{y:.3~g}})",
        )
    return made


def space_panel(experiment: Experiment, *, run: int = 0, log: bool = True) -> Panel:
    """The panel of both surfaces in space."""
    return SurveyPanel(
        name="surface-3d",
        title="Both in space",
        figure=space_figure(experiment, run=run, log=log),
        alt="Two surfaces over the plane: the loss, and below it the equilibrated energy.",
        help="Drag to rotate, scroll to zoom; the view stays when new points arrive. F* never lies above λ times "
        "the loss.",
        csv=("landscape_x", "landscape_y", "landscape", "landscape_energy"),
        space=True,
    )


def walks_figure(experiment: Experiment, *, run: int = 0, log: bool = True) -> go.Figure:
    """Loss (solid) and F* (dotted) against weight steps for both rules."""
    y = style.log_axis(title_text="loss, F*") if log else dict(title_text="loss, F*")
    made = style.blank(
        margin=style.LEGEND, xaxis=style.step_axis(None, title_text="weight step from the point"), yaxis=y
    )
    walk = Traces(made, run, "walk")
    for (rule, label), (colour, *_) in zip(WALKS.items(), LOOKS, strict=True):
        for height, name, dash in (("loss", "loss", "solid"), ("energy", "F*", "dot")):
            bound = dict(x=f"walk_{rule}_steps", y=f"walk_{rule}_{height}")
            walk.line(f"{label}: {name}", **bound, colour=colour, dash=dash, width=2, hoverinfo="all")
    return made


def walks_panel(experiment: Experiment, *, run: int = 0, log: bool = True) -> Panel:
    """How backprop and predictive coding fare from the point clicked."""
    return SurveyPanel(
        name="walks",
        title="From the point you click",
        figure=walks_figure(experiment, run=run, log=log),
        alt="Loss and equilibrated energy against weight steps, backpropagation and predictive coding from one point.",
        help="Both rules start from the clicked weights with fresh moments and see the same examples, all in each "
        "step, with the experiment's optimiser, learning rate and inference.",
        csv=tuple(f"walk_{rule}_{name}" for rule in WALKS for name in ("steps", "x", "y", "loss", "energy")),
        idle="Press Survey, then click a point of a surface.",
        waiting="Click a point of a surface: both rules start there.",
        ended="Click a point of a surface: both rules start there.",
    )


PANELS: dict[str, Callable[..., Panel]] = {
    "surface-loss": partial(panel, kind="loss"),
    "surface-energy": partial(panel, kind="energy"),
    "surface-ratio": ratio_panel,
    "walks": walks_panel,
    "surface-3d": space_panel,
}
"""In reading order."""
