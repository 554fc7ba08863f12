"""What the pages of looks have in common: the start button, Cancel, and why nothing can start."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import streamlit as st
from pydantic import ValidationError

from pcviz.experiment import Experiment, cost, looks
from pcviz.experiment.faults import faults
from pcviz.experiment.looks import GroupOptions
from pcviz.instruments import options_of
from pcviz.store import RunRecord
from pcviz.ui import controls, look_options, markdown, room, session, subject, trouble, watching, widgets
from pcviz.ui.instruments import INSTRUMENTS

POLL_SECONDS = 1.0
"""Seconds between two checks whether the run has ended."""
COST_HELP = 'Estimate for the whole look. During the look, "Time left" follows its own speed.'
PROGRESS: list[dict[str, Any]] = [
    {
        "label": "Now",
        "value": ["{paused?paused|}", "training {training_step} / {training_steps}", "{compiling?compiling|computing}"],
        "help": "Whether it trains the weights it looks at (to weight step), compiles programs, computes, or is paused",
    },
    {"label": "Time left", "value": "{seconds_left:t}", "help": "Compute time left at the speed of this look so far"},
]
"""Metrics of every look besides its progress bar; of several templates the first with known values is shown."""


class Choice(NamedTuple):
    """What a page would start: options of the run (None: they are invalid), and what is wrong."""

    options: dict[str, Any] | None
    wrong: list[str]


class View(NamedTuple):
    """One kind of look: kind of its runs, its name, the button that starts it, what one will see after that (to follow
    "Press …"), panels, metric row (label, value, help), the controls, and options of the panels by panel from those of
    a run."""

    kind: str
    label: str
    verb: str
    promise: str
    panels: Sequence[str]
    metrics: Sequence[tuple[str, str, str]]
    choose: Callable[[controls.Form], Choice]
    figures: Callable[[dict[str, Any]], dict[str, dict[str, Any]]] = lambda options: {}

    @property
    def of_network(self) -> bool:
        """Whether it looks at the form's network."""
        return INSTRUMENTS[self.kind].model.OF_NETWORK

    @property
    def story(self) -> dict[str, list[str]]:
        """What stands above the panels before anything runs."""
        return {"idle": [f"Press {self.verb} {self.promise}"]}

    def metric_row(self, **fixed: str) -> list[dict[str, Any]]:
        """The metric row for the panels, `{name}` of `fixed` filled in; the first has the progress bar, and
        PROGRESS follows it."""
        made: list[dict[str, Any]] = []
        for label, value, text in self.metrics:
            for name, filling in fixed.items():
                value = value.replace(f"{{{name}}}", filling)
            made.append({"label": label, "value": value, "help": text})
        made[0]["progress"] = ["step", "steps"]
        return [made[0], *PROGRESS, *made[1:]]


def choice(
    kind: str, wrong: Callable[[Any], list[str]] = lambda options: [], fixed: dict[str, Any] | None = None
) -> Choice:
    """The options that the widgets of a kind of look hold, overridden by `fixed`, and what is wrong with them."""
    model = INSTRUMENTS[kind].model
    try:
        options = model.model_validate(look_options.current(kind) | (fixed or {}))
    except ValidationError as error:
        return Choice(None, faults(error, model))
    return Choice(options.stored(), wrong(options))


def made_for(kind: str, panels: Iterable[str]) -> Callable[[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The `figures` of a view whose panels are all made for the run's options."""
    return lambda options: {name: {"options": options_of(kind, options)} for name in panels}


def transport(view: View, form: controls.Form, choice: Choice) -> None:
    """Draw the start button, Cancel, and why nothing can start."""
    record = session.record()
    experiment = form.experiment if view.of_network else Experiment()
    wrong = [*(form.faults if view.of_network else []), *choice.wrong]
    if view.of_network and experiment is not None:
        wrong += cost.admission(experiment, slowdown=cost.slowdown(experiment, session.history()))
    full = room.refusals(view.kind, experiment)
    alive = record is not None and not record.ended and record.wanted != "cancelled"
    watched = session.watches(record)
    group = issubclass(INSTRUMENTS[view.kind].model, GroupOptions)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="transport"):
        ready = experiment is not None and choice.options is not None and not wrong and not full
        begin = partial(start, view.kind, experiment, choice.options)
        widgets.button("play", view.verb, "play_arrow", begin, enabled=ready and not watched)
        if group:
            resting = record is not None and alive and record.wanted == "paused"
            action, icon = ("resume", "play_arrow") if resting else ("pause", "pause")
            steer = partial(session.steer, action)
            widgets.button("pause", action.capitalize(), icon, steer, enabled=alive and not watched)
        widgets.button("cancel", "Cancel", "close", partial(session.steer, "cancel"), enabled=alive and not watched)
        room.pin(record)
        if experiment is not None and choice.options is not None:
            st.caption(estimate(view.kind, experiment, choice.options), width="content", help=COST_HELP)
    watching.line(record)
    if view.of_network:
        subject.line(record, form)
    if full:
        room.wait(view.kind, experiment)
    if wrong or full:
        st.error(markdown.lines(wrong + full), icon=":material/block:")
    elif record is not None and record.state == "failed":
        st.error(f"This run failed. {markdown.plain(record.message)}", icon=":material/error:")
    if group and record is not None and record.kind == view.kind and record.state in ("failed", "cancelled"):
        st.caption(f"What was measured is kept: with the same options, {view.verb} measures only what is missing.")


def estimate(kind: str, experiment: Experiment, options: dict[str, Any]) -> str:
    """Estimated duration of such a look: "≈ 20 s"."""
    found = options_of(kind, options)
    assert found is not None
    return cost.seconds_text(found.seconds(experiment, looks.slowdown(experiment, found, session.looks(kind))))


def follow(draw: Callable[[RunRecord], None] = lambda record: None) -> None:
    """Draw what follows the run shown by itself; redraw the page when that has ended, or when a button in what is drawn
    has put another run in its place."""
    shown = session.record()
    alive = shown is not None and not shown.ended

    @st.fragment(run_every=POLL_SECONDS if alive else None)
    @trouble.reporting()
    def watch() -> None:
        now = session.record()
        if (now and now.id) != (shown and shown.id) or (alive and now is not None and now.ended):
            st.rerun()
        if now is not None:
            draw(now)

    watch()


@session.reporting()
def start(kind: str, experiment: Experiment | None, options: dict[str, Any] | None) -> None:
    """Start a look and show it."""
    if session.watches(session.record()):
        session.refuse()
        return
    if experiment is None or options is None:
        return
    session.steer("cancel")  # a look under way makes room for the new one
    with session.reporting():
        run = session.client().look(
            kind, experiment, options, st.session_state.session, session.owner_key(), leaving=session.shown_runs()
        )
        session.show("run", run)
        st.session_state.taken_over = run


@contextmanager
def taking_over(kind: str) -> Iterator[bool]:
    """Surround the widgets of a kind of look: they keep their values, or take over those of an address or of a run that
    it opened. Yields whether they took over any; if the block is interrupted, they take them over again."""
    shown = session.record()
    opened = shown is not None and st.session_state.get("taken_over") != shown.id
    values, taken_over = look_options.given(kind, shown if opened else None)
    look_options.keep(kind, values)
    yield taken_over
    look_options.taken(kind)
    if shown is not None:
        st.session_state.taken_over = shown.id
