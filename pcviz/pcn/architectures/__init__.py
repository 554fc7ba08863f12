"""Architectures: one file for each, by the names of `pcviz.experiment.architectures.ARCHITECTURES`."""

from collections.abc import Callable
from functools import cache
from importlib import import_module

import jax

from pcviz.experiment import Experiment
from pcviz.experiment import Network as NetworkOptions
from pcviz.experiment.architectures import ARCHITECTURES
from pcviz.pcn.network import Network

Architecture = Callable[[NetworkOptions, int | jax.Array, int, int, str], Network]
"""From the options, the seed, the numbers of inputs and outputs and the number format to a fresh network."""


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
    facts, options = experiment.data.facts, experiment.network
    return architecture_of(options.architecture)(
        options,
        experiment.seed,
        facts.input_dim if input_dim is None else input_dim,
        facts.output_dim if output_dim is None else output_dim,
        experiment.dtype,
    )
