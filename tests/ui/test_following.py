"""Defaults that follow other settings of the form, and those of earlier addresses."""

from typing import Any

import pytest

from pcviz.engine.client import Client
from pcviz.store import Store
from tests.ui.test_shell import opened, press, run_of


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def test_the_initialisation_follows_the_parameterisation() -> None:
    app = opened("all")
    app.button_group(key="network_parameterisation").set_value("sp").run()
    assert not app.error
    assert app.selectbox(key="network_initialisation").value == "uniform"
    assert dict(app.query_params) == {"v": "2", "network_parameterisation": "sp"}
    app.selectbox(key="network_initialisation").set_value("orthogonal").run()
    app.button_group(key="network_parameterisation").set_value("mupc").run()
    assert not app.error
    assert dict(app.query_params) == {}


def test_the_relaxation_follows_the_rule_unless_it_was_changed() -> None:
    app = opened("all")
    app.selectbox(key="learning_rule").set_value("zil").run()
    assert not app.error and app.number_input(key="inference_step_size").value == 1.0
    assert dict(app.query_params) == {"v": "2", "learning_rule": "zil"}
    app.selectbox(key="learning_rule").set_value("pc").run()
    assert app.number_input(key="inference_step_size").value == 0.1 and dict(app.query_params) == {}
    app.number_input(key="inference_step_size").set_value(0.2).run()
    app.selectbox(key="learning_rule").set_value("zil").run()
    assert app.number_input(key="inference_step_size").value == 0.2
    assert dict(app.query_params) == {"v": "2", "learning_rule": "zil", "inference_step_size": "0.2"}


def test_the_relaxation_follows_the_precision_schedule_unless_it_was_changed() -> None:
    app = opened("all")
    keys = ("inference_solver", "inference_steps", "inference_step_size")

    def held() -> tuple[Any, ...]:
        return tuple(app.session_state[key] for key in keys)

    assert held() == ("momentum", "4depth", 0.1)
    app.selectbox(key="inference_precision_schedule").set_value("spiking").run()
    assert not app.error and held() == ("gradient_descent", "depth", 0.3)
    assert dict(app.query_params) == {"v": "2", "inference_precision_schedule": "spiking"}
    app.selectbox(key="inference_precision_schedule").set_value("decaying").run()
    assert held() == ("gradient_descent", "depth", 0.3)
    app.selectbox(key="inference_precision_schedule").set_value("constant").run()
    assert held() == ("momentum", "4depth", 0.1) and dict(app.query_params) == {}
    app.selectbox(key="inference_steps").set_value("64").run()
    app.selectbox(key="inference_precision_schedule").set_value("spiking").run()
    assert not app.error and held() == ("gradient_descent", "64", 0.3)


def test_an_address_of_version_1_keeps_its_relaxation_and_becomes_one_of_version_2(client: Client) -> None:
    descent = {
        "inference_solver": "gradient_descent",
        "inference_steps": "depth",
        "inference_step_size": "0.3",
    }
    app = opened("all", network_depth="4", v="1")
    assert not app.warning and not app.error
    assert dict(app.query_params) == {"v": "2", "network_depth": "4", **descent}
    press(app, "play")
    inference = client.get(run_of(app)).experiment.inference
    assert (inference.solver, inference.steps, inference.step_size) == ("gradient_descent", "depth", 0.3)
    # With the run beside it an address of version 1 still means all settings.
    again = opened("all", network_depth="4", v="1", run=run_of(app))
    assert again.button(key="play").label != "Train", "the settings are those of the run"
    assert again.session_state["nearest"].inference == inference
