"""Networks computed by an independent library (jpc, float64): `oracles/*.npz`, through the public interface.

Each file holds `config` (JSON), `x`, `y`, weights `W1` …, feedforward state, layer energies at every step of gradient
descent, the activities reached, weight gradients there, backpropagation, and for linear networks the equilibrium.
Energies are compared with the total of the same step, activities with the largest of the network, weight gradients
with the largest of all layers, and in float64 also layer by layer.
"""

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pcviz
from pcviz.pcn import Network, backprop, feedforward
from tests.pcn import maps as maps_of

ORACLES = Path(__file__).parent / "oracles"
NAMES = sorted(path.stem for path in ORACLES.glob("*.npz"))
LINEAR = [name for name in NAMES if name.startswith("linear")]
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}
LAYER_TOLERANCE = 1e-8
ROUNDING = 1e-24
"""Energies below this part of the total are rounding noise of jpc for a true zero."""


@cache
def oracle(name: str) -> SimpleNamespace:
    """The arrays of one file, per-layer ones as lists, and its `config`."""
    with np.load(ORACLES / f"{name}.npz") as file:
        arrays = dict(file)
    config = json.loads(str(arrays.pop("config")))
    found = SimpleNamespace(**config, **{key: a for key, a in arrays.items() if not key[-1].isdigit()})
    for key in ("W", "z_ffwd", "z_T", "z_star", "dW", "bp_dW"):
        setattr(found, key, [arrays[f"{key}{l}"] for l in range(1, found.depth + 1) if f"{key}{l}" in arrays])
    return found


@cache
def experiment(name: str, dtype: str) -> pcviz.Experiment:
    case = oracle(name)
    options = {key: getattr(case, key) for key in ("depth", "width", "activation", "parameterisation", "skips", "loss")}
    inference = {"solver": "gradient_descent", "steps": case.T, "step_size": case.step}
    return pcviz.Experiment.model_validate({"network": options, "inference": inference, "dtype": dtype})


@cache
def network(name: str, dtype: str) -> Network:
    case = oracle(name)
    return pcviz.with_weights(pcviz.build(experiment(name, dtype), case.input_dim, case.output_dim), case.W)


@cache
def relaxation(name: str, dtype: str):
    case = oracle(name)
    return pcviz.relax(network(name, dtype), case.x, case.y, experiment(name, dtype).inference)


def assert_close(found: list, expected: list, tolerance: float) -> None:
    """All arrays within `tolerance` of the largest entry of all."""
    largest = max(np.abs(array).max() for array in expected)
    assert len(found) == len(expected)
    for array, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, wanted, rtol=0, atol=tolerance * largest)


def assert_gradients_close(found: list, expected: list, dtype: str) -> None:
    assert_close(found, expected, TOLERANCE[dtype])
    if dtype == "float64":
        for array, wanted in zip(found, expected, strict=True):
            assert_close([array], [wanted], LAYER_TOLERANCE)


def test_the_files_are_there() -> None:
    assert len(NAMES) == 5
    assert len(LINEAR) == 2


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NAMES)
class TestEveryNetwork:
    def test_feedforward_pass(self, name: str, dtype: str) -> None:
        activities, output = feedforward(network(name, dtype), oracle(name).x)
        assert_close([*activities, output], [*oracle(name).z_ffwd, oracle(name).output_ffwd], TOLERANCE[dtype])

    def test_energies_of_every_layer_at_every_step(self, name: str, dtype: str) -> None:
        found, expected = relaxation(name, dtype).energies, oracle(name).energy_trace
        assert found.shape == expected.shape == (oracle(name).T + 1, oracle(name).depth)
        totals = expected.sum(axis=1, keepdims=True)
        np.testing.assert_array_less(np.abs(found - expected), np.broadcast_to(TOLERANCE[dtype] * totals, found.shape))

    def test_energies_at_the_start(self, name: str, dtype: str) -> None:
        *hidden, output = relaxation(name, dtype).energies[0]
        assert output == pytest.approx(oracle(name).energy_ffwd[-1], rel=TOLERANCE[dtype])
        assert hidden == [0] * len(hidden)

    def test_what_is_rounding_noise_elsewhere_is_zero_here(self, name: str, dtype: str) -> None:
        expected = oracle(name).energy_trace
        noise = expected < ROUNDING * expected.sum(axis=1, keepdims=True)
        assert noise[0, :-1].all()
        assert not relaxation(name, dtype).energies[noise].any()

    def test_activities_after_the_last_step(self, name: str, dtype: str) -> None:
        assert_close(relaxation(name, dtype).activities, oracle(name).z_T, TOLERANCE[dtype])

    def test_weight_gradients_after_the_last_step(self, name: str, dtype: str) -> None:
        case = oracle(name)
        found = pcviz.weight_gradients(network(name, dtype), case.x, case.y, relaxation(name, dtype))
        assert_gradients_close(found, case.dW, dtype)

    def test_backpropagation(self, name: str, dtype: str) -> None:
        case = oracle(name)
        loss, gradients, _ = backprop(network(name, dtype), case.x, case.y)
        assert float(loss) == pytest.approx(float(case.bp_loss), rel=TOLERANCE[dtype])
        assert_gradients_close(gradients, case.bp_dW, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", LINEAR)
class TestLinearNetworks:
    def test_equilibrium(self, name: str, dtype: str) -> None:
        case = oracle(name)
        found = maps_of.equilibrium(maps_of.layer_maps(network(name, dtype)), case.x, case.y)
        assert float(found.energy) == pytest.approx(float(case.equilibrium_energy), rel=TOLERANCE[dtype])
        assert_close(found.activities, case.z_star, TOLERANCE[dtype])

    def test_activity_hessian(self, name: str, dtype: str) -> None:
        hessian = maps_of.activity_hessian(maps_of.layer_maps(network(name, dtype)))
        assert_close([hessian], [oracle(name).activity_hessian], TOLERANCE[dtype])
