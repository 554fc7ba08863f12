"""The Diagnose page's own controls: what is diagnosed, the verdict with its findings, and what the remedies bring."""

from functools import partial

import streamlit as st

from pcviz.experiment import Experiment
from pcviz.frames import Value
from pcviz.instruments.diagnosis.attempts import Attempt, unpacked
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.explained import EXPLAINED
from pcviz.instruments.diagnosis.figures import PANELS
from pcviz.instruments.diagnosis.finding import Finding, Severity
from pcviz.instruments.diagnosis.options import MOST_ATTEMPTS, Options
from pcviz.instruments.diagnosis.remedies import remedy_text, score_text, tried_rows
from pcviz.instruments.diagnosis.report import document
from pcviz.instruments.diagnosis.rules import RULES
from pcviz.instruments.diagnosis.verdict import Diagnosis, diagnose
from pcviz.store import RunRecord
from pcviz.ui import controls, look, look_options, markdown, session, source, subject, widgets
from pcviz.ui.instruments import FRESH
from pcviz.ui.look import View

KEYS_HELP = "Trains the network beside twins that differ in one thing each, and names what costs it accuracy."
METRICS: list[tuple[str, str, str]] = [("Measured", "{step} %", "Share of the evidence that is measured")]
MARKS: dict[Severity, tuple[str, str]] = {
    "FAIL": (":material/error:", "red"),
    "WARN": (":material/warning:", "orange"),
    "OK": (":material/check_circle:", "green"),
    "unknown": (":material/help:", "grey"),
}


def drawn(path: str) -> bool:
    """Whether a diagnosis depends on a field: on all that the experiment needs."""
    return controls.applies(path)


def choose(form: controls.Form) -> look.Choice:
    """Draw the choice of what is diagnosed; returns what it chooses."""
    with look.taking_over("diagnose") as opened:
        subject.follow_source("diagnose", form, "diagnosed_source", "diagnosed_step", opened=opened)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="source_row"):
        text = "The form's network, or that of a stored run, after the weight steps that it has made."
        runs = source.network("diagnosed_source", text, _source_changed)
        look_options.number("diagnosed_step", step=10, width=140, placeholder="automatic")
    chosen = st.session_state.diagnosed_source
    source.divergence(runs.get(chosen))
    return look.choice("diagnose", fixed={"picture": True})


@session.reporting()
def _source_changed() -> None:
    """Take the settings of the stored run into the form."""
    run = st.session_state.diagnosed_source
    if run == FRESH or not widgets.chosen("diagnosed_source"):
        return
    stored = session.find(run)
    if stored is not None and not stored.unreadable:
        controls.fill(stored.experiment.differences())


def verdict() -> None:
    """Draw the verdict on the run shown, which follows it by itself."""
    with st.container(key="verdict"):
        look.follow(_verdict)


def _verdict(record: RunRecord) -> None:
    frame = session.client().last_frame(record.id)
    if not record.ended:
        st.markdown("Measuring …")
    elif record.state == "done" and frame is not None:
        _found(record, frame.values)


def _found(record: RunRecord, values: dict[str, Value]) -> None:
    experiment = record.experiment
    found, attempts = diagnose(Evidence(experiment, values)), unpacked(values)
    icon, colour = MARKS[found.severity]
    st.markdown(f"#### :{colour}[{icon}] {markdown.plain(found.sentence)}")
    _buttons(record, experiment, found, tried=len(attempts))
    if attempts:
        _attempts(experiment, found, attempts)
    hurt = next((finding for finding in found.causes if finding.layers), None) if "network_steps" in values else None
    for finding in found.causes:
        explained = [other for other in found.others if other.explained_by == finding.id]
        _card(experiment, finding, explained, marked=finding is hurt)
    harmless = [f for f in found.others if not f.explained_by]
    if harmless:
        with st.expander(f"Unusual, but harmless here ({len(harmless)})", key="harmless"):
            for finding in harmless:
                _line(finding)
    page = document(experiment, found, attempts, values)
    st.download_button(
        "Report (HTML)",
        page,
        "diagnosis.html",
        "text/html",
        key="report",
        icon=":material/download:",
        on_click="ignore",
    )


