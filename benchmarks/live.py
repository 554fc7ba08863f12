"""How live the page is: the app in Chromium while a network of 128 layers trains (T = 128).

`python -m benchmarks.live [--seconds 60] [--preset mupc-128] [--json]`. Needs the development requirements, a browser.
Prints, each with its requirement: time until the page can be used, time until the first frame on a warm cache, updates
a second of every panel, whether chart nodes were replaced, zoom and hover label kept, least opacity, console errors,
the server's share of a core, and how fast the pause button acts (95th percentile of 20 clicks).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from pcviz.experiment.presets import PRESETS
from tests.browser.conftest import QUIET
from tests.browser.install import find_browser
from tests.browser.serve import App, running_app

PANELS = ("energy-balance", "activity-convergence", "learning-curves")
"""What the training itself feeds; the others show what a child of it finds when it gets its turn."""
CLICKS = 20

TIME_PAUSES = """() => {
  const section = document.querySelector('[data-panel="energy-balance"]');
  let pressed;
  window.pauses = [];
  document.addEventListener('click', (event) => {
    if (event.target.closest('.st-key-pause')) pressed = performance.now();
  }, true);
  new MutationObserver(() => {
    if (pressed === undefined || section.dataset.state !== 'paused') return;
    window.pauses.push(performance.now() - pressed);
    pressed = undefined;
  }).observe(section, { attributes: true, attributeFilter: ['data-state'] });
}"""
"""Notes in `window.pauses` how many milliseconds each click on Pause takes to be seen."""

WATCH = """() => {
  const seen = window.seen = { updates: {}, opacity: 1, plots: [...document.querySelectorAll('.js-plotly-plot')] };
  for (const panel of document.querySelectorAll('[data-panel]')) {
    seen.updates[panel.dataset.panel] = 0;
    new MutationObserver((changes) => {
      seen.updates[panel.dataset.panel] += changes.filter(({ oldValue }) => oldValue !== panel.dataset.step).length;
    }).observe(panel, { attributes: true, attributeFilter: ['data-step'], attributeOldValue: true });
  }
  seen.timer = setInterval(() => {
    for (let node of seen.plots)
      for (; node && node.nodeType === 1; node = node.parentElement)
        seen.opacity = Math.min(seen.opacity, +getComputedStyle(node).opacity);
  }, 50);
}"""
SUMMARY = """() => {
  clearInterval(window.seen.timer);
  const now = [...document.querySelectorAll('.js-plotly-plot')];
  const same = now.length === window.seen.plots.length && now.every((node, i) => node === window.seen.plots[i]);
  return { updates: window.seen.updates, opacity: window.seen.opacity, same };
}"""


@dataclass
class Liveness:
    """What was measured; seconds unless stated otherwise. A share is of one core."""

    usable: float = 0.0
    first_frame: float = 0.0
    updates_per_second: dict[str, float] = field(default_factory=dict)
    nodes_kept: bool = False
    zoom_kept: bool = False
    hover_share: float = 0.0
    least_opacity: float = 0.0
    faults: list[str] = field(default_factory=list)
    server_share: float = 0.0
    pause_p50: float = 0.0
    pause_p95: float = 0.0

    def verdicts(self) -> list[tuple[str, str, bool]]:
        """What was measured, what is required, whether it holds."""
        slowest = min(self.updates_per_second[panel] for panel in PANELS)
        return [
            (f"page usable after {self.usable:.2f} s", "≤ 2 s", self.usable <= 2),
            (f"first frame {self.first_frame:.2f} s after Train (warm cache)", "≤ 5 s", self.first_frame <= 5),
            (f"slowest panel of the training {slowest:.2f} updates/s", "≥ 2", slowest >= 2),
            (f"chart nodes kept: {self.nodes_kept}", "yes", self.nodes_kept),
            (f"zoom kept: {self.zoom_kept}", "yes", self.zoom_kept),
            (f"hover label present in {self.hover_share:.0%} of checks", "100%", self.hover_share == 1),
            (f"least opacity {self.least_opacity:g}", "1", self.least_opacity == 1),
            (f"{len(self.faults)} errors in the console", "0", not self.faults),
            (f"server {self.server_share:.1%} of a core", "≤ 10%", self.server_share <= 0.1),
            (f"pause acts in {self.pause_p95:.3f} s (p95; p50 {self.pause_p50:.3f})", "< 0.5 s", self.pause_p95 < 0.5),
        ]


def wait_for_step(page: Page, step: int, panel: str = "energy-balance") -> None:
    """Wait until a panel has drawn `step`."""
    page.wait_for_function(
        "([panel, step]) => +document.querySelector(`[data-panel=${panel}]`)?.dataset.step >= step",
        arg=[panel, step],
        timeout=180_000,
    )


def state_is(page: Page, state: str) -> None:
    """Wait until the panels say that the run is in `state`."""
    page.wait_for_function(
        "state => document.querySelector('[data-panel=\"energy-balance\"]')?.dataset.state === state",
        arg=state,
        timeout=60_000,
    )


def note(message: ConsoleMessage, faults: list[str]) -> None:
    """Note an error, except for Streamlit's own search for its server below the page's address."""
    address = message.location["url"]
    if message.type == "error" and "/train/_stcore/" not in address:
        faults.append(f"{message.text} {address}")


def press(page: Page, key: str) -> None:
    """Click a transport button as soon as it can be clicked."""
    page.locator(f".st-key-{key} button:not([disabled])").click(timeout=60_000)


def open_and_train(page: Page, address: str, liveness: Liveness) -> None:
    began = time.perf_counter()
    page.goto(address)
    page.locator(".st-key-play button:not([disabled])").wait_for(timeout=60_000)
    liveness.usable = time.perf_counter() - began
    page.wait_for_timeout(1000)
    began = time.perf_counter()
    press(page, "play")
    wait_for_step(page, 1)
    liveness.first_frame = time.perf_counter() - began


def watch(page: Page, app: App, seconds: float, liveness: Liveness) -> None:
    """Zoom into one panel, rest the pointer on another, and watch."""
    zoomed = page.locator('[data-panel="learning-curves"] .js-plotly-plot')
    zoomed.scroll_into_view_if_needed()
    box = zoomed.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.7, steps=5)
    page.mouse.up()
    page.wait_for_timeout(1000)
    ranges = "plot => JSON.stringify([plot._fullLayout.xaxis.range, plot._fullLayout.yaxis.range])"
    before = zoomed.evaluate(ranges)
    resting = page.locator('[data-panel="energy-balance"] .nsewdrag').first
    resting.scroll_into_view_if_needed()
    box = resting.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] * 0.3)  # below the timeline, which stays at the top
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    cpu, began, looks = sum(app.process.cpu_times()[:2]), time.perf_counter(), []
    while time.perf_counter() - began < seconds:
        page.wait_for_timeout(500)
        looks.append(page.locator('[data-panel="energy-balance"] .hovertext').count() > 0)
    elapsed = time.perf_counter() - began
    liveness.server_share = (sum(app.process.cpu_times()[:2]) - cpu) / elapsed
    seen = page.evaluate(SUMMARY)
    liveness.updates_per_second = {panel: count / elapsed for panel, count in seen["updates"].items()}
    liveness.nodes_kept, liveness.least_opacity = seen["same"], seen["opacity"]
    liveness.hover_share = float(np.mean(looks))
    liveness.zoom_kept = zoomed.evaluate(ranges) == before


def click_pause(page: Page, liveness: Liveness) -> None:
    """Pause and resume; the time is from the click's arrival in the page until the panels say paused."""
    page.evaluate(TIME_PAUSES)
    for _ in range(CLICKS):
        state_is(page, "running")
        page.locator(".st-key-pause button:not([disabled])").wait_for()
        page.wait_for_timeout(700)
        press(page, "pause")
        state_is(page, "paused")
        press(page, "play")
    times = page.evaluate("window.pauses")
    liveness.pause_p50, liveness.pause_p95 = (float(q) / 1000 for q in np.quantile(times, [0.5, 0.95]))


