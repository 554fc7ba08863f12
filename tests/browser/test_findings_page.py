"""The Findings page as a person uses it."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_page import button, panel, plot, state, wait_for
from tests.browser.test_accessibility import check


def test_a_finding_is_measured_judged_and_saved(page: Page) -> None:
    page.goto("/findings?v=2&finding=conditioning")
    expect(button(page, "play")).to_be_enabled(timeout=30_000)
    expect(panel(page, "finding-1")).to_contain_text("Condition number κ, N = 16")
    expect(page.get_by_text("All findings: 0 of")).to_be_visible()
    button(page, "play").click()
    wait_for(page, lambda: state(page, "finding-1") == "done", seconds=120)
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"))
    expect(page.get_by_role("heading", name=re.compile("Claims: 4 kept"))).to_be_visible(timeout=30_000)
    claims = page.locator(".st-key-claims")
    expect(claims.get_by_role("row", name=re.compile("kept μPC, skips: κ grows as H"))).to_be_visible()
    conditions = plot(page, "finding-1", "[...plot.data.find((trace) => trace.mode === 'lines+markers').y].slice(0, 3)")
    check(page, "after the run")
    with page.expect_download() as saved:
        claims.get_by_role("button", name="Cells (CSV)").click()
    rows = list(csv.DictReader(saved.value.path().read_text().splitlines()))
    assert len(rows) == 54 and {row["kind"] for row in rows} >= {"mupc_skips", "orthogonal"}
    own = sorted(
        (float(row["depth"]), float(row["condition"]))
        for row in rows
        if (row["kind"], row["width"]) == ("mupc_skips", "16")
    )
    assert [condition for _, condition in own] == pytest.approx(conditions)
    with page.expect_download() as saved:
        claims.get_by_role("button", name="LaTeX").click()
    assert saved.value.path().read_text().startswith(r"\begin{tabular}{lrrr}")

    page.reload()
    expect(page.get_by_text("All findings: 1 of")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", name=re.compile("Claims: 4 kept"))).to_be_visible()
    page.get_by_role("radio", name="Full").click()
    expect(panel(page, "finding-2")).to_contain_text("Condition number κ, N = 128")
    page.get_by_role("radio", name="Quick").click()
    expect(page.get_by_role("heading", name=re.compile("Claims: 4 kept"))).to_be_visible(timeout=30_000)
