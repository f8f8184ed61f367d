"""The track record: what came true, alerts, and what a person has said about drift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("journal", sa.Column("naive_log_returns", sa.JSON()))
    op.add_column(
        "journal", sa.Column("from_store", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.create_index("journal_by_ticker", "journal", ["universe", "ticker", "cutoff"])
    op.create_table(
        "outcomes",
        sa.Column("journal_id", sa.Integer(), sa.ForeignKey("journal.id"), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("log_return", sa.Float(), nullable=False),
        sa.Column("crps", sa.Float(), nullable=False),
        sa.Column("naive_crps", sa.Float()),
        sa.Column("pit", sa.Float(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("scored_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("journal_id", "horizon"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("universe", sa.String(length=64), nullable=False),
        sa.Column("ticker", sa.String(length=24), nullable=False, server_default=""),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("acknowledged_at", _MOMENT),
        sa.Column("note", sa.Text()),
        sa.Column("job_id", sa.String(length=32)),
        sa.Column("job_at", _MOMENT),
        sa.Column("notified_at", _MOMENT),
        sa.Column("notifying_at", _MOMENT),
        sa.Column("notify_error", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alerts_by_universe", "alerts", ["universe", "ticker", "rule"])
    op.create_index(
        "one_standing_alert",
        "alerts",
        ["universe", "ticker", "rule"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("universe", sa.String(length=64), nullable=False),
        sa.Column("ticker", sa.String(length=24), nullable=False),
        sa.Column("measure", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("cutoff", sa.Date(), nullable=False),
        sa.Column("until", sa.Date()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("acknowledgements_by_ticker", "acknowledgements", ["universe", "ticker"])


def downgrade() -> None:
    for table in ("acknowledgements", "alerts", "outcomes"):
        op.drop_table(table)
    op.drop_index("journal_by_ticker", "journal")
    op.drop_column("journal", "from_store")
    op.drop_column("journal", "naive_log_returns")
