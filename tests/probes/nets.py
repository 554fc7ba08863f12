"""Random networks for the probes, made without compiling anything."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from pcviz.pcn import Network
from pcviz.pcn.architectures.mlp import Dense
from tests.pcn.reference import ReferencePCN, random_batch, random_pcn

Layers = list[np.ndarray]


def network_of(reference: ReferencePCN, dtype: str = "float64") -> Network:
    """The numpy network as a pcviz network."""
    groups = [slice(0, 1), slice(1, reference.depth - 1), slice(reference.depth - 1, reference.depth)]
    stages = []
    for index, group in enumerate(groups):
        if matrices := reference.weights[group]:
            scale = jnp.asarray(np.reshape(reference.premultipliers[group], (-1, 1, 1)), dtype)
            activation = reference.activation if index else "linear"
            stages.append(
                Dense(jnp.asarray(np.stack(matrices), dtype), scale, activation, bool(reference.skips[group][0]))
            )
    return Network(stages, jnp.asarray(reference.precision, dtype), reference.loss)


def pair(
    seed: int = 1, *, batch: int = 4, dtype: str = "float64", **options: Any
) -> tuple[ReferencePCN, Network, np.ndarray, np.ndarray]:
    """(numpy network, pcviz network, x, y) with equal weights; `options` as of `random_pcn`: D=7, N=6, K=3, L=5."""
    rng = np.random.default_rng(seed)
    reference = random_pcn(rng, **options)
    return reference, network_of(reference, dtype), *random_batch(rng, reference, batch)


def problem(seed: int = 1, **options: Any) -> tuple[Network, np.ndarray, np.ndarray, Layers]:
    """A random network, batch and activities that are far from any special point."""
    reference, network, x, y = pair(seed, **options)
    rng = np.random.default_rng(seed + 1)
    return network, x, y, [rng.standard_normal((len(x), len(w))) for w in reference.weights[:-1]]


def initialised(
    parameterisation: str,
    skips: bool,
    depth: int,
    width: int,
    *,
    init: str = "",
    seed: int = 0,
    input_dim: int = 784,
    output_dim: int = 10,
    **options: Any,
) -> ReferencePCN:
    """A network at initialisation; `init` lecun_normal or orthogonal replaces the uniform weights of sp."""
    rng = np.random.default_rng(seed)
    sizes = {"depth": depth, "width": width, "input_dim": input_dim, "output_dim": output_dim}
    net = random_pcn(rng, parameterisation=parameterisation, skips=skips, **sizes, **options)
    for l, w in enumerate(net.weights):
        if init == "lecun_normal":
            net.weights[l] = rng.standard_normal(w.shape) * w.shape[1] ** -0.5
        elif init == "orthogonal":
            q, r = np.linalg.qr(rng.standard_normal((max(w.shape),) * 2))
            net.weights[l] = (q * np.sign(np.diag(r)))[: w.shape[0], : w.shape[1]]  # the signs make it uniform
    return net
