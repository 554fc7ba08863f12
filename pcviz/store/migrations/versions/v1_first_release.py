"""Version 1: the tables of the first release. A store of that time, which had no version, is taken over: what it lacks
of the tables (stores of the weeks before the release) is added."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def _tables(metadata: sa.MetaData) -> list[sa.Table]:
    def whole(name: str, default: int | None = None) -> sa.Column[int]:
        server_default = None if default is None else str(default)
        return sa.Column(name, sa.Integer, nullable=False, server_default=server_default)

    def real(name: str, default: str | None = None) -> sa.Column[float]:
        return sa.Column(name, sa.Float, nullable=False, server_default=default)

    def text(name: str, length: int | None, default: str | None = None) -> sa.Column[str]:
        kind = sa.Text() if length is None else sa.String(length)
        return sa.Column(name, kind, nullable=False, server_default=default)

    def flag(name: str) -> sa.Column[bool]:
        return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())

    return [
        sa.Table(
            "runs",
            metadata,
            sa.Column("id", sa.String(32), primary_key=True),
            sa.Column("parent", sa.String(32), sa.ForeignKey("runs.id"), index=True),
            text("kind", 32, "train"),
            text("session", 64, ""),
            text("owner", 64, ""),
            text("experiment_json", None),
            text("options_json", None, "{}"),
            whole("steps"),
            real("created_at", "0"),
            text("wanted", 16, "paused"),
            sa.Column("allowed_until_step", sa.Integer),
            whole("generation", 1),
            real("seen_at", "0"),
            whole("snapshot_wanted", 0),
            flag("pinned"),
            text("state", 16, "queued"),
            whole("step", 0),
            whole("seq", 0),
            whole("observed_generation", 1),
            text("message", None, ""),
            sa.Column("worker", sa.String(128)),
            real("lease_until", "0"),
            real("seconds", "0"),
            text("device", 64, ""),
            whole("restarts", 0),
            whole("strikes", 0),
            whole("snapshot_done", 0),
            whole("frame_bytes", 0),
            real("published_at", "0"),
            sa.Index("runs_state", "state"),
        ),
        sa.Table(
            "frames",
            metadata,
            sa.Column("run", sa.String(32), sa.ForeignKey("runs.id"), primary_key=True),
            sa.Column("generation", sa.Integer, primary_key=True),
            sa.Column("seq", sa.Integer, primary_key=True),
            text("kind", 32),
            whole("step"),
            whole("inference_step"),
            real("epoch"),
            real("seconds"),
            text("scalars", None),
            sa.Column("bulk", sa.Text),
            sa.UniqueConstraint("run", "generation", "kind", "step", "inference_step"),
        ),
        sa.Table(
            "checkpoints",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("run", sa.String(32), sa.ForeignKey("runs.id"), nullable=False, index=True),
            whole("generation"),
            whole("step"),
            whole("seq"),
            whole("size"),
            flag("valid"),
        ),
        sa.Table(
            "checkpoint_parts",
            metadata,
            sa.Column("checkpoint", sa.Integer, sa.ForeignKey("checkpoints.id"), primary_key=True),
            sa.Column("position", sa.Integer, primary_key=True),
            sa.Column("data", sa.LargeBinary, nullable=False),
        ),
    ]


def upgrade() -> None:
    connection = op.get_bind()
    found = sa.inspect(connection)
    names = set(found.get_table_names())
    metadata = sa.MetaData()
    tables = _tables(metadata)
    has_bulk = tables[1].c.bulk.is_not(None)
    columns = (tables[1].c.run, tables[1].c.generation, tables[1].c.seq)
    sa.Index("frames_bulk", *columns, sqlite_where=has_bulk, postgresql_where=has_bulk)
    for table in tables:
        if table.name not in names:
            table.create(connection)
            continue
        there = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                added = column._copy()
                if not added.nullable and added.server_default is None:
                    added.server_default = sa.DefaultClause("" if isinstance(added.type, sa.String) else "0")
                op.add_column(table.name, added)
        for index in table.indexes:
            index.create(connection, checkfirst=True)
