"""Studies in tests."""

from typing import Any

from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.study import Cells, document_of


def document(name: str, found: Cells, protocol: Any) -> dict[str, Any]:
    """The document of a study whose cells were measured somehow."""
    return document_of(name, STUDIES[name], found, protocol) | {"seconds": 1.0, "device": "cpu"}
