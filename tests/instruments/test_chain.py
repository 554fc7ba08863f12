"""Chains: the numbers of theory.md 4.7, whatever the slices."""

from functools import cache

import numpy as np
import pytest

from pcviz.experiment import Experiment
from pcviz.instruments import CHANNELS
from pcviz.instruments.chain.job import ARROWS, Chain, arrows, plane
from pcviz.instruments.chain.options import DEEPEST, RULES, Options
from pcviz.instruments.chain.race import Race
from pcviz.instruments.jobs import JOBS
from pcviz.store.values import decode_values, encode_values

COUNTS = {
    1: ([14, 12, 11, 5, 12], [11, 9, 8, 5, 10], [10, 8, 8, 4, 10]),
    2: ([181, 350, 233, 30, 80], [32, 31, 32, 16, 25], [27, 26, 27, 14, 22]),
    3: ([10770, 1145, 957, 674, 1466], [127, 108, 112, 87, 82], [97, 81, 82, 78, 64]),
}
"""Updates of BP, PC with 20 steps, and PC at equilibrium, seeds 0 … 4 (theory.md 4.7)."""
SHORT = {"hidden": 2, "cap": 400}


def raced(hidden: int, **options: object) -> Race:
    race = Race(hidden, Options.model_validate(options))
    while not race.done:
        race.advance()
    return race


@cache
def finished() -> Chain:
    job = Chain(Experiment(), SHORT)
    job.run()
    return job


@pytest.mark.parametrize("hidden", COUNTS)
def test_updates_until_the_escape(hidden: int) -> None:
    np.testing.assert_array_equal(raced(hidden).counts, COUNTS[hidden])


@pytest.mark.parametrize("hidden", [2, 3])
def test_pc_escapes_before_bp_and_the_gap_grows(hidden: int) -> None:  # oracle 27
    bp, pc, exact = raced(hidden).counts
    assert (exact < pc).all() and (pc < bp).all()
    assert hidden < 3 or (bp / pc).min() > 5


def test_a_racer_takes_the_steps_of_its_rule() -> None:
    """The recipe of theory.md 4.7 written out, batch by batch."""
    race = raced(2, cap=100, seeds=1)
    rng = np.random.default_rng(0)
    w, losses = 0.05 * rng.standard_normal(3), []
    for _ in range(33):
        x = rng.normal(1, 0.1, 64)
        z = [x, w[0] * x, w[1] * w[0] * x]
        losses.append(np.mean((-x - w[2] * z[2]) ** 2) / 2)
        for _ in range(20):
            e = [z[1] - w[0] * z[0], z[2] - w[1] * z[1], -x - w[2] * z[2]]
            z[1], z[2] = z[1] - 0.1 * (e[0] - w[1] * e[1]), z[2] - 0.1 * (e[1] - w[2] * e[2])
        e = [z[1] - w[0] * z[0], z[2] - w[1] * z[1], -x - w[2] * z[2]]
        w = w + 0.4 * np.array([np.mean(a * b) for a, b in zip(e, z, strict=True)])
    assert race.counts[1, 0] == next(n for n, loss in enumerate(losses) if loss < 0.25)


@pytest.mark.slow
def test_few_large_steps_of_inference_hold_deep_chains_at_the_limit_of_convergence() -> None:
    """The last weight grows until dt (1 + w²) = 2; the same time in smaller steps, or more of it, lets all escape."""
    held = raced(5)
    assert held.capped[1].all() and np.isfinite(held.counts[2]).all()
    np.testing.assert_allclose(np.abs(held.weights[1, :, -1]), np.sqrt(2 / 0.1 - 1), rtol=1e-3)
    for options in ({"dt": 0.05, "inference_steps": 40}, {"inference_steps": 100}):
        assert np.isfinite(raced(5, **options).counts[1]).all()


@pytest.mark.slow
def test_the_deeper_the_wider_the_gap() -> None:
    bp, pc, exact = raced(4).counts
    np.testing.assert_array_equal(bp, [np.nan, 19311, 9425, 5872, 10056])
    np.testing.assert_array_equal(pc, [np.nan, 616, 630, 244, 393])
    np.testing.assert_array_equal(exact, [868, 380, 374, 168, 242])


def test_who_is_too_slow_is_stopped_and_who_leaves_is_told() -> None:
    slow = raced(3, cap=200)
    assert slow.step == 200 and slow.capped[0].all() and not slow.capped[1:].any()
    wild = raced(3, cap=200, dt=1.0)  # Euler steps diverge once the last weight is above 1
    np.testing.assert_array_equal(wild.diverged, [[False] * 5, [True] * 5, [False] * 5])
    assert np.isnan(wild.losses[1]).all() and not wild.capped[1:].any()


