"""Channels of a replay: what frames of a training have only of their last step, at P of its steps, S of them so far."""

from pcviz.frames import Channel, bulk
from pcviz.instruments.training.channels import CHANNELS as TRAINED

REPLAYED = (
    *("energy", "expected_energy", "total_energy", "energy_left", "energy_off_theory"),
    *("layers_expected", "layers_learning", "layers_with_signal"),
    *("train_loss", "test_loss", "test_accuracy"),
    *("unreached_since", "unreached_layers", "faint_since", "faint_layers", "rising_since", "leaping_since"),
    *("trace_steps", "energy_trace", "total_energy_trace", "update_rms", "equilibrium_energy"),
)
"""Channels of frames of a training; those that its experiment has are replayed."""


def _stacked(name: str) -> Channel:
    channel = TRAINED[name]
    return bulk(("S", *channel.dims), channel.unit, f"`{name}` after each step that is computed", channel.dtype)


CHANNELS: dict[str, Channel] = {
    "replay_steps": bulk("P", "weight steps", "the weight steps, evenly spaced, first and last among them", "int32"),
    **{f"replay_{name}": _stacked(name) for name in REPLAYED},
}
