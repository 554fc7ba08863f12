"""The form: simple or all, what it hides, and what a browser may lose."""

from typing import Any

import pytest

from pcviz import glossary
from pcviz.engine.client import Client
from pcviz.experiment import fields
from pcviz.experiment.presets import PRESETS
from pcviz.store import Store
from pcviz.ui.url import PATHS, key_of
from tests.ui.test_shell import choose, drawn, enabled, opened, press, run_of, turn


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def test_the_form_has_every_field_with_help() -> None:
    app = opened("all", inference_solver="momentum", inference_precision_schedule="spiking")
    other = opened(
        "all",
        network_architecture="residual",
        inference_nudging="positive",
        inference_precision_schedule="decaying",
    )
    assert set(drawn(app)) | set(drawn(other)) == {key_of(path) for path in fields()}
    assert all("Allowed" in text for text in drawn(app).values())
    assert [group.label for group in app.sidebar.expander] == ["Network", "Inference", "Learning", "Data", "Run"]
    assert not app.error
    assert not app.warning
    assert enabled(app) == {"play", "step"}


SIMPLE = ["data_name", "network_depth", "network_width", "network_parameterisation", "learning_rule"]


def test_the_form_is_simple_at_first_and_remembers_what_was_chosen() -> None:
    app = opened()
    assert set(drawn(app)) == set(SIMPLE) and not app.sidebar.expander
    assert [caption.value for caption in app.sidebar.caption] == [PRESETS["first"].shows], "nothing else differs"
    app.switch_page("scripts/3_landscape.py").run()
    assert set(drawn(app)) == set(SIMPLE)
    turn(app, "all")
    for page in ("2_inference", "1_train"):
        app.switch_page(f"scripts/{page}.py").run()
        assert app.button_group(key="form_detail").value == "all" and "seed" in drawn(app), page


def test_hidden_fields_keep_their_values_and_are_told(client: Client) -> None:
    app = opened("all")
    app.number_input(key="inference_step_size").set_value(0.2).run()
    app.selectbox(key="inference_steps").set_value("16").run()
    turn(app, "simple")
    told = "2 more settings differ from their defaults: Inference steps T, Step size η. **All** shows them."
    assert told in [caption.value for caption in app.sidebar.caption]
    app.number_input(key="network_depth").set_value(4).run()
    press(app, "play")
    started = client.get(run_of(app)).experiment
    assert (started.inference.step_size, started.inference.steps, started.network.depth) == (0.2, 16, 4)
    app.button_group(key="preset").set_value("mupc-32").run()
    assert not any("more setting" in caption.value for caption in app.sidebar.caption)
    turn(app, "all")
    assert app.number_input(key="inference_step_size").value == 0.1
    assert app.selectbox(key="inference_steps").value == "4depth"


def test_a_hidden_field_that_does_not_fit_is_named() -> None:
    app = opened(data_name="regression")
    assert "64 is above 20" in app.error[0].value
    assert "1 hidden setting does not fit: Batch size B. **All** shows it." in [c.value for c in app.sidebar.caption]


def test_fields_without_an_effect_are_not_drawn_and_keep_their_values() -> None:
    solver = {"inference_solver": "gradient_descent", "inference_step_size": "0.2"}
    app = opened("all", learning_rule="bp", learning_optimiser="sgd", **solver)
    relaxation = {key for key in PATHS if key.startswith("inference_")}
    without_effect = {"momentum", "spike_alpha", "precision_decay", "nudge_strength", "output_clamp"}
    assert relaxation - set(drawn(app)) == {f"inference_{name}" for name in without_effect}, "the network view relaxes"
    assert app.number_input(key="inference_step_size").value == 0.2
    choose(app, choose_shown_panels=["learning-curves"])
    app.run()  # the form stands above the choice of panels
    assert set(PATHS) - set(drawn(app)) == relaxation | {
        "learning_adam_epsilon",
        "learning_forward_update",
        "network_auxiliary",
    }
    app.selectbox(key="learning_rule").set_value("pc").run()
    app.selectbox(key="inference_solver").set_value("momentum").run()
    assert app.number_input(key="inference_step_size").value == 0.2 and "inference_momentum" in drawn(app)
    turn(app, "simple")
    app.selectbox(key="learning_rule").set_value("bp").run()
    told = [caption.value for caption in app.sidebar.caption if "more setting" in caption.value]
    assert told == ["1 more setting differs from its default: Weight optimiser. **All** shows it."]


def test_each_page_explains_its_words() -> None:
    app = opened()
    for page, name in (
        ("1_train", glossary.TRAIN),
        ("2_inference", glossary.INFERENCE),
        ("3_landscape", glossary.LANDSCAPE),
    ):
        app.switch_page(f"scripts/{page}.py").run()
        said = [text.value.split("  \n")[0] for text in app.sidebar.markdown]
        words = [word for word, entry in glossary.GLOSSARY.items() if name in entry.pages]
        assert len(said) == len(words) and all(f"**{word}**" in text for word, text in zip(words, said, strict=True))


def test_a_browser_that_has_lost_an_input_falls_back_on_what_it_held() -> None:
    app = opened("all", network_depth="6", data_name="moons", network_loss="ce", network_skips="false")

    def defaults() -> tuple[Any, ...]:
        groups = {key: app.button_group(key=key).proto for key in ("network_loss", "choose_shown_panels")}
        data, loss = app.selectbox(key="data_name").proto, groups["network_loss"]
        of_data, of_loss = data.options[data.default], loss.options[loss.default[0]].content
        depth, skips = (
            app.number_input(key="network_depth").proto.default,
            app.toggle(key="network_skips").proto.default,
        )
        return depth, of_data, of_loss, skips, len(groups["choose_shown_panels"].default)

    assert defaults() == (6, "Two moons", "CE", False, 7)
    app.number_input(key="network_depth").set_value(7)
    app.selectbox(key="data_name").set_value("xor")
    app.toggle(key="network_skips").set_value(True)
    app.button_group(key="network_loss").set_value("mse")
    app.button_group(key="choose_shown_panels").set_value([])
    app.run()
    assert defaults() == (7, "XOR", "MSE", True, 0)
    assert not app.warning


def test_rates_by_layer_are_chosen_or_typed_and_biases_switched_on(client: Client) -> None:
    app = opened("all", network_depth="4", learning_layer_rates="7, 3")
    assert not app.error and app.selectbox(key="learning_layer_rates").value == "7, 3"
    app.selectbox(key="learning_layer_rates").set_value("10,1").run()
    app.toggle(key="network_biases").set_value(True).run()
    press(app, "play")
    started = client.get(run_of(app)).experiment
    assert (started.learning.layer_rates, started.network.biases) == ("10,1", True)


def test_too_many_rates_for_the_depth_are_named() -> None:
    app = opened("all", learning_layer_rates="3,2,1")
    app.number_input(key="network_depth").set_value(2).run()
    assert "3 numbers are more than 2" in app.error[0].value
