"""Heavy-ball gradient descent on the activities."""

import optax

from pcviz.pcn.plan import Plan
from pcviz.pcn.solvers.base import descending
from pcviz.pcn.update import Update

SOLVER = descending(Plan(Update("activities", lambda rates: optax.sgd(rates.step_size, rates.momentum))))
