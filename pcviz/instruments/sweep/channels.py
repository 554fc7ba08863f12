"""Channels of sweeps, for each quantity. X values of the first option that varies, Y of the second (one if there is
none); C columns: the X values for each value of the third, with an empty one in between. Places count values from 0."""

from pcviz.frames import Channel, bulk, number
from pcviz.instruments.sweep.quantities import QUANTITIES, Quantity


def _of(name: str, facts: Quantity) -> dict[str, Channel]:
    mean, best = f"{facts.label}, mean over seeds", "with the best value of the third option"
    return {
        f"sweep_{name}": bulk("YC", facts.unit, f"{mean}; NaN: not measured yet, or diverged"),
        f"sweep_{name}_shade": bulk("YC", facts.unit, f"{mean}, of a loss at most 100 times the least"),
        f"sweep_{name}_curve": bulk("XY", facts.unit, f"{mean}, {best}; NaN: above 100 times the least"),
        f"sweep_{name}_low": bulk("XY", facts.unit, "lower end of its 95 % interval; NaN: one seed"),
        f"sweep_{name}_high": bulk("XY", facts.unit, "upper end of its 95 % interval; NaN: one seed"),
        f"sweep_{name}_at": bulk("Y", "place", f"first option where it is best, {best}"),
        f"sweep_{name}_from": bulk("Y", "place", "least first option within 10 % of the best"),
        f"sweep_{name}_to": bulk("Y", "place", "greatest first option within 10 % of the best"),
        f"sweep_{name}_drift": number("decades", "how far the best first option moves as the second one varies"),
    }


CHANNELS: dict[str, Channel] = {
    **{channel: about for name, facts in QUANTITIES.items() for channel, about in _of(name, facts).items()},
    "sweep_lost": bulk("YC", "0 or NaN", "0 where the training diverged with some seed, else NaN"),
    "sweep_diverged": number("cells", "cells whose training diverged"),
}
