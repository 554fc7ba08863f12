"""Channels of planes through weight space and of walks on them. W: steps of a walk."""

from pcviz.frames import Channel, number
from pcviz.instruments.plane.options import WALKS

CHANNELS: dict[str, Channel] = {
    # kind "plane": the same, with the equilibrated energy F* beside the loss
    "landscape_energy": Channel(("G", "G"), "float32", "energy", "F* at (row: y, column: x)", bulk=True),
    "landscape_ratio": Channel(("G", "G"), "float32", "ratio", "loss over F* at (row: y, column: x)", bulk=True),
    "path_energy": Channel(("S",), "float32", "energy", "F* at the points of the path", bulk=True),
    "arrows_loss_x": Channel(("E",), "float32", "weight distance", "arrows down the loss, a broken line", bulk=True),
    "arrows_loss_y": Channel(("E",), "float32", "weight distance", "second coordinates of it", bulk=True),
    "arrows_energy_x": Channel(("E",), "float32", "weight distance", "arrows down F*, a broken line", bulk=True),
    "arrows_energy_y": Channel(("E",), "float32", "weight distance", "second coordinates of it", bulk=True),
    "loss_here": number("as train_loss", "loss at the weights that the plane goes through"),
    "energy_here": number("energy", "F* there"),
    "energy_tolerance": number(
        "share", "half the squared gradient left at F*, in error coordinates, over F*: the worst point of the picture"
    ),
    # kind "walk": where backpropagation and predictive coding go from one point of the plane
    **{
        f"walk_{rule}_{name}": Channel(("W",), "float32", unit, f"of {label} after each weight step", bulk=True)
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
