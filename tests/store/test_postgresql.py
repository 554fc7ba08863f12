"""A store in PostgreSQL: made once, migrated, shared by writers that take turns; every fault is one line."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from pcviz.experiment import Experiment
from pcviz.frames import Frame
from pcviz.store import Limits, Observations, RunRecord, Store, StoreFault, StoreFull, UnknownRun, server, versions
from pcviz.store import tables as t
from pcviz.store.export import export
from tests.postgresql import Server
from tests.store.test_versions import ROOT, STORES

OPENING = "import sys; from pcviz.store import Store; print(len(Store(sys.argv[1]).reader.select()))"


@pytest.fixture
def database(postgresql_server: Server) -> Iterator[str]:
    """The name of an empty database."""
    name = postgresql_server.fresh("template0")
    yield name
    postgresql_server.drop(name)


@pytest.fixture
def url(postgresql_server: Server, database: str) -> str:
    return postgresql_server.url(database)


@pytest.fixture
def store(postgresql_url: str) -> Iterator[Store]:
    store = Store(postgresql_url)
    yield store
    store.close()


def new_run(store: Store) -> str:
    return store.requests.create(Experiment(), "s", "", "paused", None)


def fill(worker: Observations, record: RunRecord) -> None:
    """Give a run a frame and a checkpoint."""
    assert worker.claim(record)
    worker.publish(Frame("train", 1, {"energy": np.ones(3)}, run=record.id, generation=1, seq=1))
    list(worker.checkpoint(record.id, 1, 1, 1, {"w": np.array([1.0, 2.0])}))
    worker.complete_checkpoint(record.id, 1, 1)


def opened(url: str) -> list[str]:
    """The ids of the runs in a store, oldest first."""
    with closing(Store(url)) as store:
        return [record.id for record in store.reader.select()]


def test_processes_that_come_at_once_make_one_store(url: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", OPENING, url], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(3)
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in processes] == ["0"] * 3
    with closing(Store(url)) as store, store.database.reading() as connection:
        assert versions.version_of(connection, url) == versions.CURRENT
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, t.metadata) == []


@pytest.mark.parametrize("path", STORES, ids=lambda path: path.stem)
def test_a_store_of_an_earlier_version_becomes_what_its_file_becomes(path: Path, url: str, tmp_path: Path) -> None:
    copy = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    moved(f"sqlite:///{copy}", url, path.stem)
    with closing(Store(f"sqlite:///{copy}")) as file, closing(Store(url)) as wire:
        assert contents(wire) == contents(file)
        assert wire.reader.select() == file.reader.select() != []


def moved(source: str, target: str, version: str) -> None:
    """Copy the rows of an old file into tables of its version in an empty database."""
    engines = sa.create_engine(source), sa.create_engine(target)
    with engines[0].connect() as old, engines[1].begin() as new:
        config = Config(attributes={"connection": new})
        config.set_main_option("script_location", str(versions.FOLDER))
        command.upgrade(config, version)
        there, here = sa.MetaData(), sa.MetaData()
        there.reflect(old)
        here.reflect(new)
        for table in here.sorted_tables:
            rows = old.execute(sa.select(there.tables[table.name])).mappings() if table.name in there.tables else ()
            if table.name != versions.TABLE and (found := [dict(row) for row in rows]):
                new.execute(sa.insert(table), sorted(found, key=lambda row: row.get("parent") is not None))
    for engine in engines:
        engine.dispose()


def contents(store: Store) -> list[list[object]]:
    """Everything that is stored."""
    with store.database.reading() as connection:
        return [
            connection.execute(sa.select(table).order_by(*table.primary_key)).all()
            for table in t.metadata.sorted_tables
        ]


def test_only_who_founds_makes_a_store(url: str) -> None:
    with closing(Store(url, founding=False)) as worker:
        with pytest.raises(StoreFault, match=r"is empty; restart pcviz to make an empty store there"):
            worker.reader.runs(1)
        assert opened(url) == worker.reader.runs(1) == []


def test_a_migration_that_fails_changes_nothing(url: str, database: str, postgresql_server: Server) -> None:
    postgresql_server.execute("CREATE TABLE runs (experiment_json text, id text, parent text)", database)
    for _ in range(2):
        with pytest.raises(StoreFault, match=r"cannot be brought to version \d+ \(.*\); nothing was changed"):
            opened(url)
    tables = postgresql_server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database)
    assert tables == [("runs",)]


@pytest.mark.parametrize(
    ("statements", "line"),
    [
        (["CREATE TABLE notes (id integer)"], "belongs to another program; name another store in PCVIZ_DATABASE"),
        (
            ["CREATE TABLE runs (experiment_json text)", "CREATE TABLE alembic_version AS SELECT '97' AS version_num"],
            f"has version 97, and this pcviz knows versions up to {versions.CURRENT}",
        ),
    ],
    ids=["another program's", "a later pcviz's"],
)
def test_what_is_not_ours_is_left_alone(
    url: str, database: str, postgresql_server: Server, statements: list[str], line: str
) -> None:
    for statement in statements:
        postgresql_server.execute(statement, database)
    with pytest.raises(StoreFault, match=line):
        opened(url)


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("ALTER TABLE frames RENAME TO pictures", r"is damaged \(.*\"frames\" does not exist.*\); restore a backup"),
        ("ALTER TABLE frames DROP COLUMN scalars", r"is damaged \(.*frames.scalars does not exist.*\)"),
    ],
    ids=["a table", "a column"],
)
def test_what_is_missing_is_named(store: Store, postgresql_server: Server, statement: str, line: str) -> None:
    run, name = new_run(store), str(store.database.engine.url.database)
    postgresql_server.execute(statement, name)
    with pytest.raises(StoreFault, match=line) as caught:
        store.reader.frames(run, 1)
    assert "\n" not in str(caught.value)


def test_a_role_without_rights_is_told_so(url: str, database: str, postgresql_server: Server) -> None:
    postgresql_server.execute("DROP ROLE IF EXISTS guest")
    postgresql_server.execute("CREATE ROLE guest LOGIN")
    guest = postgresql_server.url(database, user="guest")
    with pytest.raises(StoreFault, match=r"permission denied"):
        opened(guest)
    opened(url)
    with pytest.raises(StoreFault, match=r"cannot be used \(permission denied .*\); give permission, or name another"):
        opened(guest)


def test_a_standby_is_told_from_a_store(store: Store, postgresql_server: Server) -> None:
    run, name = new_run(store), str(store.database.engine.url.database)
    store.close()
    postgresql_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert store.reader.run(run).wanted == "paused", "reading goes on"
    with pytest.raises(StoreFault, match=r"cannot be used \(cannot execute UPDATE in a read-only transaction\)"):
        store.requests.want(run, "running")
    postgresql_server.execute(f"ALTER DATABASE {name} RESET ALL")
    store.close()
    store.requests.want(run, "running")


def test_a_database_that_is_missing_is_named(postgresql_server: Server) -> None:
    with pytest.raises(StoreFault, match=r"nowhere\?host=\S+ does not answer \(.*database \"nowhere\" does not exist"):
        opened(postgresql_server.url("nowhere"))


def test_a_writer_waits_its_turn_but_not_for_ever(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CONNECTION", {"options": "-c lock_timeout=100ms"})
    with closing(Store(postgresql_url)) as store, closing(Store(postgresql_url)) as other:
        run = new_run(store)
        with other.database.writing():
            with pytest.raises(StoreFault, match="is locked by another program"):
                store.requests.want(run, "running")
            assert store.reader.run(run).wanted == "paused", "reading goes on"
        store.requests.want(run, "running")


def test_whoever_stops_in_the_middle_of_a_write_loses_the_turn(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTION", {"options": "-c idle_in_transaction_session_timeout=100ms"})
    with closing(Store(postgresql_url)) as store, closing(Store(postgresql_url)) as silent:
        run = new_run(store)
        with pytest.raises(StoreFault, match="does not answer"), silent.database.writing() as connection:
            connection.execute(sa.update(t.runs).values(message="half"))
            store.requests.want(run, "running")
            connection.execute(sa.update(t.runs).values(message="whole"))
        record = store.reader.run(run)
        assert (record.wanted, record.message) == ("running", "")
        silent.requests.want(run, "paused")


def test_no_connection_in_the_pool_listens(store: Store) -> None:
    observations = store.observations("w")
    assert observations.changed()
    observations.close()
    pool = store.database.engine.pool
    assert isinstance(pool, sa.QueuePool) and pool.checkedout() == 0
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_listening_channels()").scalar() == 0


def test_sizes_may_exceed_what_fits_into_32_bits(store: Store) -> None:
    run, large = new_run(store), 3_000_000_000
    with store.database.writing() as connection:
        connection.execute(sa.update(t.runs).values(frame_bytes=large))
        connection.execute(
            sa.insert(t.checkpoints), [{"run": run, "generation": 1, "step": 1, "seq": 1, "size": large}] * 2
        )
    (space,) = store.reader.spaces(Limits(1, None, 7.0))
    assert type(space.size) is int and space.size > 3 * large
    with pytest.raises(StoreFull, match=r"9 GB of 9 GB are taken by runs"):
        store.requests.create(Experiment(), "s", "", limits=Limits(9_000_100_000, None, 7.0))


@pytest.mark.parametrize("text", ["\0", "a\0b", "\N{REPLACEMENT CHARACTER}", "x" * 5000, "'; DROP TABLE runs; --"])
def test_whatever_an_address_names_is_only_looked_for(store: Store, text: str) -> None:
    new_run(store)
    with pytest.raises(UnknownRun):
        store.reader.run(text)
    assert store.reader.families([text]) == store.reader.frames(text, 1) == []
    store.requests.renew([text])


def test_an_export_is_a_file_with_all_of_the_run(store: Store, tmp_path: Path) -> None:
    run, other = new_run(store), new_run(store)
    child = store.requests.create_child(run, "training_plane", {"size": 5})
    worker = store.observations("w")
    fill(worker, store.reader.run(run))
    export(store.database, run, tmp_path / "run.db")
    with closing(Store(f"sqlite:///{tmp_path / 'run.db'}")) as copy:
        assert {record.id for record in copy.reader.select()} == {run, child} != {other}
        assert copy.reader.frames(run, 1) == store.reader.frames(run, 1) != []
        step, arrays = copy.reader.checkpoint(run, 1) or (0, {})
        assert step == 1 and arrays["w"].tolist() == [1.0, 2.0]
    worker.close()
