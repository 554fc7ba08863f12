"""Values of options that are worth a try in a sweep."""

from typing import get_args

from pydantic import ValidationError

from pcviz.experiment import Experiment, fields
from pcviz.experiment.schema import flatten

SUGGESTED = {
    "network.width": "16,32,64,128",
    "network.depth": "4,8,16,32",
    "learning.learning_rate": "log:1e-3..1:7",
    "learning.steps": "50,100,200",
    "learning.layer_rates": "1,10,0.1",
    "learning.weight_norm": "none,1,2",
    "inference.steps": "depth,2depth,4depth",
    "inference.step_size": "log:0.03..1:5",
    "inference.momentum": "0,0.5,0.9",
    "network.gamma": "log:0.1..10:5",
    "network.output_precision": "log:0.1..10:5",
    "inference.activity_decay": "0,0.01,0.1",
    "learning.batch_size": "16,64,256",
    "learning.weight_decay": "0,0.0001,0.01",
    "network.auxiliary": "1,2",
    "data.name": "digits,moons",
    "data.train_size": "64,256,all",
    "data.test_size": "all",
}
"""Field -> values that are worth a try."""


def suggestion(path: str, experiment: Experiment) -> str:
    """Values of an option that are worth a try and fit the experiment; empty where there is nothing to suggest."""
    info = fields()[path]
    named = ("true", "false") if info.annotation is bool else get_args(info.annotation)
    usual = flatten(Experiment().model_dump())[path]
    if path in SUGGESTED:
        return SUGGESTED[path]
    if named and all(isinstance(name, str) for name in named):
        return ",".join(name for name in named if _fits(experiment, path, name))
    return f"{usual:g},{2 * usual:g}" if isinstance(usual, float) else ""


def _fits(experiment: Experiment, path: str, value: str) -> bool:
    try:
        experiment.changed({path: value})
    except ValidationError:
        return False
    return True
