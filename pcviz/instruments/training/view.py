"""How the panels draw: axes, smoothing, which surface, and a baseline over the run. None of it touches the run."""

from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from pcviz.experiment import Experiment
from pcviz.experiment.rules import BASELINE
from pcviz.store import RunRecord
from pcviz.ui import session, widgets
from pcviz.ui.look import View

X_LABELS = {"step": "weight step", "epoch": "epoch", "seconds": "seconds"}
SURFACES = {"landscape": "loss", "energy": "F*", "boundary": "decision boundary"}
ENERGY = {"surface": "energy"}
DIRECTIONS = {"pca": "path (PCA)", "random": "random"}
SMOOTHINGS = (0, 3, 10, 30, 100, 300, 1000)
DEFAULTS: dict[str, Any] = {
    "x_axis": "step",
    "log_scale": True,
    "smoothing": 0,
    "surface": "landscape",
    "directions": "pca",
    "network_view": False,
}
PICKED = "network_picked"
"""Key of what was picked in the network view: an example by its place, and a layer of which all numbers are shown."""

REPLAYED = "replayed"
"""Key of what the timeline asked for: a run, the step up to which it is replayed, and the step of the network view."""


@dataclass(frozen=True)
class Options:
    """Options of the panels: x axis, logarithmic loss, steps to average over, which surface, its directions."""

    x_axis: Literal["step", "epoch", "seconds"]
    log_scale: bool
    smoothing: int
    surface: Literal["landscape", "energy", "boundary"]
    directions: Literal["pca", "random"]
    network_view: bool
    example: int = 0
    layer: int | None = None
    until: int | None = None
    at: int | None = None

    @property
    def children(self) -> dict[str, dict[str, Any]]:
        """Kinds and options of the run's children: what computes the surface, the network view, and a replay."""
        picked = {"example": self.example, "layer": self.layer, "at": self.at}
        network = {key: value for key, value in picked.items() if value is not None}
        others = {"network": network} if self.network_view else {}
        if self.until is not None:
            others["replay"] = {"until": self.until}
        if self.surface == "boundary":
            return {"boundary": {}, **others}
        plane = {"directions": self.directions} | (ENERGY if self.surface == "energy" else {})
        return {"training_plane": plane, **others}

    @property
    def panels(self) -> list[str]:
        """Names of the panels, in reading order."""
        surface = "decision-boundary" if self.surface == "boundary" else "landscape"
        network = ["network"] if self.network_view else []
        return [*network, "energy-balance", "activity-convergence", surface, "learning-curves"]

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """Options of the figures, by panel."""
        curves = {"x": self.x_axis, "log": self.log_scale, "smoothing": self.smoothing}
        return {"learning-curves": curves, "landscape": {"log": self.log_scale, "energy": self.surface == "energy"}}


def planar(experiment: Experiment) -> bool:
    """Whether the network maps the plane to two classes, so that its decisions can be drawn."""
    facts = experiment.data.facts
    return (facts.input_dim, facts.output_dim, facts.task) == (2, 2, "classification")


def chosen(experiment: Experiment, record: RunRecord | None) -> Options:
    """The options as chosen; before a surface is chosen, toys in the plane show their decision boundary. A page that
    only watches a run shows the surface that the run has."""
    defaults = {**DEFAULTS, "surface": "boundary" if planar(experiment) else "landscape"}
    if st.session_state.get("was_planar") != planar(experiment):
        widgets.put({"surface": defaults["surface"]})
        st.session_state.was_planar = planar(experiment)
    if record is not None and session.watches(record):
        widgets.put(_surface_of(record))
    states = {key: st.session_state.get(key) for key in DEFAULTS}
    values: dict[str, Any] = {key: defaults[key] if value is None else value for key, value in states.items()}
    example, layer = st.session_state.get(PICKED, (0, None))
    layer = layer if layer is not None and 1 <= layer <= experiment.network.depth else None
    run, until, at = st.session_state.get(REPLAYED, (None, None, None))
    if record is None or run != record.id or until > record.step:
        until = at = None
    example = max(0, min(example, experiment.data.test_count - 1))
    return Options(**values, example=example, layer=layer, until=until, at=at)


def pick(point: dict[str, Any]) -> None:
    """Show another example of the test set in the network view, or all numbers of a layer of it (0: of none)."""
    if point.get("panel") == "network":
        st.session_state[PICKED] = int(point["x"]), int(point["y"])


def replay(wanted: dict[str, Any]) -> None:
    """Compute what the run's panels drew up to a weight step, and show the network view of one."""
    record, until, at = session.record(), int(wanted.get("until") or 0), wanted.get("at")
    if record is not None and 1 <= until <= record.step:
        at = int(at) if at is not None and 0 <= int(at) <= record.step else None
        st.session_state[REPLAYED] = record.id, until, at


def _surface_of(record: RunRecord) -> dict[str, str]:
    """Surface and directions of the run's newest child that computes one."""
    for child in reversed(session.client().children(record.id)):
        if child.kind == "boundary":
            return {"surface": "boundary"}
        if child.kind == "training_plane":
            options = child.options
            return {"surface": options.get("surface", DEFAULTS["surface"]), "directions": options["directions"]}
    return {}


def choose(experiment: Experiment, record: RunRecord | None) -> None:
    """Draw the controls of the options, in one row."""
    now, watched = chosen(experiment, record), record is not None and session.watches(record)
    for key in DEFAULTS:
        st.session_state.setdefault(key, getattr(now, key))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="options"):
        st.toggle("Network view", key="network_view", help="One example on its way through the network, step by step.")
        st.segmented_control(
            "Curves against", list(X_LABELS), format_func=X_LABELS.__getitem__, key="x_axis", required=True
        )
        st.toggle("Logarithmic loss", key="log_scale", help="Exact zeros get a row of their own in logarithmic plots.")
        st.select_slider(
            "Smoothing",
            SMOOTHINGS,
            format_func=lambda steps: f"{steps:,} steps" if steps else "off",
            key="smoothing",
            width=180,
            help="Averages every learning curve over the preceding weight steps. Off: measured values.",
        )
        st.segmented_control(
            "Surface",
            [name for name in SURFACES if name != "boundary" or planar(experiment)],
            format_func=SURFACES.__getitem__,
            key="surface",
            required=True,
            disabled=watched,
            help="The loss, or F*: the energy that is left once inference has settled, on which predictive coding "
            "learns (slower to compute).",
        )
        if now.surface != "boundary":
            st.segmented_control(
                "Landscape directions",
                list(DIRECTIONS),
                format_func=DIRECTIONS.__getitem__,
                key="directions",
                required=True,
                disabled=watched,
                help="The plane through the current weights: the main directions of the run's path, or random ones.",
            )
        _baseline(record)


def _baseline(record: RunRecord | None) -> None:
    """Backpropagation with the same settings, drawn dashed over the run."""
    if "baseline" in st.session_state.runs:
        if st.button("Remove baseline", key="overlay", icon=":material/layers_clear:"):
            session.steer("cancel", "baseline")
            session.show("baseline", None)
            st.rerun()
        return
    possible = record is not None and record.experiment.learning.facts.relaxes and bool(session.owner_key())
    pressed = st.button("Overlay backprop", key="overlay", icon=":material/layers:", disabled=not possible)
    if pressed and possible and record is not None:
        with session.reporting():
            session.show("baseline", session.start(record.experiment.changed({"learning.rule": BASELINE}), beside=True))
        st.rerun()


VIEWS: dict[str, View] = {}
"""Empty: a training is not a look."""
