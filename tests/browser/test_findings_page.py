"""The Findings page as a person uses it."""

import json
import re

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from pcviz.instruments.reproduce.options import Options
from tests.browser.on_page import button, panel, plot, state, wait_for
from tests.browser.test_accessibility import check


def test_a_finding_is_measured_judged_and_saved(page: Page) -> None:
    options = Options(finding="escape")
    study, protocol = options.study, options.chosen
    page.goto("/findings?v=2&finding=escape")
    expect(button(page, "play")).to_be_enabled(timeout=30_000)
    expect(panel(page, "finding-1")).to_contain_text(study.report([], protocol).charts[0].title)
    expect(page.get_by_text("All findings: 0 of")).to_be_visible()
    button(page, "play").click()
    wait_for(page, lambda: state(page, "finding-1") == "done", seconds=120)
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"))
    check(page, "after the run")
    claims = page.locator(".st-key-claims")
    with page.expect_download() as saved:
        claims.get_by_role("button", name="Cells (CSV)").click()
    table = pd.read_csv(saved.value.path())
    found = [{**row, "updates": json.loads(row["updates"])} for row in table.to_dict("records")]
    assert sorted(table["name"]) == sorted(protocol.cells)
    report = study.report(found, protocol)
    kept = sum(claim.kept is True for claim in report.claims)
    assert kept >= 3
    heading = page.get_by_role("heading", name=re.compile(f"Claims: {kept} kept"))
    expect(heading).to_be_visible(timeout=30_000)
    expect(claims.get_by_role("row", name=re.compile("kept H = 3: backprop's updates grow as"))).to_be_visible()
    drawn = plot(page, "finding-1", "[...plot.data.find((trace) => trace.mode === 'lines+markers').y].slice(0, 3)")
    assert drawn == pytest.approx(report.charts[0].curves[0].middle)
    with page.expect_download() as saved:
        claims.get_by_role("button", name="Cells (Parquet)").click()
    pd.testing.assert_frame_equal(pd.read_parquet(saved.value.path()), table)
    with page.expect_download() as saved:
        claims.get_by_role("button", name="LaTeX").click()
    assert saved.value.path().read_text().startswith(r"\begin{tabular}{lrrr}")

    page.reload()
    expect(page.get_by_text("All findings: 1 of")).to_be_visible(timeout=30_000)
    expect(heading).to_be_visible()
    page.get_by_role("radio", name="Full").click()
    expect(heading).not_to_be_visible()
    page.get_by_role("radio", name="Quick").click()
    expect(heading).to_be_visible(timeout=30_000)
