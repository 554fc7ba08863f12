"""Channels of the network view. R recorded steps, C columns (layers, or some that share one), U cells of a tile.

Codes are bytes (`codes.py`). What changes since step 0 is sent instead of what is, so that little changes can be seen.
"""

from pcviz.frames import Channel, bulk, number

CHANNELS: dict[str, Channel] = {
    "network_steps": bulk("R", "inference steps", "the inference step of each recorded state", "int32"),
    "network_columns": bulk("C2", "layers", "first and last layer of each column, counted from 1", "int32"),
    "network_units": bulk("C", "units", "units of the layers of each column", "int32"),
    "network_activity": bulk("CU", "activity", "z_l at step 0", "float32"),
    "network_prediction": bulk("CU", "activity", "mu_l at step 0", "float32"),
    "network_activity_change": bulk("RCU", "code", "z_l less that at step 0", "uint8"),
    "network_prediction_change": bulk("RCU", "code", "mu_l less that at step 0", "uint8"),
    "network_error": bulk("RCU", "code", "e_l", "uint8"),
    "network_gradient": bulk("CU", "code", "norms of the rows of dF/dW_l after the last inference step", "uint8"),
    "network_delta": bulk("CU", "code", "delta_l = -dLoss/dz_l: what backpropagation sends down", "uint8"),
    "network_energy": bulk("RL", "energy", "energies of the layers for this example"),
    "network_input": bulk("D", "input", "the example's input"),
    "network_shade": bulk("D", "shade", "its place from the least (0) to the greatest (255) training input", "uint8"),
    "network_target": bulk("K", "output", "its target"),
    "network_hurt": bulk("L", "0 or 1", "1: the worst finding of a diagnosis concerns this layer", "uint8"),
    "network_output": bulk("RK", "output", "mu_L at each recorded state"),
    # of one layer, as computed; N its units, M those below (or inputs)
    "layer_number": number("layer", "l, the layer of which all numbers are sent"),
    "layer_activity": bulk("RN", "activity", "z_l, of the output the target"),
    "layer_prediction": bulk("RN", "activity", "mu_l"),
    "layer_error": bulk("RN", "activity", "e_l"),
    "layer_gradient": bulk("N", "energy", "norms of the rows of dF/dW_l after the last inference step"),
    "layer_weights": bulk("NM", "weight", "W_l: a row for each of its units, a column for each one below", "float32"),
    "network_example": number("index", "the example's place in the test set"),
    "network_end": number("inference steps", "T; there are states up to it, unless the relaxation overflows before"),
}
