"""The one loop of inference: which states it hands out, where its calls end, and what its clock counts."""

import time
from itertools import count, islice, pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import plain_step
from pcviz.experiment import Inference
from pcviz.experiment.solvers import SOLVERS
from pcviz.pcn import linear, relax
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers import Settings, Solver, solver_of
from pcviz.pcn.trajectory import Trajectory, trajectory
from tests.crossed import crossed
from tests.pcn.pairs import pair

CUT_ANYWHERE = [name for name, facts in SOLVERS.items() if name != "gradient_flow" and facts.trains]


def of(name: str, **options: Any) -> Trajectory:
    _, network, x, y = pair(5, activation="linear" if name == "linear_exact" else "tanh")
    method = solver_of(name)
    settings = Settings(None if plain_step(name) is None else jnp.asarray(0.1), **options)
    return Trajectory(method, network, jnp.asarray(x), jnp.asarray(y), settings)


def counted(pause: float = 0.0) -> tuple[Trajectory, list[tuple[int, int]]]:
    """A solver whose state is its step, and the calls that it gets; a call takes `pause` seconds."""
    calls: list[tuple[int, int]] = []

    def advance(network: Any, x: Any, y: Any, state: Any, first: Any, last: Any, settings: Any) -> int:
        assert state == first
        calls.append((first, last))
        time.sleep(pause)
        return int(last)

    def settle(*given: Any) -> Settled:
        time.sleep(pause)
        return Settled((), (), jnp.array([1.0, given[3]]))

    method = Solver(lambda *_: 0, advance, settle, lambda state, step: (2.0 * state, 0.5))
    nothing: Any = None
    return Trajectory(method, nothing, jnp.zeros(1), jnp.zeros(1), Settings(None)), calls


class TestMarks:
    def test_without_chunks_every_state_is_a_mark(self) -> None:
        path, calls = counted()
        found = list(path.iterates([0, 1, 5, 12]))
        assert [(at.step, at.state, at.recorded) for at in found] == [(t, t, True) for t in (0, 1, 5, 12)]
        assert calls == [(0, 1), (1, 5), (5, 12)]

    def test_calls_end_at_marks_and_after_chunks(self) -> None:
        path, calls = counted()
        found = list(path.iterates([0, 2, 9], 3))
        assert calls == [(0, 2), (2, 5), (5, 8), (8, 9)]
        assert [at.step for at in found if at.recorded] == [0, 2, 9]
        assert [at.step for at in found if not at.recorded] == [5, 8]

    def test_the_start_is_there_even_if_it_is_no_mark(self) -> None:
        path, _ = counted()
        assert [(at.step, at.recorded) for at in path.iterates([4])] == [(0, False), (4, True)]

    def test_marks_may_have_no_end_and_nothing_is_computed_before_it_is_asked_for(self) -> None:
        path, calls = counted()
        states = path.iterates(count(0, 10))
        assert calls == []
        assert [at.step for at in islice(states, 3)] == [0, 10, 20]
        assert calls == [(0, 10), (10, 20)]

    @pytest.mark.parametrize("marks", [[-1], [0, 0], [0, 3, 3], [2, 1]])
    def test_marks_that_do_not_ascend_are_refused(self, marks: list[int]) -> None:
        with pytest.raises(ValueError, match="marks: must ascend from 0 or more, got"):
            list(counted()[0].iterates(marks))


class TestStates:
    @pytest.mark.parametrize("name", CUT_ANYWHERE)
    def test_where_calls_end_changes_nothing(self, name: str) -> None:
        whole, cut = (list(of(name).iterates(marks, chunk))[-1] for marks, chunk in (([20], None), ([0, 3, 20], 4)))
        for a, b in zip(jax.tree.leaves(whole.settled), jax.tree.leaves(cut.settled), strict=True):
            np.testing.assert_array_equal(a, b)
        assert whole.cost == cut.cost

    @pytest.mark.parametrize("name", SOLVERS)
    def test_energies_are_those_of_the_errors(self, name: str) -> None:
        path = of(name)
        *_, at = path.iterates([path.solver.last or 4])
        errors = [np.asarray(stack) for stack in at.settled.errors]
        expected = np.concatenate([0.5 * np.sum(stack**2, (1, 2)) / stack.shape[1] for stack in errors])
        np.testing.assert_allclose(at.settled.energies, expected, rtol=1e-12)
        assert at.energy == pytest.approx(expected.sum())

    def test_the_state_after_is_the_next_one_and_the_trajectory_stays(self) -> None:
        path = of("adam")
        states = path.iterates(range(4))
        later = next(states).next()
        assert later.step == 1
        assert later.energy == next(states).energy
        assert [at.step for at in states] == [2, 3]

    def test_the_closed_form_is_there_after_its_step(self) -> None:
        path = of("linear_exact")
        start, end = path.iterates([0, 1])
        assert end.energy == pytest.approx(float(linear.least_energy(path.network, path.x, path.y)))
        assert end.energy < start.energy

    @pytest.mark.parametrize(
        ("initial", "solver"), crossed(["feedforward", "normal", "zero"], ["momentum", "error_based"])
    )
    def test_trainings_relax_so(self, initial: str, solver: str) -> None:
        _, network, x, y = pair(5, activation="tanh")
        inference = Inference(solver=solver, initial=initial, step_size=0.1)
        expected = relax(network, x, y, inference, 7, seed=3)
        *_, at = trajectory(network, jnp.asarray(x), jnp.asarray(y), inference, seed=3).iterates([2, 7])
        np.testing.assert_allclose(at.settled.energies, expected.energies[-1], rtol=1e-12)
        np.testing.assert_array_equal(np.concatenate(at.settled.activities), np.stack(expected.activities))


class TestClock:
    def test_time_goes_on_with_every_call(self) -> None:
        found = list(of("gradient_descent").iterates([0, 5, 10, 40], 4))
        assert found[0].seconds > 0
        assert all(a.seconds < b.seconds for a, b in pairwise(found))

    def test_it_counts_steps_and_neither_measuring_nor_whoever_looks(self) -> None:
        path, _ = counted(0.02)
        for at in path.iterates([0, 1, 2, 3]):
            assert at.energy == 1 + at.step and at.cost == (2.0 * at.step, 0.5)
            time.sleep(0.1)
        assert 0.06 <= at.seconds < 0.1

    def test_compiling_does_a_step(self) -> None:
        path, calls = counted()
        assert path.compile().step == 1
        assert calls == [(0, 1)]
