"""Solvers and weight optimisers follow the update rules of the literature, written out in NumPy."""

from collections.abc import Callable

import numpy as np
import pytest

from pcviz.experiment import Experiment, Inference
from pcviz.pcn import relax, weights
from tests.pcn.pairs import pair
from tests.pcn.reference import Array, Layers
from tests.pcn.test_learning import Trained
from tests.pcn.theory import assert_all_close

Rule = Callable[[Array], Array]
"""The change of a variable for its next gradient; keeps its own state."""


def heavy_ball(eta: float, beta: float) -> Rule:
    """Polyak: v <- beta v + g, z <- z - eta v."""
    velocity: Array | float = 0.0

    def change(gradient: Array) -> Array:
        nonlocal velocity
        velocity = beta * velocity + gradient
        return -eta * velocity

    return change


def adam(eta: float, epsilon: float = 1e-8) -> Rule:
    """Kingma and Ba, algorithm 1."""
    m: Array | float = 0.0
    v: Array | float = 0.0
    t = 0

    def change(gradient: Array) -> Array:
        nonlocal m, v, t
        t += 1
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        return -eta * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + epsilon)

    return change


@pytest.mark.parametrize("momentum", [0.0, 0.7, 0.95])
def test_momentum_is_the_heavy_ball(momentum: float) -> None:
    check_solver(
        Inference(solver="momentum", step_size=0.05, momentum=momentum, steps=9), lambda: heavy_ball(0.05, momentum)
    )


def test_adam_on_the_activities() -> None:
    check_solver(Inference(solver="adam", step_size=0.02, steps=9), lambda: adam(0.02))


def check_solver(inference: Inference, rule: Callable[[], Rule]) -> None:
    net, network, x, y = pair(activation="tanh")
    z = net.forward(x)[0]
    rules = [rule() for _ in z]
    for _ in range(9):
        gradients = [len(x) * g for g in net.activity_gradients(x, y, z)]  # of each example
        z = [z_l + change(g) for z_l, change, g in zip(z, rules, gradients, strict=True)]
    assert_all_close(relax(network, x, y, inference).activities, z, 1e-10)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
def test_weight_decay_and_epsilon_enter_where_the_optimiser_says(optimiser: str, decay: float) -> None:
    """sgd and adam add lambda W to the gradient; adamw takes eta lambda W off the weights (Loshchilov and Hutter)."""
    eta, epsilon = 0.02, 1e-2
    learning = {"optimiser": optimiser, "learning_rate": eta, "weight_decay": decay, "adam_epsilon": epsilon}
    experiment = Experiment.model_validate(
        {
            "network": {"depth": 5, "width": 6, "activation": "tanh"},
            "inference": {"solver": "gradient_descent", "steps": 6, "step_size": 0.2},
            "learning": learning,
            "dtype": "float64",
        }
    )
    net, network, x, y = pair(activation="tanh", batch=12)
    x, y = x.reshape(3, 4, -1), y.reshape(3, 4, -1)
    found = Trained(experiment, network, x, y)
    rules = [heavy_ball(eta, 0.0) if optimiser == "sgd" else adam(eta, epsilon) for _ in net.weights]
    for batch in zip(x, y, strict=True):
        gradients: Layers = net.weight_gradients(*batch, net.relax(*batch, 0.2, 6).activities)
        for layer, (w, g, change) in enumerate(zip(net.weights, gradients, rules, strict=True)):
            moved = change(g) - eta * decay * w if optimiser == "adamw" else change(g + decay * w)
            net.weights[layer] = w + moved
    assert_all_close(weights(found.network), net.weights, 1e-10)
