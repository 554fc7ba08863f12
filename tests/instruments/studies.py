"""Studies in tests."""

from typing import Any

import numpy as np
import orjson

from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.study import Cells, document_of


def document(name: str, found: Cells, protocol: Any) -> dict[str, Any]:
    """The document of a study whose cells were measured somehow."""
    return document_of(name, STUDIES[name], found, protocol) | {"seconds": 1.0, "device": "cpu"}


def in_parts(name: str, found: Cells, protocol: Any) -> None:
    """A study is shown while its cells are measured, of which any may be missing: what is there so far has a report of
    the same form as all of it. Its document can be written as JSON."""
    assert orjson.dumps(document(name, found, protocol))
    report, random = STUDIES[name].report, np.random.default_rng(0)
    orders = [np.arange(len(found)), *(random.permutation(len(found)) for _ in range(3))]
    counts = np.unique(np.linspace(0, len(found), 20).astype(int))
    whole = _form(report(found, protocol))
    for order in orders:
        for count in counts:
            part = [found[at] for at in sorted(order[:count])]
            assert _form(report(part, protocol)) == whole, f"{count} cells of {name}"


def _form(told: Any) -> Any:
    charts = [(c.title, c.x, c.y, c.help, [*c.places], [curve.name for curve in c.curves]) for c in told.charts]
    return charts, [claim.text for claim in told.claims]
