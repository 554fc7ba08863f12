"""The race away from the saddle at the origin: chains of one depth, all rules and starts at once (theory.md 4.7)."""

import numpy as np

from pcviz.instruments.chain.options import ESCAPED, INPUT_MEAN, INPUT_STD, RULES, Options
from pcviz.probes import chain

START_STD, BATCH = 0.05, 64
BLOCK = 50
"""Batches drawn at once; drawing them one by one gives the same numbers."""
SETTLED = 0.005
"""A racer stops at 1 % of the loss at the origin …"""
DIVERGED = 1e3
"""… or far above it."""


class Race:
    """Chains with `hidden` units from the starts of `options.seeds`, one gradient step of each rule at a time.

    Start w ~ N(0, .05²) and batches of 64 inputs x ~ N(1, .1²), fresh at each step, come from numpy's generator of the
    seed, weights first: the same for all rules. Arrays are (3 rules, seeds, …). `counts` (3, seeds) holds the updates
    before the loss was below 1/4, NaN: not yet; `losses` (3, seeds) those on the latest batch, NaN: diverged.
    """

    def __init__(self, hidden: int, options: Options) -> None:
        self.hidden = hidden
        self.options = options
        self._generators = [np.random.default_rng(seed) for seed in range(options.seeds)]
        start = np.stack([START_STD * rng.standard_normal(hidden + 1) for rng in self._generators])
        self.weights = np.stack([start] * len(RULES))
        self.step = -1
        self.counts = np.full(self.weights.shape[:2], np.nan)
        self.losses = np.full(self.weights.shape[:2], np.nan)
        self.racing = np.ones(self.weights.shape[:2], bool)
        self._powers = np.zeros((0, options.seeds))
        self._latest = np.zeros(options.seeds)

    @property
    def done(self) -> bool:
        """Whether no racer moves any more."""
        return self.step >= self.options.cap or not self.racing.any()

    @property
    def diverged(self) -> np.ndarray:
        """Which racers diverged without escaping, (3, seeds)."""
        return ~self.racing & np.isnan(self.counts)

    @property
    def capped(self) -> np.ndarray:
        """Which racers were stopped at the cap, (3, seeds)."""
        return self.racing & np.isnan(self.counts) & self.done

    def advance(self) -> None:
        """Update on the latest batch, if there is one, then take the losses of the next batch."""
        s = self._power()
        with np.errstate(over="ignore", invalid="ignore"):  # racers that diverge are removed
            if self.step >= 0:
                self._update(self._latest)
            losses = chain.loss(self.weights, s)
        self.step += 1
        self._latest = s
        losses = np.where(losses < DIVERGED, losses, np.nan)
        self.losses = np.where(self.racing, losses, self.losses)
        self.counts[self.racing & np.isnan(self.counts) & (losses < ESCAPED)] = self.step
        self.racing &= self.losses > SETTLED

    def _update(self, s: np.ndarray) -> None:
        """One gradient step of all that still race."""
        w, options = self.weights, self.options
        for rule, racing in enumerate(self.racing):
            if racing.any():
                moving = w[rule, racing]
                w[rule, racing] = moving - options.learning_rate * self._gradient(rule, moving, s[racing])

    def _gradient(self, rule: int, w: np.ndarray, s: np.ndarray) -> np.ndarray:
        if rule == 0:
            return chain.loss_gradient(w, s)
        if rule == 1:
            return chain.pc_gradient(w, chain.inferred(w, self.options.inference_steps, self.options.dt), s)
        return chain.pc_gradient(w, chain.equilibrium(w), s)

    def _power(self) -> np.ndarray:
        """<x²> of the next batch of each seed, (seeds,)."""
        at = (self.step + 1) % BLOCK
        if at == 0:
            drawn = [rng.normal(INPUT_MEAN, INPUT_STD, (BLOCK, BATCH)) for rng in self._generators]
            self._powers = np.mean(np.square(drawn), -1).T
        powers: np.ndarray = self._powers[at]
        return powers
