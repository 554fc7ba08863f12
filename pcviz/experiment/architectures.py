"""Architectures: facts that need no computation. The code of each is one file in `pcviz/pcn/architectures`."""

from typing import NamedTuple


class ArchitectureFacts(NamedTuple):
    """Label and help text of an architecture."""

    label: str
    help: str


ARCHITECTURES: dict[str, ArchitectureFacts] = {
    "mlp": ArchitectureFacts("fully connected", "Fully connected layers, with or without biases."),
}
