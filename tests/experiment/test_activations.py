"""What is said of activation functions against what they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.experiment.activations import ACTIVATIONS
from pcviz.pcn.activations import ACTIVATIONS as PHI


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_facts_on_derivatives(name: str) -> None:
    z = np.linspace(-3, 3, 60)  # beside 0 and ±1, where derivatives jump

    def slope(at: jax.Array) -> jax.Array:
        return jax.jvp(PHI[name], (at,), (jnp.ones_like(at),))[1]

    bend = jax.jvp(slope, (z,), (np.ones_like(z),))[1]
    below, above = np.asarray(slope(np.array([-1e-9, 1e-9])))
    assert bool(np.all(bend == 0)) is ACTIVATIONS[name].piecewise_linear
    assert bool(abs(above - below) > 0.1) is ACTIVATIONS[name].kinked
