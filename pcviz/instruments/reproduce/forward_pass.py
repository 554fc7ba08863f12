"""The forward pass at the start: mean squares of activities, and the rescaling S between loss and F*, of linear
networks, against their expected values (theory.md 4.3, 4.5)."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import norm

from pcviz.data import load
from pcviz.frames import Value
from pcviz.instruments.reproduce.documents import claim, document_of
from pcviz.instruments.reproduce.start_options import KINDS, Place, Start, expected_rescaling, growth
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build
from pcviz.pcn.feedforward import forward
from pcviz.pcn.linear import layer_maps, output_jacobians, rescaling

ERRORS = 3.0
"""Standard errors by which a mean may miss its expected value where there is one cell; corrected for their number."""
HEAVY = 0.25
"""Share by which it may where the tail is heavy."""


@compiled()
def _seen(network: Network, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """tr S / K, and the mean squares of the first and of the last hidden layer."""
    activities, _ = forward(network, x)
    s = rescaling(output_jacobians(layer_maps(network)))
    squares = [jnp.mean(stack**2, axis=(1, 2)) for stack in activities]
    return jnp.trace(s) / len(s), squares[0][0], squares[-1][-1]


def measure(place: Place, protocol: Start) -> Work[dict[str, Any]]:
    """Measure the networks of one cell; returns an entry of the document's `cells`."""
    first = protocol.experiment_of(place, 0)
    data = load(first.data, first.seed, first.dtype)
    x = jax.device_put(data.x_train[: protocol.examples])
    seen = []
    for seed in range(protocol.seeds):
        network = build(protocol.experiment_of(place, seed), x.shape[1], data.y_train.shape[1])
        seen.append([float(value) for value in _seen(network, x)])
        yield
    rescalings, starts, ends = np.array(seen).T
    grown = ends / starts
    return {
        **place._asdict(),
        "rescaling": _told(rescalings, expected_rescaling(first)),
        "growth": _told(grown, growth(first) ** (first.hidden_layers - 1)),
    }


def _told(values: np.ndarray, expected: float) -> dict[str, float]:
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return {"mean": float(values.mean()), "error": error, "expected": expected}


def document(found: list[dict[str, Any]], protocol: Start) -> dict[str, Any]:
    """The document of the cells measured so far, and the verdict."""
    return document_of("forward-pass", found, protocol, verdict=verdict(found, protocol))


def allowed_errors(count: int) -> float:
    """How many standard errors one of `count` means may be off, so that all of them hold as often as one would."""
    return float(norm.isf(norm.sf(ERRORS) / count))


def verdict(found: list[dict[str, Any]], protocol: Start) -> list[dict[str, Any]]:
    """One claim for each kind: its S has the expected value in every cell."""
    most = allowed_errors(len(protocol.cells))
    claims = []
    for kind in protocol.kinds:
        own = [cell["rescaling"] for cell in found if cell["kind"] == kind]
        facts, whole = KINDS[kind], len(own) == len(protocol.widths) * len(protocol.depths)
        shares = [abs(cell["mean"] / cell["expected"] - 1) for cell in own]
        errors = [abs(cell["mean"] - cell["expected"]) / max(cell["error"], 1e-12 * cell["expected"]) for cell in own]
        misses, limit = (shares, HEAVY) if facts.heavy else (errors, most)
        how = f"within {HEAVY:.0%}" if facts.heavy else f"within {most:.1f} standard errors"
        text = f"{facts.label}: tr S / K is as expected at every width and depth, {how}"
        claims.append(claim(text, max(misses, default=None), max(misses) <= limit if whole else None))
    return claims


def values(found: dict[str, Any], protocol: Start) -> dict[str, Value]:
    """The channels of a frame: none yet, the command prints a table."""
    return {}
