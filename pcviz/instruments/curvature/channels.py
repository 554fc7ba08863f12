"""Channels of curvature.

D distances from the origin, X points of a path's continuation. The unit "place" is that of `place` in the options.
"""

from pcviz.frames import Channel, number

CHANNELS: dict[str, Channel] = {
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
    "plane_curvature_max": number("curvature", "greatest eigenvalue of the activity Hessian at equilibrium"),
    "plane_curvature_min": number("curvature", "least eigenvalue of it"),
    "plane_condition": number("ratio", "greatest over least eigenvalue of it"),
    "plane_share": number("share", "part of the squared distance from start to equilibrium that lies in the plane"),
    "curvature_examples": number("examples", "how many examples the weights' curvature is averaged over"),
    "weight_count": number("weights", "P, the number of weights"),
    "weight_norm": number("weight distance", "distance of the weights from the origin"),
    "loss_curvature_min": number("curvature", "least eigenvalue of the loss's Hessian at the weights"),
    "loss_curvature_max": number("curvature", "greatest eigenvalue of it"),
    "energy_curvature_min": number("curvature", "least eigenvalue of the Hessian of F* at the weights"),
    "energy_curvature_max": number("curvature", "greatest eigenvalue of it"),
    "origin_loss_min": number("curvature", "least eigenvalue of the loss's Hessian at the origin; 0: no escape"),
    "origin_energy_min": number("curvature", "least eigenvalue of the Hessian of F* at the origin"),
    "loss_ends": Channel(("2",), "float64", "curvature", "least and greatest eigenvalue of the loss's Hessian"),
    "energy_ends": Channel(("2",), "float64", "curvature", "least and greatest eigenvalue of the Hessian of F*"),
    "loss_end_places": Channel(("2",), "float64", "place", "where `loss_ends` stand on the axis"),
    "energy_end_places": Channel(("2",), "float64", "place", "where `energy_ends` stand"),
    "eigenvalue_bins": Channel(
        ("M",),
        "float64",
        "place",
        "middle of each bin of eigenvalues of either sign",
        bulk=True,
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
    "pc_gradient_total": number("cosine", "of PC's step and the gradient's, all weights"),
    "pc_newton_total": number("cosine", "of PC's step and the Gauss-Newton step, all weights"),
    "newton_gradient_total": number("cosine", "of the Gauss-Newton step and the gradient's, all weights"),
    "pc_gradient_ratio": number("ratio", "length of PC's step over the gradient's, all weights"),
    "newton_damping": number("curvature", "added to the Gauss-Newton matrix"),
    "activity_newton_cosine": number("cosine", "of inference z* - z and the Newton step in the activities"),
    "activity_gradient_cosine": number("cosine", "of inference z* - z and steepest descent in the activities"),
    "activity_newton_ratio": number("ratio", "length of z* - z over the Newton step's"),
}
