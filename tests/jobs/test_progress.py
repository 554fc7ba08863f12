"""How far looks say that they are, how long the rest takes, and what they are at."""

from threading import Event
from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import slowdown
from pcviz.instruments import KINDS
from pcviz.instruments.jobs import JOBS
from pcviz.instruments.plane.options import Options
from pcviz.instruments.relaxation.forecast import Forecast
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.studies.inference_budget import Protocol
from pcviz.jobs.look import KNOWN_SHARE, Look

SMALL = from_paths({"network.depth": 4, "network.width": 8, "data.name": "moons"})
LOOKS: dict[str, dict[str, Any]] = {
    "relax": {"budget": 40, "solvers": ["gauss_newton"]},
    "plane": {"size": 11},
    "chain": {"cap": 200, "seeds": 1},
    "curvature": {"examples": 2},
    "reproduce": {},
    "diagnose": {"step": 3},
    "family": {"seeds": 2},
    "sweep": {"vary": ["network.activation=linear,tanh,relu", "learning.steps=3"]},
}
TINY = Protocol(depths=(4, 6), widths=(4,), activations=("tanh",), seeds=(0,), batch=2)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reproductions and measurements of the family take seconds."""
    for place in ("options", "job"):
        monkeypatch.setattr(f"pcviz.instruments.family.{place}.PATHS", (((4, 3), (8, 3)), ((4, 3), (4, 4))))
    entry = STUDIES["inference-budget"]._replace(quick=TINY, full=TINY._replace(depths=(4, 6, 8)))
    monkeypatch.setitem(STUDIES, "inference-budget", entry)


def look(kind: str, **options: Any) -> Look[Any]:
    made = JOBS[kind](SMALL, {**LOOKS[kind], **options})
    assert isinstance(made, Look)
    return made


def test_these_are_all_looks() -> None:
    assert set(LOOKS) == {kind for kind, model in KINDS.items() if model is not None}


@pytest.mark.parametrize("kind", LOOKS)
def test_every_look_tells_the_time_that_is_left_at_its_own_pace(kind: str) -> None:
    job, told = look(kind), []
    job.prepare()
    while not job.done:
        job.advance(job.steps, 0.0)
        values = job.frame(bulk=False).values
        if not job.done and job._done >= KNOWN_SHARE:
            # What the share that is done took, the rest takes at the same pace.
            assert values["seconds_left"] == pytest.approx(job.seconds * (1 - job._done) / job._done)
            told.append(float(values["seconds_left"]))
        else:
            assert np.isnan(values["seconds_left"])
    assert told and min(told) >= 0
    assert job._done == pytest.approx(1), "every part is accounted for"
    assert np.isnan(job.frame(bulk=False).values["compiling"])


@pytest.mark.parametrize("kind", ["relax", "plane"])
def test_a_look_at_a_step_says_that_it_trains(kind: str) -> None:
    job = look(kind, step=30)
    job.prepare()
    said, words = [], []
    while not job.done:
        job.advance(job.steps, 0.0)
        values = job.frame(bulk=False).values
        if not np.isnan(values["training_step"]):
            said.append((values["training_step"], values["training_steps"]))
            words.append(job.doing)
    assert said and all(step < wanted == 30 for step, wanted in said)
    assert words[-1] == f"training: step {int(said[-1][0])} of 30"
    assert job.doing == ""


def test_a_relaxation_says_when_it_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, compute = Event(), Forecast.compute

    def slow(forecast: Forecast) -> None:
        assert seen.wait(60.0)
        compute(forecast)

    monkeypatch.setattr(Forecast, "compute", slow)
    job = look("relax")
    job.prepare()
    said = set()
    while not job.done:
        job.advance(job.steps, 0.0)
        said.add(job.frame(bulk=False).values["compiling"])
        if 1.0 in said:
            seen.set()
    assert {0.0, 1.0} <= said


@pytest.mark.parametrize("kind", LOOKS)
def test_more_work_is_expected_to_take_longer(kind: str) -> None:
    def seconds(experiment: Experiment, **options: Any) -> float:
        model = KINDS[kind]
        assert model is not None
        return model.model_validate({**LOOKS[kind], **options}).seconds(experiment)

    alone: dict[str, dict[str, Any]] = {
        "chain": {"cap": 400},
        "reproduce": {"protocol": "full"},
        "family": {"seeds": 3},
    }
    if kind in alone:
        assert seconds(SMALL, **alone[kind]) > seconds(SMALL)
        return
    wide, deep = SMALL.changed({"network.width": 256}), SMALL.changed({"network.depth": 32})
    assert min(seconds(wide), seconds(deep)) > seconds(SMALL)
    if kind not in ("curvature", "sweep"):
        assert seconds(SMALL, step=200) > seconds(SMALL)


def test_the_pace_of_earlier_looks_counts() -> None:
    options = Options(size=11)
    assumed = options.seconds(SMALL)
    assert slowdown(SMALL, options, []) == 1
    measured = slowdown(SMALL, options, [(SMALL, options, 3 * assumed)] * 3)
    assert measured == pytest.approx(3)
    assert options.seconds(SMALL, measured) == pytest.approx(3 * assumed)
