"""Reproduction of "PC becomes backprop": what is compared, the fit, when a claim is kept, what the command prints."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.cli.findings import summary
from pcviz.data import load
from pcviz.instruments.reproduce.measures import backprop, equilibria
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.studies.backprop_cells import CONVERGED, SEARCH_STEPS, Backprop, Pair
from pcviz.instruments.reproduce.studies.backprop_charts import expected_excess
from pcviz.numerics.krylov import finish
from pcviz.pcn import Network, build, linear
from pcviz.pcn.infinite_width import expected
from pcviz.pcn.solvers import Settings, solver_of
from pcviz.pcn.stacks import vector
from pcviz.probes.alignment import compare, gradients_at
from tests.instruments.studies import document as made
from tests.instruments.studies import in_parts

FULL, QUICK = STUDIES["pc-is-bp"].full, STUDIES["pc-is-bp"].quick
SMALL = Backprop(
    widths=(16, 64, 256), depths=(2, 4), data=("digits",), activations=("linear",), seeds=(0, 1), times=(0, 3)
)
NONLINEAR = SMALL._replace(activations=("tanh", "relu"), seeds=(0, 1, 2))


def cells(
    power: float,
    factor: float = 1.0,
    seeds: int = 3,
    worse: float = 3.0,
    protocol: Backprop = SMALL,
    left: float | None = None,
) -> list[dict[str, Any]]:
    """Cells whose 1 - cos is a power of L/N, a little different for each seed, with so much gradient `left`."""
    found = []
    for pair in protocol.cells.values():
        if pair.seed < seeds:
            off = factor * (pair.depth / pair.width) ** power * (1 + 0.02 * pair.seed)
            seen = {"total": 1 - off, "worst": 1 - worse * off, "quartiles": [1 - off] * 4, "ratio": 1.1}
            seen |= {"gradient": left, "resting": 0.0}
            times = [{"time": time, **seen} for time in protocol.times]
            found.append({**pair._asdict(), "followed": True, "times": times})
    return found


def test_what_is_compared() -> None:
    assert {pair.data for pair in FULL.cells.values()} == {"digits", "regression"}
    assert len(FULL.seeds) == 3 and FULL.times == (0, 50, 100)
    assert any(width >= 32 * depth for width in QUICK.widths for depth in QUICK.depths)
    for pair in QUICK.cells.values():
        experiment = QUICK.experiment_of(pair)
        assert experiment.network.has_closed_form == (pair.activation == "linear")
        assert experiment.network.skips and experiment.dtype == "float64"
        assert (experiment.network.width, experiment.network.depth) == (pair.width, pair.depth)


def test_networks_that_are_followed_reach_the_widths_of_the_claims() -> None:
    followed = {(p.data, p.activation, p.width, p.depth) for p in FULL.cells.values() if FULL.is_followed(p)}
    for data, activation in ((data, activation) for data in FULL.data for activation in FULL.activations):
        shapes = [key[2:] for key in followed if key[:2] == (data, activation)]
        assert sum(width >= 32 * depth for width, depth in shapes) >= 3
    assert ("digits", "linear", 512, 32) in followed and ("digits", "tanh", 512, 8) not in followed


def test_only_networks_that_learn_are_drawn_over_time() -> None:
    study = STUDIES["pc-is-bp"]
    titles = {p: [c.title for c in study.report([], p).charts] for p in (study.quick, study.full)}
    assert [sum("while weights learn" in title for title in own) for own in titles.values()] == [0, 1]


def test_a_power_law_is_found_and_judged() -> None:
    document = made("pc-is-bp", cells(2.0), SMALL)
    (fit,) = document["fits"]
    assert fit["slope"] == pytest.approx(2.0, abs=0.01) and fit["factor"] == pytest.approx(1.0, abs=0.05)
    assert fit["points"] == 2 * 5, "16 units for 2 layers, 64 and 256 for 2 and 4"
    assert [claim["kept"] for claim in document["verdict"]] == [True, True, True]
    assert document["verdict"][1]["measured"] == pytest.approx(1 - 1.01 * (2 / 64) ** 2)
    text = summary(document | {"seconds": 1.0})
    assert "kept: digits, linear: from 8 units for each layer on 1 - cos grows as (L/N)^p" in text and "L = 4" in text


@pytest.mark.parametrize(("power", "kept"), [(1.0, [False, False, False]), (3.0, [False, True, True])])
def test_other_powers_fail(power: float, kept: list[bool]) -> None:
    document = made("pc-is-bp", cells(power), SMALL)
    assert [claim["kept"] for claim in document["verdict"]] == kept


@pytest.mark.parametrize(("noise", "kept"), [(0.1, False), (1.0, None)])
def test_a_slope_whose_interval_reaches_the_limit_is_not_known(noise: float, kept: bool | None) -> None:
    found = cells(2.5)
    for cell in found:
        miss = 1 - cell["times"][0]["total"]
        cell["times"][0]["total"] = 1 - miss * np.exp(noise * (2 * cell["seed"] - 1))
    document = made("pc-is-bp", found, SMALL)
    assert document["fits"][0]["slope"] == pytest.approx(2.5, abs=0.01), "beyond 2.25"
    assert document["verdict"][0]["kept"] is kept


def test_nothing_is_judged_before_all_is_there() -> None:
    document = made("pc-is-bp", cells(2.0, seeds=1), SMALL)
    assert document["status"] == "stopped" and {claim["kept"] for claim in document["verdict"]} == {None}
    assert made("pc-is-bp", [], SMALL)["fits"][0]["slope"] is None
    assert "not known" in summary(made("pc-is-bp", [], SMALL) | {"seconds": 0.0})


@pytest.mark.parametrize(
    ("shape", "time", "kept"),
    [
        ((16, 4), 0, [True, True, True]),
        ((16, 2), 0, [None, True, True]),
        ((64, 4), -1, [True, True, True]),
        ((64, 2), -1, [True, None, None]),
        ((64, 2), 0, [None, None, None]),
    ],
    ids=["narrow", "wide", "wide, later", "widest, later", "widest"],
)
def test_a_claim_is_not_known_where_one_of_its_networks_did_not_converge(
    shape: tuple[int, int], time: int, kept: list[bool | None]
) -> None:
    found = cells(2.0, protocol=NONLINEAR, left=1e-8)
    assert [claim["kept"] for claim in made("pc-is-bp", found, NONLINEAR)["verdict"]] == [True] * 6
    for cell in found:
        if cell["activation"] == "relu" and (cell["width"], cell["depth"]) == shape:
            cell["times"][time] |= {"gradient": 1e-3, "total": -1.0, "worst": -1.0}
            break
    document = made("pc-is-bp", found, NONLINEAR)
    assert [(e["networks"], e["converged"]) for e in document["equilibria"]] == [(18, 18), (18, 17)]
    assert [claim["kept"] for claim in document["verdict"]] == [True] * 3 + kept
    assert "relu: 17 of 18 networks converged, 0 units per example at rest" in document["how"]
    assert "tanh: 18 of 18 networks converged;" in document["how"], "it has no kink"


def test_how_it_was_measured_before_anything_was() -> None:
    assert "nan" not in made("pc-is-bp", [], NONLINEAR)["how"]


def test_a_part_of_the_cells_has_the_same_charts_and_claims() -> None:
    protocol = NONLINEAR._replace(activations=FULL.activations)
    in_parts("pc-is-bp", cells(2.0, protocol=protocol, left=1e-8), protocol)


@pytest.mark.parametrize(("width", "depth"), [(8, 2), (64, 5), (512, 32)])
def test_the_expected_excess_is_that_of_the_forward_pass(width: int, depth: int) -> None:
    network = FULL.experiment_of(Pair("digits", "linear", width, depth, 0)).network
    assert expected_excess(width, depth) == pytest.approx(expected(network, np.ones((1, 64)), 10).rescaling[0] - 1)


def test_a_network_that_is_not_followed_is_charged_for_one_search() -> None:
    """Of the second seed, which compiles nothing."""
    start = NONLINEAR._replace(activations=("linear", "tanh"), times=(0,))
    longer = start._replace(times=(0, SEARCH_STEPS - 1))
    for pair in start.cells.values():
        if pair.seed == 1:
            once, often = (protocol.parts[pair.name] - 0.05 for protocol in (start, longer))
            assert once < often / SEARCH_STEPS if start.is_followed(pair) else once == pytest.approx(often)


def test_the_charts_do_not_depend_on_what_was_measured() -> None:
    def outline(found: list[dict[str, Any]]) -> list[Any]:
        document = made("pc-is-bp", found, NONLINEAR)
        charts = [(c["title"], c["places"], [curve["name"] for curve in c["curves"]]) for c in document["charts"]]
        return [charts, [claim["claim"] for claim in document["verdict"]]]

    assert outline([]) == outline(cells(2.0, protocol=NONLINEAR, left=1e-8))


def network_of(activation: str, width: int = 8, depth: int = 3) -> tuple[Network, jax.Array, jax.Array]:
    """A small network and eight digits."""
    experiment = SMALL.experiment_of(Pair("digits", activation, width, depth, 0))
    data = load(experiment.data, 0, "float64")
    x, y = (jax.device_put(part[:8]) for part in (data.x_train, data.y_train))
    return build(experiment, x.shape[1], y.shape[1]), x, y


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_equilibrium_is_the_one_that_a_long_descent_reaches(activation: str) -> None:
    """Gradient descent on the activities, which knows neither error coordinates nor kinks."""
    network, x, y = network_of(activation)
    settled, left, resting = equilibria.settled(network, x, y, finish(equilibria.equilibrium(network, x, y)))
    assert left < CONVERGED and (resting > 0) == (activation == "relu")
    descent, settings = solver_of("gradient_descent"), Settings(jnp.asarray(0.1))
    state = descent.begin(network, x, y, settings)
    long = descent.settle(network, x, y, descent.advance(network, x, y, state, 0, 4000, settings), 4000)
    ours, theirs = (np.concatenate([vector(g) for g in gradients_at(network, x, at)]) for at in (settled, long))
    tolerance = {"tanh": 1e-6, "relu": 1e-2}[activation]
    assert np.abs(ours - theirs).max() < tolerance * np.abs(ours).max()
    if activation == "relu":
        assert float(settled.energies.sum()) < float(long.energies.sum()), "plain descent oscillates around kinks"


def test_beside_a_kink_what_is_left_is_the_one_sided_slope() -> None:
    """A unit pinned at zero away from the minimum counts as far as it would descend."""
    network, x, y = network_of("relu")
    state = finish(equilibria.equilibrium(network, x, y))
    _, left, _ = equilibria.settled(network, x, y, state)
    assert state.place.pins is not None
    pins = tuple(pin.at[0, 0, 0].set(True) for pin in state.place.pins)
    z = tuple(own.at[0, 0, 0].set(0.0) for own in state.place.activities)
    _, moved, _ = equilibria.settled(network, x, y, state._replace(place=state.place._replace(pins=pins, activities=z)))
    assert left < CONVERGED < 1e-3 < moved


def test_in_linear_networks_both_ways_lead_to_one_equilibrium() -> None:
    network, x, y = network_of("linear")
    settled, left, _ = equilibria.settled(network, x, y, finish(equilibria.equilibrium(network, x, y)))
    exact = linear.equilibrium(network, x, y)
    assert left < CONVERGED and float(settled.energies.sum()) == pytest.approx(float(exact.energy), rel=1e-10)
    closed = settled._replace(activities=exact.activities, errors=exact.errors)
    same = compare(gradients_at(network, x, settled), gradients_at(network, x, closed))
    assert same.total_cosine > 1 - 1e-6 and np.all(same.cosine > 1 - 1e-6)


def test_a_network_whose_search_does_not_converge_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equilibria, "MOST", equilibria.PIECE)
    seen = finish(backprop.measure(Pair("digits", "tanh", 64, 2, 0), NONLINEAR))["times"]
    assert [one["time"] for one in seen] == [0, 3]
    assert all(one["gradient"] > CONVERGED and math.isnan(one["total"]) for one in seen)


def test_a_tanh_network_becomes_backprop_too() -> None:
    measured = finish(backprop.measure(Pair("digits", "tanh", 64, 2, 0), NONLINEAR))
    assert measured["followed"] and [one["time"] for one in measured["times"]] == [0, 3]
    for one in measured["times"]:
        assert one["gradient"] < CONVERGED and one["resting"] == 0
        assert 0.05 < (1 - one["total"]) / (2 / 64) ** 2 < 5 and one["worst"] <= one["total"]
    assert measured["times"][0]["ratio"] != measured["times"][1]["ratio"], "the weights have moved"


def test_a_wide_network_is_backprop_and_a_narrow_one_is_not() -> None:
    """theory.md 4.3: 1 - cos about (L/N)², and loss over F* - 1 about (e - 1) L/N, for digits at the start."""
    wide = finish(backprop.measure(Pair("digits", "linear", 256, 2, 0), SMALL))
    narrow = finish(backprop.measure(Pair("digits", "linear", 16, 4, 0), SMALL))
    assert [seen["time"] for seen in wide["times"]] == [0, 3]
    for seen in wide["times"]:
        assert seen["total"] > 0.9999 and seen["worst"] > 0.999
    assert narrow["times"][0]["total"] < 0.99
    start = wide["times"][0]
    assert 0.1 < (1 - start["total"]) / (2 / 256) ** 2 < 3
    assert start["ratio"] - 1 == pytest.approx(2 / 256 * ((1 + 1 / 2) - 1), rel=0.3), "E[S] - 1"
    assert narrow["times"][1]["ratio"] != narrow["times"][0]["ratio"], "the weights have moved"
