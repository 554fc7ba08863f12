"""Error coordinates: the energy of each example as a function of its hidden errors (theory.md 3.6).

With z_l = mu_l(z_{l-1}) + e_l, an example's energy is 1/2 sum_l |e_l|² + lambda loss(y, output(e)). The output has
only K entries, so the Hessian is the identity (of a stage with precisions: these), a matrix of rank K and a
second-order term that vanishes with the output error.

relu, leaky_relu and selu have a kink at zero, and minima of the energy lie on kinks: some units settle at z = 0
exactly, where the energy rises on both sides and neither one-sided derivative vanishes. Such units are *pinned*: z = 0
is kept and their error follows, e = -mu. Without kinks (`pins` None) nothing of this is computed.

Vectors are tuples of stacks, one for each hidden stage; numbers per example are (B,).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.experiment.activations import ACTIVATIONS
from pcviz.pcn.energy import output_error
from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities, choose, dot, flat, of_examples, over_layers, plus, scaled
from pcviz.pcn.stage import weighed


@short
class Place(NamedTuple):
    """A point in error coordinates: `activities` and `errors` of the hidden stages, `pins` (booleans, or None without
    kinks), `output` (B, K), `energies` of the examples (B,) float64."""

    activities: Activities
    errors: Activities
    pins: Activities | None
    output: jax.Array
    energies: jax.Array


def is_kinked(network: Network) -> bool:
    """Whether some activation has a kink at zero."""
    return any(ACTIVATIONS[stage.activation].kinked for stage in network.stages)


def curvature_product(network: Network, output: jax.Array, y: jax.Array, change: jax.Array) -> jax.Array:
    """lambda C v for changes of the output (..., B, K); C is the loss's Hessian in the output, positive
    semi-definite."""
    if network.loss == "mse":
        return network.output_precision[...] * change
    p = jax.nn.softmax(output)
    weight = network.output_precision[...] * jnp.sum(y, -1, keepdims=True)
    p, weight = (jnp.expand_dims(of_batch, range(change.ndim - 2)) for of_batch in (p, weight))
    return weight * (p * change - p * jnp.sum(p * change, -1, keepdims=True))


def energies_at(network: Network, errors: Activities, output: jax.Array, y: jax.Array) -> jax.Array:
    """Energy of each example, (B,) float64."""
    stages = zip(network.stages, errors, strict=False)
    parts = (jnp.sum(flat(weighed(stage, jnp.square(e.astype(jnp.float64)))), (0, 2)) for stage, e in stages)
    squares = sum(parts, start=jnp.zeros(y.shape[0]))
    output, y = output.astype(jnp.float64), y.astype(jnp.float64)
    if network.loss == "mse":
        losses = 0.5 * jnp.sum(jnp.square(y - output), -1)
    else:
        losses = -jnp.sum(y * jax.nn.log_softmax(output), -1)
    return 0.5 * squares + network.output_precision[...].astype(jnp.float64) * losses


@short
class Path(NamedTuple):
    """The result of a pass upwards: activities, errors and pins of the hidden stages, output (B, K)."""

    activities: Activities
    errors: Activities
    pins: Activities | None
    output: jax.Array


def walk(
    network: Network,
    x: jax.Array,
    errors: Activities,
    pins: Activities | None = None,
    held: Activities | None = None,
    sides: Activities | None = None,
) -> Path:
    """z_l = mu_l + e_l from x (B, D) up, pinned units at `held`; a unit that would cross the kink is pinned at 0.

    The signs of `sides` (activities) say on which side of the kink each unit is; None lets units cross.
    """
    z, found = x, []
    for index, stage in enumerate(network.stages[:-1]):

        def layer(below: jax.Array, own: Any) -> tuple[jax.Array, Any]:
            stage, error, pin, hold, side = own
            mu = stage(below)
            z = mu + error
            if pin is not None:
                z = jnp.where(pin, hold, z)
                if side is not None:
                    crossed = ~pin & (z * side < 0)
                    z, pin = jnp.where(crossed, 0, z), pin | crossed
                error = z - mu
            return z, (z, error, pin)

        extras = (errors, pins, held, sides)
        own = (stage, *(None if stack is None else stack[index] for stack in extras))
        z, rows = over_layers(layer, z, own)
        found.append(rows)
    activities, found_errors, found_pins = zip(*found, strict=True)
    output = network.output((z[None],))
    return Path(activities, found_errors, None if pins is None else found_pins, output)


def place_of(network: Network, y: jax.Array, path: Path) -> Place:
    """The place that a path leads to."""
    return Place(*path, energies_at(network, path.errors, path.output, y))


def start_at(network: Network, x: jax.Array, y: jax.Array, errors: Activities) -> Place:
    """The place with these errors, no unit pinned."""
    pins = tuple(jnp.zeros(e.shape, bool) for e in errors) if is_kinked(network) else None
    held = None if pins is None else jax.tree.map(jnp.zeros_like, errors)
    return place_of(network, y, walk(network, x, errors, pins, held))


def gradient_at(
    network: Network, x: jax.Array, y: jax.Array, place: Place, held: Activities | None
) -> tuple[Activities, Activities | None]:
    """The energy's derivatives in the errors of free units and in the `held` activities of pinned ones, per example."""

    def reach(errors: Activities, held: Activities | None) -> tuple[jax.Array, Activities]:
        path = walk(network, x, errors, place.pins, held)
        return path.output, path.errors

    (output, errors), vjp = jax.vjp(reach, place.errors, held)
    pulls = _weighed(network, errors)
    return vjp((-network.output_precision[...] * output_error(network.loss, output, y), pulls))


