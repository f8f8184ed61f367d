"""Who saved a version of the configuration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("config_versions", sa.Column("author", sa.String(length=120), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("config_versions", "author")
