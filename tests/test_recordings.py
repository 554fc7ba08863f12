"""What is shown before anything runs is what the engine would compute today."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from pcviz.experiment import Experiment
from pcviz.experiment.presets import HOME, PRESETS
from pcviz.instruments import CHANNELS
from pcviz.live.assets import RECORDED
from pcviz.store.values import decode_values
from recordings import network, thumbnails

GALLERY = orjson.loads((RECORDED / "gallery.json").read_bytes())


def pixels(file: Path) -> np.ndarray:
    with Image.open(file) as drawn:
        return np.asarray(drawn, float)


def test_the_network_of_the_home_page() -> None:
    recorded = orjson.loads(network.FILE.read_bytes())
    made = network.frames()
    assert [(frame["kind"], frame["step"]) for frame in recorded] == [(frame.kind, frame.step) for frame in made]
    assert made[-1].step == HOME.learning.steps
    for old, new in zip(recorded, made, strict=True):
        values = decode_values(orjson.dumps(old["values"]))
        assert values.keys() == new.values.keys()
        for name, value in values.items():
            if CHANNELS[name].dtype == "uint8":  # a code may be rounded to its neighbour
                assert np.abs(np.asarray(value, int) - np.asarray(new.values[name], int)).max() <= 1, name
            else:
                np.testing.assert_allclose(value, new.values[name], rtol=1e-5, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("name", PRESETS)
def test_a_picture_of_every_preset_as_it_is_now(name: str) -> None:
    made = GALLERY[name]
    assert Experiment.model_validate(made["experiment"]) == PRESETS[name].experiment
    assert made["picture"] == PRESETS[name].picture
    with Image.open(RECORDED / f"{name}.webp") as drawn:
        assert drawn.size == thumbnails.SIZE


def test_no_picture_is_left_over() -> None:
    assert GALLERY.keys() == PRESETS.keys() == {file.stem for file in RECORDED.glob("*.webp")}


@pytest.mark.slow
def test_the_gallery_shows_what_the_engine_computes(tmp_path: Path) -> None:
    thumbnails.make(tmp_path)
    today = orjson.loads((tmp_path / "gallery.json").read_bytes())
    for name, made in GALLERY.items():
        assert today[name]["test_accuracy"] == pytest.approx(made["test_accuracy"], abs=0.03), name
        old, new = (pixels(folder / f"{name}.webp") for folder in (RECORDED, tmp_path))
        assert np.abs(old - new).mean() < 8, name
