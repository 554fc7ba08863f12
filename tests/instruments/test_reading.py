"""The reading: what it says follows from the numbers, measured or of a model, and nothing is said that is not known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.solvers import SOLVERS
from pcviz.instruments.relaxation.options import STATES
from pcviz.instruments.relaxation.reading import AXES, SPREAD, Finish, finishes, leaders, reading
from tests.descent import DESCENT

DEEP = from_paths({**DESCENT, "network.depth": 129})
LINEAR = from_paths({**DESCENT, "network.depth": 129, "network.activation": "linear"})
NAMES = ["gradient_descent", "error_based", "gauss_newton"]
NOT = [np.nan] * 3
VALUES: dict[str, Any] = {
    "layers_with_signal": 15.0,
    "layers_expected": 17.0,
    "relaxed_steps": 128.0,
    "signal_steps": 4037.0,
    "step_limit": 0.41,
    "step_limit_range": np.array([0.41, 0.44]),
    "model_examples": 8.0,
    "predicted_steps": 46_914.0,
    "predicted_steps_range": np.array([41_200.0, 52_900.0]),
    "initial_energy": 0.5,
    "total_energy": 0.45,
    "equilibrium_energy": 0.25,
    "equilibrium_is_exact": 0.0,
    "solver_steps": np.array([[0.0, 0, 0], [1024, 8, 4], [2048, 10, 5]]),
    "solver_passes": np.array([[0.0, 0, 0], [1024, 8, 30], [2048, 10, 35]]),
    "solver_ms": np.array([[0.0, 0, 0], [400, 34, 70], [800, 42, 90]]),
    "solver_arrival": np.array([NOT, [10.0, 10.0, 42.0], [5.0, 35.0, 90.0]]),
    "solver_states": np.array([STATES.index("budget"), STATES.index("arrived"), STATES.index("arrived")]),
}


def states(*names: str) -> np.ndarray:
    return np.array([STATES.index(name) for name in names])


def said(experiment: Experiment = DEEP, axis: str = "passes", **changes: Any) -> str:
    values = {name: value for name, value in {**VALUES, **changes}.items() if value is not None}
    return " ".join(reading(experiment, values, NAMES, axis))


def test_the_sentences_of_a_deep_network() -> None:
    assert said() == (
        "Only 15 of 129 layers have received a signal after 128 steps (17 where all layers pass their errors on "
        "unchanged). In a chain of scalars the first layer needs "
        "about 4,000 steps. Error-based inference, where no layer waits for another, settled in 10. "
        "Measured: gradient descent at step size 0.3 had not settled within 1 % after 2,048 steps. The quadratic model "
        "of the start gives 41,000 to 53,000 steps to settle within 1 % (of 8 examples looked at). "
        "This relaxation went 20 % of the way from 0.5 to 0.25, the lowest energy that any solver found. "
        "Fewest gradient evaluations to settle within 1 %: error-based, 10 (gradient descent did not arrive)."
    )


def test_numbers_are_of_their_own_step_and_those_of_earlier_versions_of_the_last_row() -> None:
    """While it runs, arrays come later than numbers."""
    assert "after 128 steps" in said(trace_steps=np.arange(6))
    assert "after 5 steps" in said(relaxed_steps=None, trace_steps=np.arange(6))


@pytest.mark.parametrize(
    ("expected", "begins"),
    [
        (15.0, "15 of 129 layers have received a signal after 128 steps (15 where"),
        (12.0, "15 of 129 layers have received a signal after 128 steps (12 where"),
        (None, "15 of 129 layers have received a signal after 128 steps. In a chain"),
    ],
)
def test_only_is_said_of_less_than_theory_expects(expected: float | None, begins: str) -> None:
    assert said(layers_expected=expected).startswith(begins)


def test_nothing_is_said_before_anything_is_known() -> None:
    assert reading(DEEP, {}, NAMES) == []


def test_every_layer_heard() -> None:
    assert said(layers_with_signal=129.0).startswith("All 129 layers have received a signal after 128 steps. Measured")


@pytest.mark.parametrize("never", [float("inf"), float("nan")])
def test_a_signal_that_never_comes(never: float) -> None:
    """A stored frame has no infinity: the page gets NaN."""
    assert "the first layer needs more than 16,384 steps." in said(signal_steps=never)


@pytest.mark.parametrize("never", [float("inf"), float("nan")])
def test_a_model_that_never_settles(never: float) -> None:
    text = said(predicted_steps=never, predicted_steps_range=np.array([np.inf, np.inf]))
    assert "The quadratic model of the start does not settle within 1 % in any foreseeable number of steps." in text


def test_a_model_that_was_refuted_is_silent() -> None:
    for most, speaks in ((2048.0, False), (2100.0, True)):
        assert ("quadratic model" in said(predicted_steps_range=np.array([1900.0, most]))) == speaks


def test_one_is_singular() -> None:
    text = said(relaxed_steps=1.0, model_examples=1.0)
    assert "after 1 step (17" in text and "(of 1 example looked at)" in text


def test_what_was_measured_takes_the_place_of_the_model() -> None:
    arrival = np.array([[1024.0, 1024.0, 400.0], *VALUES["solver_arrival"][1:]])
    text = said(solver_arrival=arrival, solver_states=states("arrived", "arrived", "arrived"))
    assert (
        "Measured: gradient descent at step size 0.3 settled within 1 % after 1,000 steps (followed to 2,048)." in text
    )
    assert "model" not in text
    assert "diverged within 2,048 steps" in said(solver_states=states("diverged", "arrived", "arrived"))
    assert "came to rest after 2,000 steps, above" in said(solver_states=states("stalled", "arrived", "arrived"))
    zero = DEEP.changed({"inference.initial": "zero"})
    assert "Measured from the feedforward start: gradient descent" in said(zero)


def test_the_model_speaks_before_and_says_that_it_is_one() -> None:
    waiting = {"solver_states": states("running", "arrived", "arrived")}
    assert "The quadratic model of the start gives 41,000 to 53,000 steps" in said(**waiting)
    assert "The energy is quadratic: it gives 41,000 to 53,000 steps" in said(LINEAR, **waiting)
    low = {"step_limit": 0.2, "step_limit_range": np.array([0.2, 0.25])}
    text = said(**waiting, **low)
    assert (
        "The step size 0.3 is above 2/λmax = 0.2 to 0.25 (of 8 examples looked at): gradient descent diverges" in text
    )
    assert "the network itself may stay bounded" in text and "may" not in said(LINEAR, **waiting, **low)


@pytest.mark.parametrize(
    ("solver", "limit"),
    [("momentum", "2(1 + β)/λmax = 0.2 to 0.25"), ("error_based", "2/λmax in the errors = 0.2 to 0.25")],
)
def test_every_solver_has_its_own_limit(solver: str, limit: str) -> None:
    experiment = DEEP.changed({"inference.solver": solver})
    low = {"step_limit": 0.2, "step_limit_range": np.array([0.2, 0.25]), "predicted_steps": None}
    text = said(experiment, **low, solver_states=states("running", "running", "running"))
    assert f"The step size 0.3 is above {limit} (of 8 examples looked at): {SOLVERS[solver].label} diverges" in text
    above = said(experiment, predicted_steps=None, solver_states=states("running", "running", "running"))
    assert "λmax" not in above


def test_an_exact_equilibrium_needs_no_solver() -> None:
    assert "to the equilibrium energy 0.25." in said(equilibrium_is_exact=1.0)


def test_nobody_leads_while_solvers_run() -> None:
    assert "Fewest" not in said(solver_states=states("running", "arrived", "arrived"))


@pytest.mark.parametrize(
    ("axis", "sentence"),
    [
        ("steps", "Fewest steps to settle within 1 %: Gauss-Newton, 5"),
        (
            "passes",
            "Fewest gradient evaluations to settle within 1 %: error-based, 10",
        ),
        ("ms", "Least computing time to settle within 1 %: error-based, 42 ms"),
    ],
)
def test_the_ranking_is_by_what_is_drawn(axis: str, sentence: str) -> None:
    assert said(axis=axis).endswith(f"{sentence} (gradient descent did not arrive).")


def test_times_within_their_spread_have_no_winner() -> None:
    near = VALUES["solver_ms"].copy()
    near[1:, 2] = 45, 60
    arrival = np.array([NOT, [10.0, 10.0, 42.0], [5.0, 35.0, 60.0]])
    text = said(axis="ms", solver_ms=near, solver_arrival=arrival)
    assert "error-based and Gauss-Newton, 42 ms or little more (not told apart)" in text


numbers = st.floats(0.01, 1e6)
shares = st.floats(0, 1)


@given(st.lists(st.tuples(st.sampled_from(list(SOLVERS)), numbers, shares), min_size=1), st.sampled_from(list(AXES)))
def test_who_leads_is_beaten_by_nobody(rows: list[tuple[str, float, float]], axis: str) -> None:
    found = [Finish(name, "arrived", at, {axis: at}, {axis: share * at}) for name, at, share in rows]
    first = leaders(found, axis)
    least = min(f.arrival[axis] for f in found)
    assert first[0].arrival[axis] == least
    assert all(f.before[axis] >= SPREAD[axis] * least for f in found if f not in first)


def test_the_recorded_state_before_arrival_bounds_it_from_below() -> None:
    found = finishes(VALUES, NAMES)
    assert found[0] == Finish("gradient_descent", "budget", 2048.0)
    arrival, before = {"steps": 10.0, "passes": 10.0, "ms": 42.0}, {"steps": 8.0, "passes": 8.0, "ms": 34.0}
    assert found[1] == Finish("error_based", "arrived", 10.0, arrival, before)
    assert leaders([Finish("adam", "budget", 5.0)], "passes") == []


@pytest.mark.parametrize("name", sorted(VALUES.keys() - {"solver_steps", "solver_passes", "solver_ms"}))
def test_any_number_may_be_missing(name: str) -> None:
    said(**{name: None})
