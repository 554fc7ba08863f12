"""The Diagnose page without a browser: the verdict on a stored diagnosis, its remedies, its report."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.frames import Frame
from pcviz.instruments.diagnosis.attempts import Attempt, packed
from pcviz.instruments.diagnosis.options import MOST_ATTEMPTS
from pcviz.store import Store
from tests.instruments.diagnosis_evidence import healthy
from tests.instruments.test_diagnosis_rules import SICK
from tests.ui.test_shell import opened, press, run_of

DIAGNOSE = "scripts/4_diagnose.py"


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def diagnosed(client: Client, id: str | None, **more: Any) -> str:
    """A diagnosis that has ended, with the evidence of an illness; None: of a healthy network."""
    settings, changed = SICK[id] if id else ({}, {})
    evidence = healthy(settings, **changed)
    run = client.look("diagnose", evidence.experiment, {"attempts": 1 if more else 0}, "s")
    worker = client.store.observations("w")
    record = client.get(run)
    assert worker.claim(record)
    frame = Frame("diagnose", 100, {**evidence.values, **more}, run=run, generation=record.generation, seq=1)
    worker.publish(frame)
    worker.observe(run, record.generation, state="done", step=100)
    worker.close()
    return run


def page(run: str) -> AppTest:
    """The page that shows this run."""
    app = opened()
    app.switch_page(DIAGNOSE)
    app.query_params["run"] = run
    app.run()
    assert not app.exception, app.exception
    return app


def text(app: AppTest) -> str:
    """What the page says, without the marks of Markdown."""
    return "\n".join(part.value for part in app.markdown).replace("\\", "")


def test_an_illness_is_named_with_evidence_and_remedy(client: Client) -> None:
    app = page(diagnosed(client, "D1"))
    assert "Signal never arrives: it leaves 17.0 points to its best twin after 100 weight steps." in text(app)
    assert "the errors of layers 1 to 2 are exactly 0." in text(app)
    assert "Inference steps T 3 → 4depth" in text(app)
    assert not app.button(key="try_one").disabled
    press(app, "take_D1")
    assert app.session_state["inference_steps"] == "4depth"


def test_remedies_are_tried_beside_it(client: Client) -> None:
    run = diagnosed(client, "D1")
    app = page(run)
    press(app, "try_all")
    tried = client.get(run_of(app))
    assert (tried.kind, tried.options["attempts"], tried.experiment) == (
        "diagnose",
        MOST_ATTEMPTS,
        client.get(run).experiment,
    )


def test_before_and_after(client: Client) -> None:
    settings, changed = SICK["D1"]
    sick = healthy(settings, **changed).experiment
    remedy = {"inference.steps": "4depth"}
    attempt = Attempt(remedy, sick.changed(remedy).differences(), 96.5, 0.5)
    app = page(diagnosed(client, "D1", attempts=packed([attempt])))
    assert "It helps: 80.0 before, 96.5 after." in text(app)
    assert app.button(key="try_one").disabled and not app.button(key="try_all").disabled


def test_a_healthy_network_is_called_healthy(client: Client) -> None:
    app = page(diagnosed(client, None))
    assert "Healthy" in text(app)
    assert not [button for button in app.button if button.key in ("try_one", "try_all")]


def test_nothing_is_said_before_anything_runs(client: Client) -> None:
    app = opened()
    app.switch_page(DIAGNOSE).run()
    assert not app.exception
    assert not app.button(key="play").disabled
    assert "Measuring" not in text(app)
