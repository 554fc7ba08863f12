"""Inference solvers: one file for each, by the names of `pcviz.experiment.solvers.SOLVERS`."""

from functools import cache
from importlib import import_module

from pcviz.experiment.solvers import SOLVERS
from pcviz.pcn.solvers.base import Settings, Solver, descending
from pcviz.pcn.update import Update

__all__ = ["Settings", "Solver", "descending", "solver_of", "update_of"]


@cache
def solver_of(name: str) -> Solver:
    """The solver, loaded on first use: some need libraries that take long to load. Its step size is per
    example; gradient_flow takes the time between steps and chooses its own (tolerance 1e-4). Raises KeyError for an
    unknown name."""
    if name not in SOLVERS:
        raise KeyError(name)
    solver: Solver = import_module(f"{__name__}.{name}").SOLVER
    return solver


def update_of(solver: str) -> Update:
    """The update of a solver that networks can be trained with."""
    update = solver_of(solver).update
    assert update is not None, solver
    return update
