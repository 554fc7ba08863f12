"""What tests of the theory share: the kinds of networks, comparisons, and a few ready-made problems."""

import numpy as np
import pytest

from benchmarks import reference as unrolled
from pcviz.experiment import Experiment, Inference
from pcviz.pcn import (
    Network,
    premultipliers,
    skip_flags,
)
from pcviz.pcn.activations import ACTIVATIONS

KINDS = [(p, s) for p in ("sp", "ntp", "mupc") for s in (False, True)]
kinds = pytest.mark.parametrize(("parameterisation", "skips"), KINDS)
both_losses = pytest.mark.parametrize("loss", ["mse", "ce"])
DESCENT = Inference(solver="gradient_descent", step_size=0.3, steps=0)
PRECISION = {"precision": 3.0, "gamma": 1.3}


def descent(step_size: float, solver: str = "gradient_descent") -> Inference:
    return Inference(solver=solver, step_size=step_size, steps=0)


def arrays(layers: list) -> list[np.ndarray]:
    return [np.asarray(layer) for layer in layers]


def assert_all_close(found: list, expected: list, tolerance: float) -> None:
    """Within `tolerance` of the largest entry of all layers."""
    largest = max(np.abs(layer).max() for layer in expected)
    assert len(found) == len(expected)
    for layer, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(layer, wanted, rtol=0, atol=tolerance * largest)


def unrolled_model(network: Network) -> unrolled.Model:
    """The same network for `benchmarks.reference`, whose gradients are JAX's."""
    activation = ACTIVATIONS[network.stages[-1].activation]
    scales, flags = tuple(map(float, premultipliers(network))), tuple(map(int, skip_flags(network)))
    return unrolled.Model(scales, flags, activation, network.loss, float(network.output_precision[...]))


def deep(activation: str, dtype: str) -> tuple[Experiment, np.ndarray, np.ndarray]:
    """L=129, N=64, T=16, step 0.3, and a batch of 64 like the digits."""
    network = {"depth": 129, "width": 64, "activation": activation}
    inference = {"steps": 16, "step_size": 0.3}
    experiment = Experiment.model_validate({"network": network, "inference": inference, "dtype": dtype})
    rng = np.random.default_rng(0)
    return experiment, rng.standard_normal((64, 64)), np.eye(10)[rng.integers(10, size=64)]