def _weighed(network: Network, errors: Activities) -> Activities:
    return tuple(weighed(stage, e) for stage, e in zip(network.stages, errors, strict=False))


def line_step(network: Network, x: jax.Array, y: jax.Array, place: Place, d: Activities, slope: jax.Array) -> jax.Array:
    """The step along d that minimises the Gauss-Newton model: -slope / (|de|² + lambda dy C dy) of each example, (B,).

    `slope` is the energy's derivative along d. One pass upwards with its derivative.
    """

    def reach(errors: Activities) -> tuple[jax.Array, Activities]:
        held = None if place.pins is None else place.activities
        path = walk(network, x, errors, place.pins, held)
        return path.output, path.errors

    _, (dy, de) = jax.jvp(reach, (place.errors,), (d,))
    curvature = dot(de, _weighed(network, de)) + jnp.sum(dy * curvature_product(network, place.output, y, dy), -1)
    return jnp.where(curvature > 0, -slope / jnp.where(curvature > 0, curvature, 1), 0).astype(x.dtype)


def move(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    place: Place,
    d: Activities,
    step: jax.Array,
    tries: int,
    careful: jax.Array,
) -> tuple[Place, jax.Array, jax.Array]:
    """Every example goes step · d, quartered until its energy decreases, at most `tries` times.

    In `careful` examples (B,) units that would cross the kink are pinned on it. Returns the new place (an example
    without a decrease stays where it is), the step taken (B,), 0 for those, and the number of passes upwards.
    """
    held = None if place.pins is None else jax.tree.map(jnp.zeros_like, place.errors)
    # Where `sides` is zero, a unit is on neither side of the kink and may cross.
    sides = None if place.pins is None else tuple(jnp.where(of_examples(careful, z), z, 0) for z in place.activities)

    def attempt(carry: tuple[Place, jax.Array, jax.Array, jax.Array]) -> tuple[Place, jax.Array, jax.Array, jax.Array]:
        best, taken, trial, passes = carry
        path = walk(network, x, plus(place.errors, scaled(d, trial)), place.pins, held, sides)
        tried = place_of(network, y, path)
        better = (taken == 0) & (tried.energies < place.energies)
        return choose(better, tried, best), jnp.where(better, trial, taken), trial / 4, passes + 1

    def unfinished(carry: tuple[Place, jax.Array, jax.Array, jax.Array]) -> jax.Array:
        return (carry[3] < tries) & jnp.any((carry[1] == 0) & (step != 0))

    best, taken, _, passes = jax.lax.while_loop(unfinished, attempt, (place, jnp.zeros_like(step), step, jnp.zeros(())))
    return best, taken, passes
