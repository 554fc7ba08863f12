"""The experiment in other forms: JSON, Python, command line, link."""

import shlex
from pprint import pformat
from urllib.parse import urlencode

import orjson
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pcviz.experiment import Experiment
from pcviz.experiment.command import command_line
from pcviz.experiment.schema import flatten, unflatten
from pcviz.instruments.relaxation.options import Options
from pcviz.store import RunRecord
from pcviz.ui import look_options, session, url


def configuration(experiment: Experiment, relaxation: Options | None = None) -> None:
    """An expander with everything needed to repeat `experiment`, or a look into its `relaxation`, elsewhere."""
    with st.expander("Configuration: JSON, Python, command line, link", key="configuration"):
        link, python, command, document = st.tabs(["Link", "Python", "Command line", "JSON"])
        link.code(link_text(experiment), language=None, wrap_lines=True)
        link.caption("Opens this page with these settings.")
        shown = session.record()
        if shown is not None and (control := session.control_token(shown)):
            link.markdown("**Control link**")
            link.code(control_text(shown, control), language=None, wrap_lines=True)
            link.caption("Anyone who opens it can steer the run shown; the page's own address only lets people watch.")
        python.code(python_text(experiment, relaxation), language="python")
        command.code(command_text(experiment, relaxation), language="bash", wrap_lines=True)
        document.code(json_text(experiment), language="json")
        document.download_button(
            "Download",
            json_text(experiment),
            "experiment.json",
            "application/json",
            key="download_json",
            on_click="ignore",
        )


def link_text(experiment: Experiment) -> str:
    """The address that opens the page with these settings, and the options of its looks."""
    settings = flatten(experiment.model_dump(exclude={"schema_version"}))
    options = look_options.texts(st.session_state.page, None)
    return f"{address()}?{urlencode(url.query(settings, {}, options, lasting=True), safe=',')}"


def control_text(record: RunRecord, control: str) -> str:
    """The control link of a run: anyone who opens it may steer the run."""
    return f"{address()}?{urlencode({'run': record.id, 'control': control})}"


def address() -> str:
    """The address of this page, without settings. All pages lie in one folder, which the browser knows."""
    context = get_script_run_ctx()
    seen = context.context_info.url if context and context.context_info else ""
    folder = (seen or "http://localhost:8501/").partition("?")[0].rpartition("/")[0]
    return f"{folder}/{st.session_state.page}"


def python_text(experiment: Experiment, relaxation: Options | None = None) -> str:
    """A Python script that trains the same network, or looks into the same relaxation."""
    changes = pformat(unflatten(experiment.differences()), width=100, sort_dicts=False)
    if relaxation is not None:
        return (
            "import pcviz\nfrom pcviz.instruments.relaxation.job import RelaxationJob\n\n"
            f"experiment = pcviz.Experiment.model_validate({changes})\n"
            f"job = RelaxationJob(experiment, {_portable(relaxation).stored()})\n"
            "job.run()\n"
            'print(job.frame(bulk=True).values["total_energy_trace"])\n'
        )
    return (
        "import pcviz\n\n"
        f"experiment = pcviz.Experiment.model_validate({changes})\n"
        "for frame in pcviz.train(experiment):\n"
        '    print(frame.step, frame.values["train_loss"])\n'
    )


def command_text(experiment: Experiment, relaxation: Options | None = None) -> str:
    """The command that trains the same network, or looks into the same relaxation."""
    words = command_line(experiment)
    if relaxation is None:
        return shlex.join(["python", "-m", "pcviz", "train", *words])
    relaxation = _portable(relaxation)
    solvers = relaxation.solvers or [experiment.inference.solver]  # none at all would mean the default
    extra = ["--batch", str(relaxation.batch), "--solver", ",".join(solvers)]
    extra += ["--step", str(relaxation.step)] if relaxation.step else []
    return shlex.join(["python", "-m", "pcviz", "relax", *words, *extra])


def _portable(relaxation: Options) -> Options:
    """The options without the stored run, whose weights exist only here."""
    return relaxation if relaxation.source is None else relaxation.model_copy(update={"source": None, "step": None})


def json_text(experiment: Experiment) -> str:
    """The whole experiment as a JSON document."""
    return orjson.dumps(experiment.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode()
