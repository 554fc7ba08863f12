"""Children of the run that the Train page shows: one of each kind, for what is shown, and none is left behind."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.store import Store
from tests.ui.test_shell import choose, opened, press, run_of

WANTED = {"network": {"example": 0}, "predictions": {}, "training_plane": {"directions": "pca"}}


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def show(app: AppTest, *panels: str) -> None:
    app.button_group(key="choose_shown_panels").set_value(list(panels)).run()


def children(client: Client, run: str) -> list[tuple[str, dict[str, Any]]]:
    """Kind and options of all children, those that run."""
    found = client.children(run)
    assert all(child.wanted == "running" for child in found)
    return sorted((child.kind, child.options) for child in found)


def test_a_child_lives_while_its_panel_is_shown(client: Client) -> None:
    app = opened(network_depth="4")
    press(app, "play")
    assert dict(children(client, run_of(app))) == WANTED
    show(app, "learning-curves")
    assert children(client, run_of(app)) == []
    show(app)
    assert not app.exception and children(client, run_of(app)) == [], "no panel at all is a choice"


def test_what_is_replaced_does_not_come_back(client: Client) -> None:
    app = opened(network_depth="4")
    press(app, "play")
    for picked in ((3, 0), (4, 2), (3, 0)):
        choose(app, network_picked=picked)
    expected = {**WANTED, "network": {"example": 3}}
    assert dict(children(client, run_of(app))) == expected and len(client.children(run_of(app))) == 3
    press(app, "reset")
    assert dict(children(client, run_of(app))) == expected and len(client.children(run_of(app))) == 3


def test_a_cancelled_run_keeps_what_its_children_reported(client: Client) -> None:
    app = opened(network_depth="4")
    press(app, "play")
    before = [child.id for child in client.children(run_of(app))]
    press(app, "cancel")
    app.run()
    assert [(child.id, child.wanted) for child in client.children(run_of(app))] == [(id, "cancelled") for id in before]
    press(app, "reset")
    assert [child.id for child in client.children(run_of(app))] == before
    assert dict(children(client, run_of(app))) == WANTED


def test_two_tabs_leave_each_other_what_only_one_of_them_shows(client: Client) -> None:
    desk = opened(network_depth="4")
    press(desk, "play")
    projector = opened(run=run_of(desk))
    show(projector, "network", "learning-curves")
    assert dict(children(client, run_of(desk))) == {"network": {"example": 0}}, "what both have asked for"
    desk.run()
    assert dict(children(client, run_of(desk))) == WANTED
    projector.run()
    assert dict(children(client, run_of(desk))) == WANTED
    choose(projector, network_picked=(7, 0))
    assert dict(children(client, run_of(desk))) == {**WANTED, "network": {"example": 7}}, "one of each kind"


def test_the_timeline_asks_for_children_of_one_generation(client: Client) -> None:
    app = opened(network_depth="4")
    press(app, "play")
    record = client.get(run_of(app))
    choose(app, timeline=(record.id, record.generation, 20, 7))
    past = {"network": {"example": 0, "at": 7}, "predictions": {"at": 7}, "replay": {"until": 20}}
    assert dict(children(client, run_of(app))) == {**WANTED, **past}
    press(app, "reset")
    app.run()
    assert dict(children(client, run_of(app))) == WANTED, "the run has begun anew"


def test_an_example_and_a_layer_that_another_network_lacks_are_not_asked_for(client: Client) -> None:
    app = opened(data_name="moons", network_depth="3")
    app.session_state["network_picked"] = (10_000, 9)
    press(app, "play")
    (shown,) = (child.options for child in client.children(run_of(app)) if child.kind == "network")
    assert shown == {"example": 511}


def test_toys_show_their_boundary_and_landscapes_change_direction(client: Client) -> None:
    app = opened(data_name="moons", network_depth="3")
    press(app, "play")
    assert [child.kind for child in client.children(run_of(app))] == ["boundary", "network", "predictions"]
    choose(app, surface="landscape")
    choose(app, directions="random")
    assert dict(children(client, run_of(app))) == {**WANTED, "training_plane": {"directions": "random"}}
