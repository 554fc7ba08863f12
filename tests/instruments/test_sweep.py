"""Sweeps: cells of the grid, what a frame and the document say of them, and how many compiled they compile."""

import math
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.axes import axis
from pcviz.instruments.sweep import picture
from pcviz.instruments.sweep.grid import as_good, best, grid, summary
from pcviz.instruments.sweep.job import Sweep
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES
from pcviz.jobs import cohort
from pcviz.jobs.cohort import key_of

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


def test_every_cell_is_measured_once_and_is_its_experiment(swept: Sweep) -> None:
    document = swept.document
    assert swept.done and len(document["cells"]) == document["expected"] == 12
    assert document["shapes"] == 2
    for cell in document["cells"]:
        assert swept.cells[cell["name"]] == BASE.changed(cell["changes"])
        assert cell["steps"] == 6 and not cell["diverged"]


def test_loops_are_compiled_once_for_each_shape(compiled: list[str]) -> None:
    job = Sweep(BASE.changed({"network.depth": 5}), Options(vary=("network.width=3,4,7", "seed=0..9")))
    job.run()
    assert job.document["shapes"] == 3
    assert compiled.count("jit(advance)") + compiled.count("advance") == 3


def test_a_restored_sweep_trains_only_what_is_left(swept: Sweep) -> None:
    first, second = (Sweep(BASE, Options(vary=VARY)) for _ in range(2))
    first.advance(3, 60.0)
    second.restore(first.checkpoint())
    assert 3 <= second.step == len(first.results) < 12
    second.run()
    for name, cell in second.results.items():
        assert cell["curve"] == swept.results[name]["curve"]


class Known(dict[str, Any]):
    """A memory that counts what it was told."""

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        return {key: self[key] for key in keys if key in self}

    def keep(self, results: Mapping[str, Any]) -> None:
        assert not self.keys() & results.keys(), "nothing is computed twice"
        self.update(results)


def test_equal_cells_are_computed_once(swept: Sweep, compiled: list[str]) -> None:
    memory = Known()
    first = Sweep(BASE, Options(vary=VARY))
    first.memory = memory
    first.run()
    assert len(memory) == 12
    wider = Sweep(BASE, Options(vary=("network.width=5,6", "learning.learning_rate=log:1e-3..1e-1:3", "seed=0..2")))
    wider.memory = memory
    wider.advance(1, 0.0)
    assert len(wider.results) == 12, "they are there at once"
    wider.run()
    assert len(memory) == 18
    for name, cell in swept.results.items():
        assert wider.results[name] == cell
    compiled.clear()
    again = Sweep(BASE, Options(vary=VARY))
    again.memory = memory
    again.run()
    assert again.results == first.results and not compiled, "nothing is even compiled"


