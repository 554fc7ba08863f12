"""Updates: which variables of a relaxation move, and by which rule, from the energy's gradient in them.

In the space of *activities* the variables are z_l (theory.md 3.1); in the space of *errors* they are e_l and the
activities follow, z_l = mu_l(z_{l-1}) + e_l (ePC, theory.md 3.6). Both descend per-example gradients.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import jax
import optax

from pcviz.brief import short
from pcviz.pcn.precisions import Precisions


@short
class Rates(NamedTuple):
    """Traced numbers of a relaxation: changing them never recompiles. `step_size` is per example; numbers of the
    `precisions`, `activity_decay` and strength of the `nudge` count where the plan has them."""

    step_size: jax.Array
    momentum: jax.Array
    precisions: Precisions = Precisions(0.0, 0.0, 0.0)
    activity_decay: jax.Array | float = 0.0
    nudge: jax.Array | float = 0.0


class Update(NamedTuple):
    """`space` of the variables, and the descent `rule` made from the rates. Rules start from a fresh state in every
    relaxation."""

    space: Literal["activities", "errors"]
    rule: Callable[[Rates], optax.GradientTransformation]
