"""Version 5: a store remembers the cells of sweeps, and on PostgreSQL sizes may exceed 2³¹ bytes."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    op.create_table(
        "cells",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("cells_created_at", "cells", ["created_at"])
    if op.get_bind().dialect.name == "postgresql":
        for table, column in (("runs", "frame_bytes"), ("checkpoints", "size")):
            op.alter_column(table, column, type_=sa.BigInteger())
