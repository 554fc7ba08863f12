"""The animated picture at the top of README: the network view of the Home page, one inference step a frame."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser.conftest import QUIET
from tests.browser.install import HOW_TO_GET_ONE, find_browser
from tests.browser.serve import running_app

FILE = Path(__file__).parents[1] / "docs" / "network.webp"
SIZE = ViewportSize(width=1180, height=900)
STEP_MS, LAST_MS = 160, 1500
IMAGES = 2
"""Images of the test set that are shown one after the other."""


def make(file: Path = FILE) -> None:
    """Open the app in Chromium and write the picture. Raises RuntimeError without a browser."""
    browser = find_browser()
    if browser is None:
        raise RuntimeError(HOW_TO_GET_ONE)
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as app, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(browser), args=list(QUIET))
        page = chromium.new_page(viewport=SIZE, reduced_motion="reduce")  # it waits for keys
        page.goto(app.url)
        shots = [shot for place in range(IMAGES) for shot in _relaxation(page, place)]
        chromium.close()
    frames = [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in shots]
    durations = [duration for _, duration in shots]
    frames[0].save(
        file,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        quality=70,
        method=6,
        minimize_size=True,
    )


def _relaxation(page: Page, place: int) -> list[tuple[bytes, int]]:
    """A picture of each step of an example's relaxation, and how long it is shown."""
    panel = page.locator('[data-panel="network"]')
    page.wait_for_selector('[data-panel="network"][data-inference-step]')
    if place:
        panel.get_by_role("button", name="Next example").click()
        page.wait_for_selector('[data-panel="network"][data-source="live"]')
        page.wait_for_selector('.pcviz-live[data-state="done"]')
        page.wait_for_timeout(3000)
    panel.get_by_role("button", name="First inference step").click()
    panel.focus()
    last = int(panel.locator("input[type=range]").get_attribute("max") or 0)
    shots = []
    for step in range(last + 1):
        page.wait_for_selector(f'[data-panel="network"][data-inference-step="{step}"]')
        shots.append((panel.screenshot(), LAST_MS if step == last else STEP_MS))
        page.keyboard.press("ArrowRight")
    return shots
