"""How long work takes, to cut it into slices."""

import time
from typing import Self


class Pace:
    """Estimates how long one unit of work takes; results never depend on it."""

    def __init__(self) -> None:
        self.unit: float | None = None
        self._begun = 0.0
        self._count = 0

    def affordable(self, seconds: float) -> int:
        """How many units take about `seconds`; at least one."""
        return 1 if self.unit is None else max(1, round(seconds / self.unit))

    def expected(self, count: int) -> float:
        """Seconds that `count` units take; 0 before any was measured."""
        return count * (self.unit or 0.0)

    def measured(self, count: int) -> Self:
        """A context that times `count` units of work."""
        self._count = count
        return self

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if self._count:
            unit = (time.perf_counter() - self._begun) / self._count
            self.unit = unit if self.unit is None else 0.5 * (self.unit + unit)
