"""The survey of a plane and the walks from one of its points, as jobs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.plane.look import PlaneLook
from pcviz.instruments.plane.options import Options
from pcviz.instruments.plane.walk import STEPS, Walk
from pcviz.jobs.training import Training
from pcviz.pcn.network import flat_weights
from pcviz.probes.surface import loss_of

SMALL = from_paths({"network.depth": 4, "network.width": 8, "network.activation": "tanh"})
COARSE: dict[str, Any] = {"size": 11, "examples": 8}


def surveyed(
    options: dict[str, Any], seconds: float = 1.0, experiment: Experiment = SMALL, source: Any = None
) -> tuple[PlaneLook, list[dict[str, Any]]]:
    """The job, and the pictures on its way."""
    job = PlaneLook(experiment, COARSE | options, source)
    job.prepare()
    pictures = []
    while not job.done:
        job.advance(job.steps, seconds)
        values = job.frame(bulk=True).values
        if "landscape" in values:
            pictures.append(values)
    return job, pictures


def test_pictures_come_coarse_to_fine_whatever_the_slices() -> None:
    _, whole = surveyed({})
    _, slices = surveyed({}, seconds=0.0)
    assert [len(picture["landscape_x"]) for picture in slices] == [6, 11]
    coarse, fine = slices
    for name in ("landscape", "landscape_energy"):
        np.testing.assert_array_equal(fine[name][::2, ::2], coarse[name])
        np.testing.assert_array_equal(fine[name], whole[-1][name])
        assert np.isfinite(fine[name]).all()
    assert fine["landscape"][5, 5] == pytest.approx(fine["loss_here"], rel=1e-6)
    assert (fine["landscape_energy"] <= fine["landscape"] * (1 + 1e-6)).all()
    np.testing.assert_allclose(fine["landscape_ratio"], fine["landscape"] / fine["landscape_energy"])


def test_the_weights_after_some_steps_are_those_of_a_training() -> None:
    job, pictures = surveyed({"step": 12, "directions": "path"})
    training = Training(SMALL)
    training.prepare()
    training.advance(12, 100.0)
    for mine, theirs in zip(jax.tree.leaves(job.network), jax.tree.leaves(training.network), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    last = pictures[-1]
    assert list(last["path_steps"]) == list(range(13))
    assert 0.5 < last["path_variance"] <= 1
    assert last["path_loss"][-1] == pytest.approx(float(loss_of(job.network, job.x, job.y)), rel=1e-6)


def test_the_plane_to_another_run_ends_at_its_weights() -> None:
    other = Training(SMALL.changed({"seed": 5}))
    other.prepare()
    other.advance(6, 100.0)
    options = {"directions": "run", "source": "0" * 32}
    job, _ = surveyed(options, source=(6, other.checkpoint(), other.experiment))
    there = job.at(np.array([1.0, 0.0]))
    for mine, theirs in zip(jax.tree.leaves(there), jax.tree.leaves(other.network), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    again = PlaneLook(SMALL, COARSE | options, (6, other.checkpoint(), other.experiment))
    again.prepare()
    again.restore(job.checkpoint())
    assert again.done, "what was finished stays so"
    with pytest.raises(ValueError, match="source: the run has no stored weights yet"):
        PlaneLook(SMALL, COARSE | options).prepare()


def test_the_plane_leads_to_any_step_of_another_run() -> None:
    def trained(steps: int) -> Training:
        other = Training(SMALL.changed({"learning.steps": steps, "seed": 9}))
        list(other.run())
        return other

    def ended(steps: int, **options: Any) -> np.ndarray:
        other = trained(steps)
        options |= {"directions": "run", "source": "0" * 32}
        job, _ = surveyed(options, source=(steps, other.checkpoint(), other.experiment))
        return flat_weights(job.at(np.array([1.0, 0.0])))

    np.testing.assert_array_equal(ended(6, source_step=2), ended(2))
    assert not np.array_equal(ended(6), ended(2))


def test_centre_and_span_are_those_asked_for() -> None:
    _, pictures = surveyed({"span": 0.5, "center_x": 1.0, "center_y": -2.0})
    last = pictures[-1]
    np.testing.assert_allclose(last["landscape_x"][[0, -1]], [0.5, 1.5])
    np.testing.assert_allclose(last["landscape_y"][[0, -1]], [-2.5, -1.5])


def test_a_network_that_diverges_on_the_way_is_told() -> None:
    wild = SMALL.changed(
        {"learning.learning_rate": 100.0, "learning.optimiser": "sgd", "network.parameterisation": "sp"}
    )
    with pytest.raises(ValueError, match=r"step: this network diverges in step \d+ \(allowed: 0 to \d+\)"):
        surveyed({"step": 50}, experiment=wild)


@pytest.mark.parametrize(
    ("options", "field"),
    [({"directions": "run"}, "source"), ({"directions": "path"}, "step"), ({"size": 20}, "size")],
)
def test_options_that_make_no_plane_are_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Options.model_validate(options)


def test_both_rules_walk_downhill_from_the_point_clicked() -> None:
    job, _ = surveyed({})
    walk = Walk(SMALL, job, {"x": 0.4, "y": -0.2})
    walk.prepare()
    frames = []
    while not walk.done:
        walk.advance(0, 0.0)
        frames.append(walk.frame(bulk=True).values)
    last = frames[-1]
    start = float(loss_of(job.at(np.array([0.4, -0.2])), job.x, job.y))
    for rule in ("bp", "pc"):
        assert len(last[f"walk_{rule}_steps"]) == STEPS + 1
        np.testing.assert_allclose([last[f"walk_{rule}_x"][0], last[f"walk_{rule}_y"][0]], [0.4, -0.2], atol=1e-5)
        assert last[f"walk_{rule}_loss"][0] == pytest.approx(start, rel=1e-5)
        assert last[f"walk_{rule}_loss"][-1] < 0.5 * start
        assert (np.asarray(last[f"walk_{rule}_energy"]) <= np.asarray(last[f"walk_{rule}_loss"]) * (1 + 1e-5)).all()
    assert not np.allclose(last["walk_bp_loss"], last["walk_pc_loss"]), "two rules, two ways"
    assert jnp.isfinite(jnp.asarray(last["walk_pc_x"])).all()
