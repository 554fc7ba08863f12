"""The relaxation that a command line leaves out follows what it chooses."""

import pytest

from pcviz.cli import flags
from pcviz.cli import train as cli_train


@pytest.mark.parametrize(
    ("words", "relaxation"),
    [
        ([], ("momentum", 0.1, 60)),
        (["--inference.precision-schedule", "spiking"], ("gradient_descent", 0.3, 16)),
        (["--learning.forward-update"], ("momentum", 0.1, 60)),
        (["--learning.rule", "ipc"], ("momentum", 0.1, 60)),
        (["--learning.rule", "strict"], ("gradient_descent", 0.3, 60)),
        (["--learning.rule", "zil"], ("gradient_descent", 1.0, 16)),
        (["--inference.precision-schedule", "decaying", "--inference.solver", "momentum"], ("momentum", 0.3, 16)),
        (["--preset", "mupc-128"], ("gradient_descent", 0.9, 129)),
        (["--preset", "broken-32"], ("gradient_descent", 0.3, 32)),
    ],
)
def test_the_relaxation_follows_what_is_chosen(words: list[str], relaxation: tuple[str, float, int]) -> None:
    experiment, _ = flags.parse(words, cli_train.FLAGS)
    assert experiment is not None
    found = experiment.inference.solver, experiment.inference.step_size, experiment.inference_steps
    assert found == relaxation
