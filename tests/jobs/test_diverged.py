"""Runs that diverged: they keep their last finite weights, and looks at these tell what they find."""

from typing import Any

import jax
import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.curvature.job import Curvature
from pcviz.instruments.plane.look import PlaneLook
from pcviz.instruments.relaxation.job import RelaxationJob
from pcviz.instruments.relaxation.reading import NOTHING_LOWER, OVERFLOW, reading
from pcviz.jobs.training import Training
from pcviz.store.values import encode_values
from tests.descent import DESCENT

RUN = "0" * 32
SOLVERS = ("error_based", "gauss_newton")
SMALL = {**DESCENT, "network.depth": 8, "network.width": 16, "learning.steps": 60, "network.parameterisation": "sp"}
STEEP = {**SMALL, "learning.optimiser": "sgd", "network.activation": "linear"}
"""Its last finite weights are near the end of the number format: predictions overflow."""
WILD = from_paths({**STEEP, "learning.learning_rate": 5.0})
LARGE = from_paths({**SMALL, "learning.learning_rate": 100.0, "network.parameterisation": "mupc"})
"""Weights of 100: finite energies that rounding keeps from falling."""


def trained(experiment: Experiment) -> Training:
    training = Training(experiment)
    for _ in training.run():
        pass
    return training


def source(training: Training) -> tuple[int, dict[str, np.ndarray], Experiment]:
    return training.step, training.checkpoint(), training.experiment


def said(job: RelaxationJob) -> list[str]:
    values = job.frame(bulk=True).values
    assert b"NaN" not in encode_values(values)
    return reading(job.experiment, values, job.names)


@pytest.mark.parametrize("experiment", [WILD, LARGE], ids=["wild", "large"])
@pytest.mark.parametrize("long", [False, True], ids=["whole steps", "long steps"])
def test_a_run_that_diverges_keeps_the_weights_of_its_last_finite_step(experiment: Experiment, long: bool) -> None:
    wild = Training(experiment)
    wild.prepare()
    if long:
        wild._stepper.long = True
        wild._stepper.compile()
    while not wild.done:
        wild.advance(wild.steps, 1.0)
    assert wild.diverged and 0 < wild.step < wild.steps
    until = trained(experiment.changed({"learning.steps": wild.step}))
    assert not until.diverged
    for mine, theirs in zip(jax.tree.leaves(wild.network), jax.tree.leaves(until.network), strict=True):
        assert np.isfinite(mine).all()
        np.testing.assert_array_equal(mine, theirs)


def test_nothing_relaxes_where_predictions_overflow() -> None:
    job = RelaxationJob(WILD, {"source": RUN, "solvers": SOLVERS}, source=source(trained(WILD)))
    job.run()
    assert job.done and job.diverged
    assert said(job) == [OVERFLOW]
    with pytest.raises(ValueError, match="source: the predictions overflow with its weights"):
        Curvature(WILD, {"source": RUN}, source=source(trained(WILD))).run()


@pytest.mark.parametrize(("solvers", "found"), [(("gauss_newton",), False), (SOLVERS, True)])
def test_nobody_settles_where_nothing_lower_is_found(solvers: tuple[str, ...], found: bool) -> None:
    """Gradient descent diverges from these weights, and rounding stops Gauss-Newton at the start."""
    job = RelaxationJob(LARGE, {"source": RUN, "solvers": solvers}, source=source(trained(LARGE)))
    job.run()
    assert (said(job)[-1] != NOTHING_LOWER) is found
    arrived = np.isfinite(np.asarray(job.frame(bulk=True).values["solver_arrival"])[:, 0])
    assert dict(zip(job.names, arrived, strict=True)) == {name: found and name == "error_based" for name in job.names}


def test_a_relaxation_that_diverges_says_where() -> None:
    job = RelaxationJob(WILD.changed({"inference.step_size": 3.0, "inference.steps": 400}), {"solvers": SOLVERS})
    job.run()
    assert job.diverged
    assert said(job)[0].startswith("This relaxation diverged: at step ")


def test_a_surface_leads_to_the_last_finite_weights() -> None:
    training = trained(WILD)
    job = PlaneLook(WILD, {"size": 11, "directions": "run", "source": RUN}, source=source(training))
    job.run()
    assert np.isfinite(np.asarray(job.frame(bulk=True).values.get("landscape_x", 0.0))).all()


@pytest.mark.parametrize(
    ("make", "options"), [(RelaxationJob, {}), (Curvature, {}), (PlaneLook, {"directions": "run", "size": 11})]
)
def test_weights_of_an_earlier_pcviz_that_are_not_finite_are_refused(make: Any, options: dict[str, Any]) -> None:
    training = trained(LARGE.changed({"learning.learning_rate": 0.01, "learning.steps": 1}))
    step, arrays, experiment = source(training)
    broken = {name: np.full_like(array, np.nan) if name == "leaf_0" else array for name, array in arrays.items()}
    with pytest.raises(ValueError, match="source: the stored run diverged, its weights are not finite"):
        make(experiment, {"source": RUN, **options}, source=(step, broken, experiment)).run()
