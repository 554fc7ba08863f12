"""The network of the Home page: recorded at first, computed live from the first touch on."""

from typing import Any

import streamlit as st

from pcviz.experiment.presets import HOME
from pcviz.ui import session

WELCOME = """
##### A predictive coding network learns by guessing: each layer predicts the next, and what it gets wrong, the error, \
corrects first the activities around it and then the weights.
"""
PANELS = {"network": {}, "examples": {"rows": ("Test set",)}}
"""Panels, and the options of their figures."""
STORY = {
    "idle": [
        f"This one has {HOME.network.depth} layers and knows handwritten digits. Watch the error walk from the answer "
        "back to the image. Touch anything, and it trains from the beginning, live."
    ],
    "queued": ["The live network waits for its turn."],
    "compiling": ["The live network is being compiled for this machine."],
    "running": ["Live: {step} of {steps} weight steps. At the last test it read {test_accuracy:%0} of unseen digits."],
    "paused": ["Paused after {step} of {steps} weight steps. Touch anything, and it goes on."],
    "cancelled": ["This run was cancelled. Touch anything, and another one begins."],
    "failed": ["This run failed. Touch anything, and another one begins."],
    "diverged": ["This run diverged at step {step}. Touch anything, and another one begins."],
    "done": ["Done: after {step} weight steps it reads {test_accuracy:%0} of unseen digits correctly."],
}
"""State of the run -> templates of the sentence above the network."""
PICKED = "home_picked"
"""Key of the example of the test set and the layer that were picked."""


def children() -> dict[str, dict[str, Any]]:
    """Kinds and options of the run's children."""
    example, layer = _picked()
    return {"network": {"example": example} | ({"layer": layer} if layer else {}), "predictions": {}}


def nonce() -> str:
    """Another one for each choice, so that the panels ask for what belongs to it."""
    return " ".join(map(str, _picked()))


def touch(point: dict[str, Any]) -> None:
    """Show an example live, and the numbers of a layer of it. A touch starts the run, or lets it go on; after one that
    came to nothing, another one."""
    st.session_state[PICKED] = int(point["x"]), int(point["y"] or 0)
    record = session.record()
    if record is None or record.wanted == "cancelled" or record.state in ("failed", "diverged"):
        with session.reporting():
            session.show("run", session.start(HOME))
    elif record.wanted == "paused" and not record.ended:
        session.steer("resume")


def _picked() -> tuple[int, int]:
    example, layer = st.session_state.get(PICKED, (0, 0))
    within = 0 <= example < HOME.data.test_count and 0 <= layer <= HOME.network.depth
    return (example, layer) if within else (0, 0)
