"""Findings: a study is chosen, measured, and judged claim by claim."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from pcviz.frames import Frame
from pcviz.instruments.charts import chart_values, latex, number
from pcviz.instruments.reproduce.figures import PANELS
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.picture import claims_with, outline_of
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.study import Cells, Claim, Report, document_of
from pcviz.store import RunRecord
from pcviz.ui import controls, downloads, inputs, look, markdown, pages, session
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [("Cells", "{step} of {steps}", "Cells measured, of those in the protocol")]
PROTOCOLS = {"quick": "few networks, for a class", "full": "as in a paper"}
MARKS = {True: ":green[:material/check_circle:]", False: ":red[:material/cancel:]", None: ":grey[:material/help:]"}
WORDS = {True: "kept", False: "not kept", None: "not known"}
MEANING = "Not known: not all is measured yet, or what was measured cannot decide it. Intervals are over seeds."
RECENT = 300
"""Runs among which earlier results are looked for."""


def choose(form: controls.Form) -> Choice:
    """Draw the choice of a finding and of its protocol; returns what it chooses."""
    with look.taking_over("reproduce"):
        pass
    about = "  \n".join(f"**{name.capitalize()}**: {text}." for name, text in PROTOCOLS.items())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="finding_choice"):
        labels = {name: study.label for name, study in STUDIES.items()}
        inputs.select("Finding", STUDIES, "finding", format_func=labels.__getitem__, width=300, on_change=_recall)
        inputs.segments("Protocol", PROTOCOLS, "protocol", format_func=str.capitalize, help=about, on_change=_recall)
    study = STUDIES[st.session_state.finding]
    st.markdown(markdown.plain(f"Measures {study.help}. Source: {study.source}."))
    return look.choice("reproduce")


@session.reporting()
def _recall() -> None:
    """Show the newest result of what was chosen, if there is one."""
    chosen = st.session_state.finding, st.session_state.protocol
    session.show("run", next((run.id for run in _runs() if _of(run) == chosen), None))


def _runs() -> list[RunRecord]:
    """Findings measured before, newest first: of all owners."""
    recent = session.client().store.reader.runs(RECENT)
    return [run for run in recent if run.kind == "reproduce" and not run.unreadable and run.step > 0]


def _of(run: RunRecord) -> tuple[str, str]:
    options = Options.model_validate(run.options)
    return options.finding, options.protocol


def figures(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The panels of the finding that these options choose."""
    made = Options.model_validate(options)
    charts = made.study.report([], made.chosen).charts
    return {name: {"options": made} for name, _ in zip(PANELS, charts, strict=False)}


def outdated(record: RunRecord | None) -> bool:
    """Whether an earlier pcviz measured the run, with other curves or claims: it does not fit into the panels, which is
    said."""
    frame = None if record is None else session.client().last_frame(record.id)
    if record is None or frame is None or _fits(frame, record):
        return False
    st.info("An earlier pcviz measured this, with other networks or claims. Press Start to measure it again.")
    return True


def _fits(frame: Frame, record: RunRecord) -> bool:
    return frame.values.get("finding_outline") == outline_of(_empty(record))


def _empty(record: RunRecord) -> Report:
    options = Options.model_validate(record.options)
    return options.study.report([], options.chosen)


def verdict() -> None:
    """Draw in one line what became of the claims of the run shown, which it follows by itself."""
    with st.container(key="verdict"):
        look.follow(_sentence)


def _sentence(record: RunRecord) -> None:
    kept = [claim.kept for claim in _claims(record)]
    counts = [(kept.count(value), word) for value, word in WORDS.items() if kept.count(value)]
    told = ", ".join(f"{count} {word}" for count, word in counts)
    st.markdown(f"#### Claims: {told}" if record.ended or record.step else "Measuring …")


def claims() -> None:
    """Draw the claims of the run shown, with what was measured, and the buttons that save it."""
    with st.container(key="claims"):
        look.follow(_table)


def _table(record: RunRecord) -> None:
    rows = [f"| {_mark(claim)} | {markdown.plain(claim.text)} | {_told(claim)} |" for claim in _claims(record)]
    st.markdown("\n".join(["| | claim | measured | interval |", "|:--|:--|--:|--:|", *rows]))
    st.caption(MEANING)
    if record.step:
        options = Options.model_validate(record.options)

        def cells(results: dict[str, Any]) -> Cells:
            return _cells(options, results)

        def charts(results: dict[str, Any]) -> list[dict[str, Any]]:
            found = cells(results)
            return list(document_of(options.finding, options.study, found, options.chosen)["charts"])

        downloads.buttons(
            f"{options.finding}-{options.protocol}",
            record,
            {"Cells": cells, "Charts": lambda results: chart_values(charts(results))},
            lambda results: "\n".join(map(latex, charts(results))),
        )


def _claims(record: RunRecord) -> Sequence[Claim]:
    """The claims of a run, with what it has measured so far."""
    frame, claims = session.client().last_frame(record.id), _empty(record).claims
    if frame is None or not _fits(frame, record):
        return claims
    return claims_with(claims, np.asarray(frame.values["finding_claims"]))


def _mark(claim: Claim) -> str:
    return f"{MARKS[claim.kept]} {WORDS[claim.kept]}"


def _told(claim: Claim) -> str:
    ends = f"{claim.interval[0]:.3g} to {claim.interval[1]:.3g}" if claim.interval else "–"
    return f"{number(claim.measured)} | {ends}"


def _cells(options: Options, results: dict[str, Any]) -> Cells:
    """A row for each cell that was measured."""
    cells = options.chosen.cells
    return [{"name": name, **cells[name]._asdict(), **found} for name, found in results.items() if name in cells]


def links() -> None:
    """Draw a button that lists the studies, each a link to its place on the Findings page."""
    with st.popover("Studies of papers", icon=":material/fact_check:", width="content", key="studies"):
        st.caption("Ready-made sweeps and probes, with what was published beside them.")
        for name, study in STUDIES.items():
            place = pages.SCRIPTS / "6_findings.py"
            st.page_link(place, label=study.label, query_params={"finding": name}, help=f"Measures {study.help}.")


def overview() -> None:
    """Draw the newest result of every finding, claim by claim."""
    newest: dict[str, RunRecord] = {}
    for run in _runs():
        if run.state == "done":
            newest.setdefault(_of(run)[0], run)
    with st.expander(f"All findings: {len(newest)} of {len(STUDIES)} measured here", key="all_findings"):
        rows = ["| finding | | claim | measured | interval |", "|:--|:--|:--|--:|--:|"]
        for name, study in STUDIES.items():
            if name not in newest:
                rows.append(f"| {study.label} | not measured yet | | | |")
                continue
            day = time.strftime("%Y-%m-%d", time.gmtime(newest[name].created_at))
            label = f"{study.label} ({_of(newest[name])[1]}, {day})"
            for claim in _claims(newest[name]):
                rows.append(f"| {label} | {_mark(claim)} | {markdown.plain(claim.text)} | {_told(claim)} |")
                label = ""
        st.markdown("\n".join(rows))


PROMISE = "to measure it again on this machine, network by network."
VIEW = View("reproduce", "Findings", "Start", PROMISE, tuple(PANELS), METRICS, choose, figures)
VIEWS = {VIEW.kind: VIEW}
