"""pcviz can be installed: what a wheel holds, what it asks for, and where its Streamlit options come from."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit.web.cli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from streamlit import config

from pcviz.cli.main import DONE, main

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WANTED = {"requirements.txt": PROJECT["dependencies"]}
WANTED["requirements-dev.txt"] = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of an operator's own Streamlit options; `pcviz serve` reads all options, and does no more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "get_config_files", config.get_config_files)
    monkeypatch.setattr(
        streamlit.web.cli, "main", lambda *_, **__: config.get_config_options(force_reparse=True) and None
    )
    (tmp_path / ".streamlit").mkdir()
    yield tmp_path / ".streamlit" / "config.toml"
    monkeypatch.undo()
    config.get_config_options(force_reparse=True)


def test_streamlit_options_hold_in_any_folder_and_ones_own_win(options: Path) -> None:
    assert main(["serve", "--port", "65535"]) == DONE
    assert config.get_option("server.address") == "localhost"
    assert config.get_option("client.toolbarMode") == "minimal"
    options.write_text('[server]\naddress = "0.0.0.0"\n[theme.light]\nprimaryColor = "#000000"\n')
    assert main(["serve", "--port", "65535"]) == DONE
    assert config.get_option("server.address") == "0.0.0.0"
    assert config.get_option("theme.light.primaryColor") == "#000000"
    assert config.get_option("server.fileWatcherType") == "none"


@pytest.mark.parametrize("name", WANTED)
def test_pins_are_what_the_project_asks_for(name: str) -> None:
    lines = [line.partition("#") for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    pinned = {pin.name: (pin, told) for text, _, told in lines if text and (pin := Requirement(text))}
    wanted = {canonicalize_name(asked.name): asked for asked in map(Requirement, WANTED[name])}
    assert {pin for pin, (_, told) in pinned.items() if "pcviz (pyproject.toml)" in told} == wanted.keys()
    for pin, (pinned_as, told) in pinned.items():
        (version,) = pinned_as.specifier
        assert version.operator == "==" and "via" in told
        assert pin not in wanted or wanted[pin].specifier.contains(version.version), f"{name}: {pin} (make lock)"


def test_pins_come_from_nowhere_in_particular() -> None:
    for name in WANTED:
        assert not re.search(r"https?://|file:|--(extra-)?index|--find", (ROOT / name).read_text(encoding="utf-8"))
    scripts = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all("integrity" in package for path, package in scripts.items() if path)
    assert {package.get("resolved", "")[:27] for package in scripts.values()} <= {"", "https://registry.npmjs.org/"}


@pytest.mark.slow
def test_a_wheel_has_every_file_and_the_command(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        held = {name: wheel.read(name).decode() for name in wheel.namelist()}
    known = subprocess.run(["git", "ls-files", "pcviz"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert {name for name in held if ".dist-info/" not in name} == {
        *known.stdout.split(),
        "pcviz/.streamlit/config.toml",
    }
    told = {name.rpartition("/")[2]: text for name, text in held.items() if ".dist-info/" in name}
    assert "pcviz = pcviz.__main__:run" in told["entry_points.txt"]
    assert set(re.findall(r"^Provides-Extra: (.*)", told["METADATA"], re.MULTILINE)) == {"gpu", "cluster", "dev"}
