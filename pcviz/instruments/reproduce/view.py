"""Inference budget: a published finding, measured again network by network."""

from typing import get_args

from pcviz.instruments.reproduce.figures import PANELS
from pcviz.instruments.reproduce.options import Options
from pcviz.ui import controls, inputs, look
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [("Networks", "{step} of {steps}", "Networks measured, of those in the protocol")]
HELP = {
    name: f"**{name.capitalize()}**: {len(Options(protocol=name).chosen.cells)} networks, depths "
    f"{', '.join(map(str, Options(protocol=name).chosen.depths))}."
    for name in get_args(Options.model_fields["protocol"].annotation)
}


def choose(form: controls.Form) -> Choice:
    """Draw the choice of a protocol; returns what it chooses."""
    with look.taking_over("reproduce"):
        pass
    about = "  \n".join(HELP.values())
    inputs.segments("Protocol", HELP, "reproduce_protocol", format_func=str.capitalize, help=about)
    return look.choice("reproduce")


FIGURES = look.made_for("reproduce", PANELS)
PROMISE = "to measure how many inference steps each solver needs as networks get deeper."
VIEW = View("reproduce", "Inference budget", "Start", PROMISE, tuple(PANELS), METRICS, choose, FIGURES)
VIEWS = {VIEW.kind: VIEW}
