"""Precision schedules: facts that need no computation; `pcviz/pcn/precisions.py` computes them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pcviz.experiment.descent import descent


class PrecisionFacts(NamedTuple):
    """Label and help text of a schedule, and the formula of w_l(t), where j = t - (L - l) steps have passed since the
    error of the output arrived at layer l. `usual`: field path -> value of the relaxation that belongs to the schedule,
    its default there: an error comes by once, and momentum would keep moving layers after its time."""

    label: str
    help: str
    formula: str
    usual: Mapping[str, Any] = MappingProxyType({})


_DESCENT = descent(0.3, "depth")

PRECISIONS: dict[str, PrecisionFacts] = {
    "constant": PrecisionFacts("constant", "all errors count alike at all times", "w_l(t) = 1"),
    "spiking": PrecisionFacts(
        "spiking",
        "an error counts in full in the step in which it arrives, and α in all others",
        r"w_l = 1, \alpha",
        _DESCENT,
    ),
    "decaying": PrecisionFacts(
        "decaying",
        "an error counts in full when it arrives, a hundredth and less from then on, nothing before",
        r"w_l = e^{-kj} S_n / 100 \text{ for } j \ge 1,\; S_n = \textstyle\sum_{m<n} e^{-km},\; n = T - (L - l)",
        _DESCENT,
    ),
    "decaying_normalised": PrecisionFacts(
        "decaying, sum 1",
        "the earlier form: the precisions of a layer decay from its arrival on and sum to 1",
        r"w_l = e^{-kj} / S_n \text{ for } j \ge 0",
        _DESCENT,
    ),
}
"""In reading order: Qi et al. 2025 (arXiv 2506.23800), the last from their earlier code; docs/theory.md 5.4."""
