"""What the Share menu offers is executed: each text gives the same experiment, and the same numbers, elsewhere."""

from __future__ import annotations

import contextlib
import io
import shlex
from urllib.parse import parse_qs, urlsplit

import numpy as np
import orjson
import pytest
import streamlit as st

from pcviz.cli import relax as relax_command
from pcviz.cli.flags import parse
from pcviz.cli.main import main
from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.relaxation.options import Options
from pcviz.ui import share, url

TINY = {"network.depth": 3, "network.width": 4, "data.name": "moons", "learning.steps": 3, "learning.batch_size": 8}
EXPERIMENTS = {
    "default": Experiment(),
    "tiny": from_paths({**TINY, "inference.steps": 3}),
    "all kinds of values": from_paths(
        {**TINY, "network.skips": False, "network.parameterisation": "sp", "network.activation": "tanh", "seed": 7}
        | {"inference.solver": "momentum", "inference.step_size": 1e-5, "learning.learning_rate": 0.125}
    ),
}
TINY_ONE = EXPERIMENTS["tiny"]
LOOKS = {
    "default": Options(),
    "no other solver": Options(solvers=()),
    "one, another batch": Options(solvers=("adam",), batch=3),
    "two, after training": Options(solvers=("momentum", "gauss_newton"), step=2),
    "a stored run": Options(source="a" * 32, step=2, batch=1),
}


def printed(command: list[str]) -> bytes:
    """What a command of `pcviz` prints; it must succeed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(command) == 0
    return out.getvalue().encode()


def executed(code: str) -> str:
    """What a Python script prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, {"__name__": "__main__"})
    return out.getvalue()


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
def test_each_text_says_the_same_experiment(experiment: Experiment) -> None:
    assert Experiment.model_validate_json(share.json_text(experiment)) == experiment
    *program, command = shlex.split(share.command_text(experiment))[:4]
    assert (program, command) == (["python", "-m", "pcviz"], "train")
    assert parse(shlex.split(share.command_text(experiment))[4:], {})[0] == experiment
    st.session_state.page = "train"
    query = {key: values[0] for key, values in parse_qs(urlsplit(share.link_text(experiment)).query).items()}
    state = url.parse(query, page="train")
    assert not state.faults and from_paths(state.values) == experiment


@pytest.mark.parametrize("look", LOOKS.values(), ids=list(LOOKS))
def test_the_command_of_a_relaxation_says_the_same_look(look: Options) -> None:
    experiment = TINY_ONE
    command = shlex.split(share.command_text(experiment, look))
    assert command[:4] == ["python", "-m", "pcviz", "relax"]
    parsed, given = parse(command[4:], relax_command.FLAGS)
    options = relax_command._options(given.flags)
    assert parsed == experiment and options.compared(experiment) == look.compared(experiment)
    step = None if look.source else look.step  # whose weights are in no command
    assert (options.source, options.step, options.batch) == (None, step, look.batch)


def test_a_training_runs_as_script_and_as_command() -> None:
    step, loss = executed(share.python_text(TINY_ONE)).splitlines()[-1].split()
    document = orjson.loads(printed([*shlex.split(share.command_text(TINY_ONE))[3:], "--json"]))
    assert Experiment.model_validate(document["experiment"]) == TINY_ONE
    assert (document["steps"], document["train_loss"]) == (int(step), float(loss)) and step == "3"


def test_a_relaxation_runs_as_script_and_as_command() -> None:
    look = Options(solvers=(), batch=1)
    trace = np.fromstring(executed(share.python_text(TINY_ONE, look)).strip("[]\n"), sep=" ")
    document = orjson.loads(printed([*shlex.split(share.command_text(TINY_ONE, look))[3:], "--json"]))
    assert Experiment.model_validate(document["experiment"]) == TINY_ONE
    assert [entry["solver"] for entry in document["solvers"]] == [TINY_ONE.inference.solver]
    assert len(trace) == 1 + document["steps"] == 4
    np.testing.assert_allclose([trace[0], trace[-1]], [document["initial_energy"], document["total_energy"]], rtol=1e-6)
