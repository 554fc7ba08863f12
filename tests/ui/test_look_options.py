"""Options of looks in the address: what it says, what it says when it is wrong, and what a page makes of it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pcviz.engine.client import Client
from pcviz.experiment import Experiment
from pcviz.instruments import KINDS
from pcviz.store import Store
from pcviz.ui import url
from pcviz.ui.instruments import FRESH, INSTRUMENTS, on
from tests.hostile import nasty_texts
from tests.ui.test_looks import INFERENCE, LANDSCAPE
from tests.ui.test_shell import SHELL, of_today

RUN = "a" * 32
STORES = Path(__file__).parents[1] / "store" / "stores"
HELD: dict[str, dict[str, Any]] = {
    "relax": {"source": RUN, "at_step": 40, "batch": 3, "solvers": ["adam", "gauss_newton"]},
    "plane": {"plane_step": 7, "plane_directions": "path", "plane_size": 41, "plane_span": 0.25, "plane_x": -1e-3},
    "chain": {"chain_hidden": 3, "chain_rate": 0.125, "chain_cap": 100},
    "curvature": {"curved_source": RUN, "curved_batch": 9, "curved_examples": 4},
    "reproduce": {"finding": "conditioning", "protocol": "full"},
    "diagnose": {"diagnosed_source": RUN, "diagnosed_step": 30},
    "family": {"family_d": 0.25, "family_depth": 1.0, "family_seeds": 5, "family_x": "a"},
    "sweep": {"vary": ["network.depth=4,8", "seed=0..2"], "quantity": "test_accuracy"},
}
KEYS = [key for instrument in INSTRUMENTS.values() for key in instrument.fields]


@pytest.fixture
def client(database_url: str) -> Client:
    """The runs that the page sees."""
    return Client(Store(database_url))


def at(page: str, **query: str) -> AppTest:
    """A page opened at this address."""
    app = AppTest.from_file(str(SHELL), default_timeout=60)
    app.switch_page(page)
    for key, text in of_today(query).items():
        app.query_params[key] = text
    app.run()
    assert not app.exception, app.exception
    return app


def asked(app: AppTest) -> dict[str, Any]:
    """The address that the page shows."""
    return {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}


def test_every_kind_of_look_has_its_options_in_the_address() -> None:
    assert set(INSTRUMENTS) == {kind for kind, model in KINDS.items() if model is not None}
    assert len(KEYS) == len(set(KEYS)) and not set(KEYS) & {*url.PATHS, *url.RUN_KEYS, url.VIEW_KEY, url.VERSION_KEY}
    for kind, instrument in INSTRUMENTS.items():
        left_out = {
            "relax": {"budget"},
            "plane": {"seed"},
            "diagnose": {"attempts", "picture"},
            "sweep": {"samples"},
        }.get(kind, set())
        assert set(instrument.fields.values()) == set(instrument.model.model_fields) - left_out


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_options_round_trip(kind: str) -> None:
    instrument = INSTRUMENTS[kind]
    held = instrument.defaults | HELD[kind]
    texts = instrument.texts(held, instrument.defaults)
    assert set(texts) == set(HELD[kind]), "defaults are left out"
    state = url.parse(url.query({}, {}, texts), page=instrument.page)
    assert state.faults == [] and instrument.defaults | state.options[kind] == held
    back = instrument.texts(instrument.defaults, held)
    assert state.options[kind].keys() == instrument.parse(back)[0].keys()
    assert held | instrument.parse(back)[0] == instrument.defaults, "a run's option can be taken back"


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from([*KEYS, url.VIEW_KEY]), nasty_texts, max_size=6),
    st.sampled_from(["inference", "landscape", "scaling", "findings"]),
)
def test_hostile_options_give_one_message_each(query: dict[str, str], page: str) -> None:
    state = url.parse(query, page=page)
    taken = sum(len(options) for options in state.options.values()) + (state.view is not None)
    assert taken + len(state.faults) == len(query), "every key is taken or refused"
    for line in state.faults:
        assert "allowed" in line and "\n" not in line


def test_bad_options_say_what_is_allowed_and_the_others_stand() -> None:
    query = {
        "plane_x": "1e9",
        "plane_size": "12",
        "chain_rate": "0",
        "plane_step": "40",
        "view": "nonsense",
        "batch": "1",
    }
    state = url.parse(query, page="landscape")
    assert state.options == {kind: {} for kind in on("landscape")} | {"plane": {"plane_step": 40}}
    *others, unknown = sorted(state.faults, key=lambda line: "unknown" in line)
    assert unknown.startswith("batch: unknown in the address (value 1; allowed: ")
    assert sorted(others) == [
        "chain_rate: 0 is not above 0.0 (allowed: above 0 to 2)",
        "plane_size: 12 is not one of the allowed values (allowed: 11, 21, 41)",
        "plane_x: 1e9 is above 10000.0 (allowed: -10000 to 10000)",
        "view: nonsense is not a view (allowed: plane, chain, curvature)",
    ]


def test_a_page_holds_the_options_of_its_address_and_keeps_them_there(client: Client) -> None:
    app = at(INFERENCE, at_step="40", solvers="adam", batch="x", source=RUN)
    assert app.number_input(key="at_step").value == 40 and app.multiselect(key="solvers").value == ["adam"]
    assert app.number_input(key="batch").value == 0 and app.selectbox(key="source").value == FRESH
    (warning,) = app.warning
    assert len(warning.value.splitlines()) == 2 and "is not known here; it may have been deleted" in warning.value
    assert asked(app) == {"v": "2", "at_step": "40", "solvers": "adam"}
    app.number_input(key="at_step").set_value(50).run()
    assert asked(app)["at_step"] == "50"


def test_an_address_restores_the_view_and_its_options(client: Client) -> None:
    app = at(LANDSCAPE, view="chain", chain_rate="0.125", plane_size="41")
    assert app.number_input(key="chain_rate").value == 0.125
    app.button_group(key="landscape_view").set_value("plane").run()
    assert app.selectbox(key="plane_size").value == 41
    assert asked(app) == {"v": "2", "chain_rate": "0.125", "plane_size": "41"}
    app.button_group(key="landscape_view").set_value("curvature").run()
    assert asked(app) == {"v": "2", "view": "curvature", "chain_rate": "0.125", "plane_size": "41"}


def test_going_back_restores_the_options_that_an_address_left_out(client: Client) -> None:
    app = at(LANDSCAPE)
    app.number_input(key="plane_step").set_value(30).run()
    assert asked(app) == {"v": "2", "plane_step": "30"}
    app.query_params.clear()
    app.query_params["back"] = "1"
    app.run()
    assert app.number_input(key="plane_step").value == 0


def test_former_names_of_a_view_open_it_and_so_does_going_back(client: Client) -> None:
    state = url.parse({"view": "surface", "plane_size": "41"}, page="landscape")
    assert (state.view, state.options["plane"], state.faults) == ("plane", {"plane_size": 41}, [])
    app = at(LANDSCAPE, view="chain")
    app.query_params.clear()
    app.query_params["view"], app.query_params["back"] = "surface", "1"
    app.run()
    assert app.button_group(key="landscape_view").value == "plane" and not app.warning


def test_a_run_of_an_older_store_is_opened_by_its_address(client: Client, database_url: str) -> None:
    shutil.copy(STORES / "3.db", database_url.removeprefix("sqlite:///"))
    (run,) = (run for run in client.runs() if run.kind == "plane")
    app = at(LANDSCAPE, run=run.id)
    assert app.button_group(key="landscape_view").value == "plane" and not app.warning
    assert app.selectbox(key="plane_size").value == 11


def test_options_of_the_run_stand_for_what_its_address_leaves_out(client: Client) -> None:
    run = client.look("plane", Experiment(), {"step": 40, "size": 11}, "s")
    app = at(LANDSCAPE, run=run, v="2", plane_step="0")
    assert app.number_input(key="plane_step").value == 0 and app.selectbox(key="plane_size").value == 11
    assert asked(app) == {"v": "2", "run": run, "plane_step": "0"}
    app.number_input(key="plane_step").set_value(40).run()
    assert asked(app) == {"v": "2", "run": run}
