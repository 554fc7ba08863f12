"""What all tests share: reproducible property tests, a database of their own, browser tests last."""

import gc
import os
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import postgresql

os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"  # here, and in every process that a test starts
os.environ["XLA_FLAGS"] = " ".join(
    (
        "--xla_backend_optimization_level=0",
        "--xla_cpu_parallel_codegen_split_count=1",
        "--xla_cpu_use_fusion_emitters=false",
    )
)
"""What tests calculate operation by operation compiles sooner; programs of pcviz have options of their own."""

settings.register_profile("pcviz", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("pcviz")

BROWSER_TESTS = Path(__file__).parent / "browser"
BOTH = tuple(Path(__file__).parent / name for name in ("engine", "store"))
"""Folders whose tests run on SQLite and on PostgreSQL, unless they are marked `sqlite`."""
ALONE_IN = (BROWSER_TESTS, Path(__file__).parent / "engine")
"""Folders of tests that run alone: `make test` looks for them there."""
ALONE = ("test_kills", "test_outage", "test_process", "test_real_run", "test_sharing")
"""Test files that start processes of workers, or measure who waits how long."""
COMPILING = (
    "test_alignment",
    "test_curvature",
    "test_equilibrium",
    "test_front",
    "test_gradients",
    "test_hessian",
    "test_inference",
    "test_learning",
    "test_methods",
    "test_solve",
    "test_theory",
)
"""Test files whose every case compiles a program of its own."""
CASES = 2
"""Cases of one test in those files that `make test` runs, the first and the last; `make test-all` runs all."""

LOOK_EVERY = 10
"""Tests between two looks at how many programs a process has."""
_TESTS = count()


def spread(items: list[pytest.Item]) -> None:
    """Mark all but a few cases of the tests that compile for each case as slow."""
    families: dict[tuple[Path, str], list[pytest.Item]] = {}
    for item in items:
        if item.path.stem in COMPILING:
            families.setdefault((item.path, item.nodeid.split("[")[0]), []).append(item)
    for cases in families.values():
        chosen = {round(i * (len(cases) - 1) / (CASES - 1)) for i in range(CASES)}
        for number, case in enumerate(cases):
            if number not in chosen:
                case.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running, in which `asyncio.run` would refuse to start.
    What starts processes of workers, or the whole app, runs alone: it measures times."""
    spread(items)
    for item in items:
        browser = BROWSER_TESTS in item.path.parents
        if browser:
            item.add_marker(pytest.mark.browser)
        if item.path.stem in ALONE or (browser and "server" not in getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.alone)
        if item.get_closest_marker("alone") and not any(folder in item.path.parents for folder in ALONE_IN):
            raise pytest.UsageError(f"{item.nodeid}: what runs alone is not looked for here (allowed: {ALONE_IN})")
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)


def pytest_collection_finish() -> None:
    """Thousands of tests and all modules stay to the end: the collector of garbage need not look at them ever again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def room_for_programs() -> Iterator[None]:
    """Thousands of programs in one process would be more than the system lets it have. To count them takes long."""
    yield
    if "jax" in sys.modules and next(_TESTS) % LOOK_EVERY == 0:
        from pcviz.jobs.device import MAPS_SHARE, forget_programs

        forget_programs(MAPS_SHARE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of store and engine that ask for `database_url` get one of each kind: of PostgreSQL, `make test` runs those
    marked `postgresql`, `make test-all` runs all."""
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    both = "database_url" in metafunc.fixturenames and any(
        folder in metafunc.definition.path.parents for folder in BOTH
    )
    if both and "sqlite" not in marks:
        slow = [] if "postgresql" in marks else [pytest.mark.slow]
        cases = ["sqlite", pytest.param("postgresql", marks=slow)]
        metafunc.parametrize("database_url", cases, indirect=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A server of PostgreSQL, started by the first test that asks for it. Whoever stops it need not start it again."""
    server = postgresql.Server(postgresql.found())
    yield server
    server.close()


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh SQLite URL in the environment, so that no test touches the runs of the person who tests."""
    url = f"sqlite:///{tmp_path / 'pcviz.db'}"
    monkeypatch.setenv("PCVIZ_DATABASE", url)
    return url


@pytest.fixture
def postgresql_url(postgresql_server: postgresql.Server) -> Iterator[str]:
    """The URL of a fresh store on that server."""
    name = postgresql_server.fresh()
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, own_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a fresh store, also in the environment."""
    kind = getattr(request, "param", "sqlite")
    url: str = own_database if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    monkeypatch.setenv("PCVIZ_DATABASE", url)
    return url


@pytest.fixture
def compiled() -> Iterator[list[str]]:
    """Names of the programs that have been compiled since the test began, or since the list was cleared."""
    import jax

    names: list[str] = []

    def note(event: str, seconds: float, **about: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(about["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(note)
    yield names
    jax.monitoring.unregister_event_duration_listener(note)
