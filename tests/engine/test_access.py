"""Who may steer a run on a shared server: every call of the client asks, and the store hands nobody a key."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pcviz.engine.access import NotAllowed, digest, fits, token
from pcviz.engine.client import Client
from pcviz.store import Store
from pcviz.store.tables import metadata, runs
from tests.engine.conftest import experiment

ANNA, BEN = "a" * 64, "b" * 64
READING = {"children", "frames", "full", "get", "keepable", "last_frame", "may", "runs", "unreadable", "weights"}
"""Methods that change nothing: whoever knows a run's id may read it."""
STARTING = {"start", "look"}
GIVEN: dict[str, Any] = {"kind": "walk", "options": {"x": 1.0}, "session": "s", "names": ["energy"], "limit": 5}
"""What the methods are given besides a run and a proof; a parameter that is not here is left at its default."""
METHODS = sorted(name for name, member in vars(Client).items() if callable(member) and not name.startswith("_"))
METHODS.remove("export")  # changes nothing here, and needs a place to write to


@pytest.fixture
def shared(database_url: str) -> Iterator[Client]:
    client = Client(Store(database_url), shared=True)
    yield client
    client.store.close()


def contents(client: Client) -> list[Any]:
    """Everything that is stored."""
    with client.store.database.reading() as connection:
        return [connection.execute(select(table)).all() for table in metadata.sorted_tables]


def call(client: Client, name: str, run: str, proof: str) -> Any:
    """Call a method about a run, with a proof in whatever way it takes one."""
    given = {**GIVEN, "run": run, "runs": [run], "record": client.get(run), "experiment": experiment()}
    given |= {"proof": proof, "key": proof, "tokens": [proof]}
    parameters = inspect.signature(getattr(client, name)).parameters
    return getattr(client, name)(**{key: given[key] for key in parameters if key in given})


@pytest.mark.parametrize("name", METHODS)
def test_every_call_that_changes_something_asks_who_it_is(shared: Client, name: str) -> None:
    run, mine = (shared.start(experiment(), "s", key, allowed_until_step=5) for key in (ANNA, BEN))
    shared.add_child(run, "training_plane", {}, ANNA)
    before = contents(shared)
    control, keep = (token(BEN, mine), shared.keep_token(mine, BEN))
    for proof in ("", BEN, control, keep, digest(ANNA), shared.get(run).owner, shared.get(run).control, run):
        if name in READING:
            call(shared, name, run, proof)
        elif name in STARTING:
            with pytest.raises(NotAllowed, match="has not said yet who it is"):
                call(shared, name, run, "")
        else:
            with pytest.raises(NotAllowed, match="belongs to somebody else"):
                call(shared, name, run, proof)
        assert contents(shared) == before
    if name not in READING:  # and it does what it should for the owner, so that the refusal was about who asked
        call(shared, name, run, shared.keep_token(run, ANNA) if name == "renew" else ANNA)
        assert contents(shared) != before or name == "keep_token"


@pytest.mark.parametrize("name", METHODS)
def test_on_a_server_of_ones_own_nothing_is_asked(client: Client, name: str) -> None:
    run = client.start(experiment(), "s", ANNA)
    call(client, name, run, "")


def test_the_control_link_steers_its_run_and_no_other(shared: Client) -> None:
    run, other = (shared.start(experiment(), "s", ANNA) for _ in range(2))
    child = shared.add_child(run, "training_plane", {}, ANNA)
    link = token(ANNA, run)
    shared.pause(run, link)
    shared.cancel(child, link)
    assert (shared.get(run).wanted, shared.get(child).wanted) == ("paused", "cancelled")
    shared.renew([run], [shared.keep_token(run, link)])
    with pytest.raises(NotAllowed):
        shared.pause(other, link)
    with pytest.raises(NotAllowed):
        shared.renew([run, other], [shared.keep_token(run, link)])
    assert shared.keepable([run, other], [shared.keep_token(run, link), "ü"]) == [run]
    assert shared.keepable([run], []) == shared.keepable([run], ["", shared.keep_token(run, link)]) == []
    shared.reset(run, ANNA)
    assert shared.may(shared.get(run), link), "a reset run has the same control link"


def test_only_who_steers_a_run_takes_it_out(shared: Client, tmp_path: Path) -> None:
    run = shared.start(experiment(), "s", ANNA)
    for proof in ("", BEN, shared.keep_token(run, ANNA), shared.get(run).owner):
        with pytest.raises(NotAllowed):
            shared.export(run, tmp_path / "taken.db", proof)
        assert not (tmp_path / "taken.db").exists()
    for name, proof in (("own.db", ANNA), ("linked.db", token(ANNA, run))):
        shared.export(run, tmp_path / name, proof)
        assert Store(f"sqlite:///{tmp_path / name}").reader.run(run).experiment == shared.get(run).experiment


def test_keep_tokens_are_compared_one_by_one(shared: Client) -> None:
    first, second = (shared.start(experiment(), "s", ANNA) for _ in range(2))
    tokens = [shared.keep_token(run, ANNA) for run in (first, second)]
    assert shared.keepable([first, second], tokens) == [first, second]
    assert shared.keepable([first, second], tokens[::-1]) == []
    assert shared.keepable([first, second], ["", tokens[1], *tokens]) == [second]


def test_lists_show_ones_own_runs_only(shared: Client, client: Client) -> None:
    mine, theirs = (shared.start(experiment(), "s", key) for key in (ANNA, BEN))
    assert [run.id for run in shared.runs(key=ANNA)] == [mine]
    assert [run.id for run in shared.runs(key=BEN)] == [theirs]
    assert shared.runs() == shared.runs(key=token(ANNA, mine)) == []
    assert {run.id for run in client.runs()} == {mine, theirs}


@pytest.mark.sqlite
def test_the_store_holds_no_secret(shared: Client, database_url: str) -> None:
    run = shared.start(experiment(), "s", ANNA)
    shared.pause(run, token(ANNA, run))
    folder = Path(database_url.removeprefix("sqlite:///")).parent
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    assert digest(ANNA).encode() in stored
    for secret in (ANNA, token(ANNA, run), shared.keep_token(run, ANNA)):
        assert secret.encode() not in stored
    assert digest(ANNA) not in repr(shared.get(run)) and shared.get(run).control not in repr(shared.get(run))


def test_a_run_without_an_owner_is_nobodys(shared: Client, client: Client) -> None:
    run = client.start(experiment(), "s")
    with client.store.database.reading() as connection:
        assert connection.execute(select(runs.c.owner, runs.c.control)).one() == ("", "")
    for proof in ("", "s", digest(""), token("", run)):
        with pytest.raises(NotAllowed):
            shared.pause(run, proof)
    assert not fits("", "") and not fits("", digest("")) and not fits("x", "")
