"""What is trained, in arrays that every library can take. Imports nothing of any of them: a process that measures its
own start reads a task from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np


@dataclass(frozen=True)
class Task:
    """A network, its first weights W_1 … W_L, each (N_l, N_{l-1}), and the examples of every weight step.

    `scales` a_l and `skips` tau_l of the layers; `x` (M, B, D) and `y` (M, B, K), a batch for each weight step;
    `steps` T, `step_size` of an example's activities and `learning_rate` of Adam.
    """

    scales: list[float]
    skips: list[bool]
    weights: list[np.ndarray]
    x: np.ndarray
    y: np.ndarray
    steps: int
    step_size: float
    learning_rate: float

    @property
    def depth(self) -> int:
        """L."""
        return len(self.weights)

    @property
    def width(self) -> int:
        """N."""
        return len(self.weights[0])

    def save(self, file: Path) -> None:
        """Write it to a file."""
        facts = asdict(self)
        weights = facts.pop("weights")
        np.savez(file, **facts, **{f"weight_{l}": weight for l, weight in enumerate(weights)})

    @classmethod
    def read(cls, file: Path) -> Self:
        """Inverse of `save`."""
        with np.load(file) as held:
            weights = [held[f"weight_{l}"] for l in range(len(held["scales"]))]
            lists = {name: held[name].tolist() for name in ("scales", "skips")}
            numbers = {name: held[name].item() for name in ("steps", "step_size", "learning_rate")}
            return cls(**lists, weights=weights, x=held["x"], y=held["y"], **numbers)


class Peer(Protocol):
    """A library."""

    name: str

    def bare(self, task: Task) -> Callable[[int], None]:
        """Makes as many weight steps as it is told, on the first batch, and waits for them."""

    def train(self, task: Task, passed: Callable[[int], None]) -> list[np.ndarray]:
        """Train as the library's own users do and return the weights; `passed` is told now and then how many weight
        steps are done."""
