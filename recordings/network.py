"""The network of the Home page, trained, and some images of the test set on their way through it."""

from pathlib import Path
from typing import Any

import orjson

from pcviz.experiment import Experiment
from pcviz.experiment.presets import HOME
from pcviz.frames import HEAD, Frame
from pcviz.instruments.network.job import NetworkView
from pcviz.instruments.predictions.job import Predictions
from pcviz.jobs.child import Child
from pcviz.jobs.training import Training
from pcviz.live.assets import RECORDED
from pcviz.store.values import encode_values

FILE = RECORDED / "home.json"
EXAMPLES = (0, 1, 2, 6, 7, 8)
"""Places of images in the test set: six different digits."""
SECONDS = 0.1
"""Length of a slice."""


def trained(experiment: Experiment) -> Training:
    """A training that has been done."""
    job = Training(experiment)
    job.prepare()
    while not job.done:
        job.advance(experiment.learning.steps, SECONDS)
    return job


def picture(child: Child[Training]) -> Frame:
    """What a child of a training shows of its last step."""
    child.prepare()
    while not child.done:
        child.advance(child.steps, SECONDS)
    return child.frame(bulk=True)


def frames() -> list[Frame]:
    """The frames that the Home page replays, in order."""
    training = trained(HOME)
    said = Predictions(HOME, training)
    return [picture(said), *(picture(NetworkView(HOME, training, {"example": place})) for place in EXAMPLES)]


def packed(frame: Frame) -> dict[str, Any]:
    """A frame as streams carry it."""
    return {name: getattr(frame, name) for name in HEAD} | {"values": orjson.loads(encode_values(frame.values))}


def make(file: Path = FILE) -> None:
    """Write the recording."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(orjson.dumps([packed(frame) for frame in frames()]))
