"""Data that a network without biases cannot learn, because of a symmetry that its activation gives it.

An odd activation makes an odd network, f(-x) = -f(x), and a positively homogeneous one, phi(c x) = c phi(x) for c > 0,
a homogeneous one, f(c x) = c f(x), with skips or without: layers are linear maps and sums of their inputs. Biases break
both symmetries.
"""

from pcviz.experiment import Experiment
from pcviz.experiment.activations import ACTIVATIONS


def misfit(experiment: Experiment) -> str | None:
    """Why this network cannot learn these data, and what can, in two sentences; None if no symmetry forbids it."""
    facts, activation = experiment.data.facts, experiment.network.activation
    if experiment.network.biases:
        return None
    if facts.even and ACTIVATIONS[activation].odd:
        why = "its output at -x is the opposite of that at x, but here both have the same class"
    elif facts.radial and ACTIVATIONS[activation].homogeneous:
        why = "it gives all points on a ray from the origin the same class"
    else:
        return None
    remedy = "Switch on biases, or use gelu or silu."
    return f"{facts.label} cannot be learned with {activation}: without biases {why}. {remedy}"
