"""Channels of one relaxation in full, and of other solvers from the same start.

V solvers, Q states of a solver (NaN behind its last), A comparisons of gradients.
"""

from pcviz.frames import Channel, bulk, number

CHANNELS: dict[str, Channel] = {
    "relaxed_steps": number("inference steps", "the inference step that the relaxation's numbers are of"),
    "error_rms": bulk("RL", "activity", "rms of e_l at each recorded inference step"),
    "activity_rms": bulk("RH", "activity", "rms of z_l at each recorded inference step", "float32"),
    "predicted_error": bulk("RL", "activity", "rms of e_l that a chain of scalars predicts"),
    "equilibrium_error": bulk("L", "activity", "rms of e_l at the lowest energy found"),
    "rounding_floor": bulk("L", "activity", "10 eps rms(z_l): less is rounding"),
    "front": bulk("R", "layer", "lowest layer that the error can have reached, L - t"),
    "predicted_front": bulk("R", "layer", "lowest layer whose predicted error stands above rounding"),
    "initial_energy": number("energy", "total energy of the start"),
    "signal_steps": number("inference steps", "predicted steps until layer 1 has a signal; infinite: too many"),
    "alignment_steps": bulk("A", "inference steps", "when gradients were compared", "int32"),
    "alignment_cosine": bulk("AL", "cosine", "of PC's and backprop's gradients of W_l"),
    "alignment_ratio": bulk("AL", "ratio", "norm of PC's gradient over backprop's"),
    "alignment_total": number("cosine", "of the whole gradients after the last step"),
    "alignment_input": number("cosine", "of the gradients of the quarter of the layers next to the input"),
    "solver_steps": bulk("QV", "steps", "steps of each solver at its recorded states"),
    "solver_passes": bulk("QV", "gradient evaluations", "of each solver until then"),
    "solver_ms": bulk("QV", "ms", "computing time of each solver up to that state"),
    "solver_excess": bulk("QV", "energy", "total energy above the lowest found"),
    "solver_arrival": bulk("V3", "steps, evaluations, ms", "until each is within 1 % of the excess; NaN: never"),
    "solver_states": bulk("V", "state", "what became of each solver, see STATES", "int32"),
    "solver_sizes": bulk("V", "step size", "of each solver; NaN: it has none"),
    "equilibrium_is_exact": number("0 or 1", "1: equilibrium_energy is exact; 0: the lowest that a solver found"),
    "curvature_bins": bulk("M", "log10 curvature", "middle of each bin of the spectrum"),
    "curvature_counts": bulk("M", "eigenvalues", "eigenvalues of the activity Hessian in it", "int32"),
    "curvature_min": number("curvature", "least eigenvalue of the activity Hessian at the start, first example"),
    "curvature_max": number("curvature", "greatest eigenvalue of it"),
    "curvature_negative": number("eigenvalues", "how many eigenvalues are at or below zero"),
    "condition_number": number("ratio", "greatest over least eigenvalue"),
    "step_limit": number("step size", "greatest at which the quadratic model converges, least over several examples"),
    "step_limit_range": bulk("2", "step size", "least and greatest of it over those examples"),
    "model_examples": number("examples", "how many examples the quadratic model uses, the first of the batch"),
    "stable_curvature": number("curvature", "2 (1 + momentum) / step size: modes with a greater eigenvalue diverge"),
    "contraction": number("factor", "by which one step of the solver shrinks the slowest mode in the long run"),
    "predicted_steps": number(
        "inference steps",
        "of gradient descent to 1 % of the initial excess, quadratic model; infinite: too many",
    ),
    "predicted_steps_range": bulk("2", "inference steps", "least and greatest over those examples, each on its own"),
    "error_curvature_max": number("curvature", "greatest eigenvalue in error coordinates, where the least is 1"),
    "diverged_at": number("inference steps", "where the energy was no longer finite; 0: not even at the start"),
    "source_step": number("weight steps", "weight step of the stored weights; NaN: fresh ones"),
}
