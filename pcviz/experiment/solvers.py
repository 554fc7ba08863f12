"""Inference solvers: facts that need no computation. The code of each is one file in `pcviz/pcn/solvers`."""

from collections.abc import Callable
from typing import Literal, NamedTuple


class SolverFacts(NamedTuple):
    """Label and help text of a solver, and the facts that follow from its algorithm.

    `space` of the variables that it moves: activities, errors (theory.md 3.6), or none, if it solves at once. `rate`:
    plain or momentum, if it descends at one fixed rate, so that a quadratic energy has a greatest stable step size;
    None if it chooses its own or has one for each unit. `colour` and `dash` of its curve: one colour for each family.

    `trains`: networks can be trained with it. `compared`: it takes part in comparisons by default. `slots`: number of
    arrays of the size of the activities that it keeps from step to step. `needs_closed_form`: quadratic energies only.
    `most_steps` in a comparison, where one step holds several gradient evaluations. `passes`: gradient evaluations
    after which it has finished, if that seldom depends on the network. `usual_step`: its step size where the experiment
    sets none, from the greatest curvatures of the energy in the activities and in the errors (where the least is 1);
    None: it chooses its own.
    """

    label: str
    help: str
    space: Literal["activities", "errors", "none"]
    colour: str
    dash: str = "solid"
    rate: Literal["plain", "momentum"] | None = None
    trains: bool = False
    compared: bool = False
    slots: int = 0
    needs_closed_form: bool = False
    most_steps: int | None = None
    passes: int | None = None
    usual_step: Callable[[float, float], float] | None = None

    @property
    def bound(self) -> str:
        """The greatest stable step size times the greatest curvature, as a formula; empty if there is none."""
        return {"plain": "2", "momentum": "2(1 + β)", None: ""}[self.rate]

    @property
    def limit(self) -> str:
        """The step size above which the solver diverges on a quadratic energy; empty if there is none."""
        where = " in the errors" if self.space == "errors" else ""
        return f"{self.bound}/λmax{where}" if self.bound else ""

    def memory(self, momentum: float) -> float:
        """The momentum that takes effect: `momentum` for a solver that uses it, else 0."""
        return momentum if self.rate == "momentum" else 0.0


SOLVERS: dict[str, SolverFacts] = {
    "gradient_descent": SolverFacts(
        "gradient descent",
        "on activities, all layers at once",
        "activities",
        "vermillion",
        rate="plain",
        trains=True,
        compared=True,
        usual_step=lambda curvature, _: 1 / curvature,
    ),
    "momentum": SolverFacts(
        "momentum",
        "heavy-ball gradient descent on activities",
        "activities",
        "vermillion",
        "dash",
        rate="momentum",
        trains=True,
        slots=1,
        usual_step=lambda curvature, _: 1 / curvature,
    ),
    "adam": SolverFacts(
        "Adam", "on activities", "activities", "vermillion", "dot", trains=True, slots=2, usual_step=lambda *_: 0.05
    ),
    "nesterov": SolverFacts(
        "Nesterov", "momentum and step size from the measured spectrum", "activities", "orange", compared=True
    ),
    "barzilai_borwein": SolverFacts(
        "Barzilai-Borwein",
        "gradient descent with step sizes from the curvature along its last step",
        "activities",
        "orange",
        "dash",
        slots=2,
    ),
    "pc_alm": SolverFacts(
        "PC-ALM",
        "Lagrange multipliers: descends a function other than the energy; settles under μPC",
        "activities",
        "purple",
        "dash",
        usual_step=lambda curvature, _: 1 / curvature,
    ),
    "gradient_flow": SolverFacts(
        "gradient flow",
        "continuous time, Tsit5 with error control",
        "activities",
        "orange",
        "dot",
        most_steps=400,
        usual_step=lambda *_: 1.0,
    ),
    "error_based": SolverFacts(
        "error-based",
        "the errors are the variables: no layer waits for another, but each step passes the whole network",
        "errors",
        "blue",
        rate="plain",
        trains=True,
        compared=True,
        usual_step=lambda _, curvature: min(0.3, 2 / (1 + curvature)),
    ),
    "conjugate_gradient": SolverFacts(
        "conjugate gradient",
        "in error coordinates, no step size to choose",
        "errors",
        "sky",
        "dash",
        compared=True,
        most_steps=400,
        passes=300,
    ),
    "gauss_newton": SolverFacts(
        "Gauss-Newton",
        "one K × K system for each example, then conjugate gradients",
        "errors",
        "green",
        compared=True,
        most_steps=40,
        passes=200,
    ),
    "linear_exact": SolverFacts(
        "closed form", "linear networks with mse only", "none", "green", "dot", needs_closed_form=True, passes=1
    ),
}
"""In reading order: fast solvers last."""

DEFAULT_SOLVERS = tuple(name for name, facts in SOLVERS.items() if facts.compared)
"""Solvers that are compared by default."""
