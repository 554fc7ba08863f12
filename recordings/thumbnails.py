"""A picture of each preset's training for the gallery of the Home page, drawn from its numbers."""

from pathlib import Path

import numpy as np
import orjson
from PIL import Image, ImageDraw
from plotly.colors import hex_to_rgb, label_rgb, sample_colorscale, unlabel_rgb

from pcviz.experiment.presets import PRESETS, Preset
from pcviz.figures import style
from pcviz.instruments.training.boundary import Boundary
from pcviz.jobs.training import Training
from pcviz.live.assets import RECORDED
from recordings.network import picture, trained

SIZE = 480, 200
COLUMNS = 120
DECADES = 6.0
"""Energies so many decades below the greatest, and all below them, have one colour."""
LINE = 5


def scaled(values: np.ndarray, colours: str | list[str]) -> Image.Image:
    """A map of values in [0, 1] in a colour scale, a pixel for each, the first row at the bottom."""
    levels = np.array([unlabel_rgb(c) for c in sample_colorscale(colours, list(np.linspace(0, 1, 256)))])
    return Image.fromarray(levels[np.round(255 * values[::-1]).astype(int)].round().astype(np.uint8))


def of_energy(training: Training) -> Image.Image:
    """The energies of all layers over the weight steps, logarithmic, and the test accuracy as a line."""
    values = training.frame(bulk=True).values
    steps, energy = (np.asarray(values[f"{name}_history"]) for name in ("step", "energy"))
    shown = np.searchsorted(steps, np.linspace(steps[0], steps[-1], COLUMNS))
    with np.errstate(divide="ignore"):
        decades = np.log10(energy[shown].T)
    made = scaled(np.clip((decades - decades.max()) / DECADES + 1, 0, 1), style.CIVIDIS)
    made = made.resize(SIZE, Image.Resampling.NEAREST)
    accuracy = np.asarray(values["test_accuracy_history"])
    known = np.isfinite(accuracy)
    x = steps[known] / steps[-1] * SIZE[0]
    points = [(float(a), float(b)) for a, b in zip(x, LINE + (SIZE[1] - 2 * LINE) * (1 - accuracy[known]), strict=True)]
    pen = ImageDraw.Draw(made)
    for colour, width in (("black", LINE + 3), ("white", LINE)):
        pen.line(points, fill=colour, width=width, joint="curve")
    return made


def of_boundary(training: Training) -> Image.Image:
    """Where the network decides for which class, and the training points."""
    values = picture(Boundary(training.experiment, training)).values
    plane = np.asarray(values["boundary"])
    made = scaled(
        np.clip(plane / (2 * np.abs(plane).max()) + 0.5, 0, 1),
        [label_rgb(hex_to_rgb(colour)) for _, colour in style.DIVERGING],
    )
    side = SIZE[0]
    made = made.resize((side, side), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(made)
    x, y, kind = (np.asarray(values[f"points_{name}"]) for name in ("x", "y", "class"))
    for a, b, c in zip(x, y, kind, strict=True):
        at = [(1 + v / np.asarray(values[f"boundary_{n}"])[-1]) / 2 * side for v, n in ((a, "x"), (-b, "y"))]
        pen.circle(at, 5, fill=(style.BLUE, style.VERMILLION)[int(c)], outline="white")
    return made.crop((0, (side - SIZE[1]) // 2, side, (side + SIZE[1]) // 2))


DRAWN = {"energy": of_energy, "boundary": of_boundary}


def make(folder: Path = RECORDED) -> None:
    """Train every preset, write its picture, and what it was made of."""
    facts = {name: _made(preset, folder / f"{name}.webp") for name, preset in PRESETS.items()}
    (folder / "gallery.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))


def _made(preset: Preset, file: Path) -> dict[str, object]:
    training = trained(preset.experiment)
    DRAWN[preset.picture](training).save(file, quality=80, method=6)
    accuracy = float(np.asarray(training.frame(bulk=False).values["test_accuracy"]))
    return {
        "picture": preset.picture,
        "experiment": preset.experiment.model_dump(by_alias=True),
        "test_accuracy": accuracy,
    }
