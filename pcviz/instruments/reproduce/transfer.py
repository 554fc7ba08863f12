"""Transfer: the best weight rate at every size, and how far it moves (muPC paper, figures 1 and 5).

What counts is the least training loss of a run, its geometric mean over seeds, with the best activity step for each
rate. A best rate at the edge of those tried says nothing: it may lie beyond.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pcviz.frames import Value
from pcviz.instruments.reproduce.documents import claim, document_of
from pcviz.instruments.reproduce.transfer_options import KINDS, MOVES, STILL, Point, Transfer
from pcviz.instruments.sweep.grid import NEAR
from pcviz.jobs.cohort import trained
from pcviz.numerics.krylov import Work

ROUNDING = 1e-3
"""Decades by which rates, written with six digits, may be off."""


def measure(points: Sequence[Point], protocol: Transfer) -> Work[list[dict[str, Any]]]:
    """Train networks of one size; returns entries of the document's `cells`."""
    found = yield from trained([protocol.experiment_of(point) for point in points])
    kept = ("diverged", "least_loss", "test_accuracy")
    return [point._asdict() | {name: entry[name] for name in kept} for point, entry in zip(points, found, strict=True)]


def document(found: list[dict[str, Any]], protocol: Transfer) -> dict[str, Any]:
    """The document of the networks trained so far: the best rate of every kind and size, and the verdict."""
    kinds = [_kind(kind, found, protocol) for kind in protocol.kinds]
    name = "transfer-width" if protocol.path == "network.width" else "transfer-depth"
    return document_of(name, found, protocol, kinds=kinds, verdict=verdict(kinds, protocol))


def _kind(kind: str, found: list[dict[str, Any]], protocol: Transfer) -> dict[str, Any]:
    losses = _losses(kind, found, protocol)
    rates = protocol.rates(kind)
    rows = [_best(rates, over) for over in _means(losses)]
    by_seed = [
        drift([_best(rates, over) for over in _means(losses[..., [seed]])]) for seed in range(len(protocol.seeds))
    ]
    return {
        "kind": kind,
        "label": KINDS[kind].label,
        "by_size": {str(size): row for size, row in zip(protocol.sizes, rows, strict=True)},
        "drift": drift(rows),
        "drift_of_seeds": by_seed,
        "interior": all(row is not None and row["interior"] for row in rows),
    }


def _losses(kind: str, found: list[dict[str, Any]], protocol: Transfer) -> np.ndarray:
    """(sizes, rates, steps, seeds): NaN where nothing was trained yet."""
    axes = (protocol.sizes, protocol.rates(kind), protocol.steps, protocol.seeds)
    losses = np.full([len(axis) for axis in axes], np.nan)
    for cell in found:
        if cell["kind"] == kind:
            at = (cell[name] for name in ("size", "rate", "step", "seed"))
            losses[tuple(axis.index(value) for axis, value in zip(axes, at, strict=True))] = cell["least_loss"]
    return losses


def _means(losses: np.ndarray) -> np.ndarray:
    """Geometric means over seeds of the best activity step, (sizes, rates); NaN unless all were trained."""
    means: np.ndarray = np.exp(np.log(losses).mean(-1)).min(-1)
    return means


def _best(rates: Sequence[float], losses: np.ndarray) -> dict[str, Any] | None:
    """The best rate, the range that is as good, its loss, and whether it is interior; None before all are known."""
    if np.isnan(losses).any() or not np.isfinite(losses).any():
        return None
    at = int(np.argmin(losses))
    good = np.flatnonzero(losses <= losses[at] * (1 + NEAR))
    return {
        "rate": rates[at],
        "from": rates[good[0]],
        "to": rates[good[-1]],
        "loss": float(losses[at]),
        "interior": 0 < at < len(rates) - 1,
    }


def drift(rows: Sequence[dict[str, Any] | None]) -> float | None:
    """Decades between the least and the greatest of the best rates; None while one is unknown."""
    known = [math.log10(row["rate"]) for row in rows if row is not None]
    return max(known) - min(known) if known and len(known) == len(rows) else None


def verdict(kinds: list[dict[str, Any]], protocol: Transfer) -> list[dict[str, Any]]:
    """The claims with what was measured: `kept` is None while something is missing, or a best rate is at the edge of
    those tried."""
    table = {row["kind"]: row for row in kinds}
    times = f"{protocol.sizes[-1] // protocol.sizes[0]} times the {protocol.path.partition('.')[2]}"
    claims = []
    for kind in protocol.kinds:
        row = table[kind]
        still = kind != "sp"
        most = f"moves at most {STILL:g} decade" if still else f"moves {MOVES:g} decade or more"
        moved = row["drift"]
        known = moved is not None and row["interior"]
        seeds = [value for value in row["drift_of_seeds"] if value is not None]
        kept = (moved <= STILL + ROUNDING if still else moved >= MOVES - ROUNDING) if known else None
        ends = [min(seeds), max(seeds)] if len(seeds) > 1 else None
        claims.append(claim(f"{row['label']}: over {times} the best weight rate {most}", moved, kept, ends))
    return claims


def values(found: dict[str, Any], protocol: Transfer) -> dict[str, Value]:
    """The channels of a frame: none yet, the command prints a table."""
    return {}
