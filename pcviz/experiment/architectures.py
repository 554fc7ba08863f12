"""Architectures: what is known of each without computing. What it does is one file in `pcviz/pcn/architectures`."""

from typing import NamedTuple


class ArchitectureFacts(NamedTuple):
    """An architecture as a person reads it."""

    label: str
    help: str


ARCHITECTURES: dict[str, ArchitectureFacts] = {
    "mlp": ArchitectureFacts("fully connected", "Fully connected layers without biases."),
}
