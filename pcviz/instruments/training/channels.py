"""Channels of trainings and of what is drawn beside them. P: data points, K: recorded weight steps."""

from pcviz.frames import Channel, bulk, number

CHANNELS: dict[str, Channel] = {
    "train_loss": number("nats or half squared units", "feedforward loss of the latest training batch"),
    "test_loss": number("as train_loss", "feedforward loss of the whole test set, when last evaluated"),
    "test_accuracy": number("share", "share of test examples whose largest output is their class, when last evaluated"),
    "energy": Channel(("L",), "float64", "energy", "E_1 … E_L at the end of the last relaxation, batch mean"),
    "total_energy": number("energy", "sum of `energy`"),
    "energy_left": number("share", "`total_energy` over that at the start of the relaxation"),
    "expected_energy": Channel(
        ("L",),
        "float64",
        "energy",
        "E_l that theory expects if all layers pass their errors on unchanged, scaled to layer H, the output as it is; "
        "NaN where that is less than rounding",
    ),
    "energy_off_theory": number(
        "decades", "greatest |log10(`energy` / `expected_energy`)| over the hidden layers; with iPC only a lack counts"
    ),
    "layers_expected": number(
        "layers", "layers whose error should be more than rounding where all pass it on unchanged"
    ),
    "layers_learning": number("layers", "those of them whose weights moved by 0.01 % to 20 % in the latest step"),
    "layers_with_signal": number(
        "layers",
        "number of layers with rms(e_l) > 10 eps rms(z_l) after a feedforward start: the target reached them; after "
        "others the same of the difference to the relaxation without the target (relax), or not reported (train)",
    ),
    "trace_steps": bulk("R", "inference steps", "the inference step of each recorded row", "int32"),
    "energy_trace": bulk("RL", "energy", "layer energies at each recorded inference step"),
    "total_energy_trace": bulk("R", "energy", "row sums of `energy_trace`"),
    "update_rms": bulk("RH", "activity", "rms of the step of z_l that led to the row; row 0 is 0"),
    "equilibrium_energy": number(
        "energy", "F*, least total energy of this batch, exact (linear, mse) or the lowest found"
    ),
    "unreached_since": number("weight steps", "step since which the errors of some layers are exactly 0; NaN: not now"),
    "unreached_layers": number("layers", "how many layers these are"),
    "faint_since": number("weight steps", "step since which errors of some layers are only rounding; NaN: not now"),
    "faint_layers": number("layers", "how many layers these are"),
    "rising_since": number("weight steps", "step since which the energy rises during the relaxation; NaN: not now"),
    "leaping_since": number(
        "weight steps", "step since which weights move by more than 20 % of their size in a step; NaN: not now"
    ),
    "steps_per_second": number("1/s", "weight steps per second of compute, recent"),
    "seconds_left": number("s", "compute time left at the pace so far; NaN: unknown, or nothing is left"),
    # by weight step: rows that no earlier frame has carried, chosen by `pcviz.jobs.history`
    "step_history": Channel(("K",), "int32", "weight steps", "the weight step of each row"),
    "epoch_history": Channel(("K",), "float64", "epochs", "the same in epochs"),
    "seconds_history": Channel(("K",), "float64", "s", "compute time at each row"),
    "train_loss_history": Channel(
        ("K", "3"), "float64", "as train_loss", "`train_loss`: at the row, least and greatest since the row before"
    ),
    "energy_history": Channel(("K", "L"), "float64", "energy", "`energy` at each row"),
    "total_energy_history": Channel(("K",), "float64", "energy", "row sums of `energy_history`"),
    "weight_change_history": Channel(("K", "L"), "float64", "share", "|dW_l| / |W_l| of the row's weight step"),
    "test_loss_history": Channel(("K",), "float64", "as train_loss", "`test_loss` after the row; NaN where not taken"),
    "test_accuracy_history": Channel(
        ("K",), "float64", "share", "`test_accuracy` after the row; NaN where not taken, or where there are no classes"
    ),
    "sign_history": Channel(
        ("K", "4"),
        "float64",
        "as train_loss",
        "`train_loss` if a sign has begun since the row before (unreached, faint, rising, leaping); else NaN",
    ),
    # kind "training_plane": the mean loss on a plane through the current weights
    "landscape": bulk("GG", "as train_loss", "loss at (row: y, column: x); NaN where not computed", "float32"),
    "landscape_x": bulk("G", "weight distance", "coordinates along the first direction", "float32"),
    "landscape_y": bulk("G", "weight distance", "coordinates along the second direction", "float32"),
    "path_x": bulk("S", "weight distance", "the run's path, first coordinate", "float32"),
    "path_y": bulk("S", "weight distance", "the run's path, second coordinate", "float32"),
    "path_loss": bulk("S", "as train_loss", "loss at the points of the path", "float32"),
    "path_steps": bulk("S", "weight steps", "weight step of each point of the path", "int32"),
    "plane_is_pca": number("0 or 1", "1: principal directions of the path; 0: two random directions"),
    "path_variance": number("share", "share of the path's variance inside the plane"),
    "path_length": number("share", "share of the path's length inside the plane"),
    "path_span": number("share", "extent of the path as a share of the plane's"),
    "path_begun": number("weight steps", "weight step at which the recorded path begins (0, or later after a restart)"),
    "landscape_done": number("share", "share of the grid computed"),
    # kind "boundary": the output of a network with two inputs and two classes over the input plane
    "boundary": bulk("GG", "output", "output of class 2 minus output of class 1", "float32"),
    "boundary_x": bulk("G", "input", "first input", "float32"),
    "boundary_y": bulk("G", "input", "second input", "float32"),
    "points_x": bulk("P", "input", "first input of training examples", "float32"),
    "points_y": bulk("P", "input", "second input of training examples", "float32"),
    "points_class": bulk("P", "class", "class of those examples, 0 or 1", "int32"),
}
