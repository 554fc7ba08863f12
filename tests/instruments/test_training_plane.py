"""The plane of the path and the boundary: pictures of the parent's weights, computed and placed as they say."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import from_paths
from pcviz.frames import Frame
from pcviz.instruments.training.boundary import GRID, Boundary
from pcviz.instruments.training.plane import PROBE, TrainingPlane
from pcviz.jobs.path import MOST, Path
from pcviz.jobs.training import Training
from pcviz.pcn import evaluate
from pcviz.probes.plane import plane, principal_directions, random_directions

SMALL = {"network.depth": 4, "network.width": 8, "learning.steps": 40}


def parent_and(kind: Any, changes: dict[str, object], options: dict[str, object] | None = None) -> tuple[Training, Any]:
    parent = Training(from_paths({**SMALL, **changes}))
    parent.prepare()
    child = kind(parent.experiment, parent, options)
    child.prepare()
    return parent, child


def pictures(child: TrainingPlane) -> list[Frame]:
    found = []
    while not child.idle:
        child.advance(0, 0.0)
        frame = child.frame(bulk=True)
        if "landscape" in frame.values:
            found.append(frame)
    return found


def test_the_middle_of_a_random_plane_is_the_loss_of_the_present_weights() -> None:
    parent, child = parent_and(TrainingPlane, {}, {"directions": "random"})
    parent.advance(5, 100.0)
    last = pictures(child)[-1].values
    here = evaluate(parent.network, parent.data.x_train[: PROBE["loss"]], parent.data.y_train[: PROBE["loss"]]).loss
    assert last["landscape"][10, 10] == pytest.approx(float(here), rel=1e-5)
    assert last["path_loss"][-1] == pytest.approx(float(here), rel=1e-5)


def test_the_first_picture_comes_coarse_to_fine_and_keeps_its_points() -> None:
    parent, child = parent_and(TrainingPlane, {})
    parent.advance(3, 100.0)
    levels = [frame.values["landscape"] for frame in pictures(child)]
    assert [level.shape for level in levels] == [(6, 6), (11, 11), (21, 21)]
    np.testing.assert_array_equal(levels[2][::4, ::4], levels[0])
    assert np.isfinite(levels[2]).all()


def test_a_training_that_ended_before_its_path_was_wanted_has_a_picture_of_its_last_weights() -> None:
    parent = Training(from_paths(SMALL))
    parent.prepare()
    parent.advance(parent.steps, 100.0)
    child = TrainingPlane(parent.experiment, parent)
    child.prepare()
    assert not child.done
    last = pictures(child)[-1].values
    assert last["path_steps"].tolist() == [parent.steps] and np.isfinite(last["landscape"]).all() and child.done


def test_the_path_fills_half_to_four_fifths_of_its_own_plane() -> None:
    parent, child = parent_and(TrainingPlane, {})
    for step in range(1, 31):
        parent.advance(step, 100.0)
    values = pictures(child)[-1].values
    assert values["plane_is_pca"] == 1
    assert 0.5 <= values["path_span"] <= 0.8
    assert 0 < values["path_length"] <= 1 and 0.5 < values["path_variance"] <= 1


def test_a_child_that_is_asked_too_early_does_nothing() -> None:
    _, child = parent_and(TrainingPlane, {})
    assert child.idle
    child.advance(0, 0.1)
    assert child.idle


def test_random_directions_have_the_norms_of_the_filters_and_follow_from_the_seed() -> None:
    parent = Training(from_paths(SMALL))
    parent.prepare()
    one, same = (random_directions(parent.network, 7) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    first = np.asarray(parent.network.stages[0].weight[...])[0]
    rows = one[0][: first.size].reshape(first.shape)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), np.linalg.norm(first, axis=1), rtol=1e-5)


def test_principal_directions_are_orthonormal_and_hold_a_flat_path() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((50, 2)))[0].T
    points = rng.standard_normal((9, 2)) @ basis
    directions = principal_directions(points)
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-12)
    drawn = plane(points, directions, principal=True)
    assert drawn.variance == pytest.approx(1) and drawn.length == pytest.approx(1)
    np.testing.assert_allclose(drawn.center + drawn.path @ directions, points, atol=1e-12)


def test_a_path_is_thinned_evenly() -> None:
    path = Path()
    for step in range(1000):
        if path.due(step):
            path.add(step, np.zeros(3))
    assert len(path.points) == len(path.steps) <= MOST
    gaps = np.diff(path.steps)
    assert gaps.max() <= 2 * gaps.min()


def test_the_boundary_is_what_the_network_says() -> None:
    parent, child = parent_and(Boundary, {"data.name": "moons", "learning.batch_size": 32})
    parent.advance(2, 100.0)
    child.advance(2, 0.1)
    values = child.frame(bulk=True).values
    assert values["boundary"].shape == (GRID, GRID) and child.idle
    assert set(np.unique(values["points_class"])) == {0, 1}


def test_digits_have_no_boundary() -> None:
    with pytest.raises(ValueError, match=r"data\.name: digits"):
        parent_and(Boundary, {})
