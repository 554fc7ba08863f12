"""What all tests share: reproducible property tests, a database of their own, browser tests last."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("pcviz", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("pcviz")

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running, in which `asyncio.run` would refuse to start."""
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)


@pytest.fixture(autouse=True)
def database_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh SQLite URL, also in the environment, so that no test touches the runs of the person who tests."""
    url = f"sqlite:///{tmp_path / 'pcviz.db'}"
    monkeypatch.setenv("PCVIZ_DATABASE", url)
    return url
