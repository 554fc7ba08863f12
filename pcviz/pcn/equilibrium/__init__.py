"""The equilibrium of a relaxation, and every way to get there (theory.md 3 and 4.10, performance.md section 4).

`solve` runs any solver of `METHODS` under one calling convention; `gradient_flow` integrates continuous time.
"""

from pcviz.pcn.equilibrium.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.equilibrium.flow import Flow, gradient_flow
from pcviz.pcn.equilibrium.linear_exact import linear_exact
from pcviz.pcn.equilibrium.solution import Solution
from pcviz.pcn.equilibrium.solve import solve
from pcviz.pcn.equilibrium.solvers import METHODS, Method, Settings

__all__ = [
    "METHODS",
    "Flow",
    "Method",
    "Settings",
    "Solution",
    "gradient_flow",
    "largest_curvature",
    "linear_exact",
    "smallest_curvature",
    "solve",
]
