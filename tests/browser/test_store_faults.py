"""The app over stores that break, in a real browser: one line on the page, and work goes on by itself."""

import sqlite3
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pcviz.engine.client import Client
from pcviz.experiment import Experiment
from pcviz.store import Store, versions
from tests.browser.on_page import SMALL, button, state, step, wait_for
from tests.browser.serve import App, running_app
from tests.store.breaking import change, cut, new_store, overwrite, remove

BROKEN: dict[str, tuple[Callable[[Path], object], Callable[[Path], object], str]] = {
    "garbage": (lambda path: path.write_bytes(b"garbage" * 999), remove, "is not a pcviz store"),
    "a folder": (Path.mkdir, Path.rmdir, "is a folder; name a file"),
    "damaged": (overwrite, remove, "is damaged; put a backup in its place"),
    "cut": (cut, remove, "is damaged; put a backup in its place"),
    "without a column": (
        lambda path: new_store(path, "ALTER TABLE runs DROP COLUMN strikes"),
        lambda path: change(path, "ALTER TABLE runs ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0"),
        "is damaged (no such column: runs.strikes)",
    ),
    "of another program": (
        lambda path: change(path, "CREATE TABLE notes (x)"),
        lambda path: change(path, "DROP TABLE notes"),
        "belongs to another program",
    ),
    "later": (
        lambda path: new_store(path, "UPDATE alembic_version SET version_num = '97'"),
        lambda path: change(path, f"UPDATE alembic_version SET version_num = '{versions.CURRENT}'"),
        f"has version 97, and this pcviz knows versions up to {versions.CURRENT}",
    ),
}
"""What is wrong -> how it comes about, how it is mended while the app runs, and what the page says meanwhile."""


def alert(page: Page):  # type: ignore[no-untyped-def]
    """What the page says is wrong."""
    return page.get_by_role("alert")


def slow(names: Iterable[str], quick: Container[str]) -> list[Any]:
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", slow(BROKEN, quick=("later",)))
def test_the_server_stands_over_a_store_that_cannot_be_used(
    page: Page, chromium: Path, tmp_path: Path, name: str
) -> None:
    break_it, mend, line = BROKEN[name]
    path = tmp_path / "pcviz.db"
    break_it(path)
    with running_app(tmp_path) as app:
        page.goto(f"{app.url}/?{SMALL}&learning_steps=30")
        expect(alert(page).filter(has_text=line)).to_be_visible(timeout=30_000)
        app.wait_until_healthy()
        mend(path)
        expect(button(page, "play")).to_be_visible(timeout=30_000)
        button(page, "play").click()
        wait_for(page, lambda: state(page) == "done")
        log = app.log.read_text()
        assert "Traceback" not in log, log
        assert line in log


@pytest.mark.slow
def test_a_store_that_another_program_locks(page: Page, chromium: Path, tmp_path: Path) -> None:
    path = tmp_path / "pcviz.db"
    with running_app(tmp_path) as app:
        page.goto(f"{app.url}/?{SMALL}&learning_steps=100000")
        expect(button(page, "play")).to_be_visible(timeout=30_000)
        button(page, "play").click()
        wait_for(page, lambda: step(page) > 0)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        expect(alert(page).filter(has_text="is locked by another program").first).to_be_visible(timeout=30_000)
        stood = step(page)
        other.execute("ROLLBACK")
        other.close()
        wait_for(page, lambda: step(page) > stood + 10, 60)
        expect(alert(page)).to_have_count(0, timeout=15_000)
        assert "Traceback" not in app.log.read_text()


