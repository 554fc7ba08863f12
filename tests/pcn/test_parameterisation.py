"""Initial weights against what is said of their distributions."""

import numpy as np
import pytest

from pcviz.pcn.parameterisation import INITIALISERS, initial_weights, variance


@pytest.mark.parametrize("shape", [(32, 128), (128, 32)])
@pytest.mark.parametrize("initialisation", INITIALISERS)
def test_initial_weights_have_the_variance_that_is_told(initialisation: str, shape: tuple[int, int]) -> None:
    """4096 draws: standard errors of about 2 % of the variance and of the deviation."""
    weights = np.asarray(initial_weights(initialisation, 0, range(2, 3), shape))
    told = variance(initialisation, shape)
    assert weights.shape == (1, *shape)
    assert np.mean(weights**2) == pytest.approx(told, rel=0.1)
    assert abs(np.mean(weights)) < 0.1 * np.sqrt(told)
