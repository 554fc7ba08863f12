"""Options of a look at curvature: which network, which examples.

The vocabulary that page and job share.
"""

from typing import ClassVar

import numpy as np

from pcviz.experiment import Experiment, cost, option
from pcviz.experiment.activations import ACTIVATIONS
from pcviz.experiment.looks import (
    SETTLING_PASSES,
    BatchLookOptions,
    Parts,
    factor_seconds,
    gradient_seconds,
    unexamined,
)

PLACE_UNIT = 1e-9
"""Eigenvalues below this size are drawn as if they were zero."""

GRID = 41
"""Points of the inference landscape in each direction; odd, so that the equilibrium is one of them."""

SPECTRUM_MAX = 1500
"""Up to this number of weights all eigenvalues at the weights are computed."""

BLOCK_NUMBERS = 2**25
"""Most numbers in the activity Hessians of all examples: a quarter of a gigabyte."""

WEIGHTS_MAX = 4_000_000
"""Most weights: the search for eigenvalues keeps sixteen vectors or more of that length."""


class Options(BatchLookOptions):
    """The options of a look at curvature."""

    PAGE: ClassVar[str] = "landscape"
    KEYS: ClassVar[dict[str, str]] = {
        "curved_source": "source",
        "curved_step": "step",
        "curved_batch": "batch",
        "curved_examples": "examples",
    }

    examples: int = option(16, "Examples", "How many of the batch to average the Hessians over.", ge=1, le=256)

    def own_parts(self, experiment: Experiment) -> Parts:
        """The plane of inference, ends of the spectra, the spectra, the ray to the origin, the steps."""
        examples = examples_that_fit(experiment, self.examples)
        each = 2 * gradient_seconds(experiment, examples)  # in float64
        whole = cost.parameter_count(experiment) <= SPECTRUM_MAX
        settling = 3 + 0.1 * experiment.hidden_layers + SETTLING_PASSES * each + examples * factor_seconds(experiment)
        return {
            "plane": 2 * settling,
            "ends": settling + 400 * each,
            "spectrum": 0.1 + (cost.parameter_count(experiment) * each if whole else 0),
            "ray": 10 * settling / 3,
            "steps": settling + 100 * each,
        }


KINDS = {"curvature": Options}


def place(eigenvalues: np.ndarray | float) -> np.ndarray:
    """Where eigenvalues of either sign stand on an axis: sign · log10(1 + |value| / PLACE_UNIT), 0 for 0."""
    values = np.asarray(eigenvalues, np.float64)
    return np.asarray(np.sign(values) * np.log10(1 + np.abs(values) / PLACE_UNIT))


def has_origin(experiment: Experiment) -> bool:
    """Whether loss and F* have a Hessian at the origin of weight space, as a critical point."""
    return not (ACTIVATIONS[experiment.network.activation].kinked or experiment.network.biases)


def examples_that_fit(experiment: Experiment, wanted: int) -> int:
    """How many of the examples wanted are used: at most a batch, and their activity Hessians must fit into memory."""
    each = (2 * experiment.hidden_layers - 1) * experiment.network.width**2
    return max(1, min(wanted, experiment.learning.batch_size, BLOCK_NUMBERS // each))


def misfit(experiment: Experiment) -> str | None:
    """Why the curvature of this network is not computed; None if it is."""
    if (weights := cost.parameter_count(experiment)) > WEIGHTS_MAX:
        return f"network: {weights:,} weights are too many for curvature (allowed: {WEIGHTS_MAX:,})"
    return unexamined(experiment)
