"""How the quantities and rules look in all panels of the family."""

from pcviz.experiment.family import QUANTITIES, RULES
from pcviz.figures import style

NAMES = dict(zip(QUANTITIES, ("activities", "output", "update of the output", "update of features"), strict=True))
COLOURS = dict(zip(QUANTITIES, (style.ORANGE, style.PURPLE, style.BLUE, style.VERMILLION), strict=True))
SYMBOLS = dict(zip(RULES, ("circle", "diamond-open"), strict=True))
DASHES = dict(zip(RULES, ("solid", "dot"), strict=True))
SEEN = [(rule, name) for rule in RULES for name in QUANTITIES]
"""Rule and quantity of each entry of the channels' dimension N."""
AT_START = QUANTITIES[:2]
"""Equal for both rules, and drawn once."""


def title(rule: str, name: str) -> str:
    """What the legend says."""
    return NAMES[name] if name in AT_START else f"{NAMES[name]}, {rule}"
