"""Loss landscape: the loss on a plane through the current weights, with the path of the run."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style


def figure(experiment: Experiment, *, run: int = 0, log: bool = True, energy: bool = False) -> go.Figure:
    """Loss (or F*, the energy at equilibrium) at the points of the grid that were computed (others stay blank), path,
    start and current weights.

    `log` colours by the logarithm, as a surface on a plane often spans decades. The path is cased in white, so that it
    reads on any colour.
    """
    made = style.blank(margin=style.LEGEND, **style.plane_axes("direction 1 (weight distance)", "direction 2"))
    name = "F*" if energy else "loss"
    traces = Traces(made, run, "training_plane")
    plane = traces.sharing(x="landscape_x", y="landscape_y", z="landscape")
    hover = f"{name} %{{customdata:.5~g}}<br>(%{{x:.3~g}}, %{{y:.3~g}})"
    plane.map(name, log=log, bar=style.colour_bar(name), hover=hover)
    if log:
        plane.zero_map(hover=f"{name} exactly 0<br>(%{{x:.3~g}}, %{{y:.3~g}})")
    path = traces.sharing(x="path_x", y="path_y", text="path_steps")
    path.cased_line("path", hover="step %{customdata}")
    for name, index, symbol, colour in (("start", 0, "circle", style.SKY), ("now", -1, "diamond", style.VERMILLION)):
        hover = f"{name}: step %{{customdata}}"
        path.markers(name, index=index, symbol=symbol, size=11, colour=colour, edge=2, hover=hover)
    return made


def panel(experiment: Experiment, *, run: int = 0, log: bool = True, energy: bool = False) -> Panel:
    """The panel on the Train page."""
    words = "energy that is left once inference has settled" if energy else "feedforward training loss"
    return Panel(
        name="landscape",
        title="Landscape of F*" if energy else "Loss landscape",
        figure=figure(experiment, run=run, log=log, energy=energy),
        alt=f"Heat map of the {words} on a plane through the current weights, with the path of the run.",
        help=f"The {words}, on a plane through the current weights, and the run's path projected onto "
        "it. The line below says how much of the path the plane holds: a small share means that most of the movement "
        "happened outside of what you see. Blank cells are not computed yet.",
        trail=("path_steps", "path_x", "path_y"),
        csv=("landscape_x", "landscape_y", "landscape", "path_steps", "path_x", "path_y", "path_loss"),
        waiting="The landscape follows once the run has begun.",
        note="{path_length:%0} of the path's length, {path_variance:%0} of its variance in this plane "
        "({plane_is_pca?principal|random} directions)",
    )
