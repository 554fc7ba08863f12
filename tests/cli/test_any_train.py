"""Whatever valid, admitted experiment somebody trains from the command line: a result or one line, in finite time."""

import contextlib
import io
import json
import math
import time
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from pcviz.cli import main as cli
from pcviz.cli.work import DIVERGED, DONE
from pcviz.experiment import DATASETS, Experiment, cost, fields, from_paths
from pcviz.experiment.command import command_line
from pcviz.experiment.faults import limits

STEPS, FLOPS, SECONDS = 3, 20e9, 60


def values(path: str, info: FieldInfo) -> st.SearchStrategy[Any]:
    """What a field may hold: every word, and numbers over all magnitudes between its limits."""
    if path == "learning.layer_rates":
        return st.lists(_magnitudes(1e-8, 1e6).map("{:g}".format), min_size=1, max_size=3).map(",".join)
    if info.annotation is str:
        return st.sampled_from(list(DATASETS))
    parts = get_args(info.annotation) if get_origin(info.annotation) is not Literal else (info.annotation,)
    return st.one_of([_of(part, info) for part in parts or (info.annotation,)])


def _of(kind: Any, info: FieldInfo) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if kind is bool:
        return st.booleans()
    (low, open_low), (high, open_high) = limits(info)
    least, most = (1e-8 if low is None else low), (1e6 if high is None else high)
    if kind is int:
        return st.integers(math.ceil(least), int(most)) | _magnitudes(max(1, least), most).map(round)
    inside = st.floats(least, most, exclude_min=open_low, exclude_max=open_high)
    return inside | _magnitudes(max(1e-8, least), most)


def _magnitudes(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(math.log(least), math.log(most)).map(lambda log: min(max(math.exp(log), least), most))


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """A valid one that this machine admits, of few weight steps and little arithmetic."""
    free = {path: info for path, info in fields().items() if path != "learning.steps"}
    changed = draw(st.lists(st.sampled_from(sorted(free)), min_size=1, max_size=8, unique=True))
    try:
        made = from_paths({"learning.steps": STEPS, **{path: draw(values(path, free[path])) for path in changed}})
    except ValidationError:
        reject()
    if STEPS * cost.estimate(made).flops_per_step > FLOPS or cost.admission(made):
        reject()
    return made


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(experiments())
def test_whatever_is_admitted_trains(experiment: Experiment) -> None:
    begun, told = time.monotonic(), io.StringIO()
    with contextlib.redirect_stdout(told):
        status = cli.main(["train", *command_line(experiment), "--json"])
    assert time.monotonic() - begun < SECONDS
    document = json.loads(told.getvalue(), parse_constant=pytest.fail)
    assert Experiment.model_validate(document["experiment"]) == experiment
    assert (document["status"], status) in (("done", DONE), ("diverged", DIVERGED))
    if status == DONE:
        assert document["steps"] == STEPS
        assert all(math.isfinite(energy) for energy in document["energies"])
