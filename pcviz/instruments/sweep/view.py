"""Scaling: how results change with the options of a network."""

from typing import Any, get_args

import streamlit as st
from pydantic import ValidationError

from pcviz.experiment import Experiment, cost, fields
from pcviz.experiment.axes import MOST_CELLS, SEED, axis
from pcviz.experiment.schema import flatten
from pcviz.instruments.sweep.figures import PANELS
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES
from pcviz.ui import controls, inputs, look
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [
    ("Cells", "{step} of {steps}", "Short trainings made, of those in the grid"),
    ("Diverged", "{sweep_diverged}", "Trainings whose loss stopped being finite: they are results too"),
]
PROMISE = "to train the network once for each combination, and to see which values are best."
VALUES_HELP = (
    "Values such as 32,64,128; whole numbers 0..4; five values at equal distances 0.1..1:5; seven at equal ratios "
    "log:1e-3..1:7."
)
MOST = 2000
"""Most cells of a sweep on the page."""
ROWS = ("First option", "Second option", "Third option", "Seeds")
NOTHING = "–"
ALONE = ("sweep-curves",)
"""Panels of a sweep of one option."""
EVERY = [path for path in fields() if path != SEED]


def choose(form: controls.Form) -> Choice:
    """Draw what varies; returns what it chooses."""
    with look.taking_over("sweep") as opened:
        if opened or "varied_0" not in st.session_state:
            _spread()
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key="sweep_row"):
        for row, label in enumerate(ROWS[:-1]):
            with st.container(width=230, gap="xxsmall"):
                offered = [NOTHING, *EVERY] if row else EVERY
                inputs.select(
                    label,
                    offered,
                    f"varied_{row}",
                    format_func=_name,
                    on_change=_suggest,
                    args=(row, form.experiment),
                    width=230,
                )
                if st.session_state[f"varied_{row}"] != NOTHING:
                    st.text_input("Values", key=f"values_{row}", help=VALUES_HELP, label_visibility="collapsed")
        st.number_input(ROWS[-1], 1, 20, key="varied_seeds", width=90, help="Each cell is trained once for each seed.")
        inputs.select("Show", QUANTITIES, "quantity", format_func=lambda name: QUANTITIES[name].label, width=190)
    st.session_state.vary = _gathered(form)
    made = look.choice("sweep", lambda options: wrong(form, options))
    return Choice(None, made.wrong) if made.wrong else made  # without cells there is no estimate of their time


def wrong(form: controls.Form, options: Options) -> list[str]:
    """Why these cells cannot be trained."""
    if form.experiment is None:
        return []
    try:
        cells = options.cells(form.experiment)
    except ValueError as error:
        return [str(error)]
    if len(cells) > MOST:
        more = f"allowed: 1 to {MOST}; pcviz sweep: {MOST_CELLS}"
        return [f"vary: {len(cells)} cells are too many on this page ({more})"]
    return next((too_large for cell in cells.values() if (too_large := cost.memory_refusal(cell))), [])


def figures(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The panels for these options, with theirs: those of the run, and the quantity chosen now."""
    now = st.session_state.get("quantity", options.get("quantity"))
    made = Options.model_validate({**options, "quantity": now} if now in QUANTITIES else options)
    fit = PANELS if len(made.grid_axes) > 1 else ALONE
    return {name: {"options": made} for name in fit}


def _name(path: str) -> str:
    return path if path == NOTHING else str(fields()[path].title)


def _spread() -> None:
    """Put the axes into their widgets."""
    axes = Options(vary=tuple(st.session_state.vary)).axes
    texts = [text for text in st.session_state.vary if axis(text).path != SEED][: len(ROWS) - 1]
    for row in range(len(ROWS) - 1):
        path, _, values = texts[row].partition("=") if row < len(texts) else (NOTHING, "", "")
        st.session_state[f"varied_{row}"] = path if path in EVERY or path == NOTHING else axis(texts[row]).path
        st.session_state[f"values_{row}"] = values
    seeds = [len(each.values) for each in axes if each.path == SEED]
    st.session_state.varied_seeds = min(seeds[0], 20) if seeds else 1


def _gathered(form: controls.Form) -> list[str]:
    """The axes that the widgets hold."""
    held = st.session_state
    rows = [row for row in range(len(ROWS) - 1) if held[f"varied_{row}"] != NOTHING]
    texts = [f"{held[f'varied_{row}']}={held.get(f'values_{row}', '')}" for row in rows]
    first = form.experiment.seed if form.experiment else 0
    seeds = int(held.varied_seeds)
    return [*texts, f"{SEED}={first}..{first + seeds - 1}"] if seeds > 1 else texts


def _suggest(row: int, experiment: Experiment | None) -> None:
    """Suggest values for the option that was chosen."""
    path = st.session_state.get(f"varied_{row}", NOTHING)
    if path != NOTHING:
        st.session_state[f"values_{row}"] = suggestion(path, experiment or Experiment())


def suggestion(path: str, experiment: Experiment) -> str:
    """Values of an option that are worth a try and fit the experiment; empty where there is nothing to suggest."""
    info = fields()[path]
    named = ("true", "false") if info.annotation is bool else get_args(info.annotation)
    usual = flatten(Experiment().model_dump())[path]
    if path in SUGGESTED:
        return SUGGESTED[path]
    if named and all(isinstance(name, str) for name in named):
        return ",".join(name for name in named if _fits(experiment, path, name))
    return f"{usual:g},{2 * usual:g}" if isinstance(usual, float) else ""


def _fits(experiment: Experiment, path: str, value: str) -> bool:
    try:
        experiment.changed({path: value})
    except ValidationError:
        return False
    return True


SUGGESTED = {
    "network.width": "16,32,64,128",
    "network.depth": "4,8,16,32",
    "learning.learning_rate": "log:1e-3..1:7",
    "learning.steps": "50,100,200",
    "learning.layer_rates": "1,10,0.1",
    "learning.weight_norm": "none,1,2",
    "inference.steps": "depth,2depth,4depth",
    "inference.step_size": "log:0.03..1:5",
    "inference.momentum": "0,0.5,0.9",
    "network.gamma": "log:0.1..10:5",
    "network.output_precision": "log:0.1..10:5",
    "inference.activity_decay": "0,0.01,0.1",
    "learning.batch_size": "16,64,256",
    "learning.weight_decay": "0,0.0001,0.01",
    "network.auxiliary": "1,2",
    "data.name": "digits,moons",
    "data.train_size": "64,256,all",
    "data.test_size": "all",
}
"""Field -> values that are worth a try."""

VIEW = View("sweep", "Sweep", "Sweep", PROMISE, tuple(PANELS), METRICS, choose, figures)
VIEWS = {VIEW.kind: VIEW}
