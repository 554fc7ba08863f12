"""The panels of the chains in a browser, fed with a whole run."""

import pytest
from playwright.sync_api import Page, expect

from pcviz.experiment import Experiment
from pcviz.instruments.chain.job import Chain
from pcviz.instruments.chain.options import Options
from tests.browser.fake_stream import FakeStream

OPTIONS = Options(hidden=2, cap=2000)
NAMES = ["chain-surface", "escape-race"]


@pytest.mark.parametrize("width", [1440, 390])
def test_surfaces_and_race_are_drawn(page: Page, server: FakeStream, width: int) -> None:
    job = Chain(Experiment(), OPTIONS)
    job.run()
    page.set_viewport_size({"width": width, "height": 900})
    server.show(Experiment(), panels=NAMES, options={name: {"options": OPTIONS} for name in NAMES})
    server.state("running", 100, kind="chain")
    server.frame("chain", 100, job.frame(bulk=True).values)
    page.goto(server.url)
    surface, race = (page.locator(f'[data-panel="{name}"]') for name in NAMES)
    for panel in (surface, race):
        expect(panel).to_have_attribute("data-step", "100", timeout=20_000)
    expect(surface.locator(".pcviz-note")).to_have_text("least curvature in the middle: loss -0.505, F* -1.22")
    # Both maps are squares of the same size, so that arrows point where they should.
    sizes = page.evaluate(
        """() => { const { xaxis, xaxis2, yaxis, yaxis2 } = document.querySelector(
             '[data-panel="chain-surface"] .pcviz-plot')._fullLayout;
           return [xaxis, xaxis2, yaxis, yaxis2].map((axis) => axis._length); }"""
    )
    assert max(sizes) - min(sizes) <= 1 and min(sizes) > 80
    numbers = race.locator(".heatmap-label").all_text_contents()
    assert {"12", "9", "8", "181", "31", "26", "1145", "108", "81"} <= set(numbers)
    above = race.locator(".textpoint", has_text=">2k")
    expect(above).to_have_count(3)  # BP with four and five units, PC with five
