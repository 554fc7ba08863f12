"""Toy chains: the surfaces that BP and PC descend, and the race away from the saddle at the origin."""

from collections.abc import Callable, Iterator

import numpy as np

from pcviz.frames import Value, trace_rows
from pcviz.instruments.chain.options import DEEPEST, FLOW_TIME, POWER, RULES, SPAN, Options
from pcviz.instruments.chain.race import Race
from pcviz.jobs.look import Look
from pcviz.probes import chain

GRID = 64
"""Points of the plane in each direction; even, so that none lies on the minima, where the logarithm diverges."""
ARROWS = 13
"""Arrows in each direction; odd, so that one would begin at the saddle."""
HEAD = 0.35
"""Length of an arrow's head as a share of its shaft."""
FLOWS, FLOW_RADIUS = 8, 0.15
"""Lines of gradient flow, and where they begin."""
FLOW_STEPS, FLOW_EVERY = 200, 5
"""Steps of each line, small enough for the steepest chain, and which of them are drawn."""
SLICE = 100
"""Updates between two checks of the clock."""


class Chain(Look[Options]):
    """A run of kind "chain". The experiment does not matter. The chain that is drawn races first."""

    KIND, OPTIONS = "chain", Options
    device = "cpu"

    def _begin(self) -> None:
        self.races = [Race(hidden, self.options) for hidden in range(1, DEEPEST + 1)]
        self._rows = trace_rows(self.options.cap)[1:]  # log-spaced, without 0, which has no logarithm
        self._losses = np.full((len(self._rows), DEEPEST, len(RULES), self.options.seeds), np.nan)
        self._plane: dict[str, Value] = {}

    def prepare(self) -> None:
        """Nothing to load or compile."""

    def _work(self) -> Iterator[None]:
        self._plane = plane(self.options)
        self._share["plane"] = 1.0
        yield
        drawn = self.races[self.options.hidden - 1]
        for race in [drawn, *(race for race in self.races if race is not drawn)]:
            while not race.done:
                for _ in range(SLICE):
                    race.advance()
                    self._record(race)
                    if race.done:
                        break
                self._share["races"] = float(np.mean([r.done or r.step / self.options.cap for r in self.races]))
                yield

    def _record(self, race: Race) -> None:
        # Where a race ends between two rows, the later row records its end.
        row = int(np.searchsorted(self._rows, race.step))
        if row < len(self._rows) and (race.done or self._rows[row] == race.step):
            self._losses[row, race.hidden - 1] = race.losses

    # --- what it reports

    def _values(self, bulk: bool) -> dict[str, Value]:
        values: dict[str, Value] = {"race_diverged": float(sum(race.diverged.sum() for race in self.races))}
        values |= {name: value for name, value in self._plane.items() if np.ndim(value) == 0}
        if bulk:
            values |= {name: value for name, value in self._plane.items() if np.ndim(value)}
            values |= self._race()
        return values

    def _race(self) -> dict[str, Value]:
        cap = float(self.options.cap)
        counts = np.stack([race.counts for race in self.races])  # (chains, rules, seeds)
        capped = np.stack([race.capped for race in self.races])
        median = np.median(np.where(np.isnan(counts), np.inf, counts), -1)
        median[~np.array([race.done for race in self.races])] = np.nan
        above = np.isinf(median) & capped.any(-1)
        last = np.flatnonzero(np.isfinite(self._losses).any((1, 2, 3)))
        rows = int(last[-1]) + 1 if len(last) else 0
        return {
            "race_steps": self._rows[:rows],
            "race_loss": self._losses[:rows].reshape(rows, DEEPEST * len(RULES) * self.options.seeds),
            "race_counts": counts.reshape(DEEPEST, -1),
            "race_capped": np.where(capped, cap, np.nan).reshape(DEEPEST, -1),
            "race_median": np.where(np.isfinite(median), median, np.nan),
            "race_above_cap": np.where(above, np.arange(1, DEEPEST + 1)[:, None], np.nan),
        }


