"""Architectures: facts that need no computation. The code of each is one file in `pcviz/pcn/architectures`."""

from typing import NamedTuple


class ArchitectureFacts(NamedTuple):
    """Label and help text of an architecture; `neurons` of a hidden layer for each unit of its width; and why theory of
    the energy, where all errors count alike and all hidden layers are equally large, does not speak of it (`apart`,
    empty if it does)."""

    label: str
    help: str
    neurons: int = 1
    apart: str = ""

    @property
    def plain(self) -> bool:
        """Whether theory of the energy speaks of it."""
        return not self.apart

    @property
    def absent(self) -> str | None:
        """`apart` as a sentence; None if there is none."""
        return f"{self.apart[0].upper()}{self.apart[1:]}." if self.apart else None


ARCHITECTURES: dict[str, ArchitectureFacts] = {
    "mlp": ArchitectureFacts("fully connected", "Fully connected layers, with or without biases."),
    "residual": ArchitectureFacts(
        "residual",
        "Residual: blocks of two such layers with a skip around both, on which auxiliary neurons relay the error layer "
        "by layer, as on the main path.",
        neurons=2,
        apart="auxiliary neurons have a precision of their own, for which the energy's least value and curvature are "
        "not computed",
    ),
}
