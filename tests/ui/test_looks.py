"""Looks on their pages without a browser: what they offer before one presses, and what the sidebar shows."""

import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import Experiment, fields
from pcviz.experiment.cost import seconds_text
from pcviz.instruments import views
from pcviz.instruments.chain.options import Options as ChainOptions
from pcviz.instruments.relaxation.options import Options
from pcviz.store import Store
from pcviz.ui.look import PROGRESS
from pcviz.ui.url import key_of
from tests.ui.test_shell import opened

INFERENCE, LANDSCAPE = "scripts/2_inference.py", "scripts/3_landscape.py"


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def turned(page: str, view: str | None = None, detail: str | None = None, **query: str) -> AppTest:
    """The page with these settings, turned to one of its views."""
    app = opened(detail, **query)
    app.switch_page(page).run()
    if view is not None:
        app.button_group(key="landscape_view").set_value(view).run()
    assert not app.exception, app.exception
    return app


def estimates(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption if caption.value.startswith(("≈", "< 1 s"))]


def test_buttons_say_how_long_a_look_takes(client: Client) -> None:
    app = turned(INFERENCE, network_depth="64")
    deep = Experiment().changed({"network.depth": 64})
    assert estimates(app) == [seconds_text(Options().seconds(deep))]
    app.number_input(key="at_step").set_value(100_000).run()
    assert estimates(app) == [seconds_text(Options(step=100_000).seconds(deep))]
    app.switch_page(LANDSCAPE).run()
    for view in views.of("landscape"):
        app.button_group(key="landscape_view").set_value(view).run()
        assert len(estimates(app)) == 1, view


def test_what_a_network_does_not_go_with_is_said_and_not_started(client: Client) -> None:
    residual = {"network_architecture": "residual", "inference_precision_schedule": "spiking", "network_depth": "4"}
    app = turned(INFERENCE, **residual)
    assert not app.error and not app.button(key="play").disabled
    assert app.multiselect(key="solvers").disabled and app.multiselect(key="solvers").value
    app.switch_page(LANDSCAPE).run()
    for view in ("plane", "curvature"):
        app.button_group(key="landscape_view").set_value(view).run()
        assert "residual is not examined" in app.error[0].value, view
        assert app.button(key="play").disabled


def test_all_looks_tell_progress_and_time_left() -> None:
    for view in views.of("landscape").values():
        row = view.metric_row()
        assert row[0]["progress"] == ["step", "steps"] and row[1:3] == PROGRESS


def test_a_toy_chain_shows_no_form_of_a_network(client: Client) -> None:
    app = turned(LANDSCAPE, "chain", "all", network_depth="7", inference_solver="momentum")
    assert not app.sidebar.number_input and not app.sidebar.selectbox and not app.sidebar.button_group
    assert [caption.value for caption in app.sidebar.caption] == ["Toy chains: all options are above the panels."]
    app.button_group(key="landscape_view").set_value("plane").run()
    assert app.sidebar.number_input(key="network_depth").value == 7, "the form has kept its values"
    shown = {widget.key for widget in [*app.sidebar.number_input, *app.sidebar.selectbox, *app.sidebar.button_group]}
    # toggles; looks have a number of steps of their own; what has no effect with the other settings
    unused = {"network.skips", "network.biases", "network.auxiliary", "learning.forward_update", "learning.steps"}
    unused |= {
        "inference.spike_alpha",
        "inference.precision_decay",
        "inference.nudge_strength",
        "inference.output_clamp",
    }
    assert {key_of(path) for path in fields() if path not in unused} <= shown and "learning_steps" not in shown


def test_a_chain_starts_with_its_options(client: Client) -> None:
    app = turned(LANDSCAPE, "chain")
    app.number_input(key="chain_rate").set_value(0.2).run()
    app.button(key="play").click().run()
    assert not app.exception
    (run,) = client.runs()
    assert run.kind == "chain" and ChainOptions.model_validate(run.options).learning_rate == 0.2
