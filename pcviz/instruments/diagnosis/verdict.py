"""The verdict: which findings are causes, what they explain, how bad it is, in one sentence."""

from dataclasses import dataclass, replace

import numpy as np

from pcviz.brief import short
from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.channels import BASELINES
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.finding import SEVERITIES, Finding, Severity, points_text
from pcviz.instruments.diagnosis.rules import RULES, data, learning, network, relaxation

MAKE = {**network.RULES, **learning.RULES}


@dataclass(frozen=True)
@short
class Diagnosis:
    """`severity` and `sentence` of the whole; `causes`, the worst first; `others`: what they explain, and what is
    unusual but harmless; `baselines`: name -> points; `score`: the experiment's own points, after `steps` weight steps;
    `best`: those of its best twin."""

    severity: Severity
    sentence: str
    causes: tuple[Finding, ...]
    others: tuple[Finding, ...]
    baselines: dict[str, float]
    score: float
    best: float
    steps: int


def diagnose(evidence: Evidence) -> Diagnosis:
    """The verdict on evidence, however much of it there is."""
    found = [_made(id, evidence) for id in RULES]
    present = [finding for finding in found if finding is not None]
    causes = [f for f in present if not RULES[f.id].sign and f.severity != "unknown"]
    causes = _suppressed(causes, evidence)
    lead = [f for f in causes if not f.explained_by]
    lead = sorted(lead, key=lambda f: (SEVERITIES.index(f.severity), -np.nan_to_num(f.points), list(RULES).index(f.id)))
    signs = [f for f in present if RULES[f.id].sign or f.severity == "unknown"]
    if lead:
        signs = [replace(f, explained_by=lead[0].id) if f.severity != "unknown" else f for f in signs]
    others = [*(f for f in causes if f.explained_by), *signs]
    severity = _worst(lead, evidence)
    return Diagnosis(
        severity,
        _sentence(severity, lead, evidence),
        tuple(lead),
        tuple(others),
        {name: evidence.baseline(name) for name in BASELINES},
        evidence.score("own"),
        evidence.score(evidence.best),
        int(np.nan_to_num(evidence.of_twin("twin_steps", "own"))),
    )


def _made(id: str, evidence: Evidence) -> Finding | None:
    rule = RULES[id]
    if missing := [channel for channel in rule.needs if channel not in evidence.values]:
        told = f"Cannot tell: {', '.join(missing)} was not measured."
        unknown = Finding(float("nan"), float("nan"), told, "", severity="unknown")
        return replace(unknown, id=id, name=rule.name, reference=rule.reference)
    found = rule.find(evidence)
    if found is None:
        return None
    severity: Severity = "OK" if rule.sign else _severity(found, evidence)
    return replace(found, severity=severity, id=id, name=rule.name, reference=rule.reference)


def _severity(finding: Finding, evidence: Evidence) -> Severity:
    """FAIL where the network diverges or loses many points to a twin by this cause."""
    costs = np.nan_to_num(finding.points)
    return "FAIL" if costs >= max(limit.FAILS.value, evidence.costs) or evidence.diverged else "WARN"


def _suppressed(causes: list[Finding], evidence: Evidence) -> list[Finding]:
    """The causes, each with the one that explains it."""
    ids = {finding.id: finding for finding in causes}
    spoilt = [id for id in ("A1", "A2") if id in ids and ids[id].severity == "FAIL"]
    restoring = [id for id, name in relaxation.TREATED.items() if id in ids and evidence.restores(f"treated {name}")]
    worst = max((f for f in causes if f.id in MAKE), key=lambda f: np.nan_to_num(f.points), default=None)

    def by(finding: Finding) -> str:
        if finding.id in data.RULES:
            return ""
        if spoilt:
            return spoilt[0]
        if restoring and finding.id in (*MAKE, *relaxation.RULES):
            return "" if finding.id in restoring else restoring[0]
        if worst is None or finding.id not in relaxation.RULES or finding.id == "D1":  # too few steps are too few
            return ""
        late = finding.id == "D3" and np.isnan(finding.points)  # it became unstable only in training
        return worst.id if late or evidence.relaxation_points < evidence.costs else ""

    return [replace(finding, explained_by=by(finding)) for finding in causes]


def _worst(lead: list[Finding], evidence: Evidence) -> Severity:
    named = lead[0].severity if lead else "OK"
    late = not evidence.diverged and evidence.lead(evidence.best, "own") < limit.LEAD.value
    if named == "FAIL" or late:
        return named
    if evidence.diverged or evidence.left >= max(limit.FAILS.value, evidence.costs):
        return "FAIL"
    return "WARN" if lead or evidence.left >= evidence.costs else "OK"


def _sentence(severity: Severity, lead: list[Finding], evidence: Evidence) -> str:
    left, steps = evidence.left, int(np.nan_to_num(evidence.of_twin("twin_steps", "own")))
    where = f"after {steps} weight steps"
    if lead:
        first = lead[0]
        also = f" Also: {', '.join(f.name for f in lead[1:])}." if lead[1:] else ""
        cost = "it diverges" if evidence.diverged else f"it leaves {points_text(left)} to its best twin {where}"
        return f"{first.name[0].upper()}{first.name[1:]}: {cost}. {first.cause}{also}"
    if severity == "OK":
        if left < evidence.costs:
            return f"Healthy: {where} no twin is better by more than {max(left, 0):.1f} points."
        share = 100 * evidence.lead(evidence.best, "own")
        return f"Healthy: {where} its best twin leads by {left:.1f} points, but only by {share:.0f} % of the steps."
    cost = "It diverges" if evidence.diverged else f"It leaves {points_text(left)} to its best twin {where}"
    return f"{cost}, and no rule can tell why."
