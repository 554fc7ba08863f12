"""Channels of looks at the family. X widths, A depths, N = 8: BP, then PC, with the four QUANTITIES of each, O = 1."""

from pcviz.frames import Channel, number

CHANNELS: dict[str, Channel] = {
    "family_widths": Channel(("X",), "int32", "units", "widths N"),
    "family_depths": Channel(("A",), "int32", "layers", "depths L"),
    "family_by_width": Channel(("X", "N"), "float64", "rms", "geometric means over the seeds measured, against N"),
    "family_by_depth": Channel(("A", "N"), "float64", "rms", "the same against L"),
    "family_exponents": Channel(("2", "N"), "float64", "exponent", "means over seeds, of N and of L; NaN: not yet"),
    "family_low": Channel(("2", "N"), "float64", "exponent", "lower ends of their 95 % intervals"),
    "family_high": Channel(("2", "N"), "float64", "exponent", "upper ends"),
    "family_steep": Channel(("2", "N"), "float64", "exponent", "the greatest shown, where one is beyond it; else NaN"),
    "family_at": Channel(("O",), "float64", "exponent", "place of the member in the map, across"),
    "family_at_bp": Channel(
        ("O",), "float64", "exponent", "place in the map, upwards, if BP finds it in the set; else NaN"
    ),
    "family_at_pc": Channel(("O",), "float64", "exponent", "the same of PC"),
    "family_in_bp": number("0 or 1", "1: measured by BP, the member is stable and learns features; NaN: not known"),
    "family_in_pc": number("0 or 1", "the same by PC at the equilibrium"),
}
