"""The equilibrium of a relaxation: `solve` runs any solver towards it under one calling convention (theory.md 3)."""

from pcviz.pcn.equilibrium.solution import Solution
from pcviz.pcn.equilibrium.solve import solve

__all__ = ["Solution", "solve"]
