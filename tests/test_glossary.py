"""The glossary: every entry has its place in the theory, every page its words, every metric its entry."""

import re
from pathlib import Path

import pytest

from pcviz.experiment import Experiment
from pcviz.glossary import ALL, DOCUMENT, GLOSSARY, Entry
from pcviz.ui.panels import metrics

HEADINGS = re.findall(r"^##+ (.+)$", (Path(__file__).parents[1] / DOCUMENT).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("word", GLOSSARY)
def test_entries_are_short_and_lead_to_a_section_of_the_theory(word: str) -> None:
    entry = GLOSSARY[word]
    assert entry.section in HEADINGS
    assert entry.text.endswith(".") and len(entry.text) < 500 and entry.pages and set(entry.pages) <= set(ALL)


def test_links_have_the_anchors_of_github() -> None:
    assert Entry("", "6.1 The front, and exact zeros").link == "docs/theory.md#61-the-front-and-exact-zeros"
    assert Entry("", "3.1 Gradient descent on the activities").link.endswith("#31-gradient-descent-on-the-activities")


def test_metrics_of_a_training_say_what_they_are() -> None:
    for changes in ({}, {"data.name": "regression", "learning.batch_size": 4}, {"learning.rule": "bp"}):
        row = metrics(Experiment().changed(changes))
        assert [made["help"] for made in row[:-2]] == [GLOSSARY[made["label"]].full for made in row[:-2]]
        assert all(made["help"] for made in row)
