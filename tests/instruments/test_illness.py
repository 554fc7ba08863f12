"""The planted-illness suite: evidence that was measured once, and what the diagnosis says of it today."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.illness.archive import Measured, in_archive, pack, store, unpack
from benchmarks.illness.counts import Count, Told, count, of_kind, told
from benchmarks.illness.suite import BASES, FRESH, PLANTS, SPLIT, cases
from benchmarks.illness.tables import confusion_table, counts_table, positives_table
from pcviz.instruments.diagnosis.rules import RULES

ARCHIVE = Path(__file__).with_name("illness.tar.xz")
DOCS = Path(__file__).parents[2] / "docs" / "diagnosis.md"


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    """All cases, with the evidence."""
    return in_archive(ARCHIVE)


@pytest.fixture(scope="module")
def known(measured: list[Measured]) -> list[Told]:
    """What is said of all cases that count."""
    return told(measured)


def half(known: list[Told], split: str) -> list[Told]:
    return [told for told in known if told.case.split == split]


def test_there_are_enough(known: list[Told]) -> None:
    assert len(of_kind(known, "one cause")) >= 150
    assert len(of_kind(known, "two causes")) >= 25
    assert len(of_kind(known, "sound")) >= 300


@pytest.mark.parametrize("split", SPLIT)
def test_illnesses_are_named_and_sound_networks_left_in_peace(known: list[Told], split: str) -> None:
    cases = half(known, split)
    single, double = of_kind(cases, "one cause"), of_kind(cases, "two causes")
    assert count(told.right for told in single).share >= 0.97
    assert count(told.right for told in double).share >= 0.95
    assert count(told.detected for told in single + double).share >= 0.99
    assert count(told.detected for told in of_kind(cases, "sound")).share <= 0.01


def test_the_remedies_offered_cure(known: list[Told]) -> None:
    tried = [told for told in known if told.attempts]
    assert len(tried) >= 150
    assert count(told.cured for told in tried).share >= 0.95


def test_the_counts_are_documented(known: list[Told]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    for split in SPLIT:
        assert counts_table(half(known, split)) in text
    assert confusion_table(half(known, "test")) in text
    assert positives_table(known) in text


def test_every_plant_is_of_a_cause_and_makes_sense_somewhere() -> None:
    planted = {cause for case in cases() for cause, _ in case.plants}
    assert planted == PLANTS.keys() and not any(RULES[cause].sign for cause in planted)
    assert {case.base for case in cases()} == BASES.keys()


def test_names_are_unique_and_halves_do_not_depend_on_order() -> None:
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)
    share = np.mean([case.split == "test" for case in cases() if case.base not in FRESH])
    assert 0.45 < share < 0.55


def test_evidence_is_kept_to_four_digits(tmp_path: Path, measured: list[Measured]) -> None:
    case = next(cases())
    values = {"compared_steps": 40.0, "twin_loss": np.array([1 / 3, np.nan, np.inf, 0.0]), "network_hurt": np.ones(3)}
    found = unpack(case, pack(values)).values
    assert found.keys() == values.keys() - {"network_hurt"}
    np.testing.assert_allclose(np.asarray(found["twin_loss"]), np.asarray(values["twin_loss"]), rtol=1e-4)
    first = measured[:2]
    store(first, tmp_path / "one.tar.xz")
    again = in_archive(tmp_path / "one.tar.xz")
    assert [measured.case for measured in again] == [measured.case for measured in first]


def test_counts_have_the_interval_of_clopper_and_pearson() -> None:
    """The beta quantiles for 0 of 10 are 0 and 1 - 0.025^(1/10)."""
    assert Count(0, 10).interval == pytest.approx((0.0, 1 - 0.025**0.1))
    assert str(Count(10, 10)) == "10 of 10 (100.0 %, 69.2 to 100.0 %)"
