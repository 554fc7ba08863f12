"""The Scaling page as a person uses it."""

import re

from playwright.sync_api import Page, expect

from tests.browser.on_page import button, panel, plot, state, wait_for

SMALL = "v=2&network_depth=4&network_width=8&network_activation=tanh&learning_steps=5&inference_steps=4"


def cells(page: Page) -> int:
    """How many cells the heat map shows."""
    count = "[...(plot.data?.[1].z ?? [])].flatMap((row) => [...row]).filter(Number.isFinite).length"
    return int(plot(page, "sweep-map", count))


def test_a_sweep_fills_the_picture_and_a_reload_finds_it(page: Page) -> None:
    page.goto(f"/scaling?{SMALL}")
    expect(button(page, "play")).to_be_enabled(timeout=30_000)
    button(page, "play").click()
    wait_for(page, lambda: state(page, "sweep-map") == "done" and cells(page) == 28)
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"))
    expect(page.locator(".pcviz-metrics")).to_contain_text("28 of 28")
    assert plot(page, "sweep-curves", "plot.data.filter((trace) => trace.y.some(Number.isFinite)).length") == 4
    assert plot(page, "sweep-optimum", "plot.data.at(-1).y.length") == 4
    losses = plot(page, "sweep-map", "plot.data[1].customdata")

    page.get_by_role("combobox", name=re.compile("Show")).click()
    page.get_by_role("option", name="test accuracy").click()
    expect(panel(page, "sweep-map")).to_contain_text("test accuracy")
    wait_for(page, lambda: cells(page) == 28)
    assert plot(page, "sweep-map", "plot.data[1].customdata") != losses

    page.reload()
    expect(panel(page, "sweep-map")).to_be_visible(timeout=30_000)
    wait_for(page, lambda: state(page, "sweep-map") == "done" and cells(page) == 28)
    expect(page.locator(".pcviz-metrics")).to_contain_text("28 of 28")

    plot(page, "sweep-map", "plot.emit('plotly_click', { points: [{ x: 2, y: 1 }] })")
    row = page.locator(".st-key-sweep_cell")
    expect(row).to_contain_text("learning.learning_rate=0.01 network.width=32", timeout=30_000)
    row.get_by_role("button", name="Train this cell").click()
    page.wait_for_url(re.compile("learning_learning_rate=0.01"))
    wait_for(page, lambda: state(page, "learning-curves") == "done")
