"""A page that is interrupted, at any point, shows what it would have shown: Streamlit stops a script wherever it reads
or writes the session when the browser has sent something new, and runs it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state import SafeSessionState
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import Experiment
from pcviz.store import Store
from pcviz.ui import session
from pcviz.ui.instruments import FRESH
from tests.ui.test_look_options import asked
from tests.ui.test_looks import INFERENCE, LANDSCAPE
from tests.ui.test_shell import opened

TRAIN = "scripts/1_train.py"


@pytest.fixture
def trained(database_url: str) -> str:
    """A training that has ended."""
    store = Store(database_url)
    run = Client(store).start(Experiment().changed({"network.depth": 4}), "s")
    worker = store.observations("w")
    assert worker.claim(store.reader.run(run))
    worker.observe(run, store.reader.run(run).generation, state="done", step=300)
    worker.close()
    return run


@contextmanager
def interrupted(point: int) -> Iterator[list[int]]:
    """The script is stopped and begun again once, at its `point`-th look at what the browser has sent. Callbacks, which
    take about a millisecond, are left alone."""
    asks, looks, last = ScriptRunner.request_rerun, ScriptRunner._maybe_handle_execution_control_request, [RerunData()]
    prepares = SafeSessionState.on_script_will_rerun
    seen, preparing = [0], [False]

    def prepare(*given: Any, **options: Any) -> None:
        preparing[0] = True
        prepares(*given, **options)
        preparing[0] = False

    def request(runner: ScriptRunner, data: RerunData) -> bool:
        last[0] = data
        return asks(runner, data)

    def look(runner: ScriptRunner) -> None:
        if runner._execing and runner._is_in_script_thread() and not preparing[0]:
            seen[0] += 1
            if seen[0] == point:
                runner._requests.request_rerun(last[0])
        looks(runner)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SafeSessionState, "on_script_will_rerun", prepare)
        patch.setattr(ScriptRunner, "request_rerun", request)
        patch.setattr(ScriptRunner, "_maybe_handle_execution_control_request", look)
        yield seen


def shown(app: AppTest) -> dict[str, object]:
    """What a page shows: its address and what its fields hold."""
    assert not app.exception, app.exception
    fields = [*app.number_input, *app.selectbox, *app.toggle, *app.button_group, *app.multiselect]
    said = [item.value for item in [*app.warning, *app.error]]
    return {"address": asked(app), "said": said} | {str(field.key): field.value for field in fields}


def steps(name: str, run: str) -> tuple[AppTest, dict[str, str], str | None]:
    """A page about to change: (the page, its next address, the page that comes next)."""
    if name == "back":
        app = opened("all", network_depth="4", seed="1")
        before = asked(app)
        app.number_input(key="seed").set_value(7).run()
        return app, before | {"back": "1"}, None
    if name == "link":
        return opened("all"), {"network_depth": "5", "run": run}, None
    app = opened("all", run=run)
    if name == "inference":
        return app, {}, INFERENCE
    if name == "landscape":
        return app, {}, LANDSCAPE
    if name == "options":
        app.switch_page(INFERENCE).run()
        return app, {"network_depth": "4", "source": run, "batch": "3", "solvers": "adam"}, None
    app.switch_page(INFERENCE).run()
    return app, {}, TRAIN


def change(name: str, run: str, point: int) -> tuple[dict[str, object], int]:
    """(what the page shows in the end, how often it looked at what the browser has sent)."""
    app, query, page = steps(name, run)
    if page is not None:
        app.switch_page(page)
    app.query_params = dict(query)
    with interrupted(point) as seen:
        app.run()
    return shown(app), seen[0]


NAMES = ["back", "link", "inference", "landscape", "options", "train"]


@pytest.mark.parametrize("stride", [307, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_an_interrupted_page_shows_what_it_would_have_shown(trained: str, name: str, stride: int) -> None:
    expected, points = change(name, trained, 0)
    assert points > 100, "the points at which a script may be interrupted are found"
    for point in [*range(1, points, stride), points - 2]:
        assert change(name, trained, point)[0] == expected, f"interrupted at {point} of {points}"


def test_what_somebody_chose_meanwhile_stays(trained: str) -> None:
    """A choice that comes with an address from before: the browser had not heard of the new values yet."""
    app = opened("all", network_depth="4")
    before = asked(app)
    app.query_params = {"network_depth": "5", "seed": "3"}
    app.run()
    app.number_input(key="seed").set_value(8)
    app.number_input(key="network_depth").set_value(4)
    app.query_params = before
    app.run()
    assert app.number_input(key="seed").value == 8, "chosen"
    assert app.number_input(key="network_depth").value == 5, "what it held before: sent by a browser that is late"
    app.number_input(key="network_depth").set_value(4).run()
    assert app.number_input(key="network_depth").value == 4, "the browser has heard of 5"


def test_two_switches_of_pages_in_quick_succession(trained: str) -> None:
    """The second comes before the first page was drawn: settings and runs stay."""
    app = opened("all", network_depth="4", seed="7")
    app.switch_page(INFERENCE)
    app.query_params = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "remember", lambda: None)  # what comes last is not reached
        app.run()
    app.switch_page(TRAIN)
    app.query_params = {}
    app.run()
    assert (app.number_input(key="network_depth").value, app.number_input(key="seed").value) == (4, 7)


def test_a_preset_that_is_chosen_stays_chosen() -> None:
    """Pressed while the browser still tells of the page before: at each point of the script."""
    for point in range(1, 400, 90):
        app = opened(network_depth="4")
        app.button_group(key="preset").set_value("mupc-32")
        with interrupted(point):
            app.run()
        assert app.number_input(key="network_depth").value == 33, point


def test_a_choice_during_a_training_stays(database_url: str) -> None:
    store = Store(database_url)
    run = Client(store).start(Experiment().changed({"network.depth": 4}), "s")
    worker = store.observations("w")
    assert worker.claim(store.reader.run(run))

    def advance(step: int) -> None:
        worker.observe(run, store.reader.run(run).generation, state="running", step=step)

    advance(10)
    app = opened(run=run)
    app.switch_page(LANDSCAPE)
    app.query_params = {}
    app.run()
    assert app.number_input(key="plane_step").value == 10
    advance(20)
    app.run()
    assert app.number_input(key="plane_step").value == 20, "follows while the training goes on"
    app.number_input(key="plane_step").set_value(5).run()
    advance(30)
    app.run()
    assert app.number_input(key="plane_step").value == 5
    app.switch_page(INFERENCE)
    app.query_params = {}
    app.run()
    assert app.selectbox(key="source").value == run
    app.selectbox(key="source").set_value(FRESH).run()
    advance(40)
    app.run()
    assert app.selectbox(key="source").value == FRESH
    worker.close()
