"""Live panels in a Streamlit page: figures made in Python, drawn and fed in the browser by `pcviz/live/js/live.js`.

The app serves the scripts at /live/<name>.js, next to /live/plotly.js and the stream /live/frames.
"""

from collections.abc import Callable
from typing import Any

import plotly
import streamlit as st

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.instruments.panels import panel
from pcviz.instruments.training.figures import panels_for
from pcviz.live.assets import FOLDER
from pcviz.ui import caption

# Streamlit takes a script without line breaks for a path, and sends it again with every change: keep it short.
LOADER = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("why.js", "loader.js"))

_component = st.components.v2.component(
    "pcviz_live",
    html='<div class="pcviz-mount"></div>',
    css=(FOLDER / "live.css").read_text(encoding="utf-8"),
    js=LOADER,
    isolate_styles=False,  # plotly adds its own styles to the page's head
)

_NOT_SHOWN = "Not shown where theory makes no prediction: starts other than feedforward, Adam on the activities."
ENERGY_LEFT = (
    "Energy at the end of the relaxation over that at its start. Below 1: inference lowered it, as it should. Above "
    "1: its steps are too large for this network."
)
OFF_THEORY = (
    "How far the energy of the worst layer is from what theory expects after T steps of this size, if every layer "
    "passes its error on unchanged: the marks in the bars. Networks that learned were within about 2 decades, mostly "
    "1; deep ones that did not began at 3 to 17, because the error is lost or amplified on its way down "
    "(docs/health.md). " + _NOT_SHOWN
)
LAYERS_LEARNING = (
    "Layers whose weights moved by 0.01 % to 20 % of their size in the latest step, of those that an error, by theory, "
    "reaches in T steps of this size. Layers further down keep their weights, and skips carry the input through them: "
    "that is not a fault. " + _NOT_SHOWN
)


def live(
    experiment: Experiment,
    runs: list[str],
    options: dict[str, dict[str, Any]] | None = None,
    key: str = "live",
    *,
    panels: list[str] | None = None,
    nonce: int | str = 0,
    scrub: str | None = None,
    metrics: list[dict[str, Any]] | None = None,
    picked: Callable[[dict[str, Any]], None] | None = None,
    keep: dict[str, str] | None = None,
    about: str | None = None,
    story: dict[str, list[str]] | None = None,
    recorded: str | None = None,
    replayed: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Mount live panels of `experiment`, fed by `runs` (ids; none yet: empty axes; a second one is the baseline).

    `options` are those of the panels' figures, by panel name: {"learning-curves": {"x": "epoch"}}; `panels` names them
    (default: those of the Train page). Nothing is remounted as long as the arguments stay equal, and a panel that stays
    equal keeps its zoom even when others or the runs change. A new `nonce` asks for children that ended runs got since.
    `scrub` names the channel along which one slider for all panels moves, `metrics` the metric row (default: that
    of a training). `picked` gets the point {panel, x, y} that was clicked in a panel that can pick. `keep` has the
    keep tokens of the runs that the panels renew while they are open. `about` is the line that images of the panels
    carry (default: that of `experiment`). `story` has templates of the sentence above them, by the state of the first
    run. `recorded` names the recording that they show while there is no run (pcviz/live/recorded). With `replayed` a
    slider over the weight steps of the first run stands above them; it gets what the slider asks for: {until: the step
    up to which a replay should go, at: the step whose weights the network view should show, or None}.
    """
    made = payload(
        experiment,
        runs,
        options,
        panels=panels,
        nonce=nonce,
        scrub=scrub,
        metric_row=metrics,
        keep=keep,
        about=about,
        story=story,
        recorded=recorded,
        timeline=replayed is not None,
    )

    def telling(name: str, act: Callable[[dict[str, Any]], None] | None) -> Callable[[], None]:
        def tell() -> None:
            told = st.session_state[key].get(name)
            if act is not None and told:
                act(told)

        return tell

    told = telling("picked", picked), telling("replay", replayed)
    _component(data=made, key=key, on_picked_change=told[0], on_replay_change=told[1])


def payload(
    experiment: Experiment,
    runs: list[str],
    options: dict[str, dict[str, Any]] | None = None,
    *,
    panels: list[str] | None = None,
    nonce: int | str = 0,
    scrub: str | None = None,
    metric_row: list[dict[str, Any]] | None = None,
    keep: dict[str, str] | None = None,
    about: str | None = None,
    story: dict[str, list[str]] | None = None,
    recorded: str | None = None,
    timeline: bool = False,
) -> dict[str, Any]:
    """The data for `live.js`: version of plotly, runs, keep tokens, panels, metrics, the line for images."""
    chosen = {name: dict((options or {}).get(name, {})) for name in panels or panels_for(experiment)}
    if len(runs) > 1 and "learning-curves" in chosen:
        chosen["learning-curves"].setdefault("baseline", 1)
    return {
        "plotly": plotly.__version__,
        "runs": list(runs),
        "keep": keep or {},
        "panels": [panel(name, experiment, **details).for_client() for name, details in chosen.items()],
        "metrics": metrics(experiment) if metric_row is None else metric_row,
        "about": about or caption.line(experiment),
        "story": story or {},
        "colours": style.ROLES,
        "nonce": nonce,
        "recorded": recorded,
        "timeline": timeline,
        "scrub": {"channel": scrub} if scrub else None,
    }


def metrics(experiment: Experiment) -> list[dict[str, Any]]:
    """The metric row: label, help, template of the value (as notes of panels), and what a progress bar divides."""
    if experiment.data.facts.task == "classification":
        test = ("Test accuracy", "{test_accuracy:%1}", "Share of the whole test set classified correctly")
    else:
        test = ("Test loss", "{test_loss:g3}", "Feedforward loss of the whole test set")
    rows = [
        ("Weight step", "{step} / {steps}", "Batches trained on, of those requested"),
        ("Train loss", "{train_loss:g3}", "Feedforward loss of the latest training batch"),
        test,
        *([("Energy left", "{energy_left:g3} of start", ENERGY_LEFT)] if experiment.learning.facts.relaxes else []),
        ("Energy off theory", "{energy_off_theory:g2} decades", OFF_THEORY),
        ("Layers that learn", "{layers_learning} of {layers_expected}", LAYERS_LEARNING),
        ("Speed", "{steps_per_second:g3} steps/s", "Weight steps per second of compute"),
        ("Time left", "{seconds_left:t}", "Compute time left at this speed"),
    ]
    made: list[dict[str, Any]] = [{"label": label, "value": value, "help": text} for label, value, text in rows]
    made[0]["progress"] = ["step", "steps"]
    return made
