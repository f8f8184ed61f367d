"""Durable jobs: leases, attempts, deadlines, cancelling, and one active training per universe."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ACTIVE_TRAINING = sa.text("kind = 'train' AND state IN ('queued', 'running')")


def upgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.add_column(sa.Column("key", sa.String(length=120), nullable=True))
        batch.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("attempts_allowed", sa.Integer(), nullable=False, server_default="3"))
        batch.add_column(sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("deadline", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("host", sa.String(length=255), nullable=True))
        batch.add_column(sa.Column("pid_started", sa.Float(), nullable=True))
        batch.add_column(sa.Column("phase", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("loose_ends", sa.Boolean(), nullable=False, server_default=sa.text("false")))
        batch.create_unique_constraint("uq_jobs_key", ["key"])
    op.create_index(
        "one_active_training",
        "jobs",
        ["universe"],
        unique=True,
        sqlite_where=ACTIVE_TRAINING,
        postgresql_where=ACTIVE_TRAINING,
    )
    op.create_index("jobs_by_state", "jobs", ["state", "created_at"])


def downgrade() -> None:
    op.drop_index("jobs_by_state", table_name="jobs")
    op.drop_index("one_active_training", table_name="jobs")
    with op.batch_alter_table("jobs") as batch:
        batch.drop_constraint("uq_jobs_key", type_="unique")
        for name in (
            "loose_ends", "phase", "pid_started", "host", "cancel_requested_at", "deadline", "lease_until",
            "attempts_allowed", "attempt", "key",
        ):  # fmt: skip
            batch.drop_column(name)