def plane(options: Options) -> dict[str, Value]:
    """The channels of the plane: both surfaces, directions of descent on them, critical points, and the least
    curvatures in the middle (over all weights)."""
    hidden, fixed = options.hidden, options.fixed
    axis = np.linspace(-SPAN, SPAN, GRID)
    weights = chain.in_plane(*np.meshgrid(axis, axis), hidden, fixed)
    coarse = np.linspace(-SPAN, SPAN, ARROWS)
    tails = chain.in_plane(*np.meshgrid(coarse, coarse), hidden, fixed).reshape(-1, hidden + 1)
    lines: dict[str, Value] = {}
    for surface, gradient in (("loss", loss_gradient), ("energy", energy_gradient)):
        ways = {"arrows": arrows(tails[:, -2:], -gradient(tails)[:, -2:]), "flow": flow(options, gradient)}
        for name, line in ways.items():
            lines |= {f"chain_{name}_{surface}_{axis}": line[:, place] for place, axis in enumerate("xy")}
    points = chain.critical_points(hidden, fixed, SPAN)
    middle = chain.in_plane(np.zeros(()), np.zeros(()), hidden, fixed)
    return lines | {
        "chain_axis": axis,
        "chain_loss": chain.loss(weights, POWER),
        "chain_energy": chain.least_energy(weights, POWER),
        "chain_critical_x": points.weights[:, -2],
        "chain_critical_y": points.weights[:, -1],
        "chain_type_loss": points.loss_types,
        "chain_type_energy": points.energy_types,
        "chain_curvature_loss": float(np.linalg.eigvalsh(chain.loss_hessian(middle, POWER))[0]),
        "chain_curvature_energy": float(np.linalg.eigvalsh(chain.energy_hessian(middle, POWER))[0]),
    }


def loss_gradient(w: np.ndarray) -> np.ndarray:
    """Gradient of the loss at <x²> in the weights, (…, L)."""
    return chain.loss_gradient(w, POWER)


def energy_gradient(w: np.ndarray) -> np.ndarray:
    """Gradient of F* at <x²> in the weights, (…, L)."""
    return chain.pc_gradient(w, chain.equilibrium(w), POWER)


def flow(options: Options, gradient: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Gradient flow inside the plane from a small circle about its middle, by fourth-order Runge-Kutta steps.

    FLOWS lines one after the other, NaN between them, (points, 2). All take FLOW_TIME, so that a short one is slow.
    """

    def velocity(at: np.ndarray) -> np.ndarray:
        return -gradient(chain.in_plane(at[:, 0], at[:, 1], options.hidden, options.fixed))[:, -2:]

    angles = 2 * np.pi * (np.arange(FLOWS) + 0.5) / FLOWS
    at = FLOW_RADIUS * np.stack([np.cos(angles), np.sin(angles)], -1)
    dt = FLOW_TIME / FLOW_STEPS
    path = [at]
    for step in range(1, FLOW_STEPS + 1):
        k1 = velocity(at)
        k2 = velocity(at + dt / 2 * k1)
        k3 = velocity(at + dt / 2 * k2)
        at = at + dt / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(at + dt * k3))
        if step % FLOW_EVERY == 0:
            path.append(at)
    path.append(np.full_like(at, np.nan))
    return np.stack(path, 1).reshape(-1, 2)


def arrows(tails: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Line segments with heads from `tails` (A, 2) along `slopes` (A, 2): (7 A, 2), NaN between strokes.

    Length saturates at 0.8 of the way between two tails, as |slope| / (|slope| + 1/4): flat and steep slopes both show.
    """
    size = np.hypot(*slopes.T)[:, None]
    longest = 0.8 * 2 * SPAN / (ARROWS - 1)
    shaft = longest * slopes / (size + 0.25)
    across = shaft[:, ::-1] * (-1, 1)
    heads = tails + shaft
    lifted = np.full_like(tails, np.nan)
    barbs = [heads - HEAD * (shaft + side * 0.6 * across) for side in (1, -1)]
    return np.stack([tails, heads, lifted, barbs[0], heads, barbs[1], lifted], 1).reshape(-1, 2)


JOBS = {"chain": Chain}
