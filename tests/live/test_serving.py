"""A server that other machines can reach is shared at once; the page, the log and the worker know it."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from pcviz.engine.supervisor import Supervisor
from pcviz.live import serving
from pcviz.live.stream import Live
from pcviz.settings import Settings
from pcviz.store import Store
from pcviz.ui import session

SHELL = Path(__file__).parents[2] / "pcviz" / "ui" / "shell.py"


@pytest.fixture(autouse=True)
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tests change where the server listens."""
    monkeypatch.delenv("PCVIZ_SHARED", raising=False)
    before = config.get_option("server.address")
    yield
    config.set_option("server.address", before)


@pytest.mark.parametrize("where", [None, "", "0.0.0.0", "::", "192.168.1.5", "fe80::1", "lab.example"])
def test_an_open_server_is_shared(where: str | None) -> None:
    config.set_option("server.address", where)
    assert serving.settings().shared and session.client().shared
    assert "Other machines can reach this server: only" in str(serving.note())


@pytest.mark.parametrize("where", ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.53", "::1"])
def test_a_server_of_one_machine_is_not(where: str) -> None:
    config.set_option("server.address", where)
    assert not serving.settings().shared and serving.note() is None


@pytest.mark.parametrize(
    ("where", "switch", "shared", "note"),
    [
        ("localhost", "1", True, "This server is shared: only the browser that started a run controls it."),
        ("0.0.0.0", "1", True, "Other machines can reach this server: only the browser"),
        ("0.0.0.0", "0", False, "Other machines can reach this server: everybody there controls every run"),
    ],
)
def test_an_operator_may_say_otherwise(
    where: str, switch: str, shared: bool, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.set_option("server.address", where)
    monkeypatch.setenv("PCVIZ_SHARED", switch)
    assert serving.settings().shared == shared
    assert note in str(serving.note())


def test_log_and_page_say_so(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    config.set_option("server.address", "0.0.0.0")
    sentence = "Other machines can reach this server: only the browser that started a run controls it."

    async def lifetime() -> None:
        async with Live(serving.settings()).lifespan(None):
            pass

    with caplog.at_level(logging.WARNING):
        asyncio.run(lifetime())
    assert [record.getMessage() for record in caplog.records].count(sentence) == 1
    app = AppTest.from_file(str(SHELL), default_timeout=60).run()
    assert sentence in [caption.value for caption in app.sidebar.caption]


def test_the_worker_is_told(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("subprocess.Popen", lambda *_, env, **__: told.append(env["PCVIZ_SHARED"]))
    for shared in (True, False):
        Supervisor(Settings(database=database_url, shared=shared), Store(database_url))._spawn()
    assert told == ["1", "0"]


def test_there_is_room_for_as_many_as_may_come() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (600, before[1]))
        serving.make_room(Settings(streams=50))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (612, before[1])
        serving.make_room(Settings(streams=1))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (612, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
