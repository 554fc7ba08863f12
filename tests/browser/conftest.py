"""The real app in a real browser. `page.goto("/")` opens the app; any console error or page error fails the test."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page, expect

from pcviz.experiment import Experiment
from tests.browser.fake_stream import FakeStream, fake_stream
from tests.browser.install import HOW_TO_GET_ONE, find_browser, required
from tests.browser.serve import App, running_app

expect.set_options(timeout=20_000)  # milliseconds that a first draw may take on a busy machine
QUIET = (
    "--no-sandbox",  # Chromium's sandbox does not work for root and in most containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP *.example 127.0.0.1",  # names that others let point here
)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's executable. Skips the test where there is none, or fails it with PCVIZ_REQUIRE_BROWSER=1."""
    browser = find_browser()
    if browser is None and required():
        pytest.fail(HOW_TO_GET_ONE, pytrace=False)
    if browser is None:
        pytest.skip(HOW_TO_GET_ONE)
    return browser


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: Path) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": str(chromium), "args": list(QUIET)}


@pytest.fixture(scope="session")
def app(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One app for the whole session, with a database of its own."""
    with running_app(tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture(scope="session")
def base_url(app: App) -> str:
    """What relative addresses in tests are relative to."""
    return app.url


@pytest.fixture
def page_faults() -> list[str]:
    """Console errors and uncaught exceptions of the page so far; a test that provokes some clears the list."""
    return []


@pytest.fixture
def page(page: Page, page_faults: list[str]) -> Iterator[Page]:
    """A fresh page, which must stay free of errors."""

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not _looking_for_home(message):
            page_faults.append(f"console: {message.text} ({message.location})")

    def note_exception(error: Error) -> None:
        page_faults.append(f"exception: {error.stack or error.message}")

    page.on("console", note_console)
    page.on("pageerror", note_exception)
    yield page
    assert not page_faults, "\n".join(["the page reported errors:", *page_faults])


def _looking_for_home(message: ConsoleMessage) -> bool:
    """Streamlit looks for its own routes below the path of a page first."""
    return "404" in message.text and bool(re.search(r"/[a-z]+/_stcore/(health|host-config)$", message.location["url"]))


@pytest.fixture(scope="module")
def server() -> Iterator[FakeStream]:
    """Live panels on a page of their own, and a stream that the test writes."""
    with fake_stream() as server:
        yield server


@pytest.fixture
def experiment() -> Experiment:
    """What the panels of `fake` are drawn for."""
    return Experiment()


@pytest.fixture
def fake(server: FakeStream, experiment: Experiment) -> FakeStream:
    """A server that shows one run of `experiment`."""
    server.show(experiment)
    return server
