"""The Scaling page without a browser: what varies, what it suggests, and what it refuses."""

import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import Experiment, fields
from pcviz.experiment.axes import axis, cells
from pcviz.instruments.sweep.figures import PANELS
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.view import EVERY, figures, suggestion
from pcviz.store import Store
from tests.ui.test_look_options import asked
from tests.ui.test_shell import opened, press

SCALING = "scripts/5_scaling.py"


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def page(**query: str) -> AppTest:
    app = opened(**query)
    app.switch_page(SCALING).run()
    assert not app.exception, app.exception
    return app


def test_it_begins_with_rate_and_width_and_starts_what_is_shown(client: Client) -> None:
    app = page(network_depth="4")
    assert [app.selectbox(key=f"varied_{row}").value for row in range(3)] == [
        "learning.learning_rate",
        "network.width",
        "–",
    ]
    press(app, "play")
    (run,) = client.runs()
    assert run.kind == "sweep" and run.steps == 28
    assert Options.model_validate(run.options) == Options()


def test_a_third_option_and_seeds(client: Client) -> None:
    app = page(network_depth="4", seed="3")
    app.selectbox(key="varied_2").set_value("network.skips").run()
    assert app.text_input(key="values_2").value == "true,false"
    app.number_input(key="varied_seeds").set_value(3).run()
    app.selectbox(key="varied_1").set_value("–").run()
    vary = "learning.learning_rate=log:1e-3..1:7;network.skips=true,false;seed=3..5"
    assert asked(app)["vary"] == vary
    press(app, "play")
    (run,) = client.runs()
    assert Options.model_validate(run.options).vary == tuple(vary.split(";")) and run.steps == 42


def test_an_address_fills_the_widgets(client: Client) -> None:
    app = opened()
    app.switch_page(SCALING)
    app.query_params["v"], app.query_params["vary"] = "2", "network.depth=4,8;seed=0..3"
    app.query_params["quantity"] = "test_accuracy"
    app.run()
    assert app.selectbox(key="varied_0").value == "network.depth" and app.text_input(key="values_0").value == "4,8"
    assert app.number_input(key="varied_seeds").value == 4 and app.selectbox(key="varied_1").value == "–"
    assert app.selectbox(key="quantity").value == "test_accuracy"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("1,1", "vary: learning.learning_rate=1,1 has an empty or a repeated value"),
        ("", "vary: learning.learning_rate= has an empty or a repeated value"),
        ("0.1,-1", "learning.learning_rate: -1 is not above 0"),
        ("0.1,0.2;", "learning.learning_rate: 0.2; is not one of the allowed values"),
        ("log:0.001..1:900", "vary: 3600 cells are too many on this page (allowed: 1 to 2000"),
    ],
)
def test_what_cannot_be_trained_is_said_and_nothing_is_lost(values: str, message: str, client: Client) -> None:
    app = page(network_depth="4")
    app.text_input(key="values_0").set_value(values).run()
    assert not app.exception, app.exception
    assert message in app.error[0].value.replace("\\", "")
    assert app.button(key="play").disabled
    assert app.text_input(key="values_0").value == values
    app.text_input(key="values_0").set_value("0.1,0.2").run()
    assert not app.error and not app.button(key="play").disabled


@pytest.mark.parametrize("path", EVERY)
def test_what_is_suggested_can_be_trained(path: str) -> None:
    text = suggestion(path, Experiment())
    if text:
        assert len(cells(Experiment(), (f"{path}={text}",))) == len(axis(f"{path}={text}").values)
    assert text or fields()[path].annotation is not bool


def test_cells_that_do_not_fit_into_memory_are_refused(client: Client) -> None:
    app = page(network_depth="400")
    app.text_input(key="values_1").set_value("16,2048").run()
    assert "network.width: 2048 at depth 400 needs" in app.error[0].value.replace("\\", "")
    assert app.button(key="play").disabled


def test_one_option_has_the_panel_that_fits() -> None:
    assert list(figures({"vary": ["network.depth=4,8", "seed=0..2"]})) == ["sweep-curves"]
    assert list(figures({})) == list(PANELS)
    for vary in (["network.depth=4,8"], ["network.depth=4,8", "network.width=4,8"]):
        for name, options in figures({"vary": vary}).items():
            assert PANELS[name](**options).absent is None
