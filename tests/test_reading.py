"""The reading: what it says follows from the numbers, and nothing is said that is not known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcviz.comparison import SOLVERS, STATES
from pcviz.experiment import from_paths
from pcviz.figures.reading import Finish, best, finishes, reading

DEEP = from_paths({"network.depth": 129})
NAMES = ["gradient_descent", "error_based", "gauss_newton"]
VALUES: dict[str, Any] = {
    "layers_with_signal": 15.0,
    "trace_steps": np.arange(129),
    "signal_steps": 4037.0,
    "step_limit": 0.41,
    "predicted_steps": 46_914.0,
    "initial_energy": 0.5,
    "total_energy": 0.45,
    "equilibrium_energy": 0.25,
    "equilibrium_is_exact": 0.0,
    "solver_arrival": np.array([[np.nan] * 3, [10.0, 10.0, 42.0], [5.0, 35.0, 90.0]]),
    "solver_states": np.array([STATES.index("budget"), STATES.index("arrived"), STATES.index("arrived")]),
}


def said(**changes: Any) -> str:
    values = {name: value for name, value in {**VALUES, **changes}.items() if value is not None}
    return " ".join(reading(DEEP, values, NAMES))


def test_the_sentences_of_a_deep_network() -> None:
    assert said() == (
        "Only 15 of 129 layers have received a signal after 128 steps. With this step size the first layer would need "
        "about 4,000; error-based inference reaches all of them at once and settles in 10. "
        "Gradient descent at step size 0.3 (limit 0.41) takes about 47,000 steps to settle within 1 %. "
        "This relaxation went 20 % of the way from 0.5 to 0.25, the lowest energy that any solver found. "
        "Best for this network: error-based, 10 gradient evaluations in 42 ms (gradient descent did not arrive)."
    )


def test_nothing_is_said_before_anything_is_known() -> None:
    assert reading(DEEP, {}, NAMES) == []


def test_every_layer_heard() -> None:
    assert said(layers_with_signal=129.0).startswith("All 129 layers have received a signal after 128 steps. Gradient")


def test_a_signal_that_never_comes() -> None:
    assert "longer than can be foreseen" in said(signal_steps=float("inf"))


def test_an_unstable_step_is_named() -> None:
    assert "step size 0.3 is above the limit 0.2: gradient descent diverges here" in said(step_limit=0.2)


def test_an_exact_equilibrium_needs_no_solver() -> None:
    assert "to the equilibrium energy 0.25." in said(equilibrium_is_exact=1.0)


def test_no_recommendation_while_solvers_run() -> None:
    running = np.array([STATES.index(s) for s in ("running", "arrived", "arrived")])
    assert "Best" not in said(solver_states=running)


def test_a_slower_own_solver_is_compared() -> None:
    arrival = np.array([[400.0, 400.0, 840.0], [10.0, 10.0, 42.0], [5.0, 35.0, 90.0]])
    states = np.full(3, STATES.index("arrived"))
    assert "(gradient descent: 400 in 840 ms, 20 times as long)" in said(solver_arrival=arrival, solver_states=states)


times = st.floats(0.01, 1e6)


@given(st.lists(st.tuples(st.sampled_from(list(SOLVERS)), times, times, times), min_size=1))
def test_the_best_is_never_beaten(rows: list[tuple[str, float, float, float]]) -> None:
    found = [Finish(name, "arrived", *numbers) for name, *numbers in rows]
    winner = best(found)
    assert winner is not None and winner.ms is not None
    assert all(f.ms is not None and winner.ms <= f.ms for f in found)


def test_who_did_not_arrive_cannot_be_best() -> None:
    assert best(finishes(VALUES, NAMES)) == Finish("error_based", "arrived", 10.0, 10.0, 42.0)
    assert best([Finish("adam", "budget", None, None, None)]) is None


@pytest.mark.parametrize("name", sorted(VALUES))
def test_any_number_may_be_missing(name: str) -> None:
    said(**{name: None})
