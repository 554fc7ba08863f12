"""Version 4: planes through the weights are called so, and a store holds data sets. Runs "surface" and "landscape" and
their frames get the names of now."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"

NAMES = {"surface": "plane", "landscape": "training_plane"}


def upgrade() -> None:
    for name in ("runs", "frames"):
        kind: sa.ColumnClause[str] = sa.column("kind")
        renamed = sa.update(sa.table(name, kind)).where(kind.in_(NAMES))
        op.execute(renamed.values(kind=sa.case(NAMES, value=kind)))
    op.create_table(
        "datasets",
        sa.Column("name", sa.String(96), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
