"""Options of a look inside a relaxation: which solvers are compared, on which network and batch.

The vocabulary that page, command line and job share.
"""

from typing import ClassVar

from pydantic import field_validator

from pcviz.experiment import Experiment, option
from pcviz.experiment.looks import (
    PROGRAM_SECONDS,
    BatchLookOptions,
    Parts,
    factor_seconds,
    gradient_flops,
    gradient_seconds,
)
from pcviz.experiment.solvers import DEFAULT_SOLVERS, SOLVERS

ARRIVED = 0.01
"""A solver has arrived when its energy is within this share of the initial excess over the equilibrium …"""
STAYS = 0.015
"""… and stays within this one, which rounds to the same: near kinks energies jitter about any threshold."""

BUDGET_FLOPS, BUDGET_MOST, BUDGET_LEAST = 1e11, 2048, 64
"""Gradient evaluations of each solver unless a budget is given."""

BINS = 48
"""Bins of the histogram of eigenvalues."""

SIGNAL_STEPS = 16_384
"""Most steps that the search for the first layer's signal looks ahead."""

STATES = ("waiting", "running", "arrived", "stalled", "budget", "diverged", "failed")
"""What became of a solver; channel `solver_states` holds positions in this list."""


def possible(experiment: Experiment) -> list[str]:
    """The solvers that fit the network: not every network has a closed form, and where errors do not count alike none
    is compared."""
    if not experiment.network.facts.plain:
        return []
    closed = experiment.network.has_closed_form
    return [name for name, facts in SOLVERS.items() if closed or not facts.needs_closed_form]


class Options(BatchLookOptions):
    """The options of a look at a relaxation; without a budget of gradient evaluations for each solver, one is chosen
    so that the comparison takes seconds."""

    PAGE: ClassVar[str] = "inference"
    KEYS: ClassVar[dict[str, str]] = {"source": "source", "at_step": "step", "batch": "batch", "solvers": "solvers"}

    solvers: tuple[str, ...] = DEFAULT_SOLVERS
    budget: int | None = option(None, "Budget", "Most gradient evaluations of each solver.", ge=1, le=1_000_000)

    @field_validator("solvers", mode="after")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in SOLVERS:
                raise ValueError(f"solvers: {name} is unknown (allowed: {', '.join(SOLVERS)})")
        return tuple(name for name in SOLVERS if name in names)

    def compared(self, experiment: Experiment) -> list[str]:
        """The solvers that run, in reading order: those asked for that fit, and the experiment's own."""
        wanted = {*self.solvers, experiment.inference.solver}
        return [name for name in possible(experiment) if name in wanted]

    def most_passes(self, experiment: Experiment) -> int:
        """Most gradient evaluations of each solver."""
        if self.budget is not None:
            return self.budget
        return int(min(max(BUDGET_FLOPS / gradient_flops(experiment), BUDGET_LEAST), BUDGET_MOST))

    def own_parts(self, experiment: Experiment) -> Parts:
        """Trace, theory and spectrum of the relaxation, then the solvers."""
        hidden, steps = experiment.hidden_layers, experiment.relaxation_steps
        each, most = gradient_seconds(experiment), self.most_passes(experiment)
        solvers = self.compared(experiment)
        passes = sum(min(most, SOLVERS[name].passes or most) for name in solvers)
        factorising = factor_seconds(experiment)
        return {
            "trace": 0.5 + each * steps,
            "compile": 3 + 0.05 * hidden + 100 * factorising + PROGRAM_SECONDS * len(solvers),  # theory, then solvers
            "spectrum": BINS * (0.01 + 10 * factorising),
            "solvers": each * passes,
        }


KINDS = {"relax": Options}
