"""Odd places to run from: pcviz works there, or says in one line which path and which setting."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pcviz import places
from pcviz.cli.main import BAD, main
from pcviz.settings import Settings
from pcviz.store import Store

ROOT = Path(__file__).parents[1]
ODD = ("a b", "ü λ", "50%", "a%41", "what?", "what?x=1", "#1", "a&b;c", "sqlite:")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    places.default_database.cache_clear()
    yield
    places.default_database.cache_clear()


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which cannot be written, whoever runs the test; the database is not set."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PCVIZ_DATABASE", raising=False)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and access(path, mode))
    return folder


def test_the_store_is_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PCVIZ_DATABASE")
    assert Settings.from_environment().database == "sqlite:///pcviz.db"


def test_beside_a_read_only_checkout_it_is_in_the_data_folder(
    read_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data 50%?"))
    with caplog.at_level(logging.WARNING):
        settings = Settings.from_environment()
    made = tmp_path / "my data 50%?" / "pcviz" / "pcviz.db"
    assert caplog.messages == [
        f"{read_only} cannot be written: runs are kept in {made} (PCVIZ_DATABASE names another place)"
    ]
    store = Store(settings.database)
    store.database.open()
    store.close()
    assert made.exists()
    (read_only / "pcviz.db").touch()
    assert Settings.from_environment().database == settings.database, "a server does not change its store"


@pytest.mark.parametrize("home", ["unwritable", "none"])
def test_without_any_place_there_is_one_line(
    read_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    file = tmp_path / "file"
    file.touch()
    if home == "none":
        monkeypatch.setattr(Path, "home", no_home)
    else:
        monkeypatch.setenv("HOME", str(file))
    with pytest.raises(ValueError) as fault:
        Settings.from_environment()
    nor = "there is no home folder" if home == "none" else f"{file}/.local/share/pcviz cannot be written"
    assert str(fault.value) == (
        f"PCVIZ_DATABASE: not set, {read_only} cannot be written and {nor} (allowed: a database URL, such as "
        "sqlite:////tmp/pcviz.db)"
    )


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_without_a_home_nothing_is_kept_of_compiled_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert places.cache_folder("programs") == tmp_path / "pcviz" / "programs"
    (tmp_path / "pcviz" / "file").touch()
    assert places.cache_folder("file") is None
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(Path, "home", no_home)
    assert places.cache_folder("programs") is None
    monkeypatch.setenv("HOME", "")
    places.ensure_home(tmp_path)
    assert os.environ["HOME"] == str(tmp_path)


@pytest.mark.parametrize("name", ODD)
def test_any_name_can_be_that_of_a_store(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    store = Store(f"sqlite:///{places.quoted(folder / f'{name}.db')}")
    store.database.open()
    store.close()
    assert [path.name for path in folder.iterdir()] == [f"{name}.db"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("my runs.db", "my runs.db is not a database URL (allowed: a database URL, such as sqlite:///pcviz.db)"),
        ("oracel://x", "oracel://x is not a database URL (allowed: a database URL, such as sqlite:///pcviz.db)"),
        ("sqlite:///what?.db", "sqlite:///what?.db: a ? begins options (write %3F where it belongs to a name)"),
        ("sqlite://", "sqlite:// is no plain file; name one, such as sqlite:///pcviz.db"),
        (
            "mssql://me:secret@host/x",
            "mssql://me:***@host/x is nothing that pcviz can use (allowed: sqlite:///…, postgresql://…)",
        ),
        (
            "postgresql+asyncpg://me:secret@host/x",
            "postgresql+asyncpg://me:***@host/x is nothing that pcviz can use (allowed: sqlite:///…, postgresql://…)",
        ),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line(url: str, line: str) -> None:
    with pytest.raises(ValueError) as fault:
        Store(url)
    assert str(fault.value) == f"PCVIZ_DATABASE: {line}"


def test_a_missing_driver_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ValueError) as fault:
        Store("postgresql://me:secret@host/x")
    line = 'PCVIZ_DATABASE: postgresql://me:***@host/x needs psycopg: pip install "psycopg[binary]"'
    assert str(fault.value) == line


def test_a_wrong_setting_ends_the_server_in_one_line() -> None:
    process = subprocess.run(
        [sys.executable, "-c", "import app"],
        cwd=ROOT,
        env={**os.environ, "PCVIZ_PAUSED_DAYS": "often"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert process.stderr == "pcviz: PCVIZ_PAUSED_DAYS: often is not a number above 0\n"


def test_a_second_app_on_a_port_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as first:
        first.bind(("localhost", 0))
        first.listen()
        port = first.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == BAD
    assert capsys.readouterr().err == f"port: {port} is in use, perhaps by another pcviz; choose another\n"