def test_the_same_whatever_the_slices() -> None:
    other = Chain(Experiment(), SHORT)
    other.prepare()
    frames = []
    while not other.done:
        before = other.step
        other.advance(before + 1, 0.0)
        frames.append(other.frame(bulk=True).values)
        assert other.step >= before
    ours, theirs = (job.frame(bulk=True).values for job in (finished(), other))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    # What was told is never taken back.
    for early in frames:
        told = np.asarray(early["race_loss"])
        np.testing.assert_array_equal(
            told[np.isfinite(told)], np.asarray(ours["race_loss"])[: len(told)][np.isfinite(told)]
        )
    assert len(frames) > 10


def test_it_stops_where_it_is_told_and_begins_again_from_a_checkpoint() -> None:
    job = Chain(Experiment(), SHORT)
    job.advance(1, 1e9)
    assert 1 <= job.step < 100 and np.size(job.frame(bulk=True).values["race_steps"]) == 0
    again = Chain(Experiment(), SHORT)
    again.restore(job.checkpoint())
    again.run()
    np.testing.assert_array_equal(
        again.frame(bulk=True).values["race_loss"], finished().frame(bulk=True).values["race_loss"]
    )


def test_channels_have_the_dimensions_that_the_table_says() -> None:
    values = finished().frame(bulk=True).values
    progress = {"seconds_left", "training_step", "training_steps", "compiling"}
    assert set(values) - progress == {name for name in CHANNELS if name.startswith(("chain_", "race_"))}
    sizes = {"5": DEEPEST, "3": len(RULES), "J": 15, "F": 75}
    for name, value in decode_values(encode_values(values)).items():
        for dim, size in zip(CHANNELS[name].dims, np.shape(value), strict=True):
            # Broken lines have as many points as they need, both coordinates the same.
            assert sizes.setdefault(name[:-1] if dim == "E" else dim, size) == size, name


def test_every_line_ends_where_its_racer_stopped() -> None:
    job = finished()
    losses = np.asarray(job.frame(bulk=True).values["race_loss"]).reshape(-1, DEEPEST, len(RULES), 5)
    for race, lines in zip(job.races, np.moveaxis(losses, 1, 0), strict=True):
        last = np.flatnonzero(np.isfinite(lines[:, 0, 0]))[-1]
        np.testing.assert_array_equal(lines[last], race.losses)
        np.testing.assert_array_equal(race.losses < 0.25, np.isfinite(race.counts))


def test_medians_count_who_was_stopped() -> None:
    values = finished().frame(bulk=True).values
    median, above = np.asarray(values["race_median"]), np.asarray(values["race_above_cap"])
    np.testing.assert_array_equal(median[:2], [[12, 9, 8], [181, 31, 26]])
    assert np.isnan(median[2, 0]) and above[2, 0] == 3 and np.asarray(values["race_capped"])[2, 0] == 400
    assert (np.isnan(median) != np.isnan(above)).all()


def test_the_plane_shows_the_saddle() -> None:
    one, three = (plane(Options(hidden=hidden)) for hidden in (1, 3))
    assert one["chain_curvature_loss"] == pytest.approx(-1.01)
    assert one["chain_curvature_energy"] == pytest.approx(-1.01 * (1 + np.sqrt(5)) / 2)
    assert three["chain_curvature_loss"] == pytest.approx(-1.01 / 4)  # the product of the two others
    assert np.min(one["chain_loss"]) > 0
    np.testing.assert_array_less(one["chain_energy"], one["chain_loss"])


def test_arrows_point_along_the_slope() -> None:
    tail, slope = np.array([[0.5, -1.0]]), np.array([[3.0, 4.0]])
    drawn = arrows(tail, slope)
    shaft = drawn[1] - drawn[0]
    assert shaft @ slope[0] == pytest.approx(np.linalg.norm(shaft) * 5)
    assert np.linalg.norm(shaft) < 0.8 * 5 / (ARROWS - 1)
    assert not np.isnan(drawn[[0, 1, 3, 4, 5]]).any() and np.isnan(drawn[[2, 6]]).all()
    # The barbs lie on both sides of the shaft, behind the head.
    sides = [shaft[0] * (b - drawn[0])[1] - shaft[1] * (b - drawn[0])[0] for b in (drawn[3], drawn[5])]
    assert sides[0] == pytest.approx(-sides[1]) and sides[0] != 0


def test_options() -> None:
    assert JOBS["chain"] is Chain
    assert Options.model_validate(Options(hidden=4).stored()) == Options(hidden=4)
    for wrong in ({"hidden": 6}, {"hidden": 0}, {"seeds": 0}, {"learning_rate": 0}, {"cap": 10**7}, {"nonsense": 1}):
        with pytest.raises(ValueError):
            Options.model_validate(wrong)
