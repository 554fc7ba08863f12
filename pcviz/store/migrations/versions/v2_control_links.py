"""Version 2: a run has a control link, of whose token the store keeps the digest. Old runs have none."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.add_column("runs", sa.Column("control", sa.String(64), nullable=False, server_default=""))
