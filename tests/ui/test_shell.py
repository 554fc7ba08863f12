"""The page without a browser: form, presets, address, buttons."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import DATASETS, Experiment, schema
from pcviz.experiment.presets import PRESETS
from pcviz.store import Store
from pcviz.ui.url import PATHS

SHELL = Path(__file__).parents[2] / "pcviz" / "ui" / "shell.py"
TRAIN = "scripts/1_train.py"
BUTTONS = ("play", "pause", "step", "reset", "cancel")


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def opened(detail: str | None = None, /, **query: str) -> AppTest:
    """The Train page at this address, with a form that is "simple" (as at first) or shows "all"."""
    app = AppTest.from_file(str(SHELL), default_timeout=60)
    app.switch_page(TRAIN)
    if detail is not None:
        app.session_state["detail"] = detail
    for key, text in of_today(query).items():
        app.query_params[key] = text
    app.run()
    assert not app.exception, app.exception
    return app


def of_today(query: dict[str, str]) -> dict[str, str]:
    """This address with the version that pages write. Without one it would be of the first release, except that a run
    brings its own settings."""
    return query if "run" in query or not query else {"v": str(schema.current()), **query}


def enabled(app: AppTest) -> set[str]:
    """Which of the buttons can be pressed."""
    return {key for key in BUTTONS if not app.button(key=key).disabled}


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception, app.exception


def choose(app: AppTest, **values: Any) -> None:
    """Choose in the headers of panels, or in the network view."""
    for key, value in values.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, app.exception


def run_of(app: AppTest) -> str:
    """The run that the page shows."""
    return str(app.query_params["run"])


def drawn(app: AppTest) -> dict[str, str]:
    """Key of each field that the form shows -> its help."""
    shown = [*app.sidebar.number_input, *app.sidebar.selectbox, *app.sidebar.toggle, *app.sidebar.button_group]
    return {str(widget.key): widget.help for widget in shown if widget.key in PATHS}


def turn(app: AppTest, detail: str) -> None:
    """Let the form show few fields or all."""
    app.button_group(key="form_detail").set_value(detail).run()
    assert not app.exception, app.exception


def test_data_of_ones_own_are_chosen_by_their_name_and_can_be_chosen_again() -> None:
    own = "own-0123456789ab-classification-3-4-100-50"
    app = opened(data_name=own, learning_batch_size="16")
    assert app.selectbox(key="data_name").value == own and not app.error and not app.warning
    assert app.selectbox(key="data_name").options == [
        *(facts.label for facts in DATASETS.values()),
        "Own data 0123456789ab",
    ]
    for chosen in ("moons", own):
        app.selectbox(key="data_name").set_value(chosen).run()
        assert not app.exception and app.query_params["data_name"] in (chosen, [chosen])


@pytest.mark.parametrize("name", PRESETS)
def test_presets_fill_the_form(name: str) -> None:
    app = opened("all", seed="5")
    app.button_group(key="preset").set_value(name).run()
    assert not app.exception
    expected = PRESETS[name].experiment
    assert app.number_input(key="network_depth").value == expected.network.depth
    assert app.number_input(key="seed").value == 0
    assert app.session_state["nearest"] == expected
    assert any(PRESETS[name].shows in caption.value for caption in app.caption)


def test_bad_addresses_give_one_message_each(client: Client) -> None:
    app = opened(network_depth="3200", network_width="32", seed="x", run="0" * 32)
    (warning,) = app.warning
    lines = warning.value.replace("\\", "").splitlines()
    assert len(lines) == 3
    assert "network.depth: 3200 is above 512" in warning.value.replace("\\", "")
    assert app.number_input(key="network_depth").value == 16
    assert app.number_input(key="network_width").value == 32
    assert dict(app.query_params) == {"v": "2", "network_width": "32"}
    assert enabled(app) == {"play", "step"}


def test_markup_in_the_address_stays_text() -> None:
    app = opened(seed="<script>*b*[x](y)")
    (warning,) = app.warning
    assert "\\<script\\>\\*b\\*\\[x\\](y)" in warning.value


def test_a_setting_given_twice_is_refused() -> None:
    app = AppTest.from_file(str(SHELL), default_timeout=60)
    app.switch_page(TRAIN)
    app.session_state["detail"] = "all"
    app.query_params["network_depth"] = ["5", "6"]
    app.query_params["seed"] = "7"
    app.run()
    assert "network\\_depth: given more than once" in app.warning[0].value.replace("\\:", ":")
    assert (app.number_input(key="network_depth").value, app.number_input(key="seed").value) == (16, 7)


def test_invalid_settings_disable_train(client: Client) -> None:
    app = opened("all", data_name="regression")
    (error,) = app.error
    assert "64 is above 20" in error.value
    assert enabled(app) == set()
    app.number_input(key="learning_batch_size").set_value(20).run()
    assert not app.error
    assert enabled(app) == {"play", "step"}


def test_what_does_not_fit_is_refused() -> None:
    app = opened(network_depth="512", network_width="2048")
    assert "nearest width that fits" in app.error[0].value
    assert enabled(app) == set()


def test_a_weight_step_that_nobody_waits_for_is_refused_on_every_page() -> None:
    app = opened(network_depth="128", network_width="256", learning_batch_size="512", inference_steps="4096")
    for page in (None, "2_inference", "3_landscape"):
        if page is not None:
            app.switch_page(f"scripts/{page}.py").run()
        (error,) = app.error
        assert error.value.startswith("inference.steps\\: 4096 makes the relaxation of one weight step last ≈ "), page
        assert "above 10 min (nearest number of steps that fits" in error.value
        assert app.button(key="play").disabled


def test_a_choice_that_the_browser_loses_is_put_back() -> None:
    app = opened(network_depth="6", network_parameterisation="sp")
    app.session_state.network_parameterisation = None
    app.run()
    assert not app.exception, app.exception
    assert (app.number_input(key="network_depth").value, app.session_state.network_parameterisation) == (6, "sp")
    assert enabled(app) == {"play", "step"}
    app.button_group(key="network_parameterisation").set_value(None).run()  # with its callback
    assert not app.exception, app.exception
    assert app.session_state.network_parameterisation == "sp"


def test_the_life_of_a_run(client: Client) -> None:
    app = opened(network_depth="4")
    press(app, "play")
    run = run_of(app)
    assert client.get(run).experiment.network.depth == 4
    assert client.get(run).wanted == "running"
    assert {child.kind for child in client.children(run)} == {"training_plane", "network", "predictions"}
    assert enabled(app) == {"pause", "reset", "cancel"}
    press(app, "pause")
    assert client.get(run).wanted == "paused"
    assert enabled(app) == {"play", "step", "reset", "cancel"}
    assert app.button(key="play").label == "Resume"
    press(app, "step")
    assert client.get(run).allowed_until_step == 1
    app.selectbox(key="granularity").set_value("epoch").run()
    press(app, "step")
    assert client.get(run).allowed_until_step == 1 + 1437 // 64
    press(app, "play")
    assert client.get(run).allowed_until_step is None
    generation = client.get(run).generation
    press(app, "reset")
    assert (client.get(run).generation, client.get(run).wanted) == (generation + 1, "paused")
    press(app, "cancel")
    assert client.get(run).wanted == "cancelled"
    assert app.button(key="play").label == "Train"
    assert enabled(app) == {"play", "step", "reset"}
    press(app, "play")
    assert run_of(app) != run


def test_step_starts_a_run_that_waits(client: Client) -> None:
    app = opened()
    press(app, "step")
    assert client.get(run_of(app)).allowed_until_step == 1


def test_a_run_brings_its_settings(client: Client) -> None:
    first = opened(network_depth="4", network_activation="tanh")
    press(first, "play")
    app = opened("all", run=run_of(first))
    assert app.number_input(key="network_depth").value == 4
    assert app.selectbox(key="network_activation").value == "tanh"
    assert enabled(app) == {"pause", "reset", "cancel"}
    other = opened(run=run_of(first), network_depth="5")  # settings in the address wait for the next run
    assert other.number_input(key="network_depth").value == 5
    assert other.button(key="play").label == "Train"
    assert client.get(run_of(other)).experiment.network.depth == 4


def test_changes_wait_for_the_next_run(client: Client) -> None:
    app = opened()
    press(app, "play")
    run = run_of(app)
    app.number_input(key="network_width").set_value(32).run()
    assert any("starts a new run with Width N 32" in text.value for text in app.markdown)
    assert client.get(run).experiment.network.width == 64
    press(app, "revert")
    assert app.number_input(key="network_width").value == 64
    app.number_input(key="network_width").set_value(32).run()
    press(app, "play")
    assert run_of(app) != run
    assert client.get(run).wanted == "paused"
    assert client.get(run_of(app)).experiment.network.width == 32


def test_the_baseline_is_backpropagation(client: Client) -> None:
    app = opened(network_depth="4")
    press(app, "play")
    press(app, "overlay")
    baseline = str(app.query_params["baseline"])
    assert client.get(baseline).experiment == client.get(run_of(app)).experiment.changed({"learning.rule": "bp"})
    press(app, "overlay")
    assert "baseline" not in app.query_params
    assert client.get(baseline).wanted == "cancelled"


def test_a_late_address_undoes_nothing(client: Client) -> None:
    app = opened(network_depth="4")
    press(app, "play")
    run = run_of(app)
    for key in list(app.query_params):  # a slow browser sends the address from before the run once more
        del app.query_params[key]
    app.query_params["v"], app.query_params["network_depth"] = "2", "4"
    app.run()
    assert run_of(app) == run
    app.query_params["network_depth"] = "5"  # an address that we never wrote is a wish
    app.run()
    assert app.number_input(key="network_depth").value == 5


def test_a_full_store_is_said_before_a_click(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCVIZ_STORE_LIMIT", "2e6")
    app = opened()
    press(app, "play")
    press(app, "pause")
    assert enabled(app) == {"play", "step", "reset", "cancel"} and not app.error, "Resume takes no more room"
    new = opened()
    (error,) = new.error
    assert "PCVIZ_STORE_LIMIT: 1.5 MB of 2 MB are taken by runs" in error.value.replace("\\", "")
    assert enabled(new) == set()
    new.number_input(key="network_width").set_value(16).run()
    assert not new.error and enabled(new) == {"play", "step"}


@pytest.mark.parametrize("name", ["2_inference", "3_landscape"])
def test_looks_are_refused_by_a_full_store_as_well(client: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCVIZ_STORE_LIMIT", "1000")
    client.start(Experiment(), "s", wanted="paused")
    app = opened()
    app.switch_page(f"scripts/{name}.py").run()
    assert any("PCVIZ\\_STORE\\_LIMIT" in error.value for error in app.error)
    assert app.button(key="play").disabled


def test_a_start_that_is_refused_after_all_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCVIZ_STORE_LIMIT", "2e6")
    app = opened()
    client.start(Experiment(), "s", wanted="paused")  # somebody was faster
    press(app, "play")
    assert "run" not in app.query_params
    assert any("PCVIZ\\_STORE\\_LIMIT" in warning.value for warning in [*app.warning, *app.error])


def test_pin_and_unpin(client: Client) -> None:
    app = opened()
    assert app.button(key="pin").disabled
    press(app, "play")
    assert app.button(key="pin").label == "Pin"
    press(app, "pin")
    assert client.get(run_of(app)).pinned and app.button(key="pin").label == "Unpin"
    press(app, "pin")
    assert not client.get(run_of(app)).pinned
