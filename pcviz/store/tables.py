"""The tables. Times are seconds since 1970 (UTC); ids are uuid4 hex."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData()


class _WithoutNul(TypeDecorator[str]):
    """Text in which PostgreSQL meets no NUL: it refuses one, even where an address is only compared with an id."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and value.replace("\0", "\N{REPLACEMENT CHARACTER}")


ID = String(32).with_variant(_WithoutNul(32), "postgresql")
LARGE = BigInteger().with_variant(Integer, "sqlite")
"""A number that may exceed 2³¹; on SQLite every one may."""

runs = Table(
    "runs",
    metadata,
    # What it is: written once.
    Column("id", ID, primary_key=True),
    Column("parent", ID, ForeignKey("runs.id"), index=True),
    Column("kind", String(32), nullable=False),
    Column("session", String(64), nullable=False),
    Column("owner", String(64), nullable=False),  # digests of secrets, see pcviz/engine/access.py
    Column("control", String(64), nullable=False, default="", server_default=""),
    Column("experiment_json", Text, nullable=False),
    Column("options_json", Text, nullable=False, default="{}"),
    Column("steps", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    # What it should do: written by the server only.
    Column("wanted", String(16), nullable=False),
    Column("allowed_until_step", Integer),
    Column("generation", Integer, nullable=False, default=1),
    Column("seen_at", Float, nullable=False),
    Column("snapshot_wanted", Integer, nullable=False, default=0),
    Column("pinned", Boolean, nullable=False, default=False),
    # What it does: written by the worker that holds the lease only.
    Column("state", String(16), nullable=False, default="queued"),
    Column("step", Integer, nullable=False, default=0),
    Column("seq", Integer, nullable=False, default=0),
    Column("observed_generation", Integer, nullable=False, default=1),
    Column("message", Text, nullable=False, default=""),
    Column("worker", String(128)),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("device", String(64), nullable=False, default=""),
    Column("restarts", Integer, nullable=False, default=0),
    Column("strikes", Integer, nullable=False, default=0),  # times its worker died since its last frame
    Column("snapshot_done", Integer, nullable=False, default=0),
    Column("frame_bytes", LARGE, nullable=False, default=0),
    Column("published_at", Float, nullable=False, default=0.0),
    Index("runs_state", "state"),
)

frames = Table(
    "frames",
    metadata,
    Column("run", ID, ForeignKey("runs.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("step", Integer, nullable=False),
    Column("inference_step", Integer, nullable=False),
    Column("epoch", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("scalars", Text, nullable=False),
    Column("bulk", Text),
    UniqueConstraint("run", "generation", "kind", "step", "inference_step"),
)

# Finds the few frames that still hold their bulk channels.
Index(
    "frames_bulk",
    frames.c.run,
    frames.c.generation,
    frames.c.seq,
    sqlite_where=frames.c.bulk.is_not(None),
    postgresql_where=frames.c.bulk.is_not(None),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", ID, ForeignKey("runs.id"), nullable=False, index=True),
    Column("generation", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("size", LARGE, nullable=False),
    Column("valid", Boolean, nullable=False, default=False),
)

parts = Table(
    "checkpoint_parts",
    metadata,
    Column("checkpoint", Integer, ForeignKey("checkpoints.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

datasets = Table(
    "datasets",
    metadata,
    Column("name", String(96), primary_key=True),  # contains the digest of its content
    Column("data", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
)

cells = Table(
    "cells",
    metadata,
    Column("key", String(64), primary_key=True),  # digest of all that the result follows from
    Column("result", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("cells_created_at", "created_at"),
)
