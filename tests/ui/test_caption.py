"""The line that images of panels carry."""

import pcviz
from pcviz.experiment import Experiment, from_paths
from pcviz.ui import caption
from pcviz.ui.panels import payload

VERSION = f"pcviz {pcviz.__version__}"


def test_defaults_are_left_out() -> None:
    assert caption.line(Experiment()) == f"digits, relu 16 × 64 · seed 0 · {VERSION}"
    assert payload(Experiment(), [], panels=[])["about"] == caption.line(Experiment())


def test_differences_are_named_as_in_the_form() -> None:
    experiment = from_paths({"network.depth": 33, "network.parameterisation": "sp", "network.skips": False, "seed": 7})
    line = caption.line(experiment)
    assert line == f"digits, relu 33 × 64 · Parameterisation SP, Skip connections off · seed 7 · {VERSION}"


def test_looks_say_what_they_were_told() -> None:
    told = {"source": "a" * 32, "batch": 3, "solvers": ["adam"]}
    line = caption.line(Experiment(), "relax", told)
    assert line == f"digits, relu 16 × 64 · weights of run aaaaaaaa, batch 3 · seed 0 · {VERSION}"


def test_chains_have_no_network() -> None:
    line = caption.line(Experiment(), "chain", {"hidden": 2})
    assert line.startswith("hidden 2, fixed 0.5, seeds 5, learning rate 0.4") and "digits" not in line
