"""The network view as a panel. The browser draws it (`pcviz/live/js/network.js`); no figure of Plotly is in it."""

from pcviz.experiment import Experiment
from pcviz.figures import Panel, style


def panel(experiment: Experiment, *, examples: bool = True) -> Panel:
    """The panel; with a choice of `examples` of the test set, of which exact numbers can be asked for."""
    return Panel(
        name="network",
        view="network",
        title="Network view",
        figure=style.blank(),
        alt="Every layer as a column: a tile each for its activities, the prediction from below, and the error.",
        help="One example of the test set goes through the network. Input and target are clamped; the first guess "
        "comes from below, so that all errors are zero but the output's. In each inference step every layer moves its "
        "activity a little, towards what is predicted from below and towards what makes the prediction above better: "
        "so the error walks down one layer per step. The stronger the colour of a cell, the greater its "
        "number, on a logarithmic scale from 1e-9 to 1; dashed tiles are exactly zero. The box marks the layer that "
        "the error has reached last, "
        "and t when it reached each one. Then the weights take one step: each layer learns from its own error and the "
        "activity below. Space plays and pauses, ← and → step, ↑ and ↓ read one layer, Enter asks for its numbers, "
        "Shift with ← and → reads one unit after the other. In wide or deep networks neighbouring units or layers "
        "share a cell, which shows the greatest of their numbers.",
        csv=(),
        pick=examples,
        idle=f"Press {'Train' if examples else 'Relax'} to begin.",
        front=experiment.inference.has_front,
        waiting="The first example is on its way …",
    )


PANELS = {"network": panel}
