"""The pages of a shared server without a browser: what an owner may, what a watcher may, and what a link changes."""

import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.access import token
from pcviz.engine.client import Client
from pcviz.instruments.plane import view as planes
from pcviz.store import RunRecord, Store
from pcviz.ui import look, session
from pcviz.ui.browser import Memory, take
from tests.ui.test_shell import BUTTONS, SHELL, TRAIN, choose, enabled, press, run_of

ANNA, BEN = "a" * 64, "b" * 64
SMALL = {"v": "2", "network_depth": "4"}


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCVIZ_SHARED", "1")


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url), shared=True)


def opened(key: str, query: dict[str, str] | None = None, memory: Memory | None = None) -> AppTest:
    """The page in the browser with this key ("": it has not come yet), at this address."""
    app = AppTest.from_file(str(SHELL), default_timeout=60)
    app.switch_page(TRAIN)
    app.session_state["memory"] = memory or Memory(key)
    for name, text in (SMALL if query is None else query).items():
        app.query_params[name] = text
    app.run()
    assert not app.exception, app.exception
    return app


def started(key: str) -> str:
    """A run of this owner, started on the page."""
    app = opened(key)
    press(app, "play")
    return run_of(app)


def force(app: AppTest, key: str) -> None:
    """Press a button even if it is disabled, as a message made by hand can."""
    app.button(key=key).proto.disabled = False
    app.button(key=key).click().run()


def keys(app: AppTest) -> set[str]:
    """The keys of the page's buttons."""
    return {str(button.key) for button in app.button}


def stored(client: Client, run: str) -> list[RunRecord]:
    """A run and its children, as they are stored."""
    return client.store.reader.families([run])


def words(app: AppTest) -> str:
    """All that the page says."""
    return " ".join(item.value for item in [*app.warning, *app.markdown, *app.caption]).replace("\\", "")


def test_without_a_key_the_page_only_watches(client: Client) -> None:
    app = opened("")
    assert enabled(app) == set()
    assert app.button(key="overlay").disabled
    assert "until this browser has said who it is" in words(app)
    force(app, "play")
    assert client.store.reader.runs(10) == []


def test_a_reload_keeps_control(client: Client) -> None:
    run = started(ANNA)
    again = opened(ANNA, {"run": run})
    assert enabled(again) == {"pause", "reset", "cancel"}
    assert "copy" not in keys(again)
    press(again, "pause")
    assert client.get(run).wanted == "paused"


def test_who_watches_changes_nothing_and_is_told_why(client: Client) -> None:
    run = started(ANNA)
    before = stored(client, run)
    app = opened(BEN, {"run": run})
    assert enabled(app) == set()
    assert "You are watching the run of another user." in words(app)
    for key in BUTTONS:
        force(app, key)
        assert not app.exception
    assert stored(client, run) == before, "children too: drawing the page started and ended none"
    assert run_of(app) == run
    assert client.runs(key=BEN) == []


def test_watching_a_run_without_a_surface_starts_none(client: Client) -> None:
    run = client.start(look.Experiment(), "s", ANNA)
    opened(BEN, {"run": run})
    assert client.children(run) == []
    opened(ANNA, {"run": run})
    assert [child.kind for child in client.children(run)] == ["training_plane", "network", "predictions"]


@pytest.mark.parametrize("who", [BEN, ""])
def test_a_click_that_comes_too_late_is_refused_with_a_sentence(client: Client, who: str) -> None:
    run = started(ANNA)
    before = stored(client, run)
    for wanted in ("running", "paused"):
        app = opened(ANNA, {"run": run})
        for key in enabled(app):
            app.session_state["memory"] = Memory(who)  # the button was drawn for somebody else
            force(app, key)
            assert not app.exception
            assert ("belongs to somebody else" if who else "has not said yet who it is") in words(app), key
            assert stored(client, run) == before
            app = opened(ANNA, {"run": run})
        if wanted == "running":
            press(app, "pause")
            before = stored(client, run)
    assert len(client.store.reader.runs(10)) == 1


def test_a_watcher_sees_the_surface_that_there_is(client: Client) -> None:
    owner = opened(ANNA)
    press(owner, "play")
    choose(owner, surface="energy", directions="random")
    app = opened(BEN, {"run": run_of(owner)})
    assert (app.session_state["surface"], app.session_state["directions"]) == ("energy", "random")


def test_settings_are_copied_to_a_run_of_ones_own(client: Client) -> None:
    run = started(ANNA)
    app = opened(BEN, {"run": run})
    press(app, "copy")
    assert "run" not in app.query_params and app.number_input(key="network_depth").value == 4
    assert enabled(app) == {"play", "step"}
    press(app, "play")
    assert run_of(app) != run
    assert [found.id for found in client.runs(key=BEN)] == [run_of(app)]
    assert client.get(run).wanted == "running"


