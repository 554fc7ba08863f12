"""Channels of planes through weight space and of walks on them. W: steps of a walk."""

from pcviz.frames import Channel, bulk, number
from pcviz.instruments.plane.options import WALKS

CHANNELS: dict[str, Channel] = {
    # kind "plane": like "training_plane", with the equilibrated energy F* beside the loss
    "landscape_energy": bulk("GG", "energy", "F* at (row: y, column: x)", "float32"),
    "landscape_ratio": bulk("GG", "ratio", "loss over F* at (row: y, column: x)", "float32"),
    "path_energy": bulk("S", "energy", "F* at the points of the path", "float32"),
    "arrows_loss_x": bulk("E", "weight distance", "arrows down the loss, a broken line", "float32"),
    "arrows_loss_y": bulk("E", "weight distance", "second coordinates of it", "float32"),
    "arrows_energy_x": bulk("E", "weight distance", "arrows down F*, a broken line", "float32"),
    "arrows_energy_y": bulk("E", "weight distance", "second coordinates of it", "float32"),
    "loss_here": number("as train_loss", "loss at the weights that the plane goes through"),
    "energy_here": number("energy", "F* there"),
    "energy_tolerance": number(
        "share", "half the squared gradient left at F*, in error coordinates, over F*; worst point of the picture"
    ),
    # kind "walk": where backpropagation and predictive coding go from one point of the plane
    **{
        f"walk_{rule}_{name}": bulk("W", unit, f"of {label} after each weight step", "float32")
        for rule, label in WALKS.items()
        for name, unit in (
            ("steps", "weight steps"),
            ("x", "weight distance"),
            ("y", "weight distance"),
            ("loss", "as train_loss"),
            ("energy", "energy"),
        )
    },
}
