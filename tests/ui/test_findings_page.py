"""The Findings page without a browser: what it offers, starts, recalls and keeps of others."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import Experiment
from pcviz.frames import Frame
from pcviz.instruments.reproduce import view
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.picture import outline_of
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.store import Store
from tests.ui.test_look_options import asked
from tests.ui.test_shell import opened, press

FINDINGS = "scripts/6_findings.py"


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def page() -> AppTest:
    app = opened()
    app.switch_page(FINDINGS).run()
    assert not app.exception, app.exception
    return app


def test_every_study_is_offered_and_the_chosen_one_starts(client: Client) -> None:
    app = page()
    assert app.selectbox(key="finding").options == [study.label for study in STUDIES.values()]
    app.selectbox(key="finding").set_value("escape").run()
    assert asked(app)["finding"] == "escape"
    assert any(STUDIES["escape"].help in text.value for text in app.markdown)
    press(app, "play")
    (run,) = client.runs()
    assert (run.kind, Options.model_validate(run.options)) == ("reproduce", Options(finding="escape"))
    assert run.steps == len(STUDIES["escape"].quick.cells)
    assert any(f"All findings: 0 of {len(STUDIES)}" in expander.label for expander in app.expander)
    assert not app.exception


@pytest.mark.parametrize("other", [False, True])
def test_a_run_with_other_curves_or_claims_is_not_drawn(
    other: bool, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(finding="conditioning")
    run = client.get(client.look("reproduce", Experiment(), options.stored(), "s"))
    empty = options.study.report([], options.chosen)
    told = options.study.report([], options.study.full) if other else empty
    claims = np.ones((4, len(told.claims)))
    frame = Frame("reproduce", 1, {"finding_claims": claims, "finding_outline": outline_of(told)})
    monkeypatch.setattr(view.session, "client", lambda: client)
    monkeypatch.setattr(client, "last_frame", lambda _: frame)
    assert view.outdated(run) is other
    assert {claim.kept for claim in view._claims(run)} == ({None} if other else {True})
