"""The stable family: exponents derived against those measured, and what the study says of them (theory.md 2.5)."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment.family import (
    CLASSES,
    MEMBERS,
    QUANTITIES,
    RULES,
    Member,
    Size,
    class_of,
    depth_exponents,
    log_expected,
    slopes,
    width_exponents,
)
from pcviz.instruments.reproduce.measures.stable_family import measure
from pcviz.instruments.reproduce.studies.stable_family import Family
from pcviz.numerics.krylov import finish
from pcviz.probes.family import observe, start
from tests.instruments.studies import document as made
from tests.instruments.studies import in_parts

SMALL = Family(widths=(64, 256), shallow=6, depths=(8, 64), wide=256, seeds=(0, 1))


def expected(member: Member, width: Any, depth: Any, pc: bool) -> np.ndarray:
    return log_expected(member, width, depth, pc=pc)


def some_members(count: int) -> list[Member]:
    """Members whose exponents are multiples of a quarter, with moderate growth."""
    drawn = np.random.default_rng(0).uniform([-1, -1, -0.5, 0, -0.5], [0.5, 1, 1, 1.25, 1], (count, 5))
    rows = (np.round(row * 4) / 4 for row in drawn)
    return [Member(a, 1 - 2 * a - w, 1 - 2 * a - u, d, depth) for w, u, d, depth, a in rows]


def test_measured_exponents_are_those_derived() -> None:
    widths, depth, seeds = (64, 512), 4, range(2)
    networks = {(width, seed): start(width, depth, seed) for width in widths for seed in seeds}
    for member in some_members(24):
        seen = [np.mean([np.log(observe(networks[width, seed], member)) for seed in seeds], 0) for width in widths]
        found = slopes(np.log(widths), np.moveaxis(seen, 0, -1))
        law = [slopes(np.log(widths), expected(member, np.array(widths), depth, bool(pc))) for pc in range(2)]
        np.testing.assert_allclose(found, law, atol=0.2, err_msg=str(member))
        np.testing.assert_allclose(
            seen[-1], [expected(member, widths[-1], depth, bool(pc)) for pc in range(2)], atol=0.2
        )


def test_depth_counts_as_derived() -> None:
    for depth in (8, 24):
        networks = [start(256, depth, seed) for seed in range(2)]
        for alpha, d in ((0.5, 0.0), (0.75, 0.25), (1.0, 0.5)):
            member = MEMBERS["mupc"].member._replace(depth=alpha, d=d)
            seen = np.mean([np.log(observe(network, member)) for network in networks], 0)
            np.testing.assert_allclose(seen, [expected(member, 256, depth, bool(pc)) for pc in range(2)], atol=0.3)


@pytest.mark.parametrize("pc", [False, True])
def test_exponents_are_the_limits_of_the_closed_forms(pc: bool) -> None:
    widths, depths = 2.0 ** np.array([400, 440]), 2.0 ** np.array([20, 24])
    for member in some_members(200):
        for depth in (3, 8):
            found = slopes(np.log(widths), expected(member, widths, depth, pc))
            np.testing.assert_allclose(found, width_exponents(member, depth - 2, pc=pc), atol=0.02, err_msg=str(member))
        if member.passing < 0 or (member.passing == 0 and member.depth >= 0.5):
            found = slopes(np.log(depths), expected(member, 2.0**440, depths, pc))
            np.testing.assert_allclose(found, depth_exponents(member, pc=pc), atol=0.02, err_msg=str(member))
        else:
            law = depth_exponents(member, pc=pc)
            assert np.isinf(law[:3]).all(), "more than any power"


def test_a_change_of_gauge_changes_nothing() -> None:
    network = start(32, 5, 0)
    for a in (-0.5, 0.25):
        other = Member(a, 1 - 2 * a, 1 - 2 * a, 0.5, 0.5)
        np.testing.assert_allclose(observe(network, other), observe(network, MEMBERS["mupc"].member), rtol=1e-9)


def test_the_set_is_that_of_the_text() -> None:
    """w = u = 0, d = 1/2, depth exponent 1/2, for both rules; lazy members differ."""
    for name, (_, member) in MEMBERS.items():
        law = [np.array([width_exponents(member, 6, pc=pc), depth_exponents(member, pc=pc)]) for pc in (False, True)]
        bp, pc = (CLASSES[int(class_of(exponents))] for exponents in law)
        rich = np.allclose([member.passing, member.learning, member.d, member.depth], [0, 0, 0.5, 0.5])
        assert (bp == CLASSES[3]) == (pc == CLASSES[3]) == rich, name
        assert (bp, pc) == {"lazy": ("lazy", "vanishing"), "mean_field": ("lazy", "lazy")}.get(name, (bp, bp))


def cells(seeds: int = 2, noise: float = 0.0, **changed: Member) -> list[dict[str, Any]]:
    """Cells with the values derived, with other members where PC's are `changed`, and with some noise."""
    found = []
    for nth, size in enumerate(SMALL.cells.values()):
        members = {}
        for name, (_, member) in MEMBERS.items():
            of = (member, changed.get(name, member))
            logs = [expected(one, size.width, size.depth, bool(pc)) for pc, one in enumerate(of)]
            members[name] = np.exp(np.array(logs) + noise * np.sin(nth + np.arange(8).reshape(2, 4))).tolist()
        if size.seed < seeds:
            found.append({**size._asdict(), "members": members})
    return found


def kept(found: list[dict[str, Any]]) -> list[bool | None]:
    return [claim["kept"] for claim in made("stable-family", found, SMALL)["verdict"]]


def test_claims() -> None:
    assert kept(cells()) == [True, True, True, True]
    assert kept(cells(seeds=1)) == [None] * 4, "something is missing"
    assert kept(cells(noise=0.5))[0] is None, "intervals are too wide"
    slower = MEMBERS["mupc"].member._replace(c=1.0)
    assert kept(cells(mupc=slower))[:3] == [False, True, False]
    assert kept(cells(lazy=MEMBERS["lazy"].member._replace(d=1.0)))[3] is False


def test_the_document_shows_both_rules_beside_what_is_derived() -> None:
    document = made("stable-family", cells(), SMALL)
    assert (
        document["classes"]["mupc"] == dict.fromkeys(RULES, "stable, feature-learning") == document["derived"]["mupc"]
    )
    charts = document["charts"]
    assert [chart["title"].split(":")[0] for chart in charts[::2]] == [
        "Activities",
        "Update of the output",
        "Update of features",
    ]
    for chart in charts:
        for curve in chart["curves"]:
            known = np.isfinite(curve["reference"])
            np.testing.assert_allclose(np.array(curve["middle"])[known], np.array(curve["reference"])[known], atol=1e-6)
            assert (np.isfinite(curve["above"]) == ~known).all(), "exponential growth is marked"


def test_a_network_is_measured() -> None:
    found = finish(measure(Size(16, 4, 0), SMALL))["members"]
    assert list(found) == list(MEMBERS) and np.shape(found["mupc"]) == (len(RULES), len(QUANTITIES))
    bp, pc = np.array(found["mupc"])
    assert bp[:2].tolist() == pc[:2].tolist() and (pc[2:] < bp[2:]).all(), "S > 1 makes PC's step smaller"


def test_what_is_measured_so_far_has_a_report() -> None:
    in_parts("stable-family", cells(), SMALL)
