"""Reproductions of networks at the start: expected values against other derivations of them, and the verdicts."""

from typing import Any

import numpy as np
import pytest

from pcviz.cli.findings import summary
from pcviz.instruments.reproduce.measures import conditioning, forward_pass
from pcviz.instruments.reproduce.studies.forward_pass import HEAVY, allowed_errors
from pcviz.instruments.reproduce.studies.start import (
    CONDITIONING,
    FORWARD,
    KINDS,
    Place,
    Start,
    expected_rescaling,
    growth,
    orthogonal_curvatures,
)
from pcviz.numerics.krylov import finish
from tests.instruments.studies import document as made

SMALL = Start((8, 32), (3, 5), 12)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mupc_skips", lambda n, l: 1 + l / n * ((1 + 1 / l) ** (l - 1) - 1)),
        ("mupc", lambda n, l: 1 + (l - 1) / n),
        ("ntp_skips", lambda n, l: 1 + l * ((1 + 1 / l) ** (l - 1) - 1)),
        ("ntp", lambda n, l: l),
        ("lecun_skips", lambda n, l: 2 ** (l - 1)),
        ("lecun", lambda n, l: l),
        ("uniform_skips", lambda n, l: (4 / 3) ** (l - 1)),
        ("uniform", lambda n, l: (1 - 3.0**-l) / (2 / 3)),
        ("orthogonal", lambda n, l: l),
    ],
)
def test_the_expected_rescaling_is_that_of_the_table(kind: str, expected: Any) -> None:
    """The closed forms of the literature, kind by kind, from one formula."""
    for width, depth in ((16, 2), (64, 17), (128, 5)):
        experiment = FORWARD.experiment_of(Place(kind, width, depth), 0)
        assert expected_rescaling(experiment) == pytest.approx(expected(width, depth), rel=1e-12)


def test_activities_grow_as_the_literature_says() -> None:
    assert growth(FORWARD.experiment_of(Place("mupc_skips", 64, 16), 0)) == pytest.approx(1 + 1 / 16)
    assert growth(FORWARD.experiment_of(Place("uniform", 64, 16), 0)) == pytest.approx(1 / 3)
    assert growth(FORWARD.experiment_of(Place("lecun_skips", 64, 16), 0)) == pytest.approx(2)


@pytest.mark.parametrize("hidden", [1, 2, 5, 32])
def test_curvatures_of_orthogonal_maps_are_those_of_two_chains(hidden: int) -> None:
    seen, unseen = (2 * np.eye(hidden) - np.eye(hidden, k=1) - np.eye(hidden, k=-1) for _ in range(2))
    unseen[-1, -1] = 1
    ends = np.concatenate([np.linalg.eigvalsh(seen), np.linalg.eigvalsh(unseen)])
    assert orthogonal_curvatures(hidden) == pytest.approx((ends.min(), ends.max()))


@pytest.mark.parametrize("kind", KINDS)
def test_means_over_seeds_are_as_expected(kind: str) -> None:
    cell = finish(forward_pass.measure(Place(kind, 32, 5), SMALL))
    for name in ("rescaling", "growth"):
        told = cell[name]
        off = abs(told["mean"] - told["expected"])
        room = HEAVY * told["expected"] if KINDS[kind].heavy else 4 * told["error"]
        assert off <= room + 1e-12 * told["expected"], name


def test_the_verdict_on_the_forward_pass() -> None:
    def cells(off: float, heavy: float, error: float = 0.1) -> list[dict[str, Any]]:
        found = []
        for place in SMALL.cells.values():
            miss = heavy if KINDS[place.kind].heavy else off
            told = {"mean": 10 * (1 + miss), "error": error, "expected": 10.0}
            found.append({**place._asdict(), "rescaling": told, "growth": told})
        return found

    kept = [claim["kept"] for claim in made("forward-pass", cells(0.03, 0.2), SMALL)["verdict"]]
    assert kept == [True] * len(KINDS), "three standard errors, and 20 %"
    kept = [claim["kept"] for claim in made("forward-pass", cells(0.06, 0.5), SMALL)["verdict"]]
    assert kept == [False] * len(KINDS)
    kept = [claim["kept"] for claim in made("forward-pass", cells(0.0, 0.3, error=1.0), SMALL)["verdict"]]
    assert kept == [None if facts.heavy else True for facts in KINDS.values()], "three standard errors: too few seeds"
    part = made("forward-pass", cells(0.0, 0.0)[:-1], SMALL)
    assert part["verdict"][-1]["kept"] is None and part["status"] == "stopped"
    assert 3 < allowed_errors(36) < 4.2 and allowed_errors(1) == pytest.approx(3)
    assert "μPC, skips" in summary(part | {"seconds": 1.0})


def test_condition_numbers_of_orthogonal_maps_are_exact() -> None:
    cell = finish(conditioning.measure(Place("orthogonal", 32, 9), SMALL._replace(seeds=1)))
    least, greatest = orthogonal_curvatures(8)
    assert cell["condition"] == pytest.approx(greatest / least, rel=0.03)
    assert cell["largest"] == pytest.approx(greatest, rel=0.03)


def test_the_verdict_on_conditioning() -> None:
    protocol = CONDITIONING

    def cells(power: float, sp: float) -> list[dict[str, Any]]:
        found = []
        for place in protocol.cells.values():
            hidden = place.depth - 1
            least, greatest = orthogonal_curvatures(hidden)
            value = {"orthogonal": greatest / least, "mupc_skips": 5 * hidden**power}.get(
                place.kind, sp * 5 * hidden**2
            )
            row = {"condition": value, "least": value, "greatest": value, "largest": 4.0}
            found.append({**place._asdict(), **row})
        return found

    document = made("conditioning", cells(2.0, 10.0), protocol)
    assert [claim["kept"] for claim in document["verdict"]] == [True, True, True, True]
    assert document["exponents"]["mupc_skips"]["value"] == pytest.approx(2.0)
    laws = document["charts"][-1]
    assert laws["curves"][0]["middle"][laws["places"].index("μPC, skips")] == pytest.approx(2.0)
    document = made("conditioning", cells(3.0, 0.1), protocol)
    assert [claim["kept"] for claim in document["verdict"]] == [True, False, True, False]
    document = made("conditioning", cells(2.0, 10.0)[:5], protocol)
    assert {claim["kept"] for claim in document["verdict"]} == {None}
    assert made("conditioning", [], protocol)["verdict"][0]["measured"] is None
