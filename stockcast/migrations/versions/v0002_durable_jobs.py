"""Durable jobs: leases, attempts, deadlines, cancelling, and one active training per universe."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ACTIVE_TRAINING = sa.text("kind = 'train' AND state IN ('queued', 'running')")


def upgrade() -> None:
    # Columns and indexes alone: SQLite would have to rebuild the table for anything else, and events refer to it.
    for column in (
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts_allowed", sa.Integer(), nullable=False, server_default="3"),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("host", sa.String(length=255), nullable=True),
        sa.Column("pid_started", sa.Float(), nullable=True),
        sa.Column("phase", sa.String(length=200), nullable=True),
        sa.Column("loose_ends", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    ):
        op.add_column("jobs", column)
    op.create_index("jobs_by_key", "jobs", ["key"], unique=True)
    op.create_index("jobs_by_state", "jobs", ["state", "created_at"])
    op.create_index(
        "one_active_training",
        "jobs",
        ["universe"],
        unique=True,
        sqlite_where=ACTIVE_TRAINING,
        postgresql_where=ACTIVE_TRAINING,
    )


def downgrade() -> None:
    for index in ("one_active_training", "jobs_by_state", "jobs_by_key"):
        op.drop_index(index, table_name="jobs")
    for column in (
        "loose_ends", "phase", "pid_started", "host", "cancel_requested_at", "deadline", "lease_until",
        "attempts_allowed", "attempt", "key",
    ):  # fmt: skip
        op.drop_column("jobs", column)
