"""The Scaling page without a browser: what varies, what it suggests, and what it refuses."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import Experiment, fields
from pcviz.experiment.axes import axis, cells
from pcviz.frames import Frame
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.sweep import cell
from pcviz.instruments.sweep.figures import PANELS
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.suggested import suggestion
from pcviz.instruments.sweep.view import EVERY, figures
from pcviz.store import RunRecord, Store
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


def test_every_study_of_a_paper_is_a_link_away(client: Client) -> None:
    links = page().get("page_link")
    assert {link.proto.query_string for link in links} >= {f"finding={name}" for name in STUDIES}


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


def captions(app: AppTest) -> str:
    return "\n".join(each.value for each in app.caption)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_sweep_that_ended_early_says_that_its_cells_are_kept(state: str, client: Client) -> None:
    app, kept = page(network_depth="4"), "with the same options, Sweep measures only what is missing"
    press(app, "play")
    assert kept not in captions(app)
    (record,) = client.runs()
    worker = client.store.observations("w")
    assert worker.claim(record)
    worker.observe(record.id, client.get(record.id).generation, state=state, message="it broke", step=3)
    worker.close()
    app.run()
    assert kept in captions(app)
    assert ["it broke" in error.value for error in app.error] == [True] * (state == "failed")


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


def test_a_field_varies_by_the_button_beside_it_and_rests_again() -> None:
    app = page(network_depth="4")
    app.button(key="vary_network.parameterisation").click().run()
    assert [app.selectbox(key=f"varied_{row}").value for row in range(3)] == [
        "learning.learning_rate",
        "network.width",
        "network.parameterisation",
    ]
    assert app.text_input(key="values_2").value == "sp,ntp,mupc"
    app.button(key="vary_network.depth").click().run()
    assert app.selectbox(key="varied_2").value == "network.depth", "the last one makes room"
    app.button(key="vary_network.width").click().run()
    assert app.selectbox(key="varied_1").value == "network.depth" and app.selectbox(key="varied_2").value == "–"
    assert not app.exception


def test_a_grid_that_is_too_large_is_thinned_out_on_request() -> None:
    app = page(network_depth="4")
    app.text_input(key="values_0").set_value("log:0.001..1:900").run()
    assert "3600 cells are too many" in app.error[0].value
    assert "Thin out to" in app.button(key="thin_out").label
    app.button(key="thin_out").click().run()
    assert not app.error and not app.exception
    axes = [axis(text) for text in app.session_state.vary]
    count = math.prod(len(each.values) for each in axes)
    assert 4 < count <= 2000 and axes[0].values[0] == 0.001 and axes[0].values[-1] == 1


def test_options_that_the_page_has_no_place_for_are_named() -> None:
    app = opened()
    app.switch_page(SCALING)
    app.query_params["v"] = "2"
    app.query_params["vary"] = "network.depth=4,8;network.width=8,16;network.skips=true,false;learning.steps=5,9"
    app.run()
    assert "learning.steps left out" in app.warning[0].value


VARY = ("learning.learning_rate=0.01,0.1,1", "network.width=8,16", "network.skips=true,false", "seed=3,4")


def results_of(record: RunRecord) -> dict[str, Any]:
    """Made-up results of every cell."""
    cells = Options.model_validate(record.options).cells(record.experiment)
    told = {
        "least_loss": 1.0,
        "test_loss": 1.0,
        "test_accuracy": 0.5,
        "steps": 5,
        "diverged": False,
        "curve": [[1], [2]],
    }
    return {name: {"loss": 1.0 + i, **told} for i, name in enumerate(cells)}


@pytest.fixture
def record(client: Client) -> RunRecord:
    """A sweep of three options and two seeds."""
    experiment = Experiment().changed({"network.depth": 4})
    return client.get(client.look("sweep", experiment, Options(vary=VARY).stored(), "s"))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (0, 0, (0.01, 8, True)),
        (2, 1, (1, 16, True)),
        (4, 0, (0.01, 8, False)),
        (6, 1, (1, 16, False)),
        (3, 0, None),
    ],
)
def test_a_click_on_the_map_is_a_cell(
    x: float, y: float, expected: tuple[float, int, bool] | None, record: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell, "st", SimpleNamespace(session_state={"sweep_picked": (record.id, "sweep-map", x, y)}))
    found = cell.chosen(record)
    if expected is None:
        assert found is None, "between two blocks"
        return
    assert found is not None and found.seed == 3
    assert (found.learning.learning_rate, found.network.width, found.network.skips) == expected


@pytest.mark.parametrize(
    ("panel", "x", "y", "expected"),
    [("sweep-curves", 1, 0.31, (0.1, 16)), ("sweep-curves", 2, 0.6, (1, 8)), ("sweep-optimum", 1, 2, (1, 16))],
)
def test_a_click_on_a_curve_is_the_cell_of_that_point(
    panel: str, x: float, y: float, expected: tuple[float, int], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(vary=VARY[:2])
    record = client.get(client.look("sweep", Experiment().changed({"network.depth": 4}), options.stored(), "s"))
    heights = np.array([[0.9, 0.8], [0.5, 0.3], [0.7, math.nan]])
    client.last_frame = lambda run: Frame("sweep", 1, {"sweep_loss_curve": heights})  # type: ignore[method-assign]
    monkeypatch.setattr(cell, "st", SimpleNamespace(session_state={"sweep_picked": (record.id, panel, x, y)}))
    monkeypatch.setattr(cell, "session", SimpleNamespace(client=lambda: client))
    found = cell.chosen(record)
    assert found is not None and (found.learning.learning_rate, found.network.width) == expected


def test_a_point_of_a_curve_is_no_cell_where_a_third_option_varies() -> None:
    for vary, pick in ((VARY[:1], [False, True, False]), (VARY[:2], [True] * 3), (VARY[:3], [True, False, False])):
        assert [panel(options=Options(vary=vary)).pick for panel in PANELS.values()] == pick


def test_cells_as_rows_and_as_a_table(record: RunRecord) -> None:
    results = results_of(record)
    rows = cell.rows(record, results)
    assert len(rows) == 24 and rows[0].keys() == {*(axis(text).path for text in VARY), *cell.TOLD}
    assert {row["network.width"] for row in rows} == {8, 16}
    lines = cell.table(record, results).splitlines()
    assert lines[2] == r"training loss (learning.learning\_rate) & 0.01 & 0.1 & 1 \\"
    body = lines[4:-2]
    assert len(body) == 4 and body[0].startswith("network.width = 8, network.skips = True & ")
    assert cell.table(record, {}).count("--") == 12, "nothing is known yet"
