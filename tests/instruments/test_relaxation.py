"""The numbers of `pcviz.relax` and the probes, whatever the slices; other solvers from the same start."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.data import load
from pcviz.data.batches import batch_indices
from pcviz.experiment import from_paths
from pcviz.experiment.solvers import DEFAULT_SOLVERS, SOLVERS
from pcviz.frames import trace_rows
from pcviz.instruments import CHANNELS
from pcviz.instruments.jobs import JOBS
from pcviz.instruments.relaxation.job import RelaxationJob
from pcviz.instruments.relaxation.options import STATES
from pcviz.jobs import descent
from pcviz.jobs.training import Training
from pcviz.numerics.blocktridiagonal import spectrum
from pcviz.pcn import build, linear, relax
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers import Settings, Solver
from pcviz.probes import theory
from pcviz.probes.hessian import hessian_blocks
from tests.crossed import crossed
from tests.descent import DESCENT
from tests.pcn import maps as maps_of
from tests.probes.aligned import alignment

SMALL = {
    **DESCENT,
    "network.depth": 5,
    "network.width": 8,
    "network.activation": "tanh",
    "inference.steps": 40,
    "learning.batch_size": 8,
    "data.name": "moons",
}
SOLVERS_USED = ("gradient_descent", "error_based", "gauss_newton")
FAST = {"solvers": SOLVERS_USED, "budget": 300}


def finished(changes: dict[str, object], options: dict[str, object] | None = None, **more: Any) -> RelaxationJob:
    job = RelaxationJob(from_paths({**SMALL, **changes}), {**FAST, **(options or {})}, **more)
    job.run()
    return job


@pytest.fixture(scope="module")
def job() -> RelaxationJob:
    return finished({})


def batch(job: RelaxationJob) -> tuple[Any, Any, Any]:
    """The network and the batch that the job should have used."""
    experiment = job.experiment
    data = load(experiment.data, experiment.seed, experiment.dtype)
    chosen = batch_indices(experiment.seed, job.options.batch, len(data.x_train), experiment.learning.batch_size)
    x, y = jnp.asarray(data.x_train[chosen]), jnp.asarray(data.y_train[chosen])
    return build(experiment, x.shape[1], y.shape[1]), x, y


def test_the_trace_is_that_of_relax(job: RelaxationJob) -> None:
    network, x, y = batch(job)
    values = job.frame(bulk=True).values
    expected = relax(network, x, y, job.experiment.inference)
    np.testing.assert_array_equal(values["trace_steps"], np.arange(41))
    np.testing.assert_allclose(values["energy_trace"], expected.energies, rtol=1e-4, atol=1e-16)
    np.testing.assert_array_equal(values["energy_trace"] == 0, expected.energies == 0)
    np.testing.assert_allclose(values["update_rms"], expected.update_rms, rtol=1e-4, atol=1e-12)
    rms = [np.sqrt(np.mean(np.square(np.asarray(e, np.float64)))) for e in expected.errors]
    np.testing.assert_allclose(np.asarray(values["error_rms"])[-1], rms, rtol=1e-4)
    sizes = [np.sqrt(np.mean(np.square(np.asarray(z, np.float64)))) for z in expected.activities]
    np.testing.assert_allclose(np.asarray(values["activity_rms"])[-1], sizes, rtol=1e-5)


def test_alignment_is_that_of_the_probe(job: RelaxationJob) -> None:
    network, x, y = batch(job)
    values = job.frame(bulk=True).values
    steps = [int(t) for t in np.asarray(values["alignment_steps"])]
    assert steps[0] == 1 and steps[-1] == 40
    expected = alignment(network, x, y, job.experiment.inference, steps)
    np.testing.assert_allclose(values["alignment_cosine"], expected.cosine, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(values["alignment_ratio"], expected.norm_ratio, rtol=1e-3, atol=1e-9)


def test_solvers_reach_what_solve_reaches(job: RelaxationJob) -> None:
    network, x, y = batch(job)
    for name in SOLVERS_USED:
        descent = job.descents[name]
        size = descent.settings.step_size
        expected = solve(
            name, network, x, y, steps=int(descent.steps[-1]), step_size=None if size is None else float(size)
        )
        assert descent.energies[-1] == pytest.approx(expected.energy, rel=1e-4)
        assert job.state(name) == "arrived"
    assert job.lowest == pytest.approx(min(min(d.energies) for d in job.descents.values()))


def test_the_histogram_counts_every_eigenvalue(job: RelaxationJob) -> None:
    network, x, y = batch(job)
    values = job.frame(bulk=True).values
    start = relax(network, x, y, job.experiment.inference, 0).activities
    expected = spectrum(hessian_blocks(network, x[:1], y[:1], [z[:1] for z in start]))[0]
    assert np.sum(values["curvature_counts"]) == expected.size
    assert values["curvature_max"] == pytest.approx(expected[-1], rel=1e-6)
    assert values["curvature_min"] == pytest.approx(expected[0], rel=1e-6)
    some = spectrum(hessian_blocks(network, x[:8], y[:8], [z[:8] for z in start]))[:, -1]
    assert values["model_examples"] == 8
    assert values["step_limit"] == pytest.approx(2 / some.max(), rel=1e-6)
    np.testing.assert_allclose(values["step_limit_range"], [2 / some.max(), 2 / some.min()], rtol=1e-6)
    low, high = np.asarray(values["predicted_steps_range"])
    assert low <= values["predicted_steps"] <= high


def test_the_limit_is_that_of_the_experiments_solver() -> None:
    """Gradient descent 2/λ, momentum 2(1 + β)/λ, error-based 2/λ of the errors, Adam none."""
    found = {
        solver: finished({"inference.solver": solver, "inference.step_size": 0.1}, {"solvers": ()}).frame(bulk=True)
        for solver in ("gradient_descent", "momentum", "error_based", "adam")
    }
    values = {solver: frame.values for solver, frame in found.items()}
    descent = values["gradient_descent"]
    least, most = descent["curvature_min"], descent["curvature_max"]
    assert descent["contraction"] == pytest.approx(1 - 0.1 * least)
    assert descent["stable_curvature"] == pytest.approx(20)
    heavy = values["momentum"]
    assert heavy["step_limit"] == pytest.approx(1.9 * descent["step_limit"])
    assert heavy["stable_curvature"] == pytest.approx(38)
    assert heavy["contraction"] == pytest.approx(theory.contraction(float(least), float(most), 0.1, 0.9))
    errors = values["error_based"]
    assert errors["contraction"] == pytest.approx(max(0.9, abs(1 - 0.1 * float(errors["error_curvature_max"]))))
    low, high = np.asarray(errors["step_limit_range"])
    assert low <= 2 / float(errors["error_curvature_max"]) <= high
    assert "stable_curvature" not in errors
    assert not {"step_limit", "contraction", "stable_curvature"} & set(values["adam"])


@pytest.mark.parametrize(("initial", "steps"), crossed(["feedforward", "zero", "normal"], [0, 2, 4]))
def test_a_layer_has_a_signal_when_the_target_has_reached_it(initial: str, steps: int) -> None:
    """Whatever the start: nobody but the output after no step, one layer more after each, and none by the start."""
    job = finished({"inference.initial": initial, "inference.steps": steps, "dtype": "float64"}, {"solvers": ()})
    assert job.frame(bulk=False).values["layers_with_signal"] == steps + 1


def test_theory_expects_the_signal_of_a_healthy_network_and_not_that_of_a_sick_one() -> None:
    """The same 24 steps at depth 25: under muPC as many layers have a signal as in the chain, under SP fewer."""
    found = {}
    for parameterisation, changes in (("mupc", {}), ("sp", {"network.skips": False, "network.activation": "tanh"})):
        job = finished(
            {"network.depth": 25, "network.width": 16, "network.parameterisation": parameterisation, **changes},
            {"solvers": ()},
        )
        values = job.frame(bulk=False).values
        found[parameterisation] = values["layers_expected"] - values["layers_with_signal"]
    assert abs(found["mupc"]) <= 1 and found["sp"] >= 3, found


@pytest.mark.parametrize("changes", [{"inference.initial": "zero"}, {"inference.solver": "adam"}], ids=str)
def test_where_theory_expects_nothing_no_layers_are_expected(changes: dict[str, object]) -> None:
    assert "layers_expected" not in finished(changes, {"solvers": ()}).frame(bulk=False).values


def test_linear_networks_know_their_equilibrium() -> None:
    job = finished({"network.activation": "linear"}, {"solvers": ("linear_exact",)})
    network, x, y = batch(job)
    values = job.frame(bulk=True).values
    assert values["equilibrium_is_exact"] == 1
    assert values["equilibrium_energy"] == pytest.approx(float(linear.least_energy(network, x, y)), rel=1e-6)
    assert job.names == ["gradient_descent", "linear_exact"]


def test_linear_networks_with_cross_entropy_have_no_closed_form() -> None:
    changes = {"network.activation": "linear", "network.loss": "ce", "network.depth": 3, "learning.batch_size": 64}
    job = finished({**changes, "dtype": "float64"}, {"solvers": ("conjugate_gradient", "linear_exact")})
    network, x, y = batch(job)
    values = job.frame(bulk=True).values
    least = solve("gauss_newton", network, x, y, steps=200).energy
    of_another_loss = float(maps_of.equilibrium_energy(maps_of.layer_maps(network), x, y))
    assert values["equilibrium_is_exact"] == 0 and job.names == ["gradient_descent", "conjugate_gradient"]
    assert values["equilibrium_energy"] == pytest.approx(least, rel=1e-6) != pytest.approx(of_another_loss, rel=0.1)


def test_slices_do_not_matter(job: RelaxationJob) -> None:
    other = RelaxationJob(job.experiment, job.options)
    other.prepare()
    seen = []
    while not other.done:
        other.advance(other.steps, 0.0)
        seen.append(other.step)
    assert seen == sorted(seen) and seen[-1] == other.steps
    ours, theirs = job.frame(bulk=True).values, other.frame(bulk=True).values
    assert ours.keys() == theirs.keys()
    for name in ours.keys() - {"solver_ms", "solver_arrival"}:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_it_stops_where_it_is_told(job: RelaxationJob) -> None:
    other = RelaxationJob(job.experiment, job.options)
    other.prepare()
    other.advance(20, 1e9)
    assert 20 <= other.step < 40
    frame = other.frame(bulk=True)
    assert "energy_trace" in frame.values and "curvature_counts" not in frame.values


def test_the_weights_of_a_stored_run_survive_a_restart() -> None:
    training = Training(from_paths({**SMALL, "learning.steps": 5}))
    list(training.run())
    source = training.step, training.checkpoint(), training.experiment
    run = {"source": "0" * 32}
    job = finished({"learning.steps": 5}, run, source=source)
    assert job.frame(bulk=False).values["source_step"] == 5
    x, y = job.x, job.y
    trained = relax(training.network, x, y, job.experiment.inference).energies[-1]
    np.testing.assert_allclose(job.traced.energies[-1], trained, rtol=1e-4, atol=1e-14)
    again = RelaxationJob(job.experiment, job.options)
    again.restore(job.checkpoint())
    again.run()
    np.testing.assert_array_equal(again.traced.energies, job.traced.energies)


@pytest.mark.parametrize("stored", [False, True])
def test_the_weights_at_a_step_are_those_of_the_training(stored: bool) -> None:
    """The relaxation may use other inference than the training: a stored run is trained anew as it was."""
    trained = from_paths({**SMALL, "learning.steps": 5})
    training = Training(trained)
    list(training.run())
    run, changes = {"step": 5}, {"learning.steps": 9}
    more: dict[str, Any] = {}
    if stored:
        later = Training(trained.changed({"learning.steps": 7}))
        list(later.run())
        more = {"source": (later.step, later.checkpoint(), later.experiment)}
        run, changes = run | {"source": "0" * 32}, changes | {"inference.step_size": 0.07}
    job = finished(changes, run, **more)
    for mine, theirs in zip(jax.tree.leaves(job.network), jax.tree.leaves(training.network), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert job.frame(bulk=False).values["source_step"] == 5
    again = RelaxationJob(job.experiment, job.options)
    again.restore(job.checkpoint())
    again.run()
    np.testing.assert_array_equal(again.traced.energies, job.traced.energies)


def test_stored_weights_must_be_there_and_fit() -> None:
    run = {"source": "0" * 32}
    with pytest.raises(ValueError, match="no stored weights"):
        finished({}, run)
    with pytest.raises(ValueError, match="differs from that of the experiment"):
        finished({}, run, source=(3, {"leaf_0": np.zeros((1, 2, 2))}, from_paths(SMALL)))


def test_a_step_above_the_limit_diverges_and_the_rest_goes_on() -> None:
    job = finished({"inference.step_size": 50.0, "inference.steps": 400})
    values = job.frame(bulk=True).values
    assert job.diverged and job.done
    assert np.isfinite(values["energy_trace"]).all()
    states = dict(zip(job.names, np.asarray(values["solver_states"]), strict=True))
    assert STATES[states["gradient_descent"]] == "diverged"
    assert STATES[states["gauss_newton"]] == "arrived"
    # What is said of the gradients "after the last step" is of the last step that there is.
    assert np.asarray(values["alignment_steps"])[-1] == np.asarray(values["trace_steps"])[-1]


def invented(monkeypatch: pytest.MonkeyPatch, energies: Callable[[int], float]) -> tuple[descent.Descent, list[Any]]:
    """A solver whose energies after t steps are given, for 300 steps, and the spans that it was asked to advance."""
    spans: list[Any] = []

    def advance(*given: Any) -> int:
        spans.append(given[4:6])
        return int(given[5])

    def settle(*given: Any) -> Settled:
        return Settled((), (jnp.zeros((1, 1, 1)),), jnp.array([energies(given[3])]))

    method = Solver(lambda *_: 0, advance, settle, lambda *_: (1.0, 1.0))
    monkeypatch.setattr(descent, "solver_of", lambda name: method)
    deep: Any = SimpleNamespace(depth=40)
    return descent.Descent("gradient_descent", deep, (jnp.zeros(1), jnp.zeros(1)), Settings(None), 300, 300), spans


@pytest.mark.parametrize(("between", "state"), [(1.5, "budget"), (1.0, "stalled")])
def test_going_round_in_circles_is_not_rest(monkeypatch: pytest.MonkeyPatch, between: float, state: str) -> None:
    """A solver in a cycle whose period divides the distance of two marks has the same energy at both."""
    marks = set(trace_rows(300, descent.MARKS, filled=False))
    solver, _ = invented(monkeypatch, lambda t: 2.0 if t == 0 else 1.0 if t in marks else between)
    solver.advance(60.0, None)
    assert solver.state == state


def test_a_solver_ends_near_what_others_found_and_not_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for lowest, state, steps in ((2 / 9, "arrived", 8), (2 / 9.5, "budget", 300)):
        solver, _ = invented(monkeypatch, lambda t: 2 / (1 + t))
        solver.advance(60.0, lowest)
        assert (solver.state, solver.steps[-1]) == (state, steps)


def test_arrival_is_not_undone_by_chatter_about_the_border() -> None:
    """What leaves 1 % for what rounds to 1 % has stayed; what leaves for 2 % has not."""
    for after, step in ((1.012, 2.0), (1.02, 4.0)):
        energies = [2.0, 1.5, 1.009, after, 1.009, 1.011]
        steps = [float(t) for t in range(6)]
        made = SimpleNamespace(energies=energies, steps=steps, passes=steps, seconds=steps)
        job: Any = SimpleNamespace(descents={"adam": made}, lowest=1.0)
        assert RelaxationJob.arrival(job, "adam")[0] == step


def test_the_clock_does_not_count_the_loading_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is loaded when it first runs: compiling has done a step."""
    solver, spans = invented(monkeypatch, float)
    solver.compile()
    assert spans == [(0, 1)] and solver.seconds == []


@pytest.mark.parametrize(("solver", "initial"), crossed(["error_based", "adam", "momentum"], ["feedforward", "normal"]))
def test_every_solver_and_start_can_be_looked_into(solver: str, initial: str) -> None:
    changes = {"inference.solver": solver, "inference.initial": initial, "inference.steps": 6, "network.loss": "ce"}
    values = finished(changes, {"solvers": (), "budget": 20}).frame(bulk=True).values
    assert len(values["trace_steps"]) == 7
    assert ("front" in values) == (initial == "feedforward" and solver != "error_based")


def test_channels_have_the_dimensions_that_the_table_says(job: RelaxationJob) -> None:
    values = job.frame(bulk=True).values
    sizes: dict[str, int] = {"L": 5, "H": 4, "3": 3, "V": 3}
    for name, value in values.items():
        for dim, size in zip(CHANNELS[name].dims, np.shape(value), strict=True):
            assert sizes.setdefault(dim, size) == size, name


def test_the_job_has_its_place_in_the_registry() -> None:
    assert JOBS["relax"] is RelaxationJob
    assert set(DEFAULT_SOLVERS) <= set(SOLVERS)
