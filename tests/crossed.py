"""Combinations of options, few of which `make test` runs."""

from collections.abc import Collection
from typing import Any

import pytest


def crossed(many: Collection[Any], few: Collection[Any]) -> list[Any]:
    """All pairs. `make test` runs as many as there are in the longer list, in which every value of both occurs;
    `make test-all` runs all."""
    assert len(many) >= len(few)
    return [
        pytest.param(one, other, marks=[] if (i - j) % len(few) == 0 else pytest.mark.slow)
        for i, one in enumerate(many)
        for j, other in enumerate(few)
    ]
