"""The check of the page's sentences: when a number of steps counts as measured, and a few networks of all they say."""

from typing import get_args

import numpy as np
import pytest

from benchmarks.claims import CHECKS
from benchmarks.measured import Arrival, arrival
from benchmarks.sentences import networks, said_of
from pcviz.instruments.relaxation.reading import Kind


def test_a_number_of_steps_is_true_within_a_factor_of_two() -> None:
    """Within 1 % at step 3, outside at 4, from step 5 on within what rounds to it, at last within it."""
    energies = 1 + np.array([1.0, 0.5, 0.1, 0.009, 0.02, 0.014, 0.001])
    found = arrival(energies, 1.0)
    assert found == Arrival(3, 5, 6)
    assert [found.agrees(said) for said in (1, 2, 6, 12, 13)] == [False, True, True, True, False]
    assert arrival(energies[:6], 1.0) == Arrival(3, 5, np.inf) and not Arrival(3, 5, np.inf).agrees(5)
    assert arrival(energies, 1.0, np.arange(0, 70, 10)) == Arrival(30, 50, 60)


def test_every_kind_of_sentence_has_a_check() -> None:
    assert tuple(CHECKS) == get_args(Kind)


@pytest.mark.slow
def test_what_the_page_says_of_a_few_networks_is_true() -> None:
    claims = [claim for where in networks(4, seed=3) for claim in said_of(where, ["steps", "passes"])]
    assert len(claims) > 20 and [claim.text for claim in claims if not claim.check.true] == []
