"""What instruments show of residual networks, whose layers have auxiliary neurons with precisions of their own."""

import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.instruments import CHANNELS
from pcviz.instruments.curvature.job import Curvature
from pcviz.instruments.network.job import NetworkView
from pcviz.instruments.plane.look import PlaneLook
from pcviz.instruments.relaxation.figures import PANELS
from pcviz.instruments.relaxation.job import RelaxationJob
from pcviz.instruments.training.plane import TrainingPlane
from pcviz.jobs.training import Training
from pcviz.pcn.network import flat_weights

RESIDUAL = from_paths(
    {
        "network.architecture": "residual",
        "network.depth": 6,
        "network.width": 5,
        "inference.precision_schedule": "spiking",
        "learning.forward_update": True,
        "learning.batch_size": 8,
        "learning.steps": 2,
        "data.name": "moons",
    }
)


@pytest.fixture(scope="module")
def training() -> Training:
    made = Training(RESIDUAL)
    assert [*made.run()]
    return made


def test_a_relaxation_uses_the_weights_of_a_run_and_the_precisions_of_its_own_step_size(training: Training) -> None:
    other = RESIDUAL.changed({"inference.step_size": 0.5})
    source = training.step, training.checkpoint(), RESIDUAL
    job = RelaxationJob(other, {"source": "0" * 32}, source)
    job.run()
    np.testing.assert_array_equal(flat_weights(job.network), flat_weights(training.network))
    np.testing.assert_array_equal(job.network.stages[1].precision[0, 0, :, 0], np.float32([1, 2]))
    values = job.frame(bulk=True).values
    assert all(np.ndim(value) == len(CHANNELS[name].dims) for name, value in values.items())
    assert np.isfinite(values["energy_trace"]).all() and values["layers_with_signal"] == 6
    assert "auxiliary neurons" in job.why_no_spectrum and not job.names
    assert not {"solver_steps", "equilibrium_energy", "curvature_max", "layers_expected"} & values.keys()


def test_the_network_view_shows_auxiliary_neurons_below_the_main_path(training: Training) -> None:
    pictures = {}
    for layer in (1, 3, 6):
        child = NetworkView(RESIDUAL, training, {"example": 2, "layer": layer})
        child.prepare()
        while not child.idle:
            child.advance(2, 60.0)
        pictures[layer] = child.frame(bulk=True).values
    np.testing.assert_array_equal(pictures[3]["network_units"], [5, 10, 10, 10, 10])
    assert pictures[3]["layer_activity"].shape == (7, 10)
    np.testing.assert_array_equal(pictures[3]["layer_gradient"][5:], 0)
    assert pictures[3]["layer_gradient"][:5].any()
    assert [layer for layer, values in pictures.items() if "layer_weights" in values] == [1], "else units lack some"


@pytest.mark.parametrize("kind", ["plane", "curvature", "training_plane"])
def test_looks_at_the_least_energy_and_at_curvature_are_refused(kind: str, training: Training) -> None:
    with pytest.raises(ValueError, match=r"network.architecture: residual is not examined: .* \(allowed: mlp\)"):
        if kind == "training_plane":
            TrainingPlane(RESIDUAL, training, {"surface": "energy"})
        else:
            (PlaneLook(RESIDUAL) if kind == "plane" else Curvature(RESIDUAL)).prepare()


def test_panels_say_why_they_show_nothing() -> None:
    told = {name: panel(RESIDUAL).absent for name, panel in PANELS.items()}
    assert {name for name, why in told.items() if why} == {"activity-spectrum", "solver-race"}
    assert not any(panel(Experiment()).absent for panel in PANELS.values())
