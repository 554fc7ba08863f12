"""The Inference page's own controls: which network and batch, which solvers, Relax and Cancel, and the reading."""

from typing import Any

import streamlit as st

from pcviz.experiment.solvers import SOLVERS
from pcviz.figures import Choice
from pcviz.instruments.relaxation.figures import PANELS
from pcviz.instruments.relaxation.options import Options, possible
from pcviz.instruments.relaxation.reading import AXES, reading
from pcviz.store import RunRecord
from pcviz.ui import controls, inputs, look, look_options, markdown, room, session, source, subject, widgets
from pcviz.ui.instruments import FRESH
from pcviz.ui.look import View

KEYS_HELP = (
    "Keys: Space plays and pauses the relaxation on the screen, ← and → go one inference step back and forward. "
    f"{room.PIN_HELP}"
)
SIGNAL_HELP = (
    "Layers that the target has reached at the end: their error, less what it would be without the target, is above "
    "rounding. Theory: the number expected after as many steps if all layers pass errors on unchanged "
    "(docs/health.md)"
)
LIMIT_HELP = (
    "The step size above which the experiment's solver diverges on the quadratic model of the start, the least over "
    "several examples: "
    + ", ".join(f"{facts.label} {facts.limit}" for facts in SOLVERS.values() if facts.limit)
    + "; other solvers have none"
)
SOLVERS_HELP = "All start from the same point. The solver of the form always takes part.  \n" + "  \n".join(
    f"**{facts.label}**: {facts.help}" for facts in SOLVERS.values()
)
METRICS: list[tuple[str, str, str]] = [
    ("Computed", "{step} %", "Share of the comparison that is done"),
    ("Layers with a signal", "{layers_with_signal} · theory {layers_expected}", SIGNAL_HELP),
    ("Energy now", "{total_energy:g4}", "Total energy after the last inference step"),
    (
        "Equilibrium F*",
        "{equilibrium_energy:g4}",
        "The lowest energy that a solver found; exact for linear networks with mse",
    ),
    ("Step size limit", "{step_limit:g3}", LIMIT_HELP),
    (
        "Condition κ",
        "{condition_number:g3}",
        "λmax / λmin: how much longer plain descent takes in the flattest direction than in the steepest",
    ),
    ("κ in errors", "{error_curvature_max:g3}", "λmax / λmin in error coordinates, where λmin is 1"),
]


def drawn(path: str) -> bool:
    """Whether a relaxation depends on a field: everything but learning, of which only the batch size matters."""
    return not path.startswith("learning.") or path == "learning.batch_size"


def choose(form: controls.Form) -> look.Choice:
    """Draw the row of controls above the panels; returns what they choose."""
    with look.taking_over("relax") as opened:
        subject.follow_source("relax", form, "source", "at_step", opened=opened)
    fitting = possible(form.experiment) if form.experiment else list(SOLVERS)
    names = fitting or list(SOLVERS)  # where none is compared the choice is kept for other networks
    st.session_state.solvers = [name for name in st.session_state.solvers if name in names]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="source_row"):
        text = "The form's network, or that of a stored run, which brings its settings along."
        runs = source.network("source", text, _source_changed)
        source.at_step("at_step", stored=st.session_state.source != FRESH)
        look_options.number("batch", width=110)
        inputs.several(
            "Solvers to compare",
            names,
            "solvers",
            format_func=lambda name: SOLVERS[name].label,
            width="stretch",
            help=SOLVERS_HELP,
            disabled=not fitting,
        )
    source.divergence(runs.get(st.session_state.source))
    return look.choice("relax", lambda options: source.mismatch(form, options.source))


def chosen() -> Options:
    """The options that the controls choose."""
    return Options.model_validate(look_options.current("relax"))


@session.reporting()
def _source_changed() -> None:
    """Take network, data and seed of the stored run into the form; how to relax stays as chosen."""
    run = st.session_state.source
    if run == FRESH or not widgets.chosen("source"):
        return
    stored = session.find(run)
    if stored is None or stored.unreadable:
        return
    trained = stored.experiment.differences()
    mine = controls.read().values
    inference = {path: value for path, value in mine.items() if path.startswith("inference.")}
    controls.fill({**{p: v for p, v in trained.items() if not p.startswith("inference.")}, **inference})


def race_axis() -> str:
    """What the solvers are drawn against."""
    return str(st.session_state.setdefault("race_axis", "passes"))


def choices() -> dict[str, list[Choice]]:
    """Controls in the headers of the panels that they change."""
    about = "Inference steps, evaluations of the gradient, or milliseconds of compute."
    return {"solver-race": [Choice("race_axis", "against", about, race_axis(), AXES)]}


def take(choice: dict[str, Any]) -> None:
    """Take over the choice {key, value} of a control in a panel's header."""
    if choice.get("key") == "race_axis" and choice.get("value") in AXES:
        st.session_state.race_axis = choice["value"]


def sentences() -> None:
    """Draw the reading, which follows the run by itself."""
    with st.container(key="reading"):
        look.follow(_line)


def _line(record: RunRecord) -> None:
    frame = session.client().last_frame(record.id)
    compared = Options.model_validate(record.options).compared(record.experiment)
    told = reading(record.experiment, frame.values, compared, race_axis()) if frame else []
    st.markdown(markdown.plain(" ".join(told)) or "…", width="stretch")


PROMISE = (
    "to let one batch settle: the error walks down from the target while the energy falls; other solvers try the same."
)
VIEW = View("relax", "Relaxation", "Relax", PROMISE, tuple(PANELS), METRICS, choose)
VIEWS = {VIEW.kind: VIEW}
