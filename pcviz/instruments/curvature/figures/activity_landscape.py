"""Inference landscape: the energy over the steepest and flattest direction of activity space, and the solver's path."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.curvature.options import GRID


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """One example's energy above its equilibrium, coloured by the logarithm; the path of the experiment's solver with
    its start and end; the equilibrium.

    The axes have different scales: a quadratic bowl has the same energy in the middle of all edges.
    """
    titles = ("steepest direction (distance from equilibrium)", "flattest direction")
    made = style.blank(margin=style.LEGEND, **style.plane_axes(*titles, nticks=7))
    traces = Traces(made, run, "curvature")
    plane = traces.sharing(x="activity_plane_x", y="activity_plane_y")
    energy = plane.sharing(z="activity_plane")
    hover = "energy + %{customdata:.4~g}<br>steepest %{x:.3~g}, flattest %{y:.3~g}"
    energy.map("energy above equilibrium", bar=style.colour_bar("energy above F*"), hover=hover)
    energy.zero_map("equal to equilibrium", hover="energy of the equilibrium")
    path = traces.sharing(x="activity_path_x", y="activity_path_y", text="activity_path_steps")
    beyond = traces.sharing(x="activity_beyond_x", y="activity_beyond_y", text="activity_beyond_steps")
    for name, way, dash in (("if it went on", beyond, "dot"), ("path", path, "solid")):
        way.cased_line(name, dash=dash, hover=f"{name}: inference step %{{customdata}}")
    # The start is larger: where a path hardly moves, its end must not hide it.
    for name, symbol, size, colour, where, index in (
        ("equilibrium", "star", 12, style.ORANGE, plane, GRID // 2),
        ("start", "circle", 15, style.SKY, path, 0),
        ("end", "diamond", 9, style.VERMILLION, path, -1),
    ):
        hover = name if where is plane else f"{name}: inference step %{{customdata}}"
        mark = where.sharing(index=index, edge=1.6, cliponaxis=False)
        mark.markers(name, symbol=symbol, size=size, colour=colour, hover=hover)
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Landscape page."""
    return Panel(
        name="activity-landscape",
        title="Inference landscape",
        figure=figure(experiment, run=run),
        alt="Heat map of one example's energy over the steepest and the flattest direction of activity space, with the "
        "path of the solver from its start towards the equilibrium.",
        help="The energy of the first example around its equilibrium, along the eigenvectors of the activity Hessian "
        "with the largest and the smallest curvature. Mind the two scales: drawn to one scale, the valley would be √κ "
        "times as long as it is wide. A solver drops to the floor of the valley and then creeps along it: steps "
        "stable across it are κ times too small along it. Dotted: where the path would lead with up to 64 times the "
        "steps. The path is projected; the line above says how much of the way from start to equilibrium lies in this "
        "plane.",
        csv=(
            "activity_plane_x",
            "activity_plane_y",
            "activity_plane",
            "activity_path_steps",
            "activity_path_x",
            "activity_path_y",
            "activity_path_excess",
            "activity_beyond_steps",
            "activity_beyond_x",
            "activity_beyond_y",
        ),
        idle="Press Compute to begin.",
        waiting="Relaxing the example to its equilibrium …",
        note="curvature {plane_curvature_max:g3} across, {plane_curvature_min:g3} along · κ {plane_condition:g3} · "
        "{plane_share:%0} of the way in this plane",
    )
