"""What a part of a job has made for the job that it belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "job_contents",
        sa.Column("job_id", sa.String(length=32), sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("job_contents")
