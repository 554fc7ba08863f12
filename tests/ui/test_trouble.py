"""Pages of a store that cannot be used or read, in whole or in part: one line each, no traceback."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import Experiment
from pcviz.store import Store, StoreFault, database, versions
from pcviz.ui import trouble
from tests.crossed import crossed
from tests.store.breaking import change, new_store, overwrite
from tests.ui.test_shell import SHELL, TRAIN, enabled, opened, press

OLD = Path(__file__).parents[1] / "store" / "stores"
PAGES = ("0_home", "1_train", "2_inference", "3_landscape")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the pages' store is."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("PCVIZ_DATABASE", f"sqlite:///{folder / 'pcviz.db'}")
    return folder / "pcviz.db"


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (lambda path: path.mkdir(), "is a folder; name a file"),
    "missing folder": (lambda path: path.parent.rmdir(), "does not exist; make it"),
    "garbage": (lambda path: path.write_bytes(b"garbage" * 999), "is not a pcviz store"),
    "damaged": (overwrite, "is damaged; put a backup in its place"),
    "of another program": (lambda path: change(path, "CREATE TABLE notes (x)"), "belongs to another program"),
    "later": (
        lambda path: new_store(path, "UPDATE alembic_version SET version_num = '97'"),
        f"has version 97, and this pcviz knows versions up to {versions.CURRENT}",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_page_without_a_store_is_one_line(path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    break_it, line = BROKEN[name]
    break_it(path)
    app = opened()
    (error,) = app.error
    assert line in error.value.replace("\\", "") and "\n" not in error.value
    assert "Traceback" not in caplog.text
    assert not app.exception


def test_the_page_comes_back_when_the_cause_is_gone(path: Path) -> None:
    path.mkdir()
    app = opened(network_depth="5")
    assert app.error
    path.rmdir()
    app.run()
    assert not app.error and enabled(app) == {"play", "step"}
    assert app.number_input(key="network_depth").value == 5, "nothing is lost"


def test_a_click_that_the_store_refuses_says_so(path: Path) -> None:
    app = opened(network_depth="5")
    press(app, "play")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    press(app, "pause")
    other.close()
    assert any("is locked by another program" in warning.value for warning in app.warning)
    press(app, "pause")
    assert Client(Store(f"sqlite:///{path}")).get(str(app.query_params["run"])).wanted == "paused"


STRANGE = {
    "field": 'experiment_json = replace(experiment_json, \'"depth"\', \'"dropout":true,"depth"\')',
    "value": "experiment_json = replace(experiment_json, '\"tanh\"', '\"softsign\"')",
    "schema": "experiment_json = replace(experiment_json, '\"schema\":1', '\"schema\":3')",
    "kind": "kind = 'dream'",
    "state": "state = 'asleep'",
    "options": "options_json = '[1'",
    "json": "experiment_json = ''",
}


@pytest.fixture
def strange(request: pytest.FixtureRequest, path: Path) -> Path:
    """A store of old whose runs, all but the trainings that are done, this version cannot read."""
    shutil.copy(sorted(OLD.glob("*.db"))[0], path)
    change(path, f"UPDATE runs SET {STRANGE[request.param]} WHERE NOT (kind = 'train' AND state = 'done')")
    return path


@pytest.mark.parametrize(("strange", "name"), crossed(STRANGE, PAGES), indirect=["strange"])
def test_no_run_takes_a_page_down(strange: Path, name: str) -> None:
    found = [record.id for record in Client(Store(f"sqlite:///{strange}")).unreadable()]
    assert len(found) >= 10
    with sqlite3.connect(strange) as connection:
        before = connection.execute("SELECT * FROM runs ORDER BY id").fetchall()
    app = opened()
    if name != "1_train":
        app.switch_page(f"scripts/{name}.py").run()
    assert not app.exception and not app.error
    assert f"{len(found)} stored runs cannot be read by this pcviz" in [one.label for one in app.expander]
    with sqlite3.connect(strange) as connection:
        after = connection.execute("SELECT * FROM runs ORDER BY id").fetchall()
    assert [row[:12] for row in after] == [row[:12] for row in before], "all that says what a run is"


@pytest.mark.parametrize("strange", STRANGE, indirect=True)
def test_a_link_to_a_run_that_cannot_be_read_says_so(strange: Path) -> None:
    for record in Client(Store(f"sqlite:///{strange}")).unreadable()[:2]:
        shown = AppTest.from_file(str(SHELL), default_timeout=60)
        shown.switch_page(TRAIN)
        shown.query_params["run"] = record.id
        shown.run()
        assert not shown.exception
        assert f"run\\: {record.id} cannot be read by this pcviz" in shown.warning[0].value


def test_what_cannot_be_read_can_be_exported_and_deleted(path: Path) -> None:
    new_store(path)
    change(path, "UPDATE runs SET experiment_json = '{\"schema\": 3}'")
    app = opened()
    client = Client(Store(f"sqlite:///{path}"))
    (record,) = client.unreadable()
    assert any("schema\\: 3 is not one of the allowed values" in found.value for found in app.markdown)
    assert "Export" in [found.label for found in app.get("download_button")]
    app.button(key=f"delete_{record.id}").click().run()
    assert not app.exception and client.store.reader.unreadable(None) == []
    assert not any("cannot be read" in found.label for found in app.expander)


@pytest.mark.parametrize(
    ("name", "kind"), [("2_inference", "relax"), ("3_landscape", "curvature"), ("3_landscape", "plane")]
)
def test_a_look_at_weights_that_cannot_be_read(path: Path, name: str, kind: str) -> None:
    store = Store(f"sqlite:///{path}")
    source, look = (store.requests.create(Experiment(), "s", "", "paused", None, kind=one) for one in ("train", kind))
    store.close()
    options = {"source": source} | ({"directions": "run"} if kind == "plane" else {})
    change(
        path,
        f"UPDATE runs SET experiment_json = '{{\"schema\": 3}}', step = 5 WHERE id = '{source}'",
        f"UPDATE runs SET options_json = '{orjson.dumps(options).decode()}' WHERE id = '{look}'",
    )
    app = opened(run=source)
    app.query_params["run"] = look
    app.switch_page(f"scripts/{name}.py").run()
    assert not app.exception


def test_a_fault_outside_the_page_is_shown_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(trouble.st, "error", lambda text, icon: shown.append(text))
    assert trouble.anywhere(StoreFault("the store is locked")) and shown == ["the store is locked"]
    assert not trouble.anywhere(ValueError("something else")) and len(shown) == 1
