"""One row of facts and one file for each learning rule."""

import pkgutil

import pytest

from pcviz.experiment import Inference
from pcviz.experiment.rules import BASELINE, RULES
from pcviz.pcn import rules
from pcviz.pcn.options import plan_of
from pcviz.pcn.rules import rule_of


def test_every_row_has_a_file_and_every_file_a_row() -> None:
    assert {info.name for info in pkgutil.iter_modules(rules.__path__)} - {"base"} == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_rows_say_what_files_do(name: str) -> None:
    facts, rule = RULES[name], rule_of(name)
    assert rule.learns_at_the_end != facts.moves_weights
    plain = plan_of(Inference())
    assert facts.plain == (rule.plan(plain) == plain) or not facts.relaxes
    assert facts.spikes == (rule.plan(plain).schedule == "arrival")


def test_the_baseline_does_not_relax() -> None:
    assert [name for name, facts in RULES.items() if not facts.relaxes] == [BASELINE]


def test_an_unknown_name_is_no_rule() -> None:
    with pytest.raises(KeyError, match="base"):
        rule_of("base")
