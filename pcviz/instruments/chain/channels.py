"""Channels of the toy chains.

C critical points, U updates, 5 chains of 1 … 5 hidden units, 3 rules (`RULES` in the options), J rules × seeds (rule
after rule), F chains × rules × seeds.
"""

from pcviz.frames import Channel, bulk, number

CHANNELS: dict[str, Channel] = {
    "chain_axis": bulk("G", "weight", "values of w_(L-1), along x, and w_L, along y", "float32"),
    "chain_loss": bulk("GG", "half squared units", "loss at (row: w_L, column: w_(L-1))", "float32"),
    "chain_energy": bulk("GG", "energy", "equilibrated energy F* there", "float32"),
    "chain_arrows_loss_x": bulk("E", "weight", "arrows of steepest descent on the loss, w_(L-1)", "float32"),
    "chain_arrows_loss_y": bulk("E", "weight", "the same, w_L", "float32"),
    "chain_arrows_energy_x": bulk("E", "weight", "arrows of steepest descent on F*, w_(L-1)", "float32"),
    "chain_arrows_energy_y": bulk("E", "weight", "the same, w_L", "float32"),
    "chain_flow_loss_x": bulk("E", "weight", "gradient flow on the loss in this plane, w_(L-1)", "float32"),
    "chain_flow_loss_y": bulk("E", "weight", "the same, w_L", "float32"),
    "chain_flow_energy_x": bulk("E", "weight", "gradient flow on F* in this plane, w_(L-1)", "float32"),
    "chain_flow_energy_y": bulk("E", "weight", "the same, w_L", "float32"),
    "chain_critical_x": bulk("C", "weight", "critical points, w_(L-1)", "float32"),
    "chain_critical_y": bulk("C", "weight", "critical points, w_L", "float32"),
    "chain_type_loss": bulk("C", "type", "as points of the loss, see POINT_TYPES", "int32"),
    "chain_type_energy": bulk("C", "type", "the same as points of F*", "int32"),
    "chain_curvature_loss": number("curvature", "least eigenvalue of the Hessian of the loss at w_(L-1) = w_L = 0"),
    "chain_curvature_energy": number("curvature", "the same for F*"),
    "race_steps": bulk("U", "updates", "updates made at each recorded loss, log-spaced", "int32"),
    "race_loss": bulk("UF", "half squared units", "loss of a fresh batch; NaN: race over or not begun", "float32"),
    "race_counts": bulk("5J", "updates", "until the loss is below 1/4; NaN: not yet", "float32"),
    "race_capped": bulk("5J", "updates", "the cap, for racers stopped there; else NaN", "float32"),
    "race_median": bulk("53", "updates", "median of `race_counts` over seeds; NaN: none", "float32"),
    "race_above_cap": bulk("53", "hidden units", "H where the median is above the cap", "float32"),
    "race_diverged": number("racers", "how many diverged without escaping"),
}
