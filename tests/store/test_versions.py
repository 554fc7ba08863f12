"""Stores of earlier versions are opened by this one, those of later versions and of other programs are left alone."""

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select

from pcviz.experiment import schema
from pcviz.jobs.history import history
from pcviz.store import Store, StoreFault, database, versions
from pcviz.store import tables as t

ROOT = Path(__file__).parents[2]
STORES = sorted((Path(__file__).parent / "stores").glob("*.db"))
STATES = {"queued", "compiling", "running", "paused", "done", "diverged", "failed", "cancelled"}
KINDS = {"train", "training_plane", "boundary", "relax", "plane", "walk", "chain", "curvature"}


def opened(path: Path) -> Store:
    return Store(f"sqlite:///{path}")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rows(path: Path, columns: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    """What a file holds in these columns of its tables, read without pcviz."""
    with sqlite3.connect(path) as connection:
        return {
            table: connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1, 2, 3").fetchall()
            for table, names in columns.items()
        }


def columns_of(path: Path) -> dict[str, list[str]]:
    with sqlite3.connect(path) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for table in tables
            if table != versions.TABLE
        }


@pytest.fixture(params=STORES, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a store that an earlier version made."""
    return Path(shutil.copy(request.param, tmp_path / "old.db"))


def test_there_is_a_store_of_every_earlier_version() -> None:
    assert [path.stem for path in STORES] == [str(number) for number in range(1, len(STORES) + 1)]
    assert len(STORES) >= versions.CURRENT - 1


def test_an_old_store_is_opened_with_all_it_holds(old: Path) -> None:
    before, columns = rows(old, columns_of(old)), columns_of(old)
    with sqlite3.connect(old) as connection:
        documents = dict(connection.execute("SELECT id, experiment_json FROM runs").fetchall())
    written = {run: json.loads(document)["schema"] for run, document in documents.items()}
    store = opened(old)
    runs = store.reader.select()
    assert {run.state for run in runs} == STATES
    assert {run.kind for run in runs} == KINDS
    for run in runs:
        assert run.unreadable is None
        assert run.experiment.network.depth == 4
        inference = run.experiment.inference
        usual = schema.DEFAULTS[written[run.id]]
        assert inference.solver == usual["inference.solver"] and inference.steps == usual["inference.steps"]
        assert inference.step_size == usual["inference.step_size"]
        frames = [stored.frame() for stored in store.reader.frames(run.id, run.generation)]
        assert [frame.seq for frame in frames] == list(range(1, run.seq + 1))
        if run.state == "done" and run.kind == "train":
            saved = store.reader.checkpoint(run.id, run.generation)
            assert saved is not None and saved[0] == run.steps
    store.close()
    after = rows(old, columns)
    place = columns["frames"].index("scalars")
    grown = sum(len(str(row[place])) for row in after["frames"]) - sum(len(str(row[place])) for row in before["frames"])
    place = columns["runs"].index("frame_bytes")
    assert sum(row[place] for row in after["runs"]) - sum(row[place] for row in before["runs"]) == grown  # type: ignore[misc]
    assert of_version_2(after, columns) == of_version_2(before, columns)
    with sqlite3.connect(old) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(str(versions.CURRENT),)]


def of_version_2(found: dict[str, list[tuple[object, ...]]], columns: dict[str, list[str]]) -> object:
    """What a file holds that is not of version 3 (history) or 4 (names of kinds)."""
    told = {table: [dict(zip(columns[table], row, strict=True)) for row in found[table]] for table in found}
    for row in (*told["runs"], *told["frames"]):
        row["kind"] = {"surface": "plane", "landscape": "training_plane"}.get(str(row["kind"]), row["kind"])
    for frame in told["frames"]:
        values = json.loads(str(frame["scalars"]))
        frame["scalars"] = {name: value for name, value in values.items() if not name.endswith("_history")}
    for run in told["runs"]:
        del run["frame_bytes"]
    return told


@pytest.mark.parametrize("old", STORES[:2], indirect=True, ids=["1", "2"])
def test_old_trainings_have_a_history_of_what_their_frames_told(old: Path) -> None:
    store = opened(old)
    trainings = store.reader.select(t.runs.c.kind == "train")
    told_by = [[stored.frame() for stored in store.reader.frames(run.id, run.generation)] for run in trainings]
    assert any(told_by)
    for frames in filter(None, told_by):
        found = history(frames)
        for name in ("step", "epoch", "seconds", "total_energy", "test_loss", "test_accuracy"):
            told = [getattr(frame, name, frame.values.get(name, np.nan)) for frame in frames]
            np.testing.assert_array_equal(found[name], told)
        losses = [frame.values["train_loss"] for frame in frames]
        for number, name in enumerate(("train_loss", "train_loss_least", "train_loss_greatest")):
            assert found[name].tolist() == [loss[number] for loss in losses]  # type: ignore[index]
        assert found["energy_4"].tolist() == [frame.values["energy"][3] for frame in frames]  # type: ignore[index]
        assert found["weight_change_4"].isna().all()


def test_frames_have_the_kind_of_their_run(old: Path) -> None:
    store = opened(old)
    for run in store.reader.select(t.runs.c.kind.in_(["plane", "training_plane"])):
        kinds = {stored.frame().kind for stored in store.reader.frames(run.id, run.generation)}
        assert kinds == {run.kind}


def test_a_store_is_backed_up_before_it_is_migrated(old: Path) -> None:
    # What only the write-ahead log holds belongs to the store: a plain copy of the file would lose it.
    writer = sqlite3.connect(old)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE runs SET message = 'in the log only'")
    writer.commit()
    columns = columns_of(old)
    before = rows(old, columns)
    opened(old).reader.runs(1)
    (backup,) = old.parent.glob(f"old.before-version-{versions.CURRENT}*.db")
    assert rows(backup, columns) == before
    assert {row[0] for row in rows(backup, {"runs": ["message", "id", "id"]})["runs"]} == {"in the log only"}
    writer.close()
    opened(old).reader.runs(1)
    assert len([*old.parent.glob("*.db")]) == 2, "a store that is up to date is not copied again"


def test_a_new_store_is_what_the_tables_say(store: Store) -> None:
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, t.metadata) == []


def test_a_migrated_store_is_what_the_tables_say(old: Path) -> None:
    with opened(old).database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, t.metadata) == []


@pytest.mark.parametrize("column", ["strikes", "restarts", "pinned", "published_at", "steps", "session"])
def test_a_column_that_is_missing_is_added(old: Path, column: str) -> None:
    with sqlite3.connect(old) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            pytest.skip("only stores without a version came without columns")
        connection.execute(f"ALTER TABLE runs DROP COLUMN {column}")
    assert {getattr(run, column) for run in opened(old).reader.select()} == {"" if column == "session" else 0}


def test_a_migration_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = versions.upgrade

    def failing(connection: Connection, place: str) -> None:
        real(connection, place)
        raise RuntimeError("power cut")

    columns, before = columns_of(old), rows(old, columns_of(old))
    monkeypatch.setattr(versions, "upgrade", failing)
    with pytest.raises(RuntimeError, match="power cut"):
        opened(old).reader.runs(1)
    monkeypatch.undo()
    assert (columns_of(old), rows(old, columns)) == (columns, before)
    assert len(opened(old).reader.select()) == len(before["runs"])


def test_two_that_come_at_once_migrate_once(old: Path) -> None:
    count = len(rows(old, {"runs": ["id", "id", "id"]})["runs"])
    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(lambda _: len(opened(old).reader.select()), range(4))]
    assert found == [count] * 4
    assert len([*old.parent.glob("old.before-version-*.db")]) <= 1


def test_a_later_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "later.db"
    store = opened(path)
    store.reader.runs(1)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '97'")
        connection.execute("ALTER TABLE runs RENAME COLUMN state TO situation")
    connection.close()
    before = digest(path)
    for _ in range(2):
        with pytest.raises(StoreFault) as caught:
            opened(path).reader.runs(1)
    line = str(caught.value)
    assert str(path) in line and "version 97" in line and f"up to {versions.CURRENT}" in line and "\n" not in line
    assert digest(path) == before
    assert {found.name for found in tmp_path.iterdir()} == {"later.db"}


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE notes (id INTEGER)"],
        ["CREATE TABLE runs (run_uuid VARCHAR, name VARCHAR)", "CREATE TABLE experiments (id INTEGER)"],
        *(
            [
                "CREATE TABLE runs (run_uuid VARCHAR)",
                "CREATE TABLE alembic_version (version_num VARCHAR)",
                f"INSERT INTO alembic_version VALUES ('{revision}')",
            ]
            for revision in ("0a8213491aaa", "0001", "1", "2", "20240101")
        ),
    ],
)
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, statements: list[str]) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    before = digest(path)
    with pytest.raises(StoreFault, match="belongs to another program; name another store in PCVIZ_DATABASE"):
        opened(path).reader.runs(1)
    assert digest(path) == before


def test_the_wishes_of_an_old_store_can_be_followed(old: Path) -> None:
    store = opened(old)
    with store.database.reading() as connection:
        ids = connection.execute(select(t.runs.c.id).where(t.runs.c.parent.is_(None))).scalars().all()
    for run in ids:
        store.requests.want(run, "cancelled")
    assert {store.reader.run(run).wanted for run in ids} == {"cancelled"}


def test_a_migration_waits_its_turn_and_is_tried_again(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MIGRATING_SECONDS", 0)
    count = len(rows(old, {"runs": ["id", "id", "id"]})["runs"])
    other = sqlite3.connect(old, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store = opened(old)
    for _ in range(3):
        with pytest.raises(StoreFault, match="is locked by another program"):
            store.reader.runs(1)
    other.execute("ROLLBACK")
    other.close()
    assert len(store.reader.select()) == count


def test_a_migration_that_cannot_work_is_one_line(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE TABLE cells (mine)")  # of a name that the last migration needs
    store = opened(old)
    for _ in range(2):
        with pytest.raises(StoreFault, match=r"cannot be brought to version \d+ \(.*\); nothing was changed"):
            store.reader.runs(1)
    with sqlite3.connect(old) as connection:
        connection.execute("DROP TABLE cells")
    assert store.reader.runs(1)


@pytest.mark.parametrize("old", STORES[:1], ids=["1"], indirect=True)
def test_two_processes_that_come_at_once_migrate_once(old: Path) -> None:
    code = "import sys; from pcviz.store import Store; print(len(Store(sys.argv[1]).reader.select()))"
    command = [sys.executable, "-c", code, f"sqlite:///{old}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)]
    found = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert found == {str(len(opened(old).reader.select()))}
    assert len([*old.parent.glob("old.before-version-*.db")]) == 1
