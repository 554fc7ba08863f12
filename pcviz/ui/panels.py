"""Live panels in a Streamlit page: figures made in Python, drawn and fed in the browser by `pcviz/live/js/live.js`.

The app serves the scripts at /live/<name>.js, next to /live/plotly.js and the stream /live/frames.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly
import streamlit as st

from pcviz.experiment import Experiment
from pcviz.figures import Choice, style
from pcviz.glossary import GLOSSARY
from pcviz.instruments.panels import panel
from pcviz.live.assets import FOLDER
from pcviz.ui import caption, present

# Streamlit takes a script without line breaks for a path, and sends it again with every change: keep it short.
LOADER = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("why.js", "loader.js"))

_component = st.components.v2.component(
    "pcviz_live",
    html='<div class="pcviz-mount"></div>',
    css=(FOLDER / "live.css").read_text(encoding="utf-8"),
    js=LOADER,
    isolate_styles=False,  # plotly adds its own styles to the page's head
)


def live(
    experiment: Experiment,
    runs: list[str],
    options: dict[str, dict[str, Any]] | None = None,
    key: str = "live",
    *,
    picked: Callable[[dict[str, Any]], None] | None = None,
    chosen: Callable[[dict[str, Any]], None] | None = None,
    replayed: Callable[[dict[str, Any]], None] | None = None,
    at: int | None = None,
    **details: Any,
) -> None:
    """Mount live panels; `details` are those of `payload`.

    Nothing is remounted as long as the arguments stay equal, and a panel that stays equal keeps its zoom even when
    others or the runs change. `picked` gets the point {panel, x, y} that was clicked in a panel that can pick, `chosen`
    the {key, value} of a control in a panel's header. With `replayed` a slider over the weight steps of the first run
    stands above them; it gets what the slider asks for: {until: the step up to which a replay should go (0: none is
    wanted), at: the step whose weights should be shown by what follows them, or None}. `at` is the one shown now.
    """

    def teller(name: str, act: Callable[[dict[str, Any]], None] | None) -> Callable[[], None]:
        def tell() -> None:
            told = st.session_state[key].get(name)
            if act is not None and told:
                act(told)

        return tell

    _component(
        data=payload(experiment, runs, options, timeline=None if replayed is None else {"at": at}, **details),
        key=key,
        on_picked_change=teller("picked", picked),
        on_chosen_change=teller("chosen", chosen),
        on_replay_change=teller("replay", replayed),
    )


def payload(
    experiment: Experiment,
    runs: list[str],
    options: dict[str, dict[str, Any]] | None = None,
    *,
    panels: Sequence[str],
    choices: Mapping[str, Sequence[Choice]] | None = None,
    nonce: int | str = 0,
    scrub: str | None = None,
    metric_row: list[dict[str, Any]] | None = None,
    keep: dict[str, str] | None = None,
    about: str | None = None,
    story: dict[str, list[str]] | None = None,
    signs: Sequence[str] = (),
    recorded: str | None = None,
    timeline: dict[str, int | None] | None = None,
) -> dict[str, Any]:
    """The data for `live.js`: panels of `experiment`, fed by `runs` (ids; none yet: empty axes; a second one is the
    baseline), and what stands around them.

    `options` are those of the panels' figures, by panel name: {"learning-curves": {"x": "epoch"}}; `panels` names them,
    and `choices` are the controls in their headers. A new `nonce` asks for children
    that ended runs got since. `scrub` names the channel along which one slider for all panels moves. `metric_row` is
    the row of metrics (default: that of a training). `keep` has the keep tokens of the runs that the panels renew while
    they are open. `about` is the line that images of the panels carry (default: that of `experiment`). `story` has
    templates of the sentence above them, by the state of the first run; `signs` are those of what is wrong, of which
    all with known values are shown. `recorded` names the recording that they show
    while there is no run (pcviz/live/recorded). `timeline` asks for a slider over weight steps: {at: the step whose
    weights the network view shows, or None}.
    """
    shown = {name: dict((options or {}).get(name, {})) for name in panels}
    if len(runs) > 1 and "learning-curves" in shown:
        shown["learning-curves"].setdefault("baseline", 1)
    asked = {name: [choice.for_client() for choice in made] for name, made in (choices or {}).items()}
    return {
        "plotly": plotly.__version__,
        "runs": list(runs),
        "keep": keep or {},
        "panels": [panel(name, experiment, **details).for_client() for name, details in shown.items()],
        "choices": {name: asked.get(name, []) for name in shown},
        "metrics": metrics(experiment) if metric_row is None else metric_row,
        "about": about or caption.line(experiment),
        "story": story or {},
        "signs": list(signs),
        "colours": style.ROLES,
        "nonce": nonce,
        "recorded": recorded,
        "timeline": timeline or False,
        "scrub": {"channel": scrub} if scrub else None,
        "present": present.on(),
    }


def metrics(experiment: Experiment) -> list[dict[str, Any]]:
    """The metric row: label, help, template of the value (as notes of panels), and what a progress bar divides."""
    accuracy = ("Test accuracy", "{test_accuracy:%1}")
    test = accuracy if experiment.data.facts.task == "classification" else ("Test loss", "{test_loss:g3}")
    rows = [
        ("Weight step", "{step} / {steps}"),
        ("Train loss", "{train_loss:g3}"),
        test,
        *([("Energy left", "{energy_left:g3} of start")] if experiment.learning.facts.relaxes else []),
        ("Energy off theory", "up to {energy_off_theory:x2}×"),
        ("Layers that learn", "{layers_learning} / {layers_expected} expected"),
    ]
    made: list[dict[str, Any]] = [{"label": name, "value": value, "help": GLOSSARY[name].full} for name, value in rows]
    made[0]["progress"] = ["step", "steps"]
    made.append(
        {"label": "Speed", "value": "{steps_per_second:g3} steps/s", "help": "Weight steps in a second of compute."}
    )
    made.append({"label": "Time left", "value": "{seconds_left:t}", "help": "Compute time left at this speed."})
    return made
