"""Channels of one relaxation in full, and of other solvers from the same start.

V solvers, Q states of a solver (NaN behind its last), A comparisons of gradients.
"""

from pcviz.frames import Channel, number

CHANNELS: dict[str, Channel] = {
    "relaxed_steps": number("inference steps", "the inference step of the numbers of the relaxation"),
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
    "initial_energy": number("energy", "total energy of the start"),
    "signal_steps": number("inference steps", "predicted steps until layer 1 has a signal; infinite: too many"),
    "alignment_steps": Channel(("A",), "int32", "inference steps", "when gradients were compared", bulk=True),
    "alignment_cosine": Channel(("A", "L"), "float64", "cosine", "of PC's and backprop's gradients of W_l", bulk=True),
    "alignment_ratio": Channel(("A", "L"), "float64", "ratio", "norm of PC's gradient over backprop's", bulk=True),
    "alignment_total": number("cosine", "of the whole gradients after the last step"),
    "alignment_input": number("cosine", "of the gradients of the quarter of the layers next to the input"),
    "solver_steps": Channel(("Q", "V"), "float64", "steps", "steps of each solver at its recorded states", bulk=True),
    "solver_passes": Channel(("Q", "V"), "float64", "gradient evaluations", "of each solver until then", bulk=True),
    "solver_ms": Channel(("Q", "V"), "float64", "ms", "computing time of each solver up to that state", bulk=True),
    "solver_excess": Channel(("Q", "V"), "float64", "energy", "total energy above the lowest found", bulk=True),
    "solver_arrival": Channel(
        ("V", "3"), "float64", "steps, evaluations, ms", "until each is within 1 % of the excess; NaN: not", bulk=True
    ),
    "solver_states": Channel(("V",), "int32", "state", "what became of each solver, see STATES", bulk=True),
    "solver_sizes": Channel(("V",), "float64", "step size", "of each solver; NaN: it has none", bulk=True),
    "equilibrium_is_exact": number("0 or 1", "1: equilibrium_energy is exact; 0: the lowest that a solver found"),
    "curvature_bins": Channel(("M",), "float64", "log10 curvature", "middle of each bin of the spectrum", bulk=True),
    "curvature_counts": Channel(("M",), "int32", "eigenvalues", "eigenvalues of the activity Hessian in it", bulk=True),
    "curvature_min": number("curvature", "least eigenvalue of the activity Hessian at the start, first example"),
    "curvature_max": number("curvature", "greatest eigenvalue of it"),
    "curvature_negative": number("eigenvalues", "how many eigenvalues are at or below zero"),
    "condition_number": number("ratio", "greatest over least eigenvalue"),
    "step_limit": number("step size", "greatest at which the quadratic model converges, least of some examples"),
    "step_limit_range": Channel(("2",), "float64", "step size", "least and greatest of it over those", bulk=True),
    "model_examples": number("examples", "how many examples the quadratic model looked at, the first of the batch"),
    "stable_curvature": number("curvature", "2 (1 + momentum) / step size: modes with a greater eigenvalue diverge"),
    "contraction": number("factor", "by which one step of the solver shrinks the slowest mode in the long run"),
    "predicted_steps": number(
        "inference steps",
        "of gradient descent to 1 % of the initial excess, quadratic model; infinite: too many",
    ),
    "predicted_steps_range": Channel(
        ("2",), "float64", "inference steps", "least and greatest over those examples, each on its own", bulk=True
    ),
    "error_curvature_max": number("curvature", "greatest eigenvalue in error coordinates, where the least is 1"),
    "diverged_at": number("inference steps", "where the energy was not finite any more; 0: not even at the start"),
    "source_step": number("weight steps", "weight step of the stored weights; NaN: fresh ones"),
}
