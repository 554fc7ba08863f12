"""What the network says about the data: answers against the truth as a figure, and examples as images, which the
browser draws (`pcviz/live/js/examples.js`)."""

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from pcviz.experiment import DatasetFacts, Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.predictions.options import CLASSES, POINTS, image_side

ROWS = ("Worst mistakes", "Latest batch", "Test set")
WRITTEN = 12
"""Up to this many classes, counts are written into the cells."""
NOTE = "{mistakes} of {tested} test examples are wrong"
FEW = tuple(zip((0.0, 0.01, 0.03, 0.1, 0.3, 1.0), sample_colorscale(style.CIVIDIS, 6), strict=True))
"""A colour scale that tells small counts apart: a network is right more often than it takes one class for another."""
WAITING = "The first answers come with the first weight step …"


def confusion(facts: DatasetFacts, run: int) -> go.Figure:
    """Counts of test examples: a row for each true class, a column for each predicted one."""
    classes = list(range(facts.output_dim))
    few = len(classes) <= WRITTEN
    ticks = dict(tickmode="array", tickvals=classes) if few else dict(tickformat=",d")
    made = style.blank(**style.plane_axes("predicted class", "true class", **ticks))
    made.update_yaxes(autorange="reversed")
    cells = Traces(made, run, "predictions", x=classes, y=classes, z="confusion", text="confusion")
    cells.zero_map("none", hover="class %{y}, predicted as %{x}: none")
    cells.map(
        "test examples",
        log=False,
        zero="omit",
        zmin=0,
        colorscale=FEW,
        bar=None if few else style.colour_bar("test examples"),
        texttemplate="%{z}" if few else None,
        hover="class %{y}, predicted as %{x}: %{z}",
    )
    return made


def plane(run: int) -> go.Figure:
    """Test examples in the plane: right ones, and wrong ones."""
    made = style.blank(margin=style.LEGEND, **style.plane_axes("input 1", "input 2"))
    points = Traces(made, run, "predictions", x="tested_x", y="tested_y", text="tested_label")
    looks = (("right", 0, "circle", style.BLUE, 5), ("wrong", 1, "x", style.VERMILLION, 9))
    for name, code, symbol, colour, size in looks:
        hover = f"{name}: predicted as class %{{customdata}}<br>(%{{x:.2f}}, %{{y:.2f}})"
        members = dict(channel="tested_wrong", equals=code)
        points.markers(name, where=members, symbol=symbol, colour=colour, size=size, edge=0.8, hover=hover)
    return made


def pairs(facts: DatasetFacts, run: int) -> go.Figure:
    """The target of each test example against the output, and where both are equal."""
    which = ", dimension 1" if facts.output_dim > 1 else ""
    made = style.blank(margin=style.LEGEND, xaxis_title_text=f"target{which}", yaxis_title_text=f"output{which}")
    drawn = Traces(made, run, "predictions", x="tested_target")
    drawn.line("output = target", y="tested_target", colour=style.TEXT, width=1, dash="dash")
    hover = "target %{x:.4~g}<br>output %{y:.4~g}"
    drawn.markers("test examples", y="tested_output", colour=style.BLUE, size=6, edge=0.8, hover=hover)
    return made


def predictions(experiment: Experiment, *, run: int = 0) -> Panel:
    """Answers against the truth: points of the plane, otherwise counts of classes; of a regression, pairs."""
    facts, absent = experiment.data.facts, None
    csv: tuple[str, ...]
    if facts.task == "regression":
        figure, csv = pairs(facts, run), ("tested_target", "tested_output")
        alt = "The network's output for each test example against its target."
        text = f"Each point is a test example (the first {POINTS:,}). On the dashed line the output equals the target."
        text += " Of several output dimensions, the first one is shown." if facts.output_dim > 1 else ""
    elif facts.planar:
        figure, csv = plane(run), ("tested_x", "tested_y", "tested_label", "tested_wrong")
        alt = "Test examples in the plane, right ones as circles and wrong ones as crosses."
        text = f"Each point is a test example (the first {POINTS:,}): a circle where the network's greatest output is "
        text += "that of the true class, a cross where it is another one."
    else:
        figure, csv = confusion(facts, run), ("confusion",)
        alt = "Counts of test examples, by true class and predicted class."
        text = "Each row is a true class, each column the class that the network predicts, which is the one of its "
        text += "greatest output. The number is how many test examples are so. Right answers are on the diagonal."
        if facts.output_dim > CLASSES:
            absent = f"Counts are drawn for {CLASSES} classes at most; this data set has {facts.output_dim}."
    return Panel(
        name="predictions",
        title="Predictions",
        figure=figure,
        alt=alt,
        help=text,
        csv=csv,
        waiting=WAITING,
        absent=absent,
        note=None if facts.task == "regression" else NOTE,
    )


def examples(experiment: Experiment, *, rows: tuple[str, ...] = ROWS) -> Panel:
    """Images with their classes, in rows. Raises ValueError for a row that is not in `ROWS`."""
    facts, absent = experiment.data.facts, None
    if unknown := set(rows) - set(ROWS):
        raise ValueError(f"rows: {', '.join(sorted(unknown))} is unknown (allowed: {', '.join(ROWS)})")
    if facts.task == "regression":
        absent = "A regression has no classes that could be right or wrong."
    elif image_side(facts) is None:
        absent = f"The {facts.input_dim} inputs of {facts.label} are no square image."
    return Panel(
        name="examples",
        view="examples",
        title="Examples",
        figure=style.blank(),
        alt="Images of examples, each with its class and the class that the network predicts.",
        help="Under each image is its class, and after the arrow what the network takes it for; ✗ marks what is wrong. "
        "The worst mistakes are those where the output of the wrong class is furthest above that of the right one. The "
        "latest batch is what the network has just learned from. Select an image of the test set to see how it goes "
        "through the network. Each pixel is shaded by the range that it has in the training set.",
        csv=(),
        rows=rows,
        waiting=WAITING,
        absent=absent,
        note=NOTE,
    )


PANELS = {"predictions": predictions, "examples": examples}