def measure(seconds: float, preset: str) -> Liveness:
    """Run the app, warm its cache of compiled programs, then measure in a fresh app and browser."""
    query = "&".join(f"{path.replace('.', '_')}={value}" for path, value in PRESETS[preset].changes.items())
    query = f"{query}&learning_steps=100000".replace("learning_steps=150&", "")
    liveness = Liveness()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(QUIET))
        for warm in (False, True):
            with running_app(Path(folder)) as app:
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                page = context.new_page()
                page.on("console", lambda message: note(message, liveness.faults))
                page.on("pageerror", lambda error: liveness.faults.append(str(error)))
                page.wait_for_timeout(5000)
                open_and_train(page, f"{app.url}/train?{query}", liveness)
                if warm:
                    wait_for_step(page, 10)
                    wait_for_step(page, 1, "network")  # which then takes its full height
                    watch(page, app, seconds, liveness)
                    click_pause(page, liveness)
                press(page, "cancel")
                context.close()
        browser.close()
    return liveness


def main() -> int:
    """Measure, print, and return 0 if all that must hold does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--preset", default="mupc-128", choices=sorted(PRESETS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    liveness = measure(arguments.seconds, arguments.preset)
    verdicts = liveness.verdicts()
    if arguments.json:
        values: dict[str, Any] = asdict(liveness)
        print(json.dumps(values))
    else:
        print("updates/s:", {panel: round(rate, 2) for panel, rate in liveness.updates_per_second.items()})
        for measured, must, holds in verdicts:
            print(f"{'ok  ' if holds else 'MISS'} {measured} (must: {must})")
        print(*liveness.faults[:5], sep="\n")
    return 0 if all(holds for *_, holds in verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
