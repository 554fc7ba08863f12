"""Energy balance: where the energy sits, over training (heat map) and now (bars)."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style

MARK, ROOM = 12, 200
"""Greatest height of a mark of theory, and of all of them together, in pixels."""


def energy_name(experiment: Experiment) -> str:
    """What the layer energies are: for backpropagation half the squared loss gradients -dLoss/dz."""
    return "½‖δ<sub>l</sub>‖²" if not experiment.learning.facts.relaxes else "E<sub>l</sub>"


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Left: log10 of each layer's energy against the weight step. Right: the energies now, on a logarithmic axis.

    Marks in the bars are what theory expects (docs/health.md). Layer 1 is at the bottom of both. Exact zeros have a
    colour of their own in the map and a marker row in the bars.
    """
    layers, name = experiment.network.depth, energy_name(experiment)
    depth = list(range(1, layers + 1))
    made = style.blank(
        meta=style.decades("xaxis2"),
        xaxis=style.step_axis(
            experiment.learning.steps, first=1, domain=[0, 0.44], title_text="weight step", showgrid=False
        ),
        xaxis2=style.decade_axis(domain=[0.76, 1], title_text=f"{name} now, | theory", anchor="y"),
        xaxis3=style.zero_strip(domain=[0.655, 0.7], anchor="y", tickangle=0),
        yaxis=style.layer_axis(layers, title_text="layer"),
        bargap=0.15 if layers <= 64 else 0,
        barcornerradius=0,
    )
    history = Traces(
        made, run, x="step_history", y=depth, z="energy_history", append=True, keep=style.maps_keep(layers)
    )
    bar = style.colour_bar("", x=0.445, xanchor="left")
    history.map(name, bar=bar, hover="layer %{y}, step %{x}<br>%{customdata:.4~g}")
    history.zero_map(hover="layer %{y}, step %{x}<br>exactly 0")
    smaller = dict(size=style.FONT_SIZE - 1)
    style.write(made, "exactly 0", x=0.65, xanchor="right", y=0.5, textangle=-90, font=smaller)
    now = Traces(made, run, y=depth, legend=False)
    bars = now.sharing(xaxis="x2")
    hover = "layer %{y}<br>%{customdata:.6~g}"
    bars.bars(f"{name} now", x="energy", text="energy", orientation="h", colour=style.BLUE, hover=hover)
    bars.markers(
        "expected by theory",
        x="expected_energy",
        text="expected_energy",
        zero="omit",
        symbol="line-ns",
        size=min(MARK, ROOM / layers),
        edge=2,
        edge_colour=style.VERMILLION,
        hover="layer %{y}<br>theory expects %{customdata:.4~g}",
    )
    now.zeros("exactly 0", x="energy", xaxis="x3", hover="layer %{y}<br>exactly 0")
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Train page."""
    layers, backprop = experiment.network.depth, not experiment.learning.facts.relaxes
    what = "Half the squared loss gradient of each layer" if backprop else "The energy of each layer"
    errors = " Errors are δ = -dLoss/dz." if backprop else ""
    return Panel(
        name="energy-balance",
        title="Energy balance",
        figure=figure(experiment, run=run),
        alt=f"{what}, layers 1 to {layers}: heat map over the weight steps, bars of the latest, both logarithmic.",
        help=f"{what} on the latest batch, layer 1 (next to the input) at the bottom. Left: over training. Right: now; "
        "bars begin at the first power of ten below the least energy, and marks say what theory expects after T steps "
        "if every layer passes its error on unchanged: by then an error has come only so far down, and is small. "
        f"Layers that no error reached are marked exactly 0, never as a small value.{errors}",
        csv=("energy_history", "total_energy_history", "weight_change_history"),
        table="history",
    )
