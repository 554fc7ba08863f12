"""Data sets of the suite that pcviz does not have: ill digits, and textures, which no linear learner can tell apart."""

import numpy as np

from pcviz.data import load
from pcviz.data.own import hold
from pcviz.experiment import Experiment

SIDE, ORIENTATIONS = 10, 4
TRAIN, TEST = 1200, 300


def _digits() -> list[np.ndarray]:
    experiment = Experiment()
    return [np.asarray(part) for part in load(experiment.data, experiment.seed, "float64").arrays]


def _permuted() -> str:
    x, y, x_test, y_test = _digits()
    generator = np.random.default_rng(0)
    return hold(x, generator.permutation(y), x_test, generator.permutation(y_test))


def _unscaled(factor: float, offset: float) -> str:
    x, y, x_test, y_test = _digits()
    return hold(factor * x + offset, y, factor * x_test + offset, y_test)


def _textures() -> str:
    """Gratings of one of four orientations, of any phase and many wavelengths, with noise."""
    generator = np.random.default_rng(0)
    count = TRAIN + TEST
    classes = generator.integers(0, ORIENTATIONS, count)
    angle = np.pi * classes / ORIENTATIONS + generator.normal(0, 0.08, count)
    wave, phase = generator.uniform(3.0, 5.0, count), generator.uniform(0, 2 * np.pi, count)
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    along = np.cos(angle)[:, None, None] * across + np.sin(angle)[:, None, None] * down
    images = np.cos(2 * np.pi * along / wave[:, None, None] + phase[:, None, None])
    images += generator.normal(0, 0.3, images.shape)
    x = (images / images.std()).reshape(count, -1)
    return hold(x[:TRAIN], classes[:TRAIN], x[TRAIN:], classes[TRAIN:])


TEXTURES = _textures()
PERMUTED = _permuted()
UNSCALED = {"× 1000": _unscaled(1000.0, 0.0), "+ 50": _unscaled(1.0, 50.0), "× 0.001": _unscaled(1e-3, 0.0)}
"""Names of data sets; the same wherever they are made."""
