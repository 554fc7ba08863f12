"""Reproductions of networks at the start: expected values against other derivations of them, and the verdicts."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from pcviz.cli.findings import summary
from pcviz.instruments.reproduce.measures import conditioning, forward_pass
from pcviz.instruments.reproduce.studies.conditioning import PUBLISHED
from pcviz.instruments.reproduce.studies.forward_pass import HEAVY, allowed_errors
from pcviz.instruments.reproduce.studies.start import (
    CONDITIONING,
    FORWARD,
    KINDS,
    Cell,
    Start,
    orthogonal_curvatures,
)
from pcviz.numerics.krylov import finish
from pcviz.pcn import build
from pcviz.pcn.activations import ACTIVATIONS as PHI
from pcviz.pcn.feedforward import forward, output_and_jacobians
from pcviz.pcn.infinite_width import expected as wide
from pcviz.pcn.infinite_width import moments
from pcviz.pcn.linear import layer_maps, output_jacobians, rescaling
from tests.instruments.studies import document as made
from tests.instruments.studies import in_parts

SMALL = Start((8, 32), (3, 5), 12)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mupc_skips", lambda n, l: 1 + l / n * ((1 + 1 / l) ** (l - 1) - 1)),
        ("mupc", lambda n, l: 1 + (l - 1) / n),
        ("ntp_skips", lambda n, l: 1 + l * ((1 + 1 / l) ** (l - 1) - 1)),
        ("ntp", lambda n, l: l),
        ("lecun_skips", lambda n, l: 2 ** (l - 1)),
        ("lecun", lambda n, l: l),
        ("uniform_skips", lambda n, l: (4 / 3) ** (l - 1)),
        ("uniform", lambda n, l: (1 - 3.0**-l) / (2 / 3)),
        ("orthogonal", lambda n, l: l),
    ],
)
def test_the_expected_rescaling_is_that_of_the_table(kind: str, expected: Any) -> None:
    """The closed forms of the literature, kind by kind, from one formula."""
    for width, depth in ((16, 2), (64, 17), (128, 5)):
        network = FORWARD.experiment_of(Cell(kind, width, depth), 0).network
        assert wide(network, np.ones((1, 10)), 10).rescaling == pytest.approx(expected(width, depth), rel=1e-12)


def test_activities_grow_as_the_literature_says() -> None:
    growths = {"mupc_skips": 1 + 1 / 16, "uniform": 1 / 3, "lecun_skips": 2}
    for kind, growth in growths.items():
        squares = wide(FORWARD.experiment_of(Cell(kind, 64, 16), 0).network, np.ones((1, 10)), 10).squares[:, 0]
        np.testing.assert_allclose(squares[1:] / squares[:-1], growth)


Q = np.array([1e-6, 0.3, 1.0, 7.0, 1e4])


def test_moments_of_activations_are_those_in_closed_form() -> None:
    """Kinks, and slopes that jump there, cost no accuracy."""
    edge = 1 / np.sqrt(Q)
    inside, bell = erf(edge / np.sqrt(2)), 2 * edge * np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi)
    closed = {
        "linear": (Q, 1.0),
        "relu": (Q / 2, 0.5),
        "leaky_relu": (Q * (1 + 1e-4) / 2, (1 + 1e-4) / 2),
        "hard_tanh": (Q * (inside - bell) + (1 - inside), inside),
    }
    for name, wanted in closed.items():
        for found, value in zip(moments(name, Q), wanted, strict=True):
            np.testing.assert_allclose(found, np.broadcast_to(value, Q.shape), rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", PHI)
def test_moments_without_any_variance_are_those_at_zero(name: str) -> None:
    """An input of zeros is an example too."""
    value, slope = jax.jvp(PHI[name], (0.0,), (1.0,))
    found = [part[0] for part in moments(name, 0.0 * Q)]
    assert found == pytest.approx([float(value) ** 2, float(slope) ** 2])


@pytest.mark.parametrize("name", ["tanh", "gelu", "silu", "selu"])
def test_moments_of_activations_are_those_of_another_rule(name: str) -> None:
    """Gauss-Legendre on each side of zero, with so many nodes that it resolves what bends."""
    nodes, weights = np.polynomial.legendre.leggauss(300)
    for q, square, slope in zip(Q[1:4], *(part[1:4] for part in moments(name, Q)), strict=True):
        z = np.concatenate([(nodes + 1) * 5, (nodes - 1) * 5]) * np.sqrt(q)
        density = np.tile(weights, 2) * 5 * np.exp(-(z**2) / q / 2) / np.sqrt(2 * np.pi)
        value, derivative = jax.jvp(PHI[name], (z,), (np.ones_like(z),))
        assert float(square) == pytest.approx(float(density @ value**2), rel=1e-12)
        assert float(slope) == pytest.approx(float(density @ derivative**2), rel=1e-12)


def test_the_forward_pass_is_averaged_after_the_activation() -> None:
    """tanh saturates: of a small and a great input the mean of what follows is not what follows of the mean."""
    network = FORWARD.experiment_of(Cell("ntp", 64, 3, "tanh"), 0).network
    x = np.array([[0.1], [10.0]])
    both = wide(network, x, 10)
    alone = [wide(network, one[None], 10) for one in x]
    np.testing.assert_allclose(both.squares, np.concatenate([one.squares for one in alone], axis=1))
    np.testing.assert_allclose(both.rescaling, np.concatenate([one.rescaling for one in alone]))
    assert both.squares[1].max() < 1 < both.squares[0].max()


def test_the_rescaling_of_one_hidden_layer_of_infinite_width() -> None:
    """S = 1 + a² N v E[phi'²], with the slope of relu, 1/2, whatever the input."""
    network = FORWARD.experiment_of(Cell("ntp", 64, 2, "relu"), 0).network
    assert wide(network, np.ones((1, 3)), 10).rescaling == pytest.approx(1.5)


@pytest.mark.parametrize("hidden", [1, 2, 5, 32])
def test_curvatures_of_orthogonal_maps_are_those_of_two_chains(hidden: int) -> None:
    seen, unseen = (2 * np.eye(hidden) - np.eye(hidden, k=1) - np.eye(hidden, k=-1) for _ in range(2))
    unseen[-1, -1] = 1
    ends = np.concatenate([np.linalg.eigvalsh(seen), np.linalg.eigvalsh(unseen)])
    assert orthogonal_curvatures(hidden) == pytest.approx((ends.min(), ends.max()))


@pytest.mark.parametrize("kind", KINDS)
def test_means_over_seeds_are_as_expected(kind: str) -> None:
    cell = finish(forward_pass.measure(Cell(kind, 32, 5), SMALL))
    for name in ("rescaling", "growth"):
        told = cell[name]
        off = abs(told["mean"] - told["expected"])
        room = HEAVY * told["expected"] if KINDS[kind].heavy else 4 * told["error"]
        assert off <= room + 1e-12 * told["expected"], name


@pytest.mark.parametrize(("kind", "activation"), [("ntp_skips", "tanh"), ("mupc", "relu")])
def test_networks_are_like_infinitely_wide_ones(kind: str, activation: str) -> None:
    cell = finish(forward_pass.measure(Cell(kind, 32, 5, activation), SMALL))
    for name in ("rescaling", "growth"):
        told = cell[name]
        assert abs(told["mean"] - told["expected"]) <= 4 * told["error"] + 5 / 32 * told["expected"], name
        assert told["error"] < 0.2 * told["expected"], "it can fail"


def test_the_rescaling_of_a_linear_network_is_the_same_from_jacobians() -> None:
    network = build(SMALL.experiment_of(Cell("lecun_skips", 8, 5), 0), 4, 3)
    zeros = (jnp.zeros((1, 2, 8)), jnp.zeros((3, 2, 8)))
    output, jacobians = jax.jit(output_and_jacobians)(network, jnp.ones((2, 4)), zeros)
    assert output.shape == (2, 3)
    found = np.sum([np.einsum("kcbn,jcbn->bkj", g, g) for g in jacobians], axis=0) + np.eye(3)
    closed = rescaling(output_jacobians(layer_maps(network)))
    np.testing.assert_allclose(found, np.broadcast_to(closed, (2, 3, 3)), rtol=1e-12)


def test_the_verdict_on_other_activations() -> None:
    protocol = SMALL._replace(activations=("linear", "tanh"))

    def cells(off: float, error: float) -> list[dict[str, Any]]:
        told = {"mean": 10 * (1 + off), "error": error, "expected": 10.0}
        return [{**place._asdict(), "rescaling": told, "growth": told} for place in protocol.cells.values()]

    def kept(off: float, error: float) -> bool | None:
        *_, last = made("forward-pass", cells(off, error), protocol)["verdict"]
        assert last["claim"].startswith("tanh")
        return bool(last["kept"])

    in_parts("forward-pass", cells(0.05, 1e-3), protocol)
    assert kept(0.05, 1e-3), "less than L/N = 3/32"
    assert kept(0.3, 1.0) and not kept(0.3, 0.1), "more, within standard errors or not"
    places = protocol.cells.values()
    assert {place.kind for place in places if place.activation == "tanh" and place.width == 8} == set(
        protocol.at_all_sizes
    )
    assert {place.kind for place in places if place[1:4] == (32, 5, "tanh")} == set(KINDS)


def test_the_verdict_on_the_forward_pass() -> None:
    def cells(off: float, heavy: float, error: float = 0.1) -> list[dict[str, Any]]:
        found = []
        for place in SMALL.cells.values():
            miss = heavy if KINDS[place.kind].heavy else off
            told = {"mean": 10 * (1 + miss), "error": error, "expected": 10.0}
            found.append({**place._asdict(), "rescaling": told, "growth": told})
        return found

    kept = [claim["kept"] for claim in made("forward-pass", cells(0.03, 0.2), SMALL)["verdict"]]
    assert kept == [True] * len(KINDS), "three standard errors, and 20 %"
    kept = [claim["kept"] for claim in made("forward-pass", cells(0.06, 0.5), SMALL)["verdict"]]
    assert kept == [False] * len(KINDS)
    kept = [claim["kept"] for claim in made("forward-pass", cells(0.0, 0.3, error=1.0), SMALL)["verdict"]]
    assert kept == [None if facts.heavy else True for facts in KINDS.values()], "three standard errors: too few seeds"
    part = made("forward-pass", cells(0.0, 0.0)[:-1], SMALL)
    assert part["verdict"][-1]["kept"] is None and part["status"] == "stopped"
    assert 3 < allowed_errors(36) < 4.2 and allowed_errors(1) == pytest.approx(3)
    assert "μPC, skips" in summary(part | {"seconds": 1.0})


def test_condition_numbers_of_orthogonal_maps_are_exact() -> None:
    cell = finish(conditioning.measure(Cell("orthogonal", 32, 9), SMALL._replace(seeds=1)))
    least, greatest = orthogonal_curvatures(8)
    assert cell["condition"] == pytest.approx(greatest / least, rel=0.03)
    assert cell["largest"] == pytest.approx(greatest, rel=0.03)


def test_condition_numbers_of_networks_that_are_not_linear() -> None:
    """The Gauss-Newton Hessian of a relu network with one hidden layer, one target: 1 + |w phi'(z)|² and ones."""
    place = Cell("ntp", 8, 2, "relu", scalar=True)
    cell = finish(conditioning.measure(place, SMALL._replace(seeds=1)))
    network = build(SMALL.experiment_of(place, 0), 1, 1)
    z, _ = forward(network, jnp.ones((1, 1)))
    row = network.stages[-1].weights[0, 0] * (z[0][0, 0] > 0) / np.sqrt(8)
    assert cell["condition"] == pytest.approx(1 + float(row @ row), rel=1e-6)


def test_the_verdict_on_conditioning_with_other_activations() -> None:
    protocol = CONDITIONING._replace(activations=("linear", "tanh", "relu"))

    def cells(power: float, times: float) -> list[dict[str, Any]]:
        found = []
        for place in protocol.cells.values():
            value = 5 * (place.depth - 1) ** (power if place.activation == "tanh" else 2.0) * (place.width / 32) ** 0.25
            if place.scalar:
                value = times * PUBLISHED[place.kind][place.activation]
            row = {"condition": value, "least": value, "greatest": value, "largest": 4.0}
            found.append({**place._asdict(), **row})
        return found

    def verdict(found: list[dict[str, Any]]) -> list[bool | None]:
        return [claim["kept"] for claim in made("conditioning", found, protocol)["verdict"][4:]]

    all_cells = cells(2.2, 1.5)
    in_parts("conditioning", all_cells, protocol)
    assert verdict(all_cells) == [True, True, True, True]
    assert verdict(cells(1.0, 1 / 3)) == [False, True, True, False]
    own = [cell for cell in all_cells if cell["kind"] == "mupc_skips" and not cell["scalar"]]
    assert verdict(own) == [True, True, True, None], "other kinds do not matter"
    assert verdict(own[:-1]) == [True, None, None, None], "relu is not complete"


def test_the_verdict_on_conditioning() -> None:
    protocol = CONDITIONING._replace(activations=("linear",), scalars=())

    def cells(power: float, sp: float) -> list[dict[str, Any]]:
        found = []
        for place in protocol.cells.values():
            hidden = place.depth - 1
            least, greatest = orthogonal_curvatures(hidden)
            value = {"orthogonal": greatest / least, "mupc_skips": 5 * hidden**power}.get(
                place.kind, sp * 5 * hidden**2
            )
            row = {"condition": value, "least": value, "greatest": value, "largest": 4.0}
            found.append({**place._asdict(), **row})
        return found

    document = made("conditioning", cells(2.0, 10.0), protocol)
    assert [claim["kept"] for claim in document["verdict"]] == [True, True, True, True]
    assert document["exponents"]["mupc_skips"]["value"] == pytest.approx(2.0)
    (laws,) = (chart for chart in document["charts"] if chart["title"] == "Exponents in depth")
    assert laws["curves"][0]["middle"][laws["places"].index("μPC, skips")] == pytest.approx(2.0)
    document = made("conditioning", cells(3.0, 0.1), protocol)
    assert [claim["kept"] for claim in document["verdict"]] == [True, False, True, False]
    document = made("conditioning", cells(2.0, 10.0)[:5], protocol)
    assert {claim["kept"] for claim in document["verdict"]} == {None}
    assert made("conditioning", [], protocol)["verdict"][0]["measured"] is None
