"""The science of predictive coding networks: networks, energies, inference, learning, linear theory.

Pure JAX and Flax NNX: no input or output, no user interface, no clock except in `trajectory`. Symbols as in the
literature: depth L, H = L - 1 hidden layers, width N, batch size B, D inputs, K outputs; activities z_l, predictions
mu_l, errors e_l = z_l - mu_l.

Importing this package enables 64-bit JAX types (spectra and energies need them; networks stay float32 unless asked).
"""

import os

import jax

# Before any array exists: prediction errors are small differences of large numbers, and other processes share a GPU.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

from pcviz.pcn import shards

shards.prepare_devices()

from pcviz.pcn.architectures import build
from pcviz.pcn.architectures.mlp import skip_flags
from pcviz.pcn.energy import layers_with_signal, rms
from pcviz.pcn.feedforward import backprop, evaluate, feedforward
from pcviz.pcn.network import Network, premultipliers, weights, with_weights
from pcviz.pcn.relaxation import Relaxation, relax, weight_gradients
from pcviz.pcn.stage import Stage

__all__ = [
    "Network",
    "Relaxation",
    "Stage",
    "backprop",
    "build",
    "evaluate",
    "feedforward",
    "layers_with_signal",
    "premultipliers",
    "relax",
    "rms",
    "skip_flags",
    "weight_gradients",
    "weights",
    "with_weights",
]
