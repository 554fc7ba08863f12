"""Find Chrome or Chromium for the browser tests, or install one: `python tests/browser/install.py`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOW_TO_GET_ONE = (
    "Browser tests need Chrome or Chromium: install one (Debian: apt-get install chromium; otherwise "
    "python -m playwright install --with-deps chromium) or set PCVIZ_CHROMIUM to its path."
)
NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright as s; p = s().start(); print(p.chromium.executable_path)"
)


def required() -> bool:
    """Whether a missing browser is a failure (set where one is known to be there) and not a reason to skip."""
    return os.environ.get("PCVIZ_REQUIRE_BROWSER") == "1"


def find_browser() -> Path | None:
    """The executable in $PCVIZ_CHROMIUM, else one on PATH, else Playwright's own; None where none of them runs."""
    if named := os.environ.get("PCVIZ_CHROMIUM"):
        return Path(named) if _runs(Path(named)) else None
    candidates = [Path(found) for name in NAMES if (found := shutil.which(name))] + [MACOS]
    return next(filter(_runs, candidates), None) or _playwrights_own()


def install() -> Path | None:
    """Install Chromium, with Playwright or as root with Debian's package, and return it; None where neither works."""
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        commands += [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]]
    for command in commands:
        _succeeds(command, seconds=300)
        if browser := find_browser():
            return browser
    return None


def _playwrights_own() -> Path | None:
    # In a process of its own: Playwright's synchronous interface refuses to start twice, and tests start it too.
    asked = subprocess.run([sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False)
    path = Path(asked.stdout.strip())
    return path if asked.returncode == 0 and _runs(path) else None


def _runs(path: Path) -> bool:
    """An executable may be there without the libraries it needs, or be a stub that only tells how to install it."""
    return path.is_file() and _succeeds([str(path), "--version"], seconds=30)


def _succeeds(command: list[str], seconds: float) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, capture_output=True, env=environment, timeout=seconds).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    browser = find_browser() or install()
    print(f"Browser for the tests: {browser}" if browser else HOW_TO_GET_ONE)
    sys.exit(1 if browser is None and required() else 0)
