"""Figures filled in Python show what the browser would."""

import numpy as np
import pytest

from pcviz.figures import Traces, style
from pcviz.figures.filled import filled, on_paper

VALUES = {
    "curve_steps": np.array([1, 2, 3]),
    "twin_curve": np.arange(48.0).reshape(3, 16),
    "vital_error": np.array([[0.0, 1.0], [2.0, 0.0]]),
}


def test_values_go_where_bindings_say() -> None:
    figure = style.blank()
    curves = Traces(figure, 0, "diagnose", x="curve_steps")
    curves.line("a", y="twin_curve", index=2)
    curves.line("b", y="twin_curve", index=5, text="twin_curve")
    curves.line("later", y="weight_changes", index=0)
    made = filled(figure, VALUES).data
    np.testing.assert_array_equal(made[0].x, [1, 2, 3])
    np.testing.assert_array_equal(made[0].y, [2, 18, 34])
    np.testing.assert_array_equal(made[1].customdata, [5, 21, 37])
    assert not len(made[2].y), "not measured"
    assert not len(figure.data[0].y), "a copy"


def test_exact_zeros_are_left_out_or_marked() -> None:
    figure = style.blank()
    layers = Traces(figure, 0, "diagnose", x=[1, 2], y="vital_error", index=1)
    layers.line("error", zero="omit")
    layers.zeros()
    line, zeros = filled(figure, VALUES).data
    np.testing.assert_array_equal(line.y, [1, np.nan])
    np.testing.assert_array_equal(zeros.y, [np.nan, 0])


def test_what_only_a_stream_can_draw_is_refused() -> None:
    figure = style.blank()
    Traces(figure, 0, "train", x="step_history", y="test_loss_history").line("points", append=True)
    with pytest.raises(ValueError, match="cannot be filled"):
        filled(figure, {})


def test_on_paper_no_colour_depends_on_a_page() -> None:
    figure = style.blank(xaxis=style.layer_axis(4), yaxis=style.log_axis())
    Traces(figure, 0, "diagnose", x=[1, 2], y=[1, 2]).line("a", colour=style.TEXT, fillcolor=style.ZERO)
    text = on_paper(figure).to_json()
    assert "var(" not in text and "#222222" in text and "#dddddd" in text
