"""The report: a diagnosis as one HTML file that needs no network."""

from html import escape
from typing import Any

import plotly.io

import pcviz
from pcviz.experiment import Experiment
from pcviz.experiment.command import command_line
from pcviz.figures.filled import filled, on_paper
from pcviz.frames import Value
from pcviz.instruments.diagnosis.attempts import Attempt
from pcviz.instruments.diagnosis.explained import EXPLAINED
from pcviz.instruments.diagnosis.figures import PANELS
from pcviz.instruments.diagnosis.finding import Finding
from pcviz.instruments.diagnosis.remedies import remedy_text, tried_rows
from pcviz.instruments.diagnosis.verdict import Diagnosis

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222;
  background: #fff; }
table { border-collapse: collapse; } td, th { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; }
section { border-top: 1px solid #ccc; padding-top: 0.5rem; }
.FAIL { color: #c0392b; } .WARN { color: #b9770e; } .OK { color: #1e8449; }
code { overflow-wrap: anywhere; } figure { margin: 1rem 0; } figcaption { font-weight: 600; }
"""


def document(experiment: Experiment, found: Diagnosis, attempts: list[Attempt], values: dict[str, Value]) -> str:
    """The whole page: verdict, scores, findings, remedies tried, figures, and the command that repeats it."""
    parts = [
        f'<h1 class="{found.severity}">{found.severity}</h1><p>{escape(found.sentence)}</p>',
        _scores(found),
        *(_section(experiment, finding, found) for finding in found.causes),
        _others(found),
        _tried(experiment, found, attempts),
        *_figures(experiment, values),
        f"<section><h2>Again</h2><p><code>python -m pcviz diagnose {escape(' '.join(command_line(experiment)))}</code>"
        f"</p><p>pcviz {pcviz.__version__}, after {found.steps} weight steps.</p></section>",
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Diagnosis</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>"
    )


def _scores(found: Diagnosis) -> str:
    rows = {"this network": found.score, "its best twin": found.best, **found.baselines}
    return _table([[name, "–" if value != value else f"{value:.1f}"] for name, value in rows.items()], ["points", ""])


def _section(experiment: Experiment, finding: Finding, found: Diagnosis) -> str:
    cost = f", costs {finding.points:.1f} points" if finding.points == finding.points else ""
    remedy = f"<p><b>Remedy:</b> {escape(remedy_text(experiment, finding.remedy))}</p>" if finding.remedy else ""
    under = [other.name for other in found.others if other.explained_by == finding.id]
    explained = f"<p>Explains: {escape(', '.join(under))}.</p>" if under else ""
    return (
        f'<section><h2><span class="{finding.severity}">{finding.severity}</span> {escape(finding.name)}{cost} '
        f"({finding.id})</h2><p>{escape(f'{finding.evidence} {finding.cause} {finding.consequence}'.strip())}</p>"
        f"<p>{escape(EXPLAINED[finding.id])}</p>{remedy}{explained}<p><small>{escape(finding.reference)}</small></p></section>"
    )


def _others(found: Diagnosis) -> str:
    rows = [[f.id, f.name, f.evidence] for f in found.others]
    return f"<section><h2>Also measured</h2>{_table(rows, ['', '', ''])}</section>" if rows else ""


def _tried(experiment: Experiment, found: Diagnosis, attempts: list[Attempt]) -> str:
    if not attempts:
        return ""
    rows = tried_rows(experiment, found, attempts)
    return f"<section><h2>Remedies tried</h2>{_table(rows, ['remedy', 'points', 'left to the best twin'])}</section>"


def _figures(experiment: Experiment, values: dict[str, Value]) -> list[str]:
    made: list[str] = []
    options: dict[str, Any] = {"full_html": False, "config": {"displayModeBar": False, "responsive": True}}
    for make in PANELS.values():
        panel = make(experiment)
        drawn = plotly.io.to_html(
            on_paper(filled(panel.figure, values)), include_plotlyjs=not made, default_height="320px", **options
        )
        made.append(
            f"<figure><figcaption>{escape(panel.title)}</figcaption>{drawn}<small>{escape(panel.help)}</small></figure>"
        )
    return made


def _table(rows: list[list[str]], heads: list[str]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
