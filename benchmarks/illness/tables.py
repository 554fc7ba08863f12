"""The counts as text: for a terminal, and as the tables of docs/diagnosis.md."""

from collections import Counter
from collections.abc import Sequence

from benchmarks.illness.counts import KINDS, Told, confusion, count, of_kind
from pcviz.instruments.diagnosis.rules import RULES


def summary(cases: Sequence[Told]) -> str:
    """The counts, and each case that is not told right or not cured."""
    lines = []
    for kind in KINDS:
        group = of_kind(cases, kind)
        lines.append(f"{kind}: right {count(t.right for t in group)}, called FAIL {count(t.detected for t in group)}")
    tried = [told for told in cases if told.attempts]
    lines.append(f"cured: {count(told.cured for told in tried)}")
    lines += [
        f"{told.case.name} (costs {told.cost:.1f}): {told.diagnosis.severity} {' '.join(told.found) or 'nothing'}"
        for told in cases
        if not told.right
    ]
    lines += [
        f"{told.case.name} is not cured: {' '.join(told.found)}, {told.attempts[-1].score:.1f} of {told.base:.1f}"
        for told in tried
        if not told.cured
    ]
    return "\n".join(lines)


def counts_table(cases: Sequence[Told]) -> str:
    """Markdown: how many of each kind are told right, called ill, cured."""
    rows = ["| networks | told right | called FAIL | cured by the remedies offered |", "|---|---|---|---|"]
    for kind in KINDS:
        group = of_kind(cases, kind)
        cured = count(told.cured for told in group if told.attempts)
        cells = [
            kind,
            count(t.right for t in group),
            count(t.detected for t in group),
            cured if kind != "sound" else "",
        ]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def confusion_table(cases: Sequence[Told]) -> str:
    """Markdown: the cause planted, how many there are, and the cause named first."""
    found: dict[str, Counter[str]] = {}
    for (planted, named), number in confusion(cases).items():
        found.setdefault(planted, Counter())[named] = number
    rows = ["| planted | cases | named first |", "|---|---:|---|"]
    for planted in sorted(found):
        named = ", ".join(f"{name} {number}" for name, number in found[planted].most_common())
        rows.append(f"| {planted} | {found[planted].total()} | {named} |")
    return "\n".join(rows)


def positives_table(cases: Sequence[Told]) -> str:
    """Markdown: in how many ill and in how many sound networks each rule finds something, as a cause, explained by one,
    or as a sign."""
    rows = ["| id | what it finds | planted in | in ill networks | in sound networks |", "|---|---|---:|---:|---:|"]
    for id, rule in RULES.items():
        planted = sum(id in told.planted for told in cases)
        found = [id in {finding.id for finding in (*t.diagnosis.causes, *t.diagnosis.others)} for t in cases]
        ill = sum(here for here, told in zip(found, cases, strict=True) if told.planted)
        rows.append(f"| {id} | {rule.name} | {planted or ''} | {ill} | {sum(found) - ill} |")
    return "\n".join(rows)
