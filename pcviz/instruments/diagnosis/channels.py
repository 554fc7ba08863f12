"""Channels of a diagnosis: the evidence that rules read.

W twins (TWINS), Y baselines (BASELINES), P probes, I relaxations (RELAXATIONS), F features, C classes, S weight steps,
J bytes. NaN: not measured.
"""

from pcviz.frames import Channel, bulk, number

BASELINES = ("chance", "linear", "random features", "neighbours")
"""Ways to predict without learning depth: the mean target, ridge regression on the inputs, ridge regression on the last
hidden layer of the untrained network, and the nearest training examples."""
PROBES = ("start", "end")
"""Where a network is probed: with fresh weights, and after the compared weight steps."""
RELAXATIONS = ("own", "time", "start", "nudge", "pull", "precision")
"""Of one batch, with the weights at the end, or fresh ones where errors are no longer finite with those: the
experiment's own relaxation, and it with one treatment each."""


def _of_twins(unit: str, meaning: str) -> Channel:
    return bulk("W", unit, f"{meaning}, by twin")


def _probed(dims: str, unit: str, meaning: str) -> Channel:
    return bulk(f"{dims}P", unit, f"{meaning}, by probe")


CHANNELS: dict[str, Channel] = {
    "compared_steps": number("weight steps", "after which twins are compared"),
    "feature_mean": bulk("F", "input", "mean of each input over the training examples"),
    "feature_deviation": bulk("F", "input", "standard deviation of each input"),
    "class_share": bulk("C", "share", "share of each class among the training examples"),
    "baseline_loss": bulk("Y", "half squared units", "test loss of each baseline"),
    "baseline_accuracy": bulk("Y", "share", "test accuracy of each baseline"),
    "twin_steps": _of_twins("weight steps", "finite weight steps made"),
    "twin_loss": _of_twins("as train_loss", "test loss"),
    "twin_accuracy": _of_twins("share", "test accuracy"),
    "twin_train_loss": _of_twins("as train_loss", "mean training loss of the last quarter of the steps"),
    "twin_change": _of_twins("share", "median of |dW_l| / |W_l| over the layers that move and the first steps"),
    "curve_steps": bulk("S", "weight steps", "the weight step of each row, at most 64, evenly spaced", "int32"),
    "twin_curve": bulk("SW", "as train_loss", "training loss by weight step and twin"),
    "weight_changes": bulk("L", "share", "median over weight steps of |dW_l| / |W_l| of the experiment"),
    "vital_activity": _probed("H", "activity", "rms of the feedforward activities"),
    "vital_rank": _probed("H", "dimensions", "effective rank of the activities over the batch"),
    "vital_quiet": _probed("H", "share", "share of units whose slope is below 0.01 for the whole batch"),
    "vital_error": _probed("L", "activity", "rms of the errors at the end of the relaxation"),
    "vital_floor": _probed("L", "activity", "rms of errors that are only rounding"),
    "vital_gradient": _probed("L", "energy per weight", "rms of PC's weight gradients"),
    "vital_backprop": _probed("L", "energy per weight", "rms of backprop's weight gradients"),
    "vital_cosine": _probed("L", "cosine", "of PC's and backprop's weight gradients"),
    "vital_ratio": _probed("L", "ratio", "norm of PC's weight gradients over backprop's"),
    "vital_rows": bulk("R", "inference steps", "of each row of `vital_energy`", "int32"),
    "vital_energy": _probed("R", "energy", "total energy on the way"),
    "vital_curvature": bulk("P", "curvature", "greatest eigenvalue of the activity Hessian at the start"),
    "treated_cosine": bulk("LI", "cosine", "of PC's and backprop's weight gradients, by relaxation"),
    "attempts": bulk("J", "bytes", "remedies tried, as JSON: see `pcviz.instruments.diagnosis.attempts`", "uint8"),
    "treated_heard": bulk("LI", "0 or 1", "1: the layer's error stands above rounding, by relaxation"),
}
