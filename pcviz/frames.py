"""Frames: what a job reports. One frame describes the state after its last step.

A channel is a named quantity with fixed dimensions and meaning; `CHANNELS` is the one table that probes fill, the store
keeps, the stream carries and figures draw. Dimensions are named: L layers, H hidden layers, R recorded rows of a
relaxation (at most 256 of its T + 1 states, 512 where it is all there is to see), G grid points of a plane, S points of
a path, E points of a broken line, W steps of a walk, P data points, V solvers, Q states of a solver (NaN behind its
last), A looks at gradients, M bins of a histogram; of chains C critical points, U updates, 5 chains of 1 … 5 hidden
units, 3 rules (pcviz.chains.RULES), J rules × seeds (rule after rule), F chains × rules × seeds; of curvature
D distances from the origin, X points of a path's continuation.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import orjson

from pcviz.brief import short

Value: TypeAlias = float | np.ndarray
TRACE_ROWS = 256
"""Most rows of a relaxation that are recorded (first, last, and log-spaced between)."""
FULL_ROWS = 512
"""The same where the relaxation is all there is to see."""


@dataclass(frozen=True)
class Channel:
    """A quantity: named dimensions (none for a number), number format, unit, meaning.

    `bulk` channels are large: the store keeps the latest and those of a checkpoint, not one for every frame.
    """

    dims: tuple[str, ...]
    dtype: Literal["float32", "float64", "int32"]
    unit: str
    meaning: str
    bulk: bool = False


def _number(unit: str, meaning: str) -> Channel:
    return Channel((), "float64", unit, meaning)


CHANNELS: dict[str, Channel] = {
    # kind "train"
    "train_loss": Channel(
        ("3",),
        "float64",
        "nats or half squared units",
        "feedforward loss of the training batch: last, least and greatest since the frame before",
    ),
    "test_loss": _number("as train_loss", "feedforward loss of the whole test set"),
    "test_accuracy": _number("share", "share of test examples whose largest output is their class"),
    "energy": Channel(("L",), "float64", "energy", "E_1 … E_L at the end of the last relaxation, batch mean"),
    "total_energy": _number("energy", "sum of `energy`"),
    "energy_left": _number("share", "`total_energy` over that at the start of the relaxation"),
    "expected_energy": Channel(
        ("L",),
        "float64",
        "energy",
        "E_l that theory expects if all layers pass their errors on unchanged, scaled to layer H, the output as it is; "
        "NaN where that is less than rounding",
    ),
    "energy_off_theory": _number(
        "decades", "greatest |log10(`energy` / `expected_energy`)| over the hidden layers; more energy is none with iPC"
    ),
    "layers_expected": _number(
        "layers", "layers whose error should be more than rounding where all pass it on unchanged"
    ),
    "layers_learning": _number("layers", "those of them whose weights moved by 0.01 % to 20 % in the latest step"),
    "layers_with_signal": _number(
        "layers",
        "number of layers with rms(e_l) > 10 eps rms(z_l) after a feedforward start: the target reached them; after "
        "others the same of the difference to the relaxation without the target (kind relax), or not told (kind train)",
    ),
    "trace_steps": Channel(("R",), "int32", "inference steps", "the inference step of each recorded row", bulk=True),
    "energy_trace": Channel(
        ("R", "L"), "float64", "energy", "layer energies at each recorded inference step", bulk=True
    ),
    "total_energy_trace": Channel(("R",), "float64", "energy", "row sums of `energy_trace`", bulk=True),
    "update_rms": Channel(
        ("R", "H"), "float64", "activity", "rms of the step of z_l that led to the row; row 0 is 0", bulk=True
    ),
    "equilibrium_energy": _number(
        "energy", "F*, least total energy of this batch, exact (linear, mse) or the lowest found"
    ),
    "steps_per_second": _number("1/s", "weight steps per second of compute, recent"),
    "seconds_left": _number("s", "compute time left at the pace so far; NaN: unknown, or nothing is left"),
    # kind "landscape": the mean loss on a plane through the current weights
    "landscape": Channel(
        ("G", "G"), "float32", "as train_loss", "loss at (row: y, column: x); NaN where not computed", True
    ),
    "landscape_x": Channel(("G",), "float32", "weight distance", "coordinates along the first direction", bulk=True),
    "landscape_y": Channel(("G",), "float32", "weight distance", "coordinates along the second direction", bulk=True),
    "path_x": Channel(("S",), "float32", "weight distance", "the run's path, first coordinate", bulk=True),
    "path_y": Channel(("S",), "float32", "weight distance", "the run's path, second coordinate", bulk=True),
    "path_loss": Channel(("S",), "float32", "as train_loss", "loss at the points of the path", bulk=True),
    "path_steps": Channel(("S",), "int32", "weight steps", "weight step of each point of the path", bulk=True),
    "plane_is_pca": _number("0 or 1", "1: principal directions of the path; 0: two random directions"),
    "path_variance": _number("share", "share of the path's variance inside the plane"),
    "path_length": _number("share", "share of the path's length inside the plane"),
    "path_span": _number("share", "extent of the path as a share of the plane's"),
    "path_begun": _number(
        "weight steps", "weight step at which the recorded path begins (0, or later after a restart)"
    ),
    "landscape_done": _number("share", "share of the grid computed"),
    # kind "surface": the same, with the equilibrated energy F* beside the loss
    "landscape_energy": Channel(("G", "G"), "float32", "energy", "F* at (row: y, column: x)", bulk=True),
    "landscape_ratio": Channel(("G", "G"), "float32", "ratio", "loss over F* at (row: y, column: x)", bulk=True),
    "path_energy": Channel(("S",), "float32", "energy", "F* at the points of the path", bulk=True),
    "arrows_loss_x": Channel(("E",), "float32", "weight distance", "arrows down the loss, a broken line", bulk=True),
    "arrows_loss_y": Channel(("E",), "float32", "weight distance", "second coordinates of it", bulk=True),
    "arrows_energy_x": Channel(("E",), "float32", "weight distance", "arrows down F*, a broken line", bulk=True),
    "arrows_energy_y": Channel(("E",), "float32", "weight distance", "second coordinates of it", bulk=True),
    "loss_here": _number("as train_loss", "loss at the weights that the plane goes through"),
    "energy_here": _number("energy", "F* there"),
    "energy_tolerance": _number(
        "share", "half the squared gradient left at F*, in error coordinates, over F*: the worst point of the picture"
    ),
    # kind "walk": where backpropagation and predictive coding go from one point of the plane
    **{
        f"walk_{rule}_{name}": Channel(("W",), "float32", unit, f"of {label} after each weight step", bulk=True)
        for rule, label in (("bp", "backpropagation"), ("pc", "predictive coding"))
        for name, unit in (
            ("steps", "weight steps"),
            ("x", "weight distance"),
            ("y", "weight distance"),
            ("loss", "as train_loss"),
            ("energy", "energy"),
        )
    },
    # kind "relax": one relaxation in full, and other solvers from the same start
    "relaxed_steps": _number("inference steps", "the inference step of the numbers of the relaxation"),
    "error_rms": Channel(("R", "L"), "float64", "activity", "rms of e_l at each recorded inference step", bulk=True),
    "activity_rms": Channel(("R", "H"), "float32", "activity", "rms of z_l at each recorded inference step", bulk=True),
    "predicted_error": Channel(
        ("R", "L"), "float64", "activity", "rms of e_l that a chain of scalars predicts", bulk=True
    ),
    "equilibrium_error": Channel(("L",), "float64", "activity", "rms of e_l at the lowest energy found", bulk=True),
    "rounding_floor": Channel(("L",), "float64", "activity", "10 eps rms(z_l): less is rounding", bulk=True),
    "front": Channel(("R",), "float64", "layer", "lowest layer that the error can have reached, L - t", bulk=True),
    "predicted_front": Channel(
        ("R",), "float64", "layer", "lowest layer whose predicted error stands above rounding", bulk=True
    ),
    "initial_energy": _number("energy", "total energy of the start"),
    "signal_steps": _number("inference steps", "predicted steps until layer 1 has a signal; infinite: too many"),
    "alignment_steps": Channel(("A",), "int32", "inference steps", "when gradients were compared", bulk=True),
    "alignment_cosine": Channel(("A", "L"), "float64", "cosine", "of PC's and backprop's gradients of W_l", bulk=True),
    "alignment_ratio": Channel(("A", "L"), "float64", "ratio", "norm of PC's gradient over backprop's", bulk=True),
    "alignment_total": _number("cosine", "of the whole gradients after the last step"),
    "alignment_input": _number("cosine", "of the gradients of the quarter of the layers next to the input"),
    "solver_steps": Channel(("Q", "V"), "float64", "steps", "steps of each solver at its recorded states", bulk=True),
    "solver_passes": Channel(("Q", "V"), "float64", "gradient evaluations", "of each solver until then", bulk=True),
    "solver_ms": Channel(("Q", "V"), "float64", "ms", "computing time of each solver up to that state", bulk=True),
    "solver_excess": Channel(("Q", "V"), "float64", "energy", "total energy above the lowest found", bulk=True),
    "solver_arrival": Channel(
        ("V", "3"), "float64", "steps, evaluations, ms", "until each is within 1 % of the excess; NaN: not", bulk=True
    ),
    "solver_states": Channel(("V",), "int32", "state", "what became of each solver, see pcviz.comparison", bulk=True),
    "solver_sizes": Channel(("V",), "float64", "step size", "of each solver; NaN: it has none", bulk=True),
    "equilibrium_is_exact": _number("0 or 1", "1: equilibrium_energy is exact; 0: the lowest that a solver found"),
    "curvature_bins": Channel(("M",), "float64", "log10 curvature", "middle of each bin of the spectrum", bulk=True),
    "curvature_counts": Channel(("M",), "int32", "eigenvalues", "eigenvalues of the activity Hessian in it", bulk=True),
    "curvature_min": _number("curvature", "least eigenvalue of the activity Hessian at the start, first example"),
    "curvature_max": _number("curvature", "greatest eigenvalue of it"),
    "curvature_negative": _number("eigenvalues", "how many eigenvalues are at or below zero"),
    "condition_number": _number("ratio", "greatest over least eigenvalue"),
    "step_limit": _number("step size", "greatest at which the quadratic model converges, least of some examples"),
    "step_limit_range": Channel(("2",), "float64", "step size", "least and greatest of it over those", bulk=True),
    "model_examples": _number("examples", "how many examples the quadratic model looked at, the first of the batch"),
    "stable_curvature": _number("curvature", "2 (1 + momentum) / step size: modes with a greater eigenvalue diverge"),
    "contraction": _number("factor", "by which one step of the solver shrinks the slowest mode in the long run"),
    "predicted_steps": _number(
        "inference steps",
        "of gradient descent to 1 % of the initial excess, quadratic model; infinite: too many",
    ),
    "predicted_steps_range": Channel(
        ("2",), "float64", "inference steps", "least and greatest over those examples, each on its own", bulk=True
    ),
    "error_curvature_max": _number("curvature", "greatest eigenvalue in error coordinates, where the least is 1"),
    "diverged_at": _number("inference steps", "where the energy was not finite any more; 0: not even at the start"),
    "source_step": _number("weight steps", "weight step of the stored weights; NaN: fresh ones"),
    # of all looks: what takes its time
    "training_step": _number("weight steps", "where the training of the weights to be looked at is; NaN: none is on"),
    "training_steps": _number("weight steps", "where that training ends"),
    "compiling": _number("0 or 1", "1: programs are being compiled; NaN: all is done"),
    # kind "chain": a chain of scalars in the plane of its last two weights, and the race away from the origin
    "chain_axis": Channel(("G",), "float32", "weight", "values of w_(L-1), along x, and w_L, along y", bulk=True),
    "chain_loss": Channel(("G", "G"), "float32", "half squared units", "loss at (row: w_L, column: w_(L-1))", True),
    "chain_energy": Channel(("G", "G"), "float32", "energy", "equilibrated energy F* there", bulk=True),
    "chain_arrows_loss_x": Channel(
        ("E",), "float32", "weight", "arrows of steepest descent on the loss, w_(L-1)", bulk=True
    ),
    "chain_arrows_loss_y": Channel(("E",), "float32", "weight", "the same, w_L", bulk=True),
    "chain_arrows_energy_x": Channel(
        ("E",), "float32", "weight", "arrows of steepest descent on F*, w_(L-1)", bulk=True
    ),
    "chain_arrows_energy_y": Channel(("E",), "float32", "weight", "the same, w_L", bulk=True),
    "chain_flow_loss_x": Channel(
        ("E",), "float32", "weight", "gradient flow on the loss in this plane, w_(L-1)", bulk=True
    ),
    "chain_flow_loss_y": Channel(("E",), "float32", "weight", "the same, w_L", bulk=True),
    "chain_flow_energy_x": Channel(
        ("E",), "float32", "weight", "gradient flow on F* in this plane, w_(L-1)", bulk=True
    ),
    "chain_flow_energy_y": Channel(("E",), "float32", "weight", "the same, w_L", bulk=True),
    "chain_critical_x": Channel(("C",), "float32", "weight", "critical points, w_(L-1)", bulk=True),
    "chain_critical_y": Channel(("C",), "float32", "weight", "critical points, w_L", bulk=True),
    "chain_type_loss": Channel(("C",), "int32", "type", "as points of the loss: pcviz.chains.POINT_TYPES", bulk=True),
    "chain_type_energy": Channel(("C",), "int32", "type", "the same as points of F*", bulk=True),
    "chain_curvature_loss": _number("curvature", "least eigenvalue of the Hessian of the loss at w_(L-1) = w_L = 0"),
    "chain_curvature_energy": _number("curvature", "the same of F*"),
    "race_steps": Channel(("U",), "int32", "updates", "updates made at each recorded loss, log-spaced", bulk=True),
    "race_loss": Channel(
        ("U", "F"),
        "float32",
        "half squared units",
        "loss of a fresh batch; NaN: that race is over or to come",
        bulk=True,
    ),
    "race_counts": Channel(("5", "J"), "float32", "updates", "until the loss is below 1/4; NaN: not yet", bulk=True),
    "race_capped": Channel(("5", "J"), "float32", "updates", "the cap, where it ended a racer; NaN: not", bulk=True),
    "race_median": Channel(
        ("5", "3"), "float32", "updates", "median of `race_counts` over seeds; NaN: none", bulk=True
    ),
    "race_above_cap": Channel(("5", "3"), "float32", "hidden units", "H where the median is above the cap", bulk=True),
    "race_diverged": _number("racers", "how many left for infinity without an escape"),
    # kind "curvature": the energy of inference on a plane; Hessians, gradients and steps in weight space
    "activity_plane": Channel(
        ("G", "G"), "float64", "energy", "first example's energy above equilibrium at (row: y, column: x)", bulk=True
    ),
    "activity_plane_x": Channel(("G",), "float64", "activity", "distance along the steepest direction", bulk=True),
    "activity_plane_y": Channel(("G",), "float64", "activity", "distance along the flattest direction", bulk=True),
    "activity_path_x": Channel(("S",), "float64", "activity", "the solver's path, steepest direction", bulk=True),
    "activity_path_y": Channel(("S",), "float64", "activity", "the solver's path, flattest direction", bulk=True),
    "activity_path_steps": Channel(("S",), "int32", "inference steps", "step of each point of the path", bulk=True),
    "activity_path_excess": Channel(
        ("S",), "float64", "energy", "above equilibrium at each point of the path, off the plane too", bulk=True
    ),
    "activity_beyond_x": Channel(("X",), "float64", "activity", "the path if the solver went on", bulk=True),
    "activity_beyond_y": Channel(("X",), "float64", "activity", "the same, flattest direction", bulk=True),
    "activity_beyond_steps": Channel(("X",), "int32", "inference steps", "step of each of its points", bulk=True),
    "plane_curvature_max": _number("curvature", "greatest eigenvalue of the activity Hessian at equilibrium"),
    "plane_curvature_min": _number("curvature", "least eigenvalue of it"),
    "plane_condition": _number("ratio", "greatest over least eigenvalue of it"),
    "plane_share": _number("share", "part of the squared distance from start to equilibrium that lies in the plane"),
    "curvature_examples": _number("examples", "how many examples the weights' curvature is averaged over"),
    "weight_count": _number("weights", "P, the number of weights"),
    "weight_norm": _number("weight distance", "distance of the weights from the origin"),
    "loss_curvature_min": _number("curvature", "least eigenvalue of the loss's Hessian at the weights"),
    "loss_curvature_max": _number("curvature", "greatest eigenvalue of it"),
    "energy_curvature_min": _number("curvature", "least eigenvalue of the Hessian of F* at the weights"),
    "energy_curvature_max": _number("curvature", "greatest eigenvalue of it"),
    "origin_loss_min": _number("curvature", "least eigenvalue of the loss's Hessian at the origin; 0: no escape"),
    "origin_energy_min": _number("curvature", "least eigenvalue of the Hessian of F* at the origin"),
    "loss_ends": Channel(("2",), "float64", "curvature", "least and greatest eigenvalue of the loss's Hessian"),
    "energy_ends": Channel(("2",), "float64", "curvature", "least and greatest eigenvalue of the Hessian of F*"),
    "loss_end_places": Channel(("2",), "float64", "pcviz.curvatures.place", "where `loss_ends` stand on the axis"),
    "energy_end_places": Channel(("2",), "float64", "pcviz.curvatures.place", "where `energy_ends` stand"),
    "eigenvalue_bins": Channel(
        ("M",), "float64", "pcviz.curvatures.place", "middle of each bin of eigenvalues of either sign", bulk=True
    ),
    "eigenvalue_middles": Channel(("M",), "float64", "curvature", "eigenvalue in the middle of the bin", bulk=True),
    "loss_eigenvalues": Channel(("M",), "int32", "eigenvalues", "of the loss's Hessian at the weights", bulk=True),
    "energy_eigenvalues": Channel(("M",), "int32", "eigenvalues", "of the Hessian of F* at the weights", bulk=True),
    "origin_loss_eigenvalues": Channel(("M",), "int32", "eigenvalues", "of the loss's Hessian at 0", bulk=True),
    "origin_energy_eigenvalues": Channel(("M",), "int32", "eigenvalues", "of the Hessian of F* at 0", bulk=True),
    "ray_distance": Channel(("D",), "float64", "weight distance", "from the origin towards the weights", bulk=True),
    "ray_loss_gradient": Channel(("D",), "float64", "slope", "norm of the loss's gradient there", bulk=True),
    "ray_energy_gradient": Channel(("D",), "float64", "slope", "norm of the gradient of F* there", bulk=True),
    "pc_gradient_cosine": Channel(("L",), "float64", "cosine", "of PC's step and the gradient's in W_l", bulk=True),
    "pc_newton_cosine": Channel(("L",), "float64", "cosine", "of PC's step and the Gauss-Newton step", bulk=True),
    "newton_gradient_cosine": Channel(("L",), "float64", "cosine", "of the Gauss-Newton step and the gradient's", True),
    "pc_step": Channel(("L",), "float64", "slope", "length of PC's step in W_l: norm of dF*/dW_l", bulk=True),
    "gradient_step": Channel(("L",), "float64", "slope", "length of the gradient's step", bulk=True),
    "newton_step": Channel(("L",), "float64", "weight distance", "length of the Gauss-Newton step", bulk=True),
    "pc_gradient_total": _number("cosine", "of PC's step and the gradient's, all weights"),
    "pc_newton_total": _number("cosine", "of PC's step and the Gauss-Newton step, all weights"),
    "newton_gradient_total": _number("cosine", "of the Gauss-Newton step and the gradient's, all weights"),
    "pc_gradient_ratio": _number("ratio", "length of PC's step over the gradient's, all weights"),
    "newton_damping": _number("curvature", "added to the Gauss-Newton matrix"),
    "activity_newton_cosine": _number("cosine", "of inference z* - z and the Newton step in the activities"),
    "activity_gradient_cosine": _number("cosine", "of inference z* - z and steepest descent in the activities"),
    "activity_newton_ratio": _number("ratio", "length of z* - z over the Newton step's"),
    # kind "boundary": what a network with two inputs and two classes says over the input plane
    "boundary": Channel(("G", "G"), "float32", "output", "output of class 2 minus output of class 1", bulk=True),
    "boundary_x": Channel(("G",), "float32", "input", "first input", bulk=True),
    "boundary_y": Channel(("G",), "float32", "input", "second input", bulk=True),
    "points_x": Channel(("P",), "float32", "input", "first input of training examples", bulk=True),
    "points_y": Channel(("P",), "float32", "input", "second input of training examples", bulk=True),
    "points_class": Channel(("P",), "int32", "class", "class of those examples, 0 or 1", bulk=True),
}

AXES = ("step", "inference_step", "epoch", "seconds")
"""Attributes of a frame that figures may bind like channels."""


@dataclass(frozen=True)
@short
class Frame:
    """What a job reports after a step.

    `generation` grows by one at each reset of the run; `seq` counts 1, 2, … within a generation and is set by the
    store; `seconds` is compute time since the generation began; `values` maps channel names to numbers or arrays.
    """

    kind: str
    step: int
    values: dict[str, Value]
    inference_step: int = 0
    epoch: float = 0.0
    seconds: float = 0.0
    run: str = ""
    generation: int = 0
    seq: int = 0
    done: bool = field(default=False, compare=False)


def encode_values(values: dict[str, Value], *, bulk: bool | None = None) -> bytes:
    """JSON of the values; arrays become {dtype, shape, base64} (little endian), non-finite numbers null.

    With `bulk` given, only the channels that are (True) or are not (False) bulk. Raises KeyError for a name that is no
    channel.
    """
    chosen = {name: value for name, value in values.items() if bulk is None or CHANNELS[name].bulk == bulk}
    return orjson.dumps({name: _encode(CHANNELS[name], value) for name, value in chosen.items()})


def _encode(channel: Channel, value: Value) -> Any:
    if not channel.dims:
        return float(value)
    array = np.ascontiguousarray(value, dtype=np.dtype(channel.dtype).newbyteorder("<"))
    return {
        "dtype": channel.dtype,
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode("ascii"),
    }


def decode_values(payload: bytes) -> dict[str, Value]:
    """Inverse of `encode_values` (null becomes NaN)."""
    return {name: _decode(value) for name, value in orjson.loads(payload).items()}


def _decode(value: Any) -> Value:
    if isinstance(value, dict):
        array = np.frombuffer(base64.b64decode(value["base64"]), dtype=value["dtype"])
        return array.reshape(value["shape"])
    return float("nan") if value is None else float(value)


def trace_rows(steps: int, rows: int = TRACE_ROWS) -> np.ndarray:
    """Which of the states 0 … `steps` of a relaxation to record: all, or `rows` of them, log-spaced.

    Returns a strictly increasing int32 array of at most `rows` entries that holds 0 and `steps`.
    """
    if steps < rows:
        return np.arange(steps + 1, dtype=np.int32)
    # Rounding merges the crowded small steps: draw as many points as leave no more than `rows` distinct ones.
    drawn, wanted = rows, np.empty(0)
    while len(spaced := np.unique(np.round(np.geomspace(1, steps, drawn)))) < rows:
        drawn, wanted = drawn + max(1, rows - len(spaced)), spaced
    return np.concatenate([[0], wanted]).astype(np.int32)
