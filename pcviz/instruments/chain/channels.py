"""Channels of the toy chains.

C critical points, U updates, 5 chains of 1 … 5 hidden units, 3 rules (`RULES` in the options), J rules × seeds (rule
after rule), F chains × rules × seeds.
"""

from pcviz.frames import Channel, number

CHANNELS: dict[str, Channel] = {
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
    "chain_type_loss": Channel(("C",), "int32", "type", "as points of the loss, see POINT_TYPES", bulk=True),
    "chain_type_energy": Channel(("C",), "int32", "type", "the same as points of F*", bulk=True),
    "chain_curvature_loss": number("curvature", "least eigenvalue of the Hessian of the loss at w_(L-1) = w_L = 0"),
    "chain_curvature_energy": number("curvature", "the same of F*"),
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
    "race_diverged": number("racers", "how many left for infinity without an escape"),
}
