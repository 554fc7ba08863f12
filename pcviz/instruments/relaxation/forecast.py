"""What theory predicts of a relaxation at its start: curvature, rates, the signal that travels down, the spectrum.

Curvature makes a quadratic model of the energy around the start, exact where the energy is quadratic. It differs from
example to example, so its predictions are ranges.
"""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Experiment
from pcviz.frames import Value
from pcviz.instruments.relaxation.options import BINS, SIGNAL_STEPS
from pcviz.numerics.blocktridiagonal import Blocks, extreme_eigenvalues, gradient_measure
from pcviz.numerics.compiling import Program
from pcviz.numerics.counting import bin_edges, count_below
from pcviz.pcn import backprop, feedforward
from pcviz.pcn.energy import rms
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.network import Network, as_float64
from pcviz.probes import theory
from pcviz.probes.hessian import BLOCK_NUMBERS_MAX, as_stacks, hessian_blocks, largest_eigenvalue

COUNTING_FLOPS = 5e11
"""Most operations spent on the histogram of eigenvalues."""
EXAMPLES_MOST, EXAMPLES_FLOPS = 8, 2e10
"""Most examples that the quadratic model uses, the first of the batch, and most operations spent on them."""


_gradient = Program(activity_gradient)


class Forecast:
    """Theory of one batch from its feedforward start. The spectrum is that of the first example; what follows from it
    is a range over several.

    Call `compute` first, in any thread, then `count`, bin by bin. `values` holds channels of kind "relax".
    """

    def __init__(self, experiment: Experiment, network: Network, x: jax.Array, y: jax.Array, rows: np.ndarray) -> None:
        self.experiment, self.network = experiment, network
        self.x, self.y, self.rows = x, y, rows
        self.values: dict[str, Value] = {}
        self.curvatures: tuple[float, float] | None = None
        self.error_curvature = 1.0
        self.why_no_spectrum = experiment.network.facts.apart
        self._matrix: Blocks | None = None

    @property
    def step_size(self) -> float | None:
        """The step size of gradient descent; None if the experiment uses another kind of solver."""
        inference = self.experiment.inference
        plain = inference.facts.rate == "plain" and inference.facts.space == "activities"
        plain &= self.experiment.relaxes_plainly
        return inference.step_size if plain else None

    def compute(self) -> None:
        """Compute everything but the histogram."""
        start, _ = feedforward(self.network, self.x)
        with np.errstate(over="ignore", invalid="ignore"):  # an unstable step size may overflow
            self._signal(start)
        if self.why_no_spectrum:
            return
        hidden, width = len(start), start[0].shape[-1]
        equal, numbers = all(z.shape[-1] == width for z in start), (2 * hidden - 1) * width**2
        fits = equal and numbers <= BLOCK_NUMBERS_MAX
        fit = min(EXAMPLES_FLOPS / (30 * hidden * width**3), BLOCK_NUMBERS_MAX / numbers, EXAMPLES_MOST, len(self.x))
        few = slice(max(1, int(fit)) if fits else 1)
        some = self.x[few], self.y[few], [z[few] for z in start]
        in_errors = theory.error_spectrum(self.network, *some).max(axis=1)
        self.error_curvature = float(in_errors[0])
        self.values["error_curvature_max"] = self.error_curvature
        if not fits:
            self.why_no_spectrum = f"{hidden} layers of width {width} do not fit into memory"
            self._rates(None, largest_eigenvalue(self.network, *some), in_errors)
            return
        blocks = hessian_blocks(self.network, *some)
        if not all(np.isfinite(part).all() for part in blocks):
            self.why_no_spectrum = "the curvature at the start is not finite"
            return
        ends = extreme_eigenvalues(blocks)
        self._rates(ends.smallest, ends.largest, in_errors)
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
        gradient = _gradient(network, x.astype(jnp.float64), y.astype(jnp.float64), stacks).gradient
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
        above_floor = predicted > floor
        self.values["predicted_front"] = np.where(above_floor.any(1), above_floor.argmax(1) + 1.0, np.nan)
        steps = theory.steps_until_signal(deltas, size, floor[0], output_precision=precision, most=SIGNAL_STEPS)
        self.values["signal_steps"] = float("inf") if steps is None else float(steps)

    def _rates(self, least: np.ndarray | None, most: np.ndarray, in_errors: np.ndarray) -> None:
        """What follows from extreme eigenvalues of some examples, in the activities and in the errors (least: 1): the
        condition number of the first example, and limits and rates of the experiment's own solver."""
        inference, largest = self.experiment.inference, float(most[0])
        self.values |= {"curvature_max": largest, "model_examples": len(most)}
        if least is not None:
            self.curvatures = float(least[0]), largest
            self.values["curvature_min"] = float(least[0])
            self.values["condition_number"] = theory.condition_number(*self.curvatures)
        solver = inference.facts
        momentum = solver.memory(inference.momentum)
        if solver.rate is None:
            return
        if solver.space == "errors":
            self._bounds(1.0, in_errors, momentum)
        else:
            self._bounds(None if least is None else float(least[0]), most, momentum)
            self.values["stable_curvature"] = theory.step_limit(inference.step_size, momentum)

    def _bounds(self, smallest: float | None, most: np.ndarray, momentum: float) -> None:
        """Step limit of several examples, contraction of the first, for the curvatures that the solver descends."""
        limits = [theory.step_limit(float(end), momentum) for end in (most.max(), most.min())]
        self.values |= {"step_limit": limits[0], "step_limit_range": np.array(limits)}
        if smallest is not None:
            size = self.experiment.inference.step_size
            self.values["contraction"] = theory.contraction(smallest, float(most[0]), size, momentum)

    def count(self) -> Iterator[float]:
        """The histogram of eigenvalues, bin edge by bin edge; yields the share done."""
        if self._matrix is None or self.curvatures is None:
            return
        edges = bin_edges(*self.curvatures, BINS)
        counts = []
        for done, edge in enumerate(edges):
            counts.append(count_below(self._matrix, edge))
            yield done / BINS
        self.values["curvature_bins"] = np.log10(edges[:-1] * edges[1:]) / 2
        self.values["curvature_counts"] = np.diff(counts)
