"""Adam on the activities, with its usual constants (0.9, 0.999, 1e-8)."""

import optax

from pcviz.pcn.plan import Plan
from pcviz.pcn.solvers.base import descending
from pcviz.pcn.update import Update

SOLVER = descending(Plan(Update("activities", lambda rates: optax.adam(rates.step_size))))
