"""From the Home page into a run: what a touch does, and what a card begins."""

from typing import Any

import pytest

from pcviz.engine.client import Client
from pcviz.store import Store, StoreFault
from pcviz.ui import home
from pcviz.ui.browser import Memory
from tests.ui.test_shell import opened, run_of


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a tab holds on the Home page before any run."""
    made = type("State", (dict,), {"__getattr__": dict.__getitem__, "__setattr__": dict.__setitem__})()
    monkeypatch.setattr("streamlit.session_state", made)
    made.update(session="s", memory=Memory(), runs={}, notices=[])
    return made


def test_the_first_touch_starts_the_run_and_later_ones_only_choose(client: Client, state: Any) -> None:
    home.touch({"x": 3, "y": 2})
    run = state.runs["run"]
    assert client.get(run).experiment == home.HOME and client.get(run).wanted == "running"
    home.touch({"x": 4, "y": None})
    assert state.runs["run"] == run and home.children()["network"] == {"example": 4}


def test_a_touch_lets_a_paused_run_go_on(client: Client, state: Any) -> None:
    home.touch({"x": 0, "y": 0})
    client.pause(run := state.runs["run"])
    home.touch({"x": 0, "y": 0})
    assert state.runs["run"] == run and client.get(run).wanted == "running"


def test_a_touch_replaces_a_run_that_came_to_nothing(client: Client, state: Any) -> None:
    home.touch({"x": 0, "y": 0})
    client.cancel(run := state.runs["run"])
    home.touch({"x": 0, "y": 0})
    assert state.runs["run"] != run and client.get(state.runs["run"]).wanted == "running"


def test_every_state_of_the_run_has_a_sentence() -> None:
    ends = {"queued", "compiling", "running", "paused", "done", "cancelled", "failed", "diverged"}
    assert home.STORY.keys() == {"idle"} | ends


def test_a_card_begins_at_once_or_says_why_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(network_depth="4")
    app.session_state["begin_at_once"] = True
    app.run()
    assert client.get(run_of(app)).wanted == "running" and not app.warning

    def refused(*args: Any, **more: Any) -> str:
        raise StoreFault("the disk is full")

    monkeypatch.setattr(Client, "start", refused)
    other = opened(network_depth="5")
    other.session_state["begin_at_once"] = True
    other.run()
    assert ["the disk is full" in warning.value for warning in other.warning] == [True]
