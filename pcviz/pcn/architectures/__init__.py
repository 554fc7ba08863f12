"""Architectures: one file for each, by the names of `pcviz.experiment.architectures.ARCHITECTURES`."""

from collections.abc import Callable
from functools import cache
from importlib import import_module

import jax

from pcviz.experiment import Experiment
from pcviz.experiment.architectures import ARCHITECTURES
from pcviz.pcn.network import Network

Architecture = Callable[[Experiment, int, int], Network]
"""From the experiment and the numbers of inputs and outputs to a fresh network."""


@cache
def architecture_of(name: str) -> Architecture:
    """The architecture. Raises KeyError for an unknown name."""
    if name not in ARCHITECTURES:
        raise KeyError(name)
    architecture: Architecture = import_module(f"{__name__}.{name}").ARCHITECTURE
    return architecture


def build(experiment: Experiment, input_dim: int | None = None, output_dim: int | None = None) -> Network:
    """A freshly initialised network; dimensions default to those of the experiment's data set.

    Raises RuntimeError if float64 is asked for after 64-bit types were switched off.
    """
    if experiment.dtype == "float64" and not jax.config.read("jax_enable_x64"):
        raise RuntimeError("dtype float64 needs jax_enable_x64, which was switched off after importing pcviz.pcn")
    facts = experiment.data.facts
    return architecture_of(experiment.network.architecture)(
        experiment,
        facts.input_dim if input_dim is None else input_dim,
        facts.output_dim if output_dim is None else output_dim,
    )
