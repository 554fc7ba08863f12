"""What the panels show and how they draw: none of it touches the run."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from pcviz.experiment import Experiment
from pcviz.experiment.looks import unexamined
from pcviz.experiment.rules import BASELINE, RULES
from pcviz.figures import Choice
from pcviz.store import RunRecord
from pcviz.ui import controls, inputs, present, session
from pcviz.ui.look import View

PANELS = {
    "network": "Network",
    "energy-balance": "Energy",
    "activity-convergence": "Activity",
    "surface": "Landscape",
    "learning-curves": "Curves",
    "examples": "Examples",
    "predictions": "Predictions",
}
"""What the page can show, in reading order: names of panels ("surface": that of the chosen surface) -> words
of their titles."""
X_LABELS = {"step": "weight step", "epoch": "epoch", "seconds": "seconds"}
SURFACES = {"landscape": "loss", "energy": "F*", "boundary": "decision boundary"}
ENERGY = {"surface": "energy"}
DIRECTIONS = {"pca": "path (PCA)", "random": "random"}
SMOOTHINGS = {0: "off", **{steps: f"{steps:,} steps" for steps in (3, 10, 30, 100, 300, 1000)}}
DEFAULTS: dict[str, Any] = {
    "shown_panels": list(PANELS),
    "x_axis": "step",
    "log_scale": True,
    "smoothing": 0,
    "surface": "landscape",
    "directions": "pca",
}
PRESENTED = ["network", "energy-balance", "learning-curves"]
"""What a projector shows at first: the network view and two more."""
PICKED = "network_picked"
"""Key of what was picked in the network view: an example by its place, and a layer of which all numbers are shown."""

TIMELINE = "timeline"
"""Key of what the timeline asked for: a run and its generation, the weight step up to which it is replayed, and the one
whose weights are shown by what follows them."""


@dataclass(frozen=True)
class Options:
    """Options of the panels: which are shown, x axis, logarithmic loss, steps to average over, which surface, its
    directions, the example and the layer of the network view; the weight step up to which the run is replayed, and the
    one whose weights are shown by what follows them (None: the latest)."""

    shown_panels: list[str]
    x_axis: Literal["step", "epoch", "seconds"]
    log_scale: bool
    smoothing: int
    surface: Literal["landscape", "energy", "boundary"]
    directions: Literal["pca", "random"]
    example: int = 0
    layer: int | None = None
    until: int | None = None
    at: int | None = None

    @property
    def children(self) -> dict[str, dict[str, Any]]:
        """Kinds and options of the run's children: what computes the panels that are shown."""
        made: dict[str, dict[str, Any]] = {}
        past = {} if self.at is None else {"at": self.at}
        if "surface" in self.shown_panels and self.surface == "boundary":
            made["boundary"] = past
        elif "surface" in self.shown_panels:
            made["training_plane"] = {"directions": self.directions} | (ENERGY if self.surface == "energy" else {})
        if "network" in self.shown_panels:
            made["network"] = {"example": self.example, **({} if self.layer is None else {"layer": self.layer}), **past}
        if {"examples", "predictions"} & set(self.shown_panels):
            made["predictions"] = past
        if self.until is not None:
            made["replay"] = {"until": self.until}
        return made

    @property
    def panels(self) -> list[str]:
        """Names of the panels, in reading order."""
        return [self._surface if name == "surface" else name for name in PANELS if name in self.shown_panels]

    @property
    def _surface(self) -> str:
        return "decision-boundary" if self.surface == "boundary" else "landscape"

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """Options of the figures, by panel."""
        curves = {"x": self.x_axis, "log": self.log_scale, "smoothing": self.smoothing}
        return {"learning-curves": curves, "landscape": {"log": self.log_scale, "energy": self.surface == "energy"}}

    def choices(self, experiment: Experiment, *, watched: bool) -> dict[str, list[Choice]]:
        """Controls in the headers of the panels that they change. Who only watches a run cannot change its surface."""
        surfaces = dict(SURFACES)
        if not experiment.data.facts.has_boundary:
            del surfaces["boundary"]
        if unexamined(experiment):
            del surfaces["energy"]
        about_surface = "The loss, or F*: the energy that is left once inference has settled, on which predictive "
        about_surface += "coding learns (slower to compute)."
        surface = [Choice("surface", "shows", about_surface, self.surface, surfaces, watched)]
        if self.surface != "boundary":
            about = "The plane through the current weights: the main directions of the run's path, or random ones."
            surface.append(Choice("directions", "along", about, self.directions, DIRECTIONS, watched))
        zeros = "Exact zeros get a row of their own in logarithmic plots."
        average = "Averages every learning curve over the preceding weight steps. Off: measured values."
        curves = [
            Choice("x_axis", "against", "What the curves are drawn against.", self.x_axis, X_LABELS),
            Choice("smoothing", "smoothing", average, self.smoothing, SMOOTHINGS),
            Choice("log_scale", "log", f"Logarithmic losses, here and on the surface. {zeros}", self.log_scale),
        ]
        return {self._surface: surface, "learning-curves": curves}


