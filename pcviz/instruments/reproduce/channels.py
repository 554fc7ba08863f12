"""Channels of reproductions. D depths of the protocol, B = 6 curves: the condition number, then those of `SOLVERS`."""

from pcviz.frames import Channel, number

CHANNELS: dict[str, Channel] = {
    "budget_depths": Channel(("D",), "int32", "layers", "depths L of the protocol"),
    "budget": Channel(
        ("D", "B"),
        "float64",
        "iterations",
        "median budget of the networks measured (condition number: its median); NaN: none, or not within the cap",
    ),
    "budget_above_cap": Channel(("D", "B"), "float64", "iterations", "the cap where the median is beyond it, else NaN"),
    "budget_fit": Channel(("D", "B"), "float64", "iterations", "c L^p through the medians, p the exponent"),
    "budget_exponent": Channel(("B",), "float64", "exponent", "p of budget = c L^p; NaN: not known yet"),
    "budget_interval": Channel(("2", "B"), "float64", "exponent", "ends of its 95 % interval; NaN: too few networks"),
    "budget_not_arrived": number("cases", "solvers that did not arrive within their cap, over all networks"),
}