def test_a_store_deleted_under_a_run_is_rescued_and_the_run_goes_on(page: Page, chromium: Path, tmp_path: Path) -> None:
    path = tmp_path / "pcviz.db"
    with running_app(tmp_path) as app:
        page.goto(f"{app.url}/?{SMALL}&learning_steps=100000")
        expect(button(page, "play")).to_be_visible(timeout=30_000)
        button(page, "play").click()
        wait_for(page, lambda: step(page) > 0)
        remove(path)
        expect(alert(page).filter(has_text="was deleted while pcviz was running").first).to_be_visible(timeout=30_000)
        (rescued,) = tmp_path.glob("pcviz.rescued-*.db")
        expect(alert(page).filter(has_text=rescued.name).first).to_be_visible()
        stood = step(page)
        rescued.rename(path)
        wait_for(page, lambda: step(page) > stood + 10, 60)
        expect(alert(page).filter(has_text="was deleted")).to_have_count(0, timeout=15_000)
        button(page, "cancel").click()
        wait_for(page, lambda: state(page) == "cancelled")
        assert "Traceback" not in app.log.read_text()
    client = Client(Store(app.database))
    (record,) = client.runs()
    seqs = client.frames(record.id, [])["seq"].tolist()
    assert seqs == list(range(1, len(seqs) + 1))


@pytest.mark.parametrize("ended", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_click_while_the_store_is_gone_is_told_and_the_buttons_come_back(
    page: Page, chromium: Path, tmp_path: Path, ended: bool, page_faults: list[str]
) -> None:
    path, away = tmp_path / "pcviz.db", tmp_path / "away.db"
    with running_app(tmp_path) as app:
        page.goto(f"{app.url}/?{SMALL}&learning_steps=20")
        expect(button(page, "play")).to_be_visible(timeout=30_000)
        if ended:
            button(page, "play").click()
            wait_for(page, lambda: state(page) == "done")
            expect(button(page, "pin")).to_be_enabled(timeout=15_000)
        pressed = button(page, "pin" if ended else "play").element_handle()
        path.rename(away)
        pressed.dispatch_event("click")  # at once: the page may find out by itself, and take the buttons away
        expect(alert(page).filter(has_text="was deleted").first).to_be_visible(timeout=30_000)
        away.rename(path)
        expect(button(page, "play")).to_be_enabled(timeout=30_000)
        button(page, "play").click()
        wait_for(page, lambda: state(page) == "done", 60)
        expect(alert(page).filter(has_text="was deleted")).to_have_count(0, timeout=15_000)
        page_faults[:] = [fault for fault in page_faults if "/live/keep" not in fault]  # refused meanwhile: no store
        assert "Traceback" not in app.log.read_text()


def test_a_run_that_cannot_be_read_is_exported_and_deleted(page: Page, chromium: Path, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'pcviz.db'}")
    readable, strange = (store.requests.create(Experiment(), "s", "", "paused", None) for _ in range(2))
    store.close()
    document = '{"schema": 7, "network": {"dropout": true}}'
    with sqlite3.connect(tmp_path / "pcviz.db") as connection:
        connection.execute("UPDATE runs SET experiment_json = ? WHERE id = ?", (document, strange))
    with running_app(tmp_path) as app:
        for address in ("train", "inference", "landscape"):
            page.goto(f"{app.url}/{address}?run={strange}")
            expect(alert(page).filter(has_text="cannot be read by this pcviz")).to_be_visible(timeout=30_000)
        listed = page.locator(".st-key-unreadable")
        listed.locator("summary").click()
        expect(listed).to_contain_text("network.dropout: unknown field")
        with page.expect_download() as download:
            listed.get_by_role("button", name="Export").click()
        target = tmp_path / "export.db"
        download.value.save_as(target)
        with sqlite3.connect(target) as connection:
            assert connection.execute("SELECT id, experiment_json FROM runs").fetchall() == [(strange, document)]
        listed.get_by_role("button", name="Delete").click()
        expect(listed).to_have_count(0)
        assert "Traceback" not in app.log.read_text()
    assert [record.id for record in Client(Store(app.database)).runs()] == [readable]


def test_addresses_in_messages_are_no_links(page: Page, app: App) -> None:
    page.goto("/?seed=http://evil.example/x&network_depth=www.evil.example&data_name=me@evil.example&seed=2")
    messages = alert(page).filter(has_text="evil.example")
    expect(messages).to_be_visible(timeout=30_000)
    expect(messages).to_contain_text("seed: given more than once")
    assert messages.get_by_role("link").count() == 0
    page.goto("/?seed=http://evil.example/x")
    expect(alert(page).filter(has_text="evil.example/x is not one of the allowed values")).to_be_visible(timeout=30_000)
    assert alert(page).get_by_role("link").count() == 0
