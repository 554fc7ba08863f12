"""Numbers that a relaxation tells beyond its trace, against references by hand: when solvers arrived, what is rounding,
who has a signal, how gradients compare, what the noise is drawn from."""

from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.experiment import from_paths
from pcviz.instruments.relaxation.forecast import Forecast
from pcviz.instruments.relaxation.job import RelaxationJob
from pcviz.jobs.traced import Traced
from pcviz.jobs.training import Training
from pcviz.pcn import layers_with_signal
from pcviz.pcn.energy import rounding_energies
from tests.descent import DESCENT
from tests.pcn.pairs import pair


def raced(*energies: float, lowest: float = 0.0, state: str = "budget") -> RelaxationJob:
    """A race of one solver: steps, passes and seconds differ, so that none can stand for another."""
    job = RelaxationJob.__new__(RelaxationJob)
    count = len(energies)
    solver: Any = SimpleNamespace(
        steps=[3 * i for i in range(count)],
        passes=[7 * i for i in range(count)],
        seconds=[0.011 * i for i in range(count)],
        energies=list(energies),
        state=state,
    )
    job.descents, job._exact, job.names = {"adam": solver}, lowest, ["adam"]
    job.traced: Any = SimpleNamespace(energies=np.array([[max(energies)]]))
    return job


def test_a_solver_arrives_where_its_excess_stays_within_one_per_cent() -> None:
    """A touch that it leaves again is no arrival."""
    job = raced(10.0, 0.05, 4.0, 0.2, 0.1, 0.09, 0.01)
    assert job.arrival("adam") == pytest.approx([12, 28, 44])
    assert job.state("adam") == "arrived"


def test_the_excess_counts_from_the_lowest_energy_known() -> None:
    assert raced(11.0, 2.0, 1.09, 1.05, lowest=1.0).arrival("adam") == pytest.approx([6, 14, 22])


@pytest.mark.parametrize("energies", [(10.0, 5.0, 0.11), (10.0, 0.05, 0.2), (0.0, 0.0, 0.0)])
def test_who_does_not_stay_within_it_has_not_arrived(energies: tuple[float, ...]) -> None:
    job = raced(*energies)
    assert np.isnan(job.arrival("adam")).all()
    assert job.state("adam") == "budget"
    assert raced(*energies, state="arrived").state("adam") == "stalled"


def test_ten_roundings_of_a_layer_are_its_own() -> None:
    """Layers with activities of different sizes: a signal of 11 eps rms(z_l) is one, of 9 is none, in each alone."""
    eps, batch, width = np.finfo(np.float32).eps, 4, 5
    sizes = np.array([0.01, 1.0, 30.0])
    z = jnp.asarray(sizes[:, None, None] * np.ones((3, batch, width)), jnp.float32)
    y = jnp.full((batch, 2), 2.0, jnp.float32)
    floors = rounding_energies((z,), y)
    assert floors == pytest.approx([*0.5 * width * (10 * eps * sizes) ** 2, 0.5 * 2 * (10 * eps * 2) ** 2], rel=1e-5)
    for heard in range(4):
        factor = np.where(np.arange(3) < heard, 11, 9) * eps * sizes
        e = jnp.asarray(factor[:, None, None] * np.ones((3, batch, width)), jnp.float32)
        assert layers_with_signal((z,), (e, jnp.zeros((1, batch, 2))), y) == heard


def test_the_rounding_floor_of_a_forecast_is_that_of_each_layer() -> None:
    net, network, x, y = pair(activation="tanh", parameterisation="sp", skips=False, dtype="float32")
    experiment = from_paths({**DESCENT, "network.depth": 5, "network.width": 6, "inference.steps": 3})
    forecast = Forecast(experiment, network, jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32), np.arange(4))
    forecast.compute()
    sizes = [np.sqrt(np.mean(z**2)) for z in (*net.forward(x)[0], y)]
    assert len({f"{size:.1e}" for size in sizes}) == 5
    floors = np.asarray(forecast.values["rounding_floor"])
    assert floors == pytest.approx(10 * np.finfo(np.float32).eps * np.array(sizes), rel=1e-4)
    # After t small steps nothing is below layer L - t, and that layer is heard.
    assert np.asarray(forecast.values["predicted_front"]).tolist() == [5, 4, 3, 2]


def test_gradients_are_compared_to_those_of_the_same_energy() -> None:
    """lambda = 3: cosine and ratio of norms, PC over BP, layer by layer, both with lambda."""
    net, network, x, y = pair(activation="tanh", precision=3.0, depth=4)
    paths = {"network.depth": 4, "network.width": 6, "inference.steps": 8, "inference.step_size": 0.1}
    traced = Traced(from_paths({**DESCENT, **paths, "dtype": "float64"}), network, jnp.asarray(x), jnp.asarray(y), 8)
    for _ in traced.work():
        pass
    told = traced.arrays()
    of_backprop = [3.0 * g for g in net.backprop(x, y)[1]]
    for row, t in enumerate(np.asarray(told["alignment_steps"])):
        gradients = net.weight_gradients(x, y, net.relax(x, y, 0.1, int(t)).activities)
        for l, (pc, bp) in enumerate(zip(gradients, of_backprop, strict=True)):
            if not np.any(pc):
                continue
            cosine = np.sum(pc * bp) / np.linalg.norm(pc) / np.linalg.norm(bp)
            assert np.asarray(told["alignment_cosine"])[row, l] == pytest.approx(cosine, abs=1e-9)
            ratio = np.linalg.norm(pc) / np.linalg.norm(bp)
            assert np.asarray(told["alignment_ratio"])[row, l] == pytest.approx(ratio, rel=1e-9)
    pc, bp = (np.concatenate([g.ravel() for g in layers]) for layers in (gradients, of_backprop))
    total = pc @ bp / np.linalg.norm(pc) / np.linalg.norm(bp)
    assert traced.numbers()["alignment_total"] == pytest.approx(total, rel=1e-9)


def first_energies(seed: int, steps: int = 1, weights_of: Training | None = None) -> np.ndarray:
    """Energies of step `steps` from normal activities that do not move: they tell what was drawn."""
    paths = {"network.depth": 3, "network.width": 8, "inference.initial": "normal", "inference.steps": 0, "seed": seed}
    training = Training(from_paths({**paths, "learning.learning_rate": 1e-9, "data.name": "moons"}))
    training.prepare()
    if weights_of is not None:
        training._stepper._go_on(weights_of.network, training._stepper._state[1])
    training.advance(steps, 60.0)
    return np.asarray(training.frame(bulk=False).values["energy"])


def test_noise_is_drawn_anew_in_each_weight_step_and_from_the_seed() -> None:
    """The energy of layer 2 holds noise and weights alone: (z_2 - mu_2(z_1)), both drawn."""
    same = Training(from_paths({"network.depth": 3, "network.width": 8, "data.name": "moons"}))
    same.prepare()
    found = [first_energies(seed, steps, same)[1] for seed, steps in ((0, 1), (0, 2), (1, 1), (1, 2), (0, 1))]
    assert found[0] == found[-1]
    assert len(set(found[:4])) == 4
