"""Gradient descent on the activities, all layers at once (theory.md 3.1)."""

import optax

from pcviz.pcn.plan import Plan
from pcviz.pcn.solvers.base import descending
from pcviz.pcn.update import Update

SOLVER = descending(Plan(Update("activities", lambda rates: optax.sgd(rates.step_size))))