def test_the_key_holds_all_that_a_result_follows_from(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {key_of(e, "cpu") for e in (BASE, BASE.changed({"seed": 1}), BASE.changed({"learning.steps": 7}))}
    assert len(keys) == 3 and key_of(BASE.changed({}), "cpu") in keys
    assert key_of(BASE, "gpu") not in keys
    monkeypatch.setattr(cohort, "code_version", lambda device: "another")
    assert key_of(BASE, "cpu") not in keys


def test_frames_hold_the_grid(swept: Sweep) -> None:
    values = swept.frame(bulk=True).values
    losses = np.array(
        [
            [
                [
                    swept.results[f"network.width={width} learning.learning_rate={rate} seed={seed}"]["loss"]
                    for seed in (0, 1)
                ]
                for width in (5, 6)
            ]
            for rate in (0.001, 0.01, 0.1)
        ]
    )
    means = np.exp(np.log(losses).mean(-1))  # rates first: the first option is x
    job = Sweep(BASE, Options(vary=(VARY[1], VARY[0], VARY[2])))
    job.results = {" ".join(np.array(name.split())[[1, 0, 2]]): result for name, result in swept.results.items()}
    values = job.frame(bulk=True).values
    np.testing.assert_allclose(values["sweep_loss"], means.T)
    np.testing.assert_allclose(values["sweep_loss_curve"], means)
    assert (np.asarray(values["sweep_loss_low"]) < means).all() and (
        np.asarray(values["sweep_loss_high"]) > means
    ).all()
    assert np.asarray(values["sweep_loss_at"]).tolist() == means.argmin(0).tolist()
    assert float(np.asarray(values["sweep_diverged"])) == 0 and np.isnan(values["sweep_lost"]).all()
    decades = np.ptp(np.log10([0.001, 0.01, 0.1])[means.argmin(0)])
    assert values["sweep_loss_drift"] == pytest.approx(decades)
    fresh = Sweep(BASE, Options(vary=VARY)).frame(bulk=True).values
    assert np.isnan(fresh["sweep_loss"]).all() and np.shape(fresh["sweep_loss"]) == (3, 2)


def test_nothing_is_best_before_a_row_is_complete() -> None:
    options = Options(vary=("learning.learning_rate=log:1e-3..1e-1:3", "network.width=5,6"))
    told = dict.fromkeys(QUANTITIES, 1.0) | {"diverged": False}
    cells = [(options.values(cell), told) for cell in options.cells(BASE).values()]
    part = [(changes, found) for changes, found in cells if changes != {**cells[-1][0], "network.width": 6}]
    assert len(part) == 5
    at, drift = (np.asarray(picture.values(options, part)[f"sweep_loss_{name}"]) for name in ("at", "drift"))
    assert at[0] == 0 and np.isnan(at[1]) and np.isnan(drift)
    assert np.asarray(picture.values(options, cells)["sweep_loss_at"]).tolist() == [0, 0]


def test_blocks_of_a_third_option_and_what_diverged() -> None:
    options = Options(vary=("network.width=5,6", "network.depth=3,4,5", "network.skips=true,false"))
    cells = []
    for width, depth, skips in product((5, 6), (3, 4, 5), (True, False)):
        loss = math.inf if (width, depth, skips) == (6, 5, False) else width + 10 * depth + (1000 if skips else 0)
        changes = {"network.width": width, "network.depth": depth, "network.skips": skips}
        cells.append((changes, dict.fromkeys(QUANTITIES, loss) | {"diverged": math.isinf(loss)}))
    values = {name: np.asarray(value) for name, value in picture.values(options, cells).items()}
    nothing = math.nan
    np.testing.assert_allclose(
        values["sweep_loss"],
        [[1035, 1036, nothing, 35, 36], [1045, 1046, nothing, 45, 46], [1055, 1056, nothing, 55, nothing]],
    )
    assert np.argwhere(values["sweep_lost"] == 0).tolist() == [[2, 4]] and values["sweep_diverged"] == 1
    np.testing.assert_allclose(values["sweep_loss_curve"], [[35, 45, 55], [36, 46, 1056]], err_msg="best of the third")
    assert values["sweep_loss_at"].tolist() == [0, 0, 0]
    worst = [(changes, told | {"loss": 1e9 if changes["network.width"] == 6 else 1.0}) for changes, told in cells]
    shade = np.asarray(picture.values(options, worst)["sweep_loss_shade"])
    assert np.nanmax(shade) == 100.0, "what nearly diverged does not hide the rest"


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


@pytest.mark.parametrize(
    "vary",
    ["learning.layer_rates=1,10", "learning.weight_norm=none,1", "data.train_size=64,all", "network.skips=true,false"],
)
def test_every_kind_of_value_has_its_place(vary: str) -> None:
    """Some options hold numbers as text, or words beside numbers."""
    options = Options(vary=(vary, "seed=0..1"))
    cells = [(options.values(cell), {"loss": 1.0 + cell.seed}) for cell in options.cells(BASE).values()]
    found = grid(options.axes, cells, "loss")
    assert found.values.tolist() == [[1.0, 2.0]] * 2


def test_random_cells_have_no_grid() -> None:
    job = Sweep(BASE, Options(vary=("learning.learning_rate=log:1e-3..1e-1:3",), samples=2))
    job.run()
    assert "sweep_loss" not in job.frame(bulk=True).values and job.document["expected"] == 2


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
