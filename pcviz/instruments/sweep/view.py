"""Scaling: how results change with the options of a network."""

from contextlib import suppress
from typing import Any, Literal

import streamlit as st

from pcviz.experiment import Experiment, cost, fields, looks
from pcviz.experiment.axes import MOST_CELLS, SEED
from pcviz.instruments.sweep.afford import affordable, cost_of, number_of
from pcviz.instruments.sweep.figures import PANELS
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES
from pcviz.instruments.sweep.suggested import suggestion
from pcviz.ui import controls, inputs, look, session
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
                more = dict(format_func=_name, on_change=_suggest, args=(row, form.experiment), width=230)
                inputs.select(label, offered, f"varied_{row}", **more)
                if st.session_state[f"varied_{row}"] != NOTHING:
                    st.text_input("Values", key=f"values_{row}", help=VALUES_HELP, label_visibility="collapsed")
        st.number_input(ROWS[-1], 1, 20, key="varied_seeds", width=90, help="Each cell is trained once for each seed.")
        inputs.select("Show", QUANTITIES, "quantity", format_func=lambda name: QUANTITIES[name].label, width=190)
    st.session_state.vary = _gathered(form)
    made = look.choice("sweep", lambda options: wrong(form, options))
    _cost(form)
    return Choice(None, made.wrong) if made.wrong else made  # without cells there is no estimate of their time


def vary_button(path: str) -> None:
    """Draw the button beside a field of the form that makes it vary, or lets it rest again."""
    varies = any(st.session_state.get(f"varied_{row}") == path for row in range(len(ROWS) - 1))
    kind: Literal["primary", "tertiary"] = "primary" if varies else "tertiary"
    name = fields()[path].title
    if path != SEED:
        told = f"Let {name} rest" if varies else f"Vary {name}"
        st.button(":material/grid_on:", key=f"vary_{path}", type=kind, help=told, on_click=_turn, args=(path,))


def _turn(path: str) -> None:
    """Vary an option, in place of the last one if all rows are taken; or no longer."""
    held = st.session_state
    taken = [row for row in range(len(ROWS) - 1) if held.get(f"varied_{row}", NOTHING) != NOTHING]
    texts = [text for text in held.vary if axis_path(text) != SEED]
    seeds = [text for text in held.vary if axis_path(text) == SEED]
    if path in map(axis_path, texts):
        texts = [text for text in texts if axis_path(text) != path] or texts
    else:
        new = f"{path}={suggestion(path, controls.read().experiment or Experiment())}"
        texts = [*texts[: len(ROWS) - 2], new] if len(taken) == len(ROWS) - 1 else [*texts, new]
    held.vary = [*texts, *seeds]
    _spread()


def _cost(form: controls.Form) -> None:
    """Say what the sweep costs, and offer the nearest grid that is affordable."""
    if form.experiment is None:
        return
    with suppress(ValueError):
        options = Options(vary=tuple(st.session_state.vary))
        slow = looks.slowdown(form.experiment, options, session.looks("sweep"))
        thinner = affordable(options, form.experiment, MOST, slow)
        if left_out := st.session_state.get("left_out"):
            names = ", ".join(left_out)
            st.warning(f"vary: {names} left out (allowed: {len(ROWS) - 1} options here, any number in pcviz sweep)")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep_cost"):
            if number_of(options) <= MOST:
                found = cost_of(options, form.experiment, slow)
                st.caption(f"{found.cells} cells, up to {cost.bytes_text(found.memory)} of memory", width="content")
            if thinner is not None:
                found = cost_of(thinner, form.experiment, slow)
                label = f"Thin out to {found.cells} cells, {cost.seconds_text(found.seconds)}"
                st.button(label, key="thin_out", icon=":material/grid_4x4:", on_click=_take, args=(thinner.vary,))


def _take(vary: tuple[str, ...]) -> None:
    st.session_state.vary = list(vary)
    _spread()


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
    texts = [text for text in st.session_state.vary if axis_path(text) != SEED]
    st.session_state.left_out = [axis_path(text) for text in texts[len(ROWS) - 1 :]]
    for row in range(len(ROWS) - 1):
        path, _, values = texts[row].partition("=") if row < len(texts) else (NOTHING, "", "")
        st.session_state[f"varied_{row}"] = path if path in EVERY or path == NOTHING else axis_path(texts[row])
        st.session_state[f"values_{row}"] = values
    seeds = [len(each.values) for each in axes if each.path == SEED]
    st.session_state.varied_seeds = min(seeds[0], 20) if seeds else 1


def axis_path(text: str) -> str:
    """The option that an axis in words is about."""
    return text.partition("=")[0].strip().replace("-", "_")


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


VIEW = View("sweep", "Sweep", "Sweep", PROMISE, tuple(PANELS), METRICS, choose, figures)
VIEWS = {VIEW.kind: VIEW}