def drawn(path: str) -> bool:
    """Whether a training or its panels need a field: backpropagation relaxes nothing, but the network view does."""
    relaxes = RULES[st.session_state.learning_rule].relaxes or "network" in st.session_state.get("shown_panels", PANELS)
    return controls.applies(path) and (relaxes or not path.startswith("inference."))


def chosen(experiment: Experiment, record: RunRecord | None) -> Options:
    """The options as chosen; before a surface is chosen, toys in the plane show their decision boundary. A page that
    only watches a run shows the surface that the run has."""
    drawable = experiment.data.facts.has_boundary
    defaults = {**DEFAULTS, "surface": "boundary" if drawable else "landscape"}
    if st.session_state.get("had_boundary") != drawable:
        st.session_state.surface = defaults["surface"]
        st.session_state.had_boundary = drawable
    if unexamined(experiment) and st.session_state.get("surface") == "energy":
        st.session_state.surface = "landscape"
    if record is not None and session.watches(record):
        st.session_state.update(_surface_of(record))
    values = {key: st.session_state.setdefault(key, default) for key, default in defaults.items()}
    example, layer = st.session_state.get(PICKED, (0, None))
    if present.on():
        values["shown_panels"] = st.session_state.setdefault("presented_panels", PRESENTED)
    layer = layer if layer is not None and 1 <= layer <= experiment.network.depth else None
    until, at = _replayed(record)
    example = max(0, min(example, experiment.data.test_count - 1))
    return Options(**values, example=example, layer=layer, until=until, at=at)


def pick(point: dict[str, Any]) -> None:
    """Show another example of the test set in the network view, or all numbers of a layer of it (0: of none)."""
    if point.get("panel") in ("network", "examples"):
        st.session_state[PICKED] = int(point["x"]), int(point["y"])


def replay(wanted: dict[str, Any]) -> None:
    """Take over what the timeline asks for: {until: up to which weight step the run is replayed (0: no replay), at: the
    step whose weights are shown by what follows them, or None: the latest}."""
    record, until, at = session.record(), int(wanted.get("until") or 0), wanted.get("at")
    st.session_state.pop(TIMELINE, None)
    if record is not None and 1 <= until <= record.step:
        at = int(at) if at is not None and 0 <= int(at) <= record.step else None
        st.session_state[TIMELINE] = record.id, record.generation, until, at


def _replayed(record: RunRecord | None) -> tuple[int | None, int | None]:
    """What the timeline asked for of this run, since it has begun: up to which step, and which one."""
    run, generation, until, at = st.session_state.get(TIMELINE, (None, None, None, None))
    fits = record is not None and (run, generation) == (record.id, record.generation)
    return (until, at) if fits else (None, None)


def _surface_of(record: RunRecord) -> dict[str, str]:
    """Surface and directions of the run's newest child that computes one."""
    for child in reversed(session.client().children(record.id)):
        if child.kind == "boundary":
            return {"surface": "boundary"}
        if child.kind == "training_plane":
            options = child.options
            return {"surface": options.get("surface", DEFAULTS["surface"]), "directions": options["directions"]}
    return {}


def choose(choice: dict[str, Any]) -> None:
    """Take over the choice {key, value} of a control in a panel's header."""
    key, value = str(choice.get("key")), choice.get("value")
    allowed: dict[str, Collection[Any]] = {
        "x_axis": X_LABELS,
        "smoothing": SMOOTHINGS,
        "log_scale": (False, True),
        "surface": SURFACES,
        "directions": DIRECTIONS,
    }
    if value in allowed.get(key, ()):
        st.session_state[key] = value


def choose_panels() -> None:
    """Draw the choice of the panels that are shown; on a projector there is room for two beside the network view."""
    state, default = ("presented_panels", PRESENTED) if present.on() else ("shown_panels", list(PANELS))
    widget = f"choose_{state}"
    if st.session_state.get(widget) is None:  # not drawn yet, or lost by the browser
        st.session_state[widget] = st.session_state.setdefault(state, default)
    if present.on():
        st.session_state[widget] = _three(st.session_state[widget], before=st.session_state[state])
    inputs.pills(
        "Panels",
        PANELS,
        widget,
        format_func=PANELS.__getitem__,
        selection_mode="multi",
        label_visibility="collapsed",
        width="content",
    )
    st.session_state[state] = [name for name in PANELS if name in st.session_state[widget]]


def _three(chosen: list[str], before: list[str]) -> list[str]:
    """At most three panels: the network view, and of the others those that were chosen last."""
    others = sorted((name for name in chosen if name != "network"), key=lambda name: name in before)
    return [name for name in chosen if name == "network" or name in others[:2]]


def baseline(record: RunRecord | None) -> None:
    """Draw the button that runs backpropagation with the same settings, drawn dashed over the run."""
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
            session.show("baseline", session.start(record.experiment.with_rule(BASELINE), beside=True))
        st.rerun()


VIEWS: dict[str, View] = {}
"""Empty: a training is not a look."""
