"""The stable family: one member is measured at all sizes, by BP and by PC."""

import hashlib
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from pcviz.experiment.family import CLASSES, QUANTITIES, RULES, Size, class_of, slopes
from pcviz.frames import Value
from pcviz.instruments.family.options import DEPTHS, PATHS, WIDTHS, Options
from pcviz.instruments.family.picture import STEEP
from pcviz.instruments.reproduce.statistics import mean
from pcviz.jobs.code import code_version
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work
from pcviz.probes.family import observe, start

RICH = len(CLASSES) - 1


class Family(Group[Options]):
    """A run of kind "family"; its members are networks, whose weights the member of the family scales."""

    KIND, OPTIONS = "family", Options

    def _begin(self) -> None:
        super()._begin()
        self.sizes = self.options.sizes

    def family(self, member: str) -> Hashable:
        """Networks of one size share compiled programs."""
        return self.sizes[member][:2]

    def key(self, member: str) -> str:
        """The same member on the same network has the same result."""
        of = f"family {self.options.member} {self.sizes[member]} {code_version(self.device)}"
        return hashlib.sha256(of.encode()).hexdigest()

    def measure(self, members: Sequence[str]) -> Work[list[Any]]:
        """The quantities by both rules, (2, 4) each."""
        found = []
        for size in (self.sizes[member] for member in members):
            network = start(size.width, size.depth, size.seed)
            yield
            found.append(observe(network, self.options.member, size.seed).tolist())
            yield
        return found

    def _values(self, bulk: bool) -> dict[str, Value]:
        known = {self.sizes[name]: np.array(result, float) for name, result in self.results.items()}
        missing = np.full((len(RULES), len(QUANTITIES)), np.nan)
        seeds = range(self.options.seeds)
        by_size, fits = [], []
        for axis, path in enumerate(PATHS):
            seen = np.array([[known.get(Size(*size, seed), missing) for seed in seeds] for size in path])
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log(seen).reshape(len(path), len(seeds), -1)
            logs[~np.isfinite(logs)] = np.nan  # beyond the numbers of float64
            fits.append(slopes(np.log([size[axis] for size in path]), np.moveaxis(logs, 0, -1)))
            by_size.append([[np.exp(mean(list(column)).middle) for column in row.T] for row in logs])
        told = np.array([[mean(list(column)) for column in fit.T] for fit in fits])  # (2, 8, middle and ends)
        steep = told[..., 0] > STEEP
        middle, low, high = np.moveaxis(np.where(steep[..., None], np.nan, told), -1, 0)
        within = [_within(told[:, rule * len(QUANTITIES) :][:, : len(QUANTITIES)]) for rule in range(len(RULES))]
        across, up = (getattr(self.options, name) for name in (self.options.x, self.options.y))
        marks = [np.array([up if inside == 1 else np.nan]) for inside in within]
        return {
            "family_widths": np.array(WIDTHS),
            "family_depths": np.array(DEPTHS),
            "family_by_width": np.array(by_size[0]),
            "family_by_depth": np.array(by_size[1]),
            "family_exponents": middle,
            "family_low": low,
            "family_high": high,
            "family_steep": np.where(steep, STEEP, np.nan),
            "family_at": np.array([across]),
            "family_at_bp": marks[0],
            "family_at_pc": marks[1],
            "family_in_bp": within[0],
            "family_in_pc": within[1],
        }


def _within(told: np.ndarray) -> float:
    """Whether exponents (N and L, QUANTITIES, middle and ends) belong to the set; NaN where intervals do not tell."""
    if np.isnan(told).any():
        return float("nan")
    answers = {float(class_of(told[..., part]) == RICH) for part in range(told.shape[-1])}
    return answers.pop() if len(answers) == 1 else float("nan")


JOBS = {"family": Family}