def test_the_control_link_gives_control_and_leaves_the_address(client: Client) -> None:
    run = started(ANNA)
    link = token(ANNA, run)
    app = opened(BEN, {"run": run, "control": link})
    assert dict(app.query_params) == {"run": run, **SMALL}
    assert enabled(app) == {"pause", "reset", "cancel"}
    press(app, "pause")
    assert client.get(run).wanted == "paused"
    assert any(link in code.value for code in app.code), "who has the link can pass it on"
    memory = app.session_state["memory"]
    again = opened(BEN, {"run": run}, Memory(BEN, dict(memory.links)))
    assert enabled(again) == {"play", "step", "reset", "cancel"}


@pytest.mark.parametrize("control", ["0" * 64, "", "ü", "a" * 64, token(BEN, "x")])
def test_a_wrong_control_link_only_watches(client: Client, control: str) -> None:
    run = started(ANNA)
    app = opened(BEN, {"run": run, "control": control})
    (warning,) = app.warning
    assert "control: this link does not fit the run" in warning.value.replace("\\", "")
    assert "control" not in app.query_params
    assert enabled(app) == set()


def test_only_who_may_steer_sees_the_control_link(client: Client) -> None:
    run = started(ANNA)
    shown = {key: [code.value for code in opened(key, {"run": run}).code] for key in (ANNA, BEN, "")}
    assert any(f"run={run}&control={token(ANNA, run)}" in text for text in shown[ANNA])
    assert not any("control=" in text for text in shown[BEN] + shown[""])


def test_a_baseline_of_somebody_else_is_taken_off_but_goes_on(client: Client) -> None:
    theirs = started(ANNA)
    app = opened(BEN)
    press(app, "play")
    both = opened(BEN, {"run": run_of(app), "baseline": theirs})
    press(both, "overlay")
    assert "baseline" not in both.query_params
    assert client.get(theirs).wanted == "running"


def test_a_click_on_a_surface_of_somebody_else_starts_no_walk(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    state = type("State", (dict,), {"__getattr__": dict.__getitem__, "__setattr__": dict.__setitem__})()
    monkeypatch.setattr("streamlit.session_state", state)
    run = client.look("plane", look.Experiment(), {}, "s", ANNA)
    state.update(memory=Memory(BEN), runs={"run": run}, notices=[])
    planes.walk_from({"x": 1.0, "y": 2.0})
    assert client.children(run) == [] and "belongs to somebody else" in state.notices[0]
    state.memory = Memory(ANNA)
    planes.walk_from({"x": 1.0, "y": 2.0})
    assert [child.kind for child in client.children(run)] == ["walk"]


def test_lists_name_ones_own_runs_and_the_one_that_is_known(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    state = type("State", (dict,), {"__getattr__": dict.__getitem__, "__setattr__": dict.__setitem__})()
    monkeypatch.setattr("streamlit.session_state", state)
    runs = {}
    for key in (ANNA, BEN):
        runs[key] = client.start(look.Experiment(), "s", key)
        worker = client.store.observations(key)
        assert worker.claim(client.get(runs[key]))
        worker.observe(runs[key], 1, step=1)
        worker.close()
    state.memory = Memory(BEN)
    assert list(session.trainings()) == [runs[BEN]]
    assert set(session.trainings(runs[ANNA])) == set(runs.values())
    assert list(session.trainings("0" * 32)) == [runs[BEN]]


@pytest.mark.parametrize(
    "brought",
    [None, "x", [], {"key": 1}, {"key": "A" * 64}, {"key": "a" * 63}, {"key": None, "links": {"0" * 32: "0" * 64}}],
)
def test_what_no_browser_of_ours_would_bring_is_left(brought: object) -> None:
    memory = Memory()
    take(memory, brought)
    assert memory == Memory()


def test_what_a_browser_brings_is_taken_over_as_far_as_it_is_right() -> None:
    run, memory = "1" * 32, Memory(links={"2" * 32: "2" * 64})
    links = {run: "0" * 64, "x": "0" * 64, "3" * 32: 5}
    take(memory, {"key": ANNA, "lasting": False, "links": links})
    assert memory == Memory(ANNA, {run: "0" * 64, "2" * 32: "2" * 64}, lasting=False)
    assert ANNA not in repr(memory) and "0" * 64 not in repr(memory)


def test_a_key_that_does_not_last_is_said() -> None:
    assert "as long as this tab is open" in words(opened("", memory=Memory(ANNA, lasting=False)))
    assert "as long as this tab is open" not in words(opened(ANNA))
