"""Gradient descent on the activities, all layers at once (theory.md 3.1)."""

import optax

from pcviz.pcn.solvers.base import descending
from pcviz.pcn.update import Update

SOLVER = descending(Update("activities", lambda rates: optax.sgd(rates.step_size)))
