"""Gradient descent on the errors, from which the activities follow (ePC, theory.md 3.6)."""

import optax

from pcviz.pcn.plan import Plan
from pcviz.pcn.solvers.base import descending
from pcviz.pcn.update import Update

SOLVER = descending(Plan(Update("errors", lambda rates: optax.sgd(rates.step_size))))
