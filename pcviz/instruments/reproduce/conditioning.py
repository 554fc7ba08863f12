"""The condition number of inference at the start, over width and depth (theory.md 4.4): extreme eigenvalues of the
activity Hessian of linear networks, which depend on the weights alone."""

from typing import Any

import jax
import numpy as np

from pcviz.data import load
from pcviz.frames import Value
from pcviz.instruments.reproduce.documents import claim, document_of
from pcviz.instruments.reproduce.exponent import fit
from pcviz.instruments.reproduce.start_options import KINDS, Place, Start, orthogonal_curvatures
from pcviz.numerics.krylov import Work
from pcviz.pcn import build
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward

EXACT = 0.05
"""Share by which condition numbers may miss closed forms: power iteration ends within a few per cent."""
SQUARE, SQUARE_OFF = 2.0, 0.3
"""μPC with skips: the condition number grows as this power of the hidden layers, give or take so much …"""
ALIKE = 2.0
"""… and differs by at most this factor between widths."""
WORSE = 3.0
"""With skips, standard parameters are worse than μPC by at least this factor at the greatest depth."""


def measure(place: Place, protocol: Start) -> Work[dict[str, Any]]:
    """Measure the networks of one cell; returns an entry of the document's `cells`."""
    first = protocol.experiment_of(place, 0)
    data = load(first.data, first.seed, first.dtype)
    x, y = (jax.device_put(part[:1]) for part in (data.x_train, data.y_train))
    smallest, largest = [], []
    for seed in range(protocol.seeds):
        network = build(protocol.experiment_of(place, seed), x.shape[1], y.shape[1])
        z, _ = forward(network, x)
        largest.append(float(largest_curvature(network, x, y, z)[0]))
        yield
        smallest.append(float(smallest_curvature(network, x, y, z)[0]))
        yield
    ratios = np.array(largest) / np.array(smallest)
    return {
        **place._asdict(),
        "condition": float(np.exp(np.log(ratios).mean())),
        "least": float(ratios.min()),
        "greatest": float(ratios.max()),
        "largest": float(np.mean(largest)),
    }


def document(found: list[dict[str, Any]], protocol: Start) -> dict[str, Any]:
    """The document of the cells measured so far: exponents in the number of hidden layers, and the verdict."""
    exponents = {}
    for kind in protocol.kinds:
        own = [cell for cell in found if cell["kind"] == kind]
        law = fit(
            [cell["depth"] - 1 for cell in own], [cell["condition"] for cell in own], [cell["width"] for cell in own]
        )
        exponents[kind] = None if law is None else {"value": law.value, "interval": law.interval}
    judged = verdict(found, exponents, protocol)
    return document_of("conditioning", found, protocol, exponents=exponents, verdict=judged)


def verdict(found: list[dict[str, Any]], exponents: dict[str, Any], protocol: Start) -> list[dict[str, Any]]:
    """The claims with what was measured: `kept` is None while something is missing."""
    whole = len(found) == len(protocol.cells)
    table = {(cell["kind"], cell["width"], cell["depth"]): cell["condition"] for cell in found}
    misses = []
    for width in protocol.widths:
        for depth in protocol.depths:
            if (seen := table.get(("orthogonal", width, depth))) is not None:
                least, greatest = orthogonal_curvatures(depth - 1)
                misses.append(abs(seen / (greatest / least) - 1))
    law = exponents.get("mupc_skips")
    spreads = [
        max(row) / min(row)
        for depth in protocol.depths
        if len(row := [table[at] for n in protocol.widths if (at := ("mupc_skips", n, depth)) in table]) > 1
    ]
    deepest = protocol.depths[-1]
    worse = [
        table[kind, n, deepest] / table["mupc_skips", n, deepest]
        for kind in ("lecun_skips", "uniform_skips")
        for n in protocol.widths
        if (kind, n, deepest) in table and ("mupc_skips", n, deepest) in table
    ]
    label = KINDS["mupc_skips"].label

    def judged(text: str, seen: float | None, kept: bool, interval: Any = None) -> dict[str, Any]:
        return claim(text, seen, kept if whole and seen is not None else None, interval)

    missed, spread, lowest = max(misses, default=None), max(spreads, default=None), min(worse, default=None)
    power = law and law["value"]
    return [
        judged(f"orthogonal maps: κ is that of the closed form within {EXACT:.0%}", missed, (missed or 0) <= EXACT),
        judged(
            f"{label}: κ grows as H^p, p = {SQUARE:g} ± {SQUARE_OFF:g}",
            power,
            abs((power or 0) - SQUARE) <= SQUARE_OFF,
            law and law["interval"],
        ),
        judged(f"{label}: κ differs by at most {ALIKE:g} times between widths", spread, (spread or 0) <= ALIKE),
        judged(
            f"with skips, κ of standard parameters is at least {WORSE:g} times that of μPC at L = {deepest}",
            lowest,
            (lowest or 0) >= WORSE,
        ),
    ]


def values(found: dict[str, Any], protocol: Start) -> dict[str, Value]:
    """The channels of a frame: none yet, the command prints a table."""
    return {}
