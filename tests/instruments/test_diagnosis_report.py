"""The report of a diagnosis: one file with everything in it."""

import re

from pcviz.instruments.diagnosis.attempts import Attempt
from pcviz.instruments.diagnosis.remedies import score_text
from pcviz.instruments.diagnosis.report import document
from pcviz.instruments.diagnosis.verdict import diagnose
from tests.instruments.diagnosis_evidence import healthy
from tests.instruments.test_diagnosis_rules import SICK


def test_it_holds_what_was_found_and_needs_no_network() -> None:
    settings, evidence = SICK["D1"]
    sick = healthy(settings, **evidence)
    found = diagnose(sick)
    tried = [Attempt(found.causes[0].remedy, sick.experiment.changed(found.causes[0].remedy).differences(), 97.0, 0.0)]
    page = document(sick.experiment, found, tried, sick.values)
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "After T = 3 inference steps the errors of layers 1 to 2 are exactly 0." in text
    assert "Inference steps T 3 → 4depth" in text
    assert "<td>97.0</td>" in text
    assert "--inference.steps 3" in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text), "nothing is loaded"
    assert page.count("plotly.js v") == 1, "its script is there, once"


def test_what_the_settings_say_is_text() -> None:
    """Nothing that a finding says is taken for HTML."""
    settings, evidence = SICK["D13"]
    sick = healthy(settings, **evidence)
    assert "Adam&#x27;s ε" in document(sick.experiment, diagnose(sick), [], sick.values)


def test_what_diverged_leaves_no_number() -> None:
    assert [score_text(points) for points in (-float("inf"), float("inf"), 96.04)] == ["diverged", "–", "96.0"]
