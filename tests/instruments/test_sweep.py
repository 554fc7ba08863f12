"""Sweeps: cells of the grid, what a frame and the document say of them, and how many programs they compile."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.axes import axis
from pcviz.instruments.sweep.grid import as_good, best, grid, summary
from pcviz.instruments.sweep.job import Sweep
from pcviz.instruments.sweep.options import Options

BASE = from_paths(
    {
        "network.depth": 4,
        "network.width": 6,
        "network.activation": "tanh",
        "data.name": "moons",
        "inference.steps": 5,
        "learning.steps": 6,
        "learning.batch_size": 8,
    }
)
VARY = ("network.width=5,6", "learning.learning_rate=log:1e-3..1e-1:3", "seed=0..1")


@pytest.fixture(scope="module")
def swept() -> Sweep:
    job = Sweep(BASE, Options(vary=VARY))
    job.run()
    return job


@pytest.fixture
def programs() -> Iterator[list[str]]:
    names: list[str] = []

    def note(event: str, seconds: float, **about: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(about["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(note)
    yield names
    jax.monitoring.unregister_event_duration_listener(note)


def test_every_cell_is_measured_once_and_is_its_experiment(swept: Sweep) -> None:
    document = swept.document
    assert swept.done and len(document["cells"]) == document["expected"] == 12
    assert document["shapes"] == 2
    for cell in document["cells"]:
        assert swept.cells[cell["name"]] == BASE.changed(cell["changes"])
        assert cell["steps"] == 6 and not cell["diverged"]


def test_loops_are_compiled_once_for_each_shape(programs: list[str]) -> None:
    job = Sweep(BASE.changed({"network.depth": 5}), Options(vary=("network.width=3,4,7", "seed=0..9")))
    job.run()
    assert job.document["shapes"] == 3
    assert programs.count("jit(advance)") + programs.count("advance") == 3


def test_a_restored_sweep_trains_only_what_is_left(swept: Sweep) -> None:
    first, second = (Sweep(BASE, Options(vary=VARY)) for _ in range(2))
    first.advance(3, 60.0)
    second.restore(first.checkpoint())
    assert 3 <= second.step == len(first.results) < 12
    second.run()
    for name, cell in second.results.items():
        assert cell["curve"] == swept.results[name]["curve"]


def test_frames_hold_the_cells_in_their_order(swept: Sweep) -> None:
    values = swept.frame(bulk=True).values
    names = list(swept.cells)
    assert values["sweep_loss"].tolist() == [swept.results[name]["loss"] for name in names]
    assert float(values["sweep_diverged"]) == 0
    fresh = Sweep(BASE, Options(vary=VARY)).frame(bulk=True).values
    assert np.isnan(fresh["sweep_loss"]).all() and len(fresh["sweep_loss"]) == 12


def test_a_grid_has_every_cell_at_its_place(swept: Sweep) -> None:
    cells = [(cell["changes"], cell) for cell in swept.document["cells"]]
    found = grid([axis(text) for text in VARY], cells, "loss")
    assert [each.path for each in found.axes] == ["network.width", "learning.learning_rate"]
    assert found.values.shape == (2, 3, 2) and (found.seeds == 2).all()
    for changes, cell in cells:
        at = (5, 6).index(changes["network.width"]), (0.001, 0.01, 0.1).index(changes["learning.learning_rate"])
        assert found.values[(*at, changes["seed"])] == cell["loss"]


def test_means_are_over_seeds_on_the_scale_of_the_quantity() -> None:
    seeds = [({"seed": seed}, {"loss": loss, "test_accuracy": loss}) for seed, loss in enumerate((1.0, 10.0, 100.0))]
    axes = [axis("seed=0..2")]
    losses = summary(grid(axes, seeds, "loss"), "loss")
    assert losses.middle == pytest.approx(10.0)
    half = 4.302652729749464 * np.log(10) / np.sqrt(3)  # Student, two degrees of freedom
    assert np.log(losses.high / losses.middle) == pytest.approx(half, rel=2e-3)
    assert losses.low * losses.high == pytest.approx(100.0)
    assert summary(grid(axes, seeds, "test_accuracy"), "test_accuracy").middle == pytest.approx(37.0)
    one = summary(grid(axes, seeds[:1], "loss"), "loss")
    assert one.middle == pytest.approx(1.0) and np.isnan(one.low)
    assert np.isnan(summary(grid(axes, [], "loss"), "loss").middle)
    wild = summary(grid(axes, [*seeds[:2], ({"seed": 2}, {"loss": np.inf})], "loss"), "loss")
    assert wild.middle == np.inf


def test_the_best_is_finite_and_what_is_near_is_as_good() -> None:
    middle = np.array([[np.nan, 0.5], [0.54, np.inf]])
    assert best(middle, "loss") == (0, 1)
    assert as_good(middle, "loss").tolist() == [[False, True], [True, False]]
    assert best(np.array([0.5, 0.9, 0.85]), "test_accuracy") == (1,)
    assert as_good(np.array([0.5, 0.9, 0.85]), "test_accuracy").tolist() == [False, True, True]
    assert best(np.array([np.nan, np.inf]), "loss") is None and not as_good(np.array([np.nan]), "loss").any()


def test_the_expected_time_counts_shapes_and_cells() -> None:
    def seconds(*vary: str) -> float:
        return Options(vary=vary).seconds(BASE)

    assert seconds("seed=0..9") < 2 * seconds("seed=0..1") < seconds("network.width=8,9") * 2
    assert Options(vary=VARY).steps(BASE) == 12


@pytest.mark.parametrize("vary", [("nonsense=1",), ("network.width=0",), ("seed=1", "seed=2")])
def test_bad_axes_are_refused(vary: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="vary: "):
        Sweep(Experiment(), {"vary": vary})
