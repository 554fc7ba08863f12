"""Studies: every one has its measure, and what it shows depends on its protocol alone."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from pcviz.instruments.charts import Chart, Curve, chart_rows, chart_values, latex
from pcviz.instruments.reproduce.figures import MOST, PANELS, chart_figure
from pcviz.instruments.reproduce.measures import MEASURES
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.picture import claims_of, claims_with, curves_of, first_curves, outline_of
from pcviz.instruments.reproduce.statistics import mean
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.study import Claim, document_of

PROTOCOLS = [(name, protocol) for name in STUDIES for protocol in ("quick", "full")]


def test_every_study_is_measured_somehow() -> None:
    assert STUDIES.keys() == MEASURES.keys()
    labels = [study.label for study in STUDIES.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(("name", "protocol"), PROTOCOLS)
def test_what_is_shown_before_anything_is_measured(name: str, protocol: str) -> None:
    options = Options.model_validate({"finding": name, "protocol": protocol})
    told = options.study.report([], options.chosen)
    assert 1 <= len(told.charts) <= MOST
    for chart in told.charts:
        assert chart.title and chart.y and chart.help and len(chart.places) > 0
        assert len({curve.name for curve in chart.curves}) == len(chart.curves)
        for curve in chart.curves:
            assert all(map(math.isnan, curve.middle))
            assert {len(part) for part in curve[1:]} <= {0, len(chart.places)}, curve.name
    assert told.claims and all(claim.kept is None and claim.measured is None for claim in told.claims)
    assert options.parts(None).keys() == options.chosen.cells.keys()  # type: ignore[arg-type]
    for chart, panel in zip(told.charts, PANELS.values(), strict=False):
        assert panel(options=options).title == chart.title


@pytest.mark.parametrize("name", STUDIES)
def test_a_paper_has_more_seeds_and_networks_than_a_class(name: str) -> None:
    study = STUDIES[name]
    assert len(study.quick.cells) < len(study.full.cells)
    seeds = study.full.seeds
    assert (seeds if isinstance(seeds, int) else len(seeds)) >= 3


CHART = Chart(
    "μ_1 & more",
    "depth L",
    "κ",
    (1, 2, 4),
    [
        Curve("a", [1.0, math.nan, 3.0], [0.5, math.nan, 3.0], [2.0, math.nan, 3.0], reference=[1.5, 2.5, math.nan]),
        Curve("b", [math.nan] * 3, above=[math.nan, 7.0, math.nan]),
    ],
    "help",
)


def document(*charts: Chart) -> list[dict[str, Any]]:
    study = STUDIES["conditioning"]
    made = study._replace(report=lambda found, protocol: study.report([], protocol)._replace(charts=charts))
    return list(document_of("conditioning", made, [], study.quick)["charts"])


def test_tables() -> None:
    (chart,) = document(CHART)
    assert chart_rows(chart) == [
        ["μ_1 & more (depth L)", "1", "2", "4"],
        ["a", "1 (0.5 to 2)", "–", "3"],
        ["  published", "1.5", "2.5", "–"],
        ["b", "–", "> 7", "–"],
    ]
    assert chart_rows(chart, most=2)[1] == ["a", "1 (0.5 to 2)", "3"]
    rows = chart_values([chart])
    assert len(rows) == 6
    assert rows[0] == {
        "chart": "μ_1 & more", "curve": "a", "place": "1", "middle": 1.0, "low": 0.5, "high": 2.0, "above": None,
        "reference": 1.5,
    }  # fmt: skip
    text = latex(chart)
    assert r"$\mu$\_1 \& more (depth L) & 1 & 2 & 4 \\" in text
    assert text.startswith(r"\begin{tabular}{lrrr}") and text.rstrip().endswith(r"\end{tabular}")


def test_charts_lie_beside_each_other_in_the_channels() -> None:
    longer = CHART._replace(places=(1, 2, 3, 4, 5), curves=[Curve("c", [1.0, 2.0, 3.0, 4.0, 5.0])])
    values = curves_of([CHART, longer])
    assert list(first_curves([CHART, longer])) == [0, 2]
    np.testing.assert_array_equal(
        np.asarray(values["finding_middle"]).T,
        [[1, np.nan, 3, np.nan, np.nan], [np.nan] * 5, [1, 2, 3, 4, 5]],
    )
    assert np.asarray(values["finding_above"])[1, 1] == 7


def test_claims_survive_their_channel() -> None:
    claims = [Claim("a", 1.5, True, (1.0, 2.0)), Claim("b", None, None), Claim("c", 0.0, False)]
    blank = [Claim(claim.text, None, None) for claim in claims]
    assert claims_with(blank, claims_of(claims)) == claims


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6))
def test_means_have_the_interval_of_student(values: list[float]) -> None:
    found = mean([*values, math.nan])
    spread = np.std(values, ddof=1)
    if spread > 1e-9:
        low, high = student.interval(0.95, len(values) - 1, np.mean(values), spread / math.sqrt(len(values)))
        assert found == pytest.approx((np.mean(values), low, high))
    assert mean(values, log=True).middle == pytest.approx(np.exp(np.log(values).mean()))


def test_what_is_not_known_has_no_mean() -> None:
    assert all(map(math.isnan, mean([math.nan])))
    alone = mean([2.0])
    assert alone.middle == 2 and math.isnan(alone.low) and math.isnan(alone.high)


@pytest.mark.parametrize("name", STUDIES)
def test_curves_of_a_chart_can_be_told_apart(name: str) -> None:
    study = STUDIES[name]
    for chart in study.report([], study.full).charts:
        made = chart_figure(chart)
        forms = [
            (trace.line.color or trace.marker.color, trace.line.dash, trace.marker.symbol)
            for trace in made.data
            if trace.showlegend is not False
        ]
        assert len(set(forms)) == len(chart.curves), chart.title


def test_outlines_tell_studies_apart() -> None:
    assert len({outline_of(study.report([], study.full)) for study in STUDIES.values()}) == len(STUDIES)
