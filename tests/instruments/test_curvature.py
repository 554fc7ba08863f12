"""Curvature: the numbers of the probes, whatever the slices; weights of stored runs; what does not fit is refused."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.instruments import CHANNELS
from pcviz.instruments.curvature import options as curvatures
from pcviz.instruments.curvature.job import Curvature
from pcviz.instruments.curvature.options import Options, examples_that_fit, misfit, place
from pcviz.instruments.jobs import JOBS
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import finish, matrix
from pcviz.pcn import build
from pcviz.pcn.network import flat_weights
from pcviz.probes import curvature, hessian
from pcviz.probes.minimum import descend
from pcviz.store.values import encode_values

SMALL = {
    "network.depth": 4,
    "network.width": 5,
    "network.activation": "tanh",
    "inference.steps": 12,
    "learning.batch_size": 8,
    "data.name": "moons",
}


def finished(changes: dict[str, object], options: dict[str, object] | None = None, **more: Any) -> Curvature:
    job = Curvature(from_paths({**SMALL, **changes}), options, **more)
    job.run()
    return job


@pytest.fixture(scope="module")
def job() -> Curvature:
    return finished({}, {"examples": 6})


def test_numbers_are_those_of_the_probes(job: Curvature) -> None:
    values = job.frame(bulk=True).values
    network = hessian.as_float64(job.network)
    assert values["curvature_examples"] == 6 == len(job.x)
    for name, function in (
        ("loss", curvature.loss(network, job.x, job.y)),
        ("energy", curvature.energy(network, job.x, job.y, finish(descend(network, job.x, job.y)))),
    ):
        spectrum = np.linalg.eigvalsh(finish(matrix(function.products, function.gradient.size, 8)))
        np.testing.assert_allclose(values[f"{name}_ends"], spectrum[[0, -1]], atol=1e-12)
        assert np.sum(values[f"{name}_eigenvalues"]) == spectrum.size == values["weight_count"]
        slope = np.asarray(values[f"ray_{name}_gradient"])[-1]
        assert slope == pytest.approx(np.linalg.norm(function.gradient), rel=1e-6)
    assert values["ray_distance"][-1] == pytest.approx(values["weight_norm"])  # type: ignore[index]
    found = curvature.origin(network, job.x, job.y)
    assert found is not None
    assert values["origin_energy_min"] == pytest.approx(found.energy.min())
    assert np.sum(values["origin_energy_eigenvalues"]) == values["weight_count"]


def test_the_plane_is_centred_on_the_equilibrium(job: Curvature) -> None:
    values = job.frame(bulk=True).values
    energies, middle = np.asarray(values["activity_plane"]), curvatures.GRID // 2
    assert energies.shape == (curvatures.GRID,) * 2 and energies[middle, middle] == 0 == energies.min()
    assert np.asarray(values["activity_plane_x"])[middle] == np.asarray(values["activity_plane_y"])[middle] == 0
    assert len(np.asarray(values["activity_path_x"])) == 13
    beyond = np.asarray(values["activity_beyond_steps"])
    assert (beyond[0], beyond[-1]) == (12, 12 * 64)
    # Rows are the flattest direction: the same distance costs less.
    assert np.ptp(np.asarray(values["activity_plane_y"])) > np.ptp(np.asarray(values["activity_plane_x"]))


def test_slices_do_not_matter(job: Curvature) -> None:
    other = Curvature(job.experiment, job.options)
    other.prepare()
    seen = []
    while not other.done:
        other.advance(other.steps, 0.0)
        seen.append(other.step)
    assert seen == sorted(seen) and seen[-1] == other.steps
    ours, theirs = job.frame(bulk=True).values, other.frame(bulk=True).values
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_it_stops_where_it_is_told(job: Curvature) -> None:
    other = Curvature(job.experiment, job.options)
    other.prepare()
    other.advance(30, 1e9)
    assert 30 <= other.step < 50
    values = other.frame(bulk=True).values
    assert "activity_plane" in values and "ray_distance" not in values
    assert not any(CHANNELS[name].bulk for name in other.frame(bulk=False).values)


@pytest.mark.slow
def test_the_loss_is_of_higher_order_than_the_equilibrated_energy_near_the_origin() -> None:
    values = finished({"network.activation": "linear", "network.skips": False}).frame(bulk=True).values
    logs = {name: np.log10(np.asarray(values[name])) for name in CHANNELS if name.startswith("ray_")}
    slopes = {n: (logs[n][1] - logs[n][0]) / (logs["ray_distance"][1] - logs["ray_distance"][0]) for n in logs}
    assert slopes["ray_loss_gradient"] == pytest.approx(3, abs=1e-3)  # L - 1
    assert slopes["ray_energy_gradient"] == pytest.approx(1, abs=1e-3)
    assert values["origin_loss_min"] == 0 > values["origin_energy_min"]  # type: ignore[operator]


def test_the_weights_of_a_stored_run_survive_a_restart() -> None:
    training = Training(from_paths({**SMALL, "learning.steps": 5}))
    list(training.run())
    source = training.step, training.checkpoint(), training.experiment
    job = finished({"learning.steps": 5}, {"source": "0" * 32}, source=source)
    values = job.frame(bulk=False).values
    assert values["source_step"] == 5
    assert values["weight_norm"] == pytest.approx(np.linalg.norm(flat_weights(training.network)))
    again = Curvature(job.experiment, job.options)
    again.restore(job.checkpoint())
    again.prepare()
    np.testing.assert_array_equal(flat_weights(again.network), flat_weights(job.network))


def test_the_weights_at_a_step_are_those_of_a_training() -> None:
    """Trained anew without a stored run, or from one that went on further; whoever has them stored takes them."""
    training = Training(from_paths({**SMALL, "learning.steps": 5}))
    list(training.run())
    stored = finished({}, {"source": "0" * 32}, source=(5, training.checkpoint(), training.experiment))
    further = Training(from_paths({**SMALL, "learning.steps": 9}))
    list(further.run())
    later = 9, further.checkpoint(), further.experiment
    for job in (finished({}, {"step": 5}), finished({}, {"step": 5, "source": "0" * 32}, source=later)):
        mine, theirs = (look.frame(bulk=False).values for look in (job, stored))
        assert mine["source_step"] == 5
        for name in ("weight_norm", "loss_curvature_max", "pc_gradient_total"):
            assert mine[name] == theirs[name], name
    fresh = finished({}).frame(bulk=False).values
    assert fresh["weight_norm"] != theirs["weight_norm"]


def test_stored_weights_must_be_there_fit_and_be_finite() -> None:
    run = {"source": "0" * 32}
    with pytest.raises(ValueError, match="no stored weights"):
        finished({}, run)
    with pytest.raises(ValueError, match="differs from that of the experiment"):
        finished({}, run, source=(3, {"leaf_0": np.zeros((1, 2, 2))}, from_paths(SMALL)))
    training = Training(from_paths({**SMALL, "learning.steps": 1}))
    training.prepare()
    arrays = {k: v * np.nan if v.dtype.kind == "f" else v for k, v in training.checkpoint().items()}
    with pytest.raises(ValueError, match="not finite"):
        finished({}, run, source=(3, arrays, from_paths(SMALL)))


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"network.activation": "relu"}, {"network.depth": 2, "network.loss": "ce"}])
def test_other_networks(changes: dict[str, object]) -> None:
    values = finished(changes).frame(bulk=True).values
    assert ("origin_loss_min" in values) == ("network.depth" in changes)
    assert np.isfinite(np.asarray(values["pc_gradient_cosine"])).all()


def test_biases_are_weights_too_and_the_origin_is_left_out() -> None:
    job = finished({"network.biases": True}, {"examples": 6})
    values = job.frame(bulk=True).values
    assert values["weight_count"] == cost.parameter_count(job.experiment) == flat_weights(job.network).size
    assert np.sum(values["energy_eigenvalues"]) == values["weight_count"]
    assert not any(name.startswith("origin_") for name in values)
    assert np.all(np.isfinite(values["pc_newton_cosine"])) and np.all(np.asarray(values["pc_step"]) > 0)
    slopes = np.asarray(values["ray_loss_gradient"])
    assert slopes.min() > 0.1 * slopes[0], "the output's biases have a slope at the origin"


@pytest.mark.slow
def test_large_networks_have_ends_without_a_histogram() -> None:
    values = finished({"network.width": 40}).frame(bulk=True).values
    assert values["weight_count"] > curvatures.SPECTRUM_MAX  # type: ignore[operator]
    assert "loss_ends" in values and "loss_eigenvalues" not in values and "origin_loss_eigenvalues" in values


def test_channels_have_the_dimensions_that_the_table_says(job: Curvature) -> None:
    values = job.frame(bulk=True).values
    sizes: dict[str, int] = {"L": 4, "2": 2}
    for name, value in values.items():
        for dim, size in zip(CHANNELS[name].dims, np.shape(value), strict=True):
            assert sizes.setdefault(dim, size) == size, name
    assert len(encode_values(values)) < 100_000


def test_the_vocabulary() -> None:
    assert JOBS["curvature"] is Curvature
    assert Options().stored() == {"batch": 0, "examples": 16}
    np.testing.assert_allclose(place(np.array([-1e-3, 0, 1e-3])), [-6, 0, 6], atol=1e-5)
    assert examples_that_fit(Experiment(), 16) == 16
    assert examples_that_fit(from_paths({"network.depth": 128, "network.width": 256}), 16) < 16
    assert misfit(Experiment()) is None
    assert cost.parameter_count(Experiment()) == flat_weights(build(Experiment())).size
    assert "weights are too many" in str(misfit(from_paths({"network.width": 2048, "network.depth": 4})))
