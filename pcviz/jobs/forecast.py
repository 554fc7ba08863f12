"""What theory says of a relaxation at its start: curvature, rates, the signal that travels down, the spectrum.

Curvature makes a quadratic model of the energy around the start, exact where the energy is quadratic. It differs from
example to example, so that what it says has a range.
"""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Experiment
from pcviz.frames import Value
from pcviz.pcn import backprop, feedforward
from pcviz.pcn.energy import rms
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.network import Network
from pcviz.probes import theory
from pcviz.probes.blocktridiagonal import Blocks, extreme_eigenvalues, gradient_measure
from pcviz.probes.counting import bin_edges, count_below
from pcviz.probes.hessian import BLOCK_NUMBERS_MAX, as_float64, as_stacks, hessian_blocks, largest_eigenvalue

BINS = 48
COUNTING_FLOPS = 5e11
"""Most arithmetic spent on the histogram of eigenvalues."""
EXAMPLES_MOST, EXAMPLES_FLOPS = 8, 2e10
"""Examples that the quadratic model looks at, the first of the batch, and most arithmetic spent on them."""
SIGNAL_STEPS = 16_384
"""Most steps that the search for the first layer's signal looks ahead."""


class Forecast:
    """Theory of one batch from its feedforward start; the spectrum is that of the first example, what follows from it
    that of several.

    `compute` first, in whatever thread; then `count` bin after bin. `values` holds channels of kind "relax".
    """

    def __init__(self, experiment: Experiment, network: Network, x: jax.Array, y: jax.Array, rows: np.ndarray) -> None:
        self.experiment, self.network = experiment, network
        self.x, self.y, self.rows = x, y, rows
        self.values: dict[str, Value] = {}
        self.curvatures: tuple[float, float] | None = None
        self.error_curvature = 1.0
        self.why_no_spectrum = ""
        self._matrix: Blocks | None = None

    @property
    def step_size(self) -> float | None:
        """That of gradient descent; None where the experiment descends otherwise."""
        inference = self.experiment.inference
        return inference.step_size if inference.solver == "gradient_descent" else None

    def compute(self) -> None:
        """Everything but the histogram."""
        start, _ = feedforward(self.network, self.x)
        with np.errstate(over="ignore", invalid="ignore"):  # an unstable step size
            self._signal(start)
        one = self.x[:1], self.y[:1], [z[:1] for z in start]
        self.error_curvature = float(np.max(theory.error_spectrum(self.network, *one)))
        self.values["error_curvature_max"] = self.error_curvature
        hidden, width = len(start), start[0].shape[-1]
        equal, numbers = all(z.shape[-1] == width for z in start), (2 * hidden - 1) * width**2
        if not equal or numbers > BLOCK_NUMBERS_MAX:
            self.why_no_spectrum = f"{hidden} layers of width {width} do not fit into memory"
            self._rates(None, largest_eigenvalue(self.network, *one))
            return
        fit = min(EXAMPLES_FLOPS / (30 * hidden * width**3), BLOCK_NUMBERS_MAX / numbers, EXAMPLES_MOST, len(self.x))
        few = slice(max(1, int(fit)))
        some = self.x[few], self.y[few], [z[few] for z in start]
        blocks = hessian_blocks(self.network, *some)
        ends = extreme_eigenvalues(blocks)
        self._rates(ends.smallest, ends.largest)
        if ends.smallest.min() > 0 and self.step_size is not None:
            self._settling(blocks, some, self.step_size)
        if 10 * BINS * hidden * width**3 > COUNTING_FLOPS:
            self.why_no_spectrum = f"counting {hidden * width:,} eigenvalues of this width would take minutes"
            return
        self._matrix = Blocks(*(part[0] for part in blocks))
        self.values["curvature_negative"] = float(count_below(self._matrix, 0.0))

    def _settling(self, blocks: Blocks, some: tuple[jax.Array, jax.Array, list[jax.Array]], step_size: float) -> None:
        """Steps of gradient descent to 1 % of the initial excess: of the mean energy, and of each example's own."""
        network, (x, y, activities) = as_float64(self.network), some
        stacks = as_stacks(network, activities)
        gradient = jax.jit(activity_gradient)(network, x.astype(jnp.float64), y.astype(jnp.float64), stacks).gradient
        measures = gradient_measure(blocks, [layer for stack in gradient for layer in np.asarray(stack)])
        found = [theory.steps_to_share(chosen, step_size) for chosen in (measures, *([m] for m in measures))]
        steps = [float("inf") if count is None else float(count) for count in found]
        self.values |= {"predicted_steps": steps[0], "predicted_steps_range": np.array([min(steps), max(steps)])}

    def _signal(self, start: list[jax.Array]) -> None:
        """The error that arrives at each layer, against its rounding."""
        epsilon = 10 * float(jnp.finfo(self.network.dtype).eps)
        floor = np.array([epsilon * float(rms(z[None])[0]) for z in (*start, self.y)])
        self.values["rounding_floor"] = floor
        size = self.step_size
        if size is None or self.experiment.inference.initial != "feedforward":
            return
        deltas = backprop(self.network, self.x, self.y).deltas
        precision = float(self.network.output_precision[...])
        predicted = 10.0 ** theory.chain_signal(deltas, size, self.rows, precision)
        self.values["predicted_error"] = predicted
        heard = predicted > floor
        self.values["predicted_front"] = np.where(heard.any(1), heard.argmax(1) + 1.0, np.nan)
        steps = theory.steps_until_signal(deltas, size, floor[0], output_precision=precision, most=SIGNAL_STEPS)
        self.values["signal_steps"] = float("inf") if steps is None else float(steps)

    def _rates(self, least: np.ndarray | None, most: np.ndarray) -> None:
        """From the extreme eigenvalues of some examples: rates of the first, the step limit of all."""
        largest, size = float(most[0]), self.experiment.inference.step_size
        self.values |= {
            "curvature_max": largest,
            "step_limit": theory.step_limit(float(most.max())),
            "step_limit_range": np.array([theory.step_limit(float(end)) for end in (most.max(), most.min())]),
            "model_examples": len(most),
        }
        if self.experiment.inference.solver in ("gradient_descent", "momentum"):
            self.values["stable_curvature"] = 2 / size
        if least is not None:
            smallest = float(least[0])
            self.curvatures = smallest, largest
            self.values |= {
                "curvature_min": smallest,
                "condition_number": theory.condition_number(smallest, largest),
                "contraction": theory.contraction(smallest, largest, size),
            }

    def count(self) -> Iterator[float]:
        """The histogram of eigenvalues, one edge of a bin after the other; yields the share done."""
        if self._matrix is None or self.curvatures is None:
            return
        edges = bin_edges(*self.curvatures, BINS)
        counts = []
        for done, edge in enumerate(edges):
            counts.append(count_below(self._matrix, edge))
            yield done / BINS
        self.values["curvature_bins"] = np.log10(edges[:-1] * edges[1:]) / 2
        self.values["curvature_counts"] = np.diff(counts)
