"""The Landscape page as a person uses it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pcviz.instruments.curvature.figures import PANELS as CURVATURE_PANELS
from tests.browser.on_page import button, panel, plot, state, wait_for

SMALL = "network_depth=6&network_width=16&network_activation=tanh"
SLOW = "network_depth=24&network_width=48&network_activation=tanh"


def open_page(page: Page, query: str = SMALL) -> None:
    """Open the page with these settings and wait until its buttons act."""
    page.goto(f"/landscape?{query}")
    expect(button(page, "play")).to_be_visible(timeout=30_000)
    expect(panel(page, "surface-3d")).to_be_visible(timeout=30_000)


def computed(page: Page, name: str) -> int:
    """How many points a surface's heat map shows."""
    count = "[...(plot.data?.[0].z ?? [])].flatMap((row) => [...row]).filter(Number.isFinite).length"
    return int(plot(page, name, count))


def layout(page: Page, name: str, path: str) -> Any:
    """A part of a panel's present layout."""
    return plot(page, name, f"plot._fullLayout.{path}")


def test_survey_and_walk_from_a_point(page: Page) -> None:
    open_page(page)
    button(page, "play").click()
    wait_for(page, lambda: state(page, "surface-loss") == "done" and computed(page, "surface-energy") == 21 * 21)
    wait_for(page, lambda: computed(page, "surface-loss") == 21 * 21)  # each panel draws when it can
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"))
    expect(button(page, "cancel")).to_be_disabled()

    box = panel(page, "surface-loss").locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.3 * box["height"])
    drawn = "plot.data.map((trace) => trace.y.length)"
    wait_for(page, lambda: plot(page, "walks", drawn) == [61] * 4)
    assert computed(page, "surface-loss") == 21 * 21, "the surfaces stay"


@pytest.mark.slow
def test_zoom_and_camera_survive_new_points_and_linked_panels_zoom_together(page: Page) -> None:
    open_page(page, SLOW)
    page.locator(".st-key-plane_size input").click()
    page.get_by_role("option", name="41").click()
    button(page, "play").click()
    wait_for(page, lambda: 0 < computed(page, "surface-energy") < 41 * 41 // 2)  # as many follow
    expect(page.locator(".pcviz-metrics")).to_contain_text(re.compile(r"Nowcomputing.*Time left(\d+|under 1) (s|min)"))
    page.evaluate(
        """() => {
          const plot = (name) => document.querySelector(`[data-panel="${name}"] .pcviz-plot`);
          window.Plotly.relayout(plot("surface-loss"), {"xaxis.range": [-0.5, 0.25], "yaxis.range": [0, 0.5]});
          window.Plotly.relayout(plot("surface-3d"), {"scene.camera.eye": {x: 0.5, y: 2, z: 0.25}});
        }"""
    )
    before = computed(page, "surface-energy")
    wait_for(page, lambda: computed(page, "surface-energy") > before, seconds=120)
    page.wait_for_timeout(500)
    for name in ("surface-loss", "surface-energy"):
        assert layout(page, name, "xaxis.range") == [-0.5, 0.25]
        assert layout(page, name, "yaxis.range") == [0, 0.5]
    assert layout(page, "surface-3d", "scene._scene.getCamera().eye") == pytest.approx({"x": 0.5, "y": 2, "z": 0.25})
    button(page, "cancel").click()
    wait_for(page, lambda: state(page, "surface-loss") == "cancelled")


@pytest.mark.slow
def test_every_view_has_a_run_of_its_own(page: Page) -> None:
    open_page(page)
    button(page, "play").click()
    wait_for(page, lambda: state(page, "surface-loss") == "done")
    planes = re.search(r"run=([0-9a-f]{32})", page.url)
    page.get_by_role("radio", name="Toy chains").click()
    expect(panel(page, "chain-surface")).to_be_visible(timeout=30_000)
    button(page, "play").click()
    wait_for(page, lambda: panel(page, "escape-race").get_attribute("data-step") == "100")
    chains = re.search(r"run=([0-9a-f]{32})", page.url)
    assert planes and chains and planes[1] != chains[1]
    page.get_by_role("radio", name="Planes").click()
    wait_for(page, lambda: panel(page, "surface-loss").count() == 1 and computed(page, "surface-loss") == 21 * 21)
    assert planes[1] in page.url
    page.reload()
    wait_for(page, lambda: panel(page, "surface-loss").count() == 1 and computed(page, "surface-loss") == 21 * 21)


@pytest.mark.slow
def test_curvature_of_a_small_network(page: Page) -> None:
    open_page(page, "network_depth=3&network_width=4&network_activation=tanh&data_name=moons")
    page.get_by_role("radio", name="Curvature").click()
    expect(panel(page, "trust-region")).to_be_visible(timeout=30_000)
    button(page, "play").click()
    for name in CURVATURE_PANELS:
        wait_for(page, lambda name=name: panel(page, name).get_attribute("data-step") == "100", seconds=90)  # type: ignore[misc]
