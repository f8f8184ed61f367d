"""When a job was last rung for, and of which job it is a part."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("rung_at", sa.DateTime(timezone=True)))
    op.add_column("jobs", sa.Column("parent", sa.String(length=32)))
    op.create_index("jobs_by_parent", "jobs", ["parent"])


def downgrade() -> None:
    op.drop_index("jobs_by_parent", table_name="jobs")
    op.drop_column("jobs", "parent")
    op.drop_column("jobs", "rung_at")