def _buttons(record: RunRecord, experiment: Experiment, found: Diagnosis, *, tried: int) -> None:
    """Buttons that try the remedies beside the network as it is."""
    if not any(finding.remedy for finding in found.causes):
        return
    options = Options.model_validate(record.options)
    watched = session.watches(record)
    with st.container(horizontal=True, gap="small", key="remedies"):
        for key, label, icon, count in (
            ("try_one", "Apply remedy", "healing", 1),
            ("try_all", "Apply all", "auto_fix_high", MOST_ATTEMPTS),
        ):
            again = options.model_copy(update={"attempts": count, "picture": True}).stored()
            action = partial(look.start, record.kind, experiment, again)
            widgets.button(key, label, icon, action, enabled=not watched and tried < count)
        st.caption("Trains with the remedies, as long as before, and says what they bring.", width="content")


def _attempts(experiment: Experiment, found: Diagnosis, attempts: list[Attempt]) -> None:
    """What the remedies have brought: before and after."""
    rows = ["| remedy | points | left to the best twin |", "|:--|--:|--:|"]
    rows += [
        f"| {markdown.plain(remedy)} | {points} | {left} |"
        for remedy, points, left in tried_rows(experiment, found, attempts)
    ]
    last = attempts[-1]
    gain = last.score - found.score
    word = "helps" if gain >= 1 else "does not help"
    st.markdown(f"**It {word}: {score_text(found.score)} before, {score_text(last.score)} after.**")
    st.markdown("\n".join(rows))
    if gain > 0:
        take = partial(controls.fill, attempts[-1].paths)
        widgets.button("take_all", "Take over into the form", "input", take, enabled=True)


def _card(experiment: Experiment, finding: Finding, explained: list[Finding], *, marked: bool) -> None:
    """A cause: what was measured, what it means, what helps, what else it explains; whether the network view marks its
    layers."""
    icon, colour = MARKS[finding.severity]
    cost = f" · costs {finding.points:.1f} points" if finding.points == finding.points else ""
    with st.container(border=True, key=f"finding_{finding.id}"):
        st.markdown(f":{colour}[{icon} **{finding.severity}**] **{finding.name}**{cost} :grey[{finding.id}]")
        st.markdown(markdown.plain(f"{finding.evidence} {finding.cause} {finding.consequence}".strip()))
        with st.expander("Explain", key=f"explain_{finding.id}"):
            st.markdown(EXPLAINED[finding.id])
            if marked:
                st.markdown("In the network view below, the layers that it concerns are marked red.")
        if finding.remedy:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"remedy_{finding.id}"):
                st.markdown(f"**Remedy:** {markdown.plain(remedy_text(experiment, finding.remedy))}", width="content")
                take = partial(controls.fill, {**experiment.differences(), **finding.remedy})
                widgets.button(f"take_{finding.id}", "Take over into the form", "input", take, enabled=True)
        if explained:
            with st.expander(f"Explains: {', '.join(f.name for f in explained)}", key=f"explained_{finding.id}"):
                for other in explained:
                    _line(other)
        st.caption(f"Source: {markdown.plain(RULES[finding.id].reference)}")


def _line(finding: Finding) -> None:
    told = markdown.plain(f"{finding.evidence} {finding.cause}".strip())
    st.markdown(f"**{finding.name}** :grey[{finding.id}]: {told}")


PROMISE = "to train this network beside its twins, and to be told what keeps it from learning."
VIEW = View("diagnose", "Diagnosis", "Diagnose", PROMISE, ("network", *PANELS), METRICS, choose)
VIEWS = {VIEW.kind: VIEW}
