"""Compiled programs on disk: of this version, of bounded size, and nothing else is touched."""

import os
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax._src import compilation_cache

from pcviz import __version__
from pcviz.jobs import program_cache
from pcviz.jobs.program_cache import UNUSED_SECONDS, keep_compiled_programs, make_room, remove_other_versions

OPTIONS = ("compilation_cache_dir", "persistent_cache_min_compile_time_secs", "persistent_cache_min_entry_size_bytes")
FLAT = f"jit_scatter-add-{64 * 'a'}-cache"
LONG_AGO = UNUSED_SECONDS + 60


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's cache folder of pcviz, and JAX as if it had not compiled anything yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = {f"jax_{name}": getattr(jax.config, f"jax_{name}") for name in OPTIONS}
    compilation_cache.reset_cache()
    keep_compiled_programs.cache_clear()
    yield tmp_path / "pcviz"
    keep_compiled_programs.cache_clear()
    compilation_cache.reset_cache()
    for name, value in before.items():
        jax.config.update(name, value)


def aged(path: Path, seconds: float) -> Path:
    """The file or folder, as if it had last been used so many seconds ago."""
    at = path.stat().st_mtime - seconds
    os.utime(path, (at, at))
    return path


def test_programs_are_kept_in_a_folder_of_this_version(cache: Path) -> None:
    folder = keep_compiled_programs()
    assert folder == cache / f"programs-{__version__}-jax{jax.__version__}"
    assert program_cache.FOLDERS.fullmatch(folder.name)
    jax.jit(lambda x: x * 12345)(jnp.ones(3)).block_until_ready()
    assert [path.name for path in folder.glob("jit__lambda*-cache")] and len([*cache.iterdir()]) == 1
    assert all(program_cache.FILES.fullmatch(path.name) for path in folder.iterdir())


def test_without_a_place_to_keep_them_programs_are_compiled_anew(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pcviz").touch()
    kept: list[str] = []
    monkeypatch.setattr(jax.config, "update", lambda name, _: kept.append(name))
    assert keep_compiled_programs() is None
    program_cache.tidy()
    assert kept == []
    monkeypatch.undo()


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for age, name in enumerate(("newest", "below/new", "old", "below/oldest")):
        path = tmp_path / name
        path.write_bytes(bytes(100))
        aged(path, 60.0 * age)
    make_room(tmp_path, 400)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4
    os.utime(tmp_path / "old", (os.stat(tmp_path / "old").st_atime + 3600, os.stat(tmp_path / "old").st_mtime))  # read
    make_room(tmp_path, 250)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"newest", "old"}


def test_the_bound_is_looked_at_now_and_then(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_cache, "MOST_BYTES", 1000)
    monkeypatch.setattr(program_cache, "_preparations", iter(range(program_cache.TIDY_EVERY + 1)))
    folder = keep_compiled_programs()
    assert folder is not None
    left = []
    for _ in range(program_cache.TIDY_EVERY + 1):
        (folder / "program").write_bytes(bytes(2000))
        program_cache.tidy()
        left.append((folder / "program").exists())
    assert left == [False] + (program_cache.TIDY_EVERY - 1) * [True] + [False]


def test_other_versions_go_once_nobody_uses_them_and_nothing_else(tmp_path: Path) -> None:
    mine, before, used = (tmp_path / f"programs-{v}" for v in ("2.0-jax0.10.2", "1.9-jax0.9", "2.0-jax0.11.0.dev1"))
    others = [tmp_path / name for name in ("programs", "programs-mine", "programs-2.0-jax0.10-notes", "jit_x-cache")]
    elsewhere = tmp_path / "elsewhere"
    for folder in (mine, before, used, *others, elsewhere):
        folder.mkdir()
        (folder / "program").touch()
    for folder in (mine, before, *others):
        aged(folder, LONG_AGO)
    linked = tmp_path / "programs-1.0-jax0.9"
    linked.symlink_to(elsewhere)
    aged(elsewhere, LONG_AGO)
    for name in (FLAT, "notes.txt"):
        (tmp_path / name).touch()
        aged(tmp_path / name, LONG_AGO)
    (tmp_path / FLAT.replace("a", "b")).touch()
    left = {*tmp_path.iterdir()} - {before, tmp_path / FLAT}
    remove_other_versions(mine)
    assert {*tmp_path.iterdir()} == left
    assert all((folder / "program").exists() for folder in (mine, used, *others, elsewhere))
