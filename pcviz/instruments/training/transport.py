"""The buttons that start, pause, step, reset and cancel a run, and what a run would cost.

They follow what the run *should* do, which a click changes at once; the panels show what it does.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, TypeAlias

import streamlit as st

from pcviz.experiment import Experiment, cost, fields
from pcviz.experiment.faults import shown
from pcviz.experiment.schema import flatten
from pcviz.experiment.symmetry import misfit
from pcviz.store import RunRecord
from pcviz.ui import controls, inputs, markdown, present, room, session, trouble, watching, widgets

Phase: TypeAlias = Literal["none", "moving", "stepping", "paused", "ended"]

POLL_SECONDS = 1.0
"""How often the buttons check whether the run has ended or was steered from elsewhere."""
GRANULARITIES = ("weight update", "epoch")
COST_HELP = "Estimate for a whole run: compute time, memory, arithmetic of one weight step."
KEYS_HELP = (
    "Keys: Space trains, pauses and resumes, s steps, x resets, 1 to 7 choose panels, p presents and Escape leaves "
    "that. Reset keeps the settings; Cancel ends the run. "
    f"{room.PIN_HELP}"
)


@dataclass(frozen=True)
class Situation:
    """What decides which buttons are enabled: the form, and the run shown."""

    form: controls.Form
    record: RunRecord | None

    @property
    def phase(self) -> Phase:
        """What the run is meant to do now."""
        record = self.record
        if record is None:
            return "none"
        if record.ended or record.wanted == "cancelled":
            return "ended"
        if record.wanted == "paused":
            return "paused"
        if record.allowed_until_step is None:
            return "moving"
        return "stepping" if record.step < record.limit else "paused"

    @property
    def alive(self) -> bool:
        """Whether there is a run that can continue."""
        return self.phase in ("moving", "stepping", "paused")

    @cached_property
    def slowdown(self) -> float:
        """How this machine compares with the assumed one, for the form's experiment."""
        return cost.slowdown(self.form.experiment, session.history()) if self.form.experiment else 1.0

    @cached_property
    def refusals(self) -> list[str]:
        """Why the form's experiment may not start here."""
        return cost.admission(self.form.experiment, slowdown=self.slowdown) if self.form.experiment else []

    @cached_property
    def watched(self) -> bool:
        """Whether this page may only watch."""
        return session.watches(self.record)

    @cached_property
    def full(self) -> list[str]:
        """Why the store has no room for a new run, where `play` would start one."""
        return room.refusals("train", self.form.experiment) if self.starts else []

    @property
    def startable(self) -> bool:
        """Whether the form holds an experiment that may start."""
        return self.form.experiment is not None and not self.refusals and not self.full

    @property
    def changed(self) -> bool:
        """Whether the form differs from the run under way, and so waits for the next one."""
        return self.alive and self.record is not None and self.form.experiment != self.record.experiment

    @property
    def starts(self) -> bool:
        """Whether `play` starts a new run, instead of resuming this one."""
        return not self.alive or self.changed


def begin_at_once() -> None:
    """Start what a card on the Home page has put into the form."""
    if st.session_state.pop("begin_at_once", False):
        _play()


def transport(form: controls.Form) -> None:
    """Draw the buttons; they follow the run by themselves."""
    drawn, notices = Situation(form, session.record()), list(st.session_state.notices)

    @st.fragment(run_every=POLL_SECONDS if drawn.alive else None)
    @trouble.reporting()
    def buttons() -> None:
        now = Situation(form, session.record())
        same = (now.alive, _id(now), st.session_state.notices) == (drawn.alive, _id(drawn), notices)
        if not same or form != controls.read():
            st.rerun()  # the whole page: another run is shown, this one has ended, the form was filled anew, a refusal
        _buttons(now)
        watching.line(now.record)
        _messages(now)

    buttons()
    if drawn.full:
        room.wait("train", form.experiment)


def _id(now: Situation) -> str | None:
    return now.record.id if now.record else None


def _buttons(now: Situation) -> None:
    moving = now.phase == "moving"
    label = "Train" if now.starts else "Resume"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="transport"):
        free = not now.watched
        playable = now.startable if now.starts else not moving
        widgets.button("play", label, "play_arrow", _play, enabled=free and playable)
        widgets.button(
            "pause",
            "Pause",
            "pause",
            partial(session.steer, "pause"),
            enabled=free and (moving or now.phase == "stepping"),
        )
        steppable = not moving if now.alive else now.startable
        widgets.button("step", "Step", "skip_next", _step, enabled=free and steppable)
        if present.on():
            return
        inputs.select("What Step does", GRANULARITIES, "granularity", label_visibility="collapsed", width=150)
        widgets.button(
            "reset",
            "Reset",
            "replay",
            partial(session.steer, "reset", wanted="paused"),
            enabled=free and now.record is not None,
        )
        widgets.button("cancel", "Cancel", "close", partial(session.steer, "cancel"), enabled=free and now.alive)
        room.pin(now.record)
        if now.form.experiment:
            st.caption(cost.text(cost.estimate(now.form.experiment, now.slowdown)), width="content", help=COST_HELP)


# The callbacks read form and run again: both may have changed since the buttons were drawn.


def _now() -> Situation:
    return Situation(controls.read(), session.record())


@session.reporting()
def _play() -> None:
    now = _now()
    if now.starts:
        _start(now)
    else:
        session.steer("resume")


@session.reporting()
def _step() -> None:
    now = _now()
    experiment = now.record.experiment if now.alive and now.record else now.form.experiment
    if experiment is None:
        return
    count = 1 if st.session_state.get("granularity", "weight update") == "weight update" else experiment.steps_per_epoch
    if now.alive:
        session.steer("step", count=count)
    else:
        _start(now, allowed_until_step=count)


def _start(now: Situation, allowed_until_step: int | None = None) -> None:
    if now.watched:
        session.refuse()
        return
    if now.form.experiment is None or not now.startable:
        return
    with session.reporting():
        run = session.start(now.form.experiment, allowed_until_step)
        if now.alive:
            session.steer("pause")  # what is under way stays resumable
        session.show("run", run)
        session.show("baseline", None)


def _messages(now: Situation) -> None:
    """Say why Train is not possible, or what it would do: in one place, next to the buttons."""
    if now.form.experiment is not None and (why := misfit(now.form.experiment)):
        st.info(markdown.plain(why), icon=":material/info:")
    wrong = now.form.faults + now.refusals + now.full
    if wrong:
        st.error(markdown.lines(wrong), icon=":material/block:")
    elif now.record is not None and now.record.state == "failed":
        st.error(f"This run failed. {markdown.plain(now.record.message)}", icon=":material/error:")
    elif now.changed and not now.watched and now.record is not None and now.form.experiment is not None:
        running = now.record.experiment
        with st.container(horizontal=True, vertical_alignment="center", key="pending"):
            changes = changes_text(running, now.form.experiment)
            st.markdown(f"**Train** starts a new run with {changes}; this one keeps its settings.")
            st.button(
                "Back to this run's settings", key="revert", on_click=controls.fill, args=(running.differences(),)
            )


def changes_text(old: Experiment, new: Experiment) -> str:
    """What differs, in words: "Depth L 32, Activation tanh"."""
    before, after = flatten(old.model_dump()), flatten(new.model_dump())
    parts = [f"{info.title} {shown(after[path])}" for path, info in fields().items() if before[path] != after[path]]
    return markdown.plain(", ".join(parts[:3]) + (f" and {len(parts) - 3} more changes" if len(parts) > 3 else ""))
