"""Channels of sweeps. C cells, in the order of `pcviz.experiment.axes.cells`."""

from pcviz.frames import Channel, number
from pcviz.instruments.sweep.quantities import QUANTITIES

CHANNELS: dict[str, Channel] = {
    **{
        f"sweep_{name}": Channel(
            ("C",), "float64", facts.unit, f"{facts.label} of each cell; NaN: not measured yet; infinite: diverged"
        )
        for name, facts in QUANTITIES.items()
    },
    "sweep_diverged": number("cells", "cells whose training diverged"),
}
