"""Every panel at every depth: valid bindings, bounded size, what must be in it."""

import json
import subprocess
import sys
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.figures import bindings, style
from pcviz.figures.bindings import Smoothing
from pcviz.instruments import CHANNELS
from pcviz.instruments.panels import PANELS, panel
from pcviz.instruments.training.reading import SIGNS

DEPTHS = (2, 16, 32, 33, 129, 512)
LARGEST = 48_000  # bytes of a figure's JSON


def at_depth(depth: int, **changes: object) -> Experiment:
    return from_paths({"network.depth": depth, **{key.replace("__", "."): value for key, value in changes.items()}})


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", [name for name in PANELS if panel(name, Experiment()).view == "plot"])
def test_bindings_are_valid_and_the_figure_stays_small(name: str, depth: int) -> None:
    made = panel(name, at_depth(depth))
    assert bindings(made.figure), "a live panel listens to something"
    assert len(made.figure.to_json()) < LARGEST
    assert all(channel in CHANNELS for channel in made.csv)
    assert made.scrub is None or CHANNELS[made.scrub].dims == ("R",)
    for binding in bindings(made.figure):
        layered = [n for n in (binding.x, binding.y, binding.z) if n and CHANNELS.get(n) and "L" in CHANNELS[n].dims]
        assert binding.index is None or not layered or binding.index < depth


@pytest.mark.parametrize("name", PANELS)
def test_every_live_panel_has_words_and_survives_new_data(name: str) -> None:
    made = panel(name, Experiment())
    layout = made.figure.layout
    assert made.title and made.alt and made.help and made.idle and made.waiting
    assert (layout.uirevision, layout.hoverdistance) == ("pcviz", 12 if made.pick and made.view == "plot" else -1)
    assert layout.hovermode == ("x" if name == "learning-curves" else "closest")
    json.dumps(made.for_client())


@pytest.mark.parametrize("name", PANELS)
def test_text_and_ground_are_roles_of_the_page(name: str) -> None:
    layout = panel(name, Experiment()).figure.layout.template.layout
    assert layout.font.color == style.TEXT == "var(--st-text-color)"
    assert layout.paper_bgcolor == layout.plot_bgcolor == style.CLEAR


@pytest.mark.parametrize("depth", DEPTHS)
def test_above_32_layers_lines_become_heat_maps(depth: int) -> None:
    figure = panel("activity-convergence", at_depth(depth)).figure
    maps = [trace for trace in figure.data if isinstance(trace, go.Heatmap)]
    lines = [trace for trace in figure.data if trace.meta.get("y") == "energy_trace" and "index" in trace.meta]
    assert (len(lines), bool(maps)) == ((depth, False) if depth <= 32 else (0, True))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", ["energy-balance", "activity-convergence", "landscape", "learning-curves"])
def test_whatever_is_drawn_on_a_logarithm_has_a_marker_for_exact_zeros(name: str, depth: int) -> None:
    bound = bindings(panel(name, at_depth(depth)).figure)
    main = {b.z or b.y or b.x for b in bound if b.zero == "omit"}
    marked = {b.z or b.y or b.x for b in bound if b.zero == "only"}
    # A sum of energies and its bound are zero only where all its parts are, which are marked; theory expects nothing
    # below rounding; marks of what begins lie on the training loss, which is marked.
    assert main - marked <= {"total_energy_trace", "equilibrium_energy", "expected_energy", "sign_history"}


def test_zeros_are_marked_on_an_axis_of_their_own() -> None:
    figure = panel("energy-balance", Experiment()).figure
    bar, _, marker = figure.data[2:]
    assert figure.layout.xaxis2.type == "log" and bar.xaxis == "x2"
    assert figure.layout.xaxis3.range == (-1, 1) and marker.xaxis == "x3"
    assert any(note.text == "exactly 0" for note in figure.layout.annotations)


def test_only_networks_with_a_closed_form_have_an_equilibrium_line() -> None:
    def equilibrium(activation: str, loss: str) -> bool:
        experiment = at_depth(8, network__activation=activation, network__loss=loss)
        figure = panel("activity-convergence", experiment).figure
        return any(b.y == "equilibrium_energy" for b in bindings(figure))

    assert equilibrium("linear", "mse")
    assert not equilibrium("linear", "ce") and not equilibrium("tanh", "mse")


def test_backpropagation_is_labelled_as_what_it_is() -> None:
    made = panel("energy-balance", at_depth(8, learning__rule="bp"))
    assert "½‖δ" in made.figure.layout.xaxis2.title.text
    assert "-dLoss/dz" in made.help
    assert "no relaxation" in (panel("activity-convergence", at_depth(8, learning__rule="bp")).absent or "")
    assert not any(panel(name, Experiment()).absent for name in PANELS)


def test_learning_curves_follow_their_options() -> None:
    figure = panel("learning-curves", Experiment(), x="epoch", log=False, smoothing=30, baseline=1).figure
    bound = bindings(figure)
    assert {b.x for b in bound} == {"epoch_history"}
    assert figure.layout.yaxis.type is None and not any(b.zero for b in bound)
    lines = [b for b in bound if b.y != "sign_history"]
    assert all(b.transform == Smoothing(steps=30) for b in lines), "lines of one plot are alike"
    assert len(bound) - len(lines) == len(SIGNS) and not any(b.transform for b in bound if b not in lines)
    dashed = [trace for trace in figure.data if trace.meta and trace.meta["run"] == 1]
    assert dashed and all(trace.line.dash == "dash" for trace in dashed)


def test_a_regression_has_no_accuracy() -> None:
    experiment = from_paths({"data.name": "regression", "learning.batch_size": 20})
    assert "test_accuracy_history" not in {b.y for b in bindings(panel("learning-curves", experiment).figure)}


def test_the_landscape_never_interpolates() -> None:
    maps = [trace for trace in panel("landscape", Experiment()).figure.data if isinstance(trace, go.Heatmap)]
    assert maps and all(not trace.zsmooth and trace.hoverongaps is False for trace in maps)


def test_many_layers_have_readable_ticks() -> None:
    for depth in range(2, 513):
        ticks = style.layer_axis(depth)["tickvals"]
        assert ticks[0] == 1 and ticks[-1] == depth and len(ticks) <= 11
        gaps = [after - before for before, after in pairwise(ticks)]
        assert depth < 12 or min(gaps) >= 0.5 * max(gaps)


def test_figures_need_neither_jax_nor_streamlit() -> None:
    code = "import sys, pcviz.figures; print([m for m in ('jax', 'streamlit', 'sqlalchemy') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
