"""The tables of the one database, as SQLAlchemy Core. Migrations build them; a test compares both."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# One row a session: adjusted prices in the currency of the exchange, volume in shares.
bars = Table(
    "bars",
    metadata,
    Column("ticker", String(24), primary_key=True),
    Column("session", Date, primary_key=True),
    Column("open", Float),
    Column("high", Float),
    Column("low", Float),
    Column("close", Float, nullable=False),
    Column("volume", Float),
)

# One row a ticker: where its bars came from, when, and what was mended on the way.
histories = Table(
    "histories",
    metadata,
    Column("ticker", String(24), primary_key=True),
    Column("source", String(200), nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("first_session", Date, nullable=False),
    Column("last_session", Date, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("report", JSON, nullable=False),
)

config_versions = Table(
    "config_versions",
    metadata,
    Column("universe", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("author", String(120), nullable=False, server_default=""),  # empty: from before this was kept
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("universe", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("pid", Integer),
    Column("progress", Float, nullable=False),
    Column("result", JSON),
    Column("error", Text),
    Column("hint", Text),
    Column("key", String(120)),
    # Counts every process that took the job; what an older one still writes touches no row.
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("attempts_allowed", Integer, nullable=False, server_default="3"),
    Column("lease_until", DateTime(timezone=True)),
    Column("deadline", DateTime(timezone=True)),
    Column("cancel_requested_at", DateTime(timezone=True)),
    Column("host", String(255)),
    Column("pid_started", Float),
    Column("phase", String(200)),
    # Set while something of it may be left outside the database: an open MLflow run, a checkpoint.
    Column("loose_ends", Boolean, nullable=False, server_default=text("false")),
    # When a broker was last told of it, while it is queued.
    Column("rung_at", DateTime(timezone=True)),
    # The job of which this one is a part, and which waits for it.
    Column("parent", String(32)),
)

# The same key asks for the same job: a submit may be repeated.
Index("jobs_by_key", jobs.c.key, unique=True)
Index("jobs_by_parent", jobs.c.parent)
Index("jobs_by_state", jobs.c.state, jobs.c.created_at)
# P3: one active training per universe, whoever asks and however many at once.
Index(
    "one_active_training",
    jobs.c.universe,
    unique=True,
    sqlite_where=text("kind = 'train' AND state IN ('queued', 'running')"),
    postgresql_where=text("kind = 'train' AND state IN ('queued', 'running')"),
)

# What a part has made for the job that it belongs to, as bytes that this job can read.
job_contents = Table(
    "job_contents",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

job_events = Table(
    "job_events",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("payload", JSON, nullable=False),
)

# Every forecast that was shown, before it was shown.
journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("face", String(16), nullable=False),
    Column("universe", String(64), nullable=False),
    Column("ticker", String(24)),
    Column("cutoff", Date),
    Column("model", String(80), nullable=False),
    Column("model_version", String(16), nullable=False),
    Column("run_id", String(64)),
    Column("fingerprint", String(64), nullable=False),
    Column("last_close", Float, nullable=False),
    Column("sessions", JSON, nullable=False),
    Column("levels", JSON, nullable=False),
    Column("log_returns", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    # The naive forecast that stood beside it; NULL in rows from before this was kept.
    Column("naive_log_returns", JSON),
    # Whether it read a stored history; an uploaded window is no part of the track record.
    Column("from_store", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("face", "fingerprint"),
)

Index("journal_by_ticker", journal.c.universe, journal.c.ticker, journal.c.cutoff)

# What came true of one horizon of a journal row, written once and never again.
outcomes = Table(
    "outcomes",
    metadata,
    Column("journal_id", Integer, ForeignKey("journal.id"), primary_key=True),
    Column("horizon", Integer, primary_key=True),
    Column("session", Date, nullable=False),
    Column("log_return", Float, nullable=False),  # from the cutoff's close, as the history told it when it arrived
    Column("crps", Float, nullable=False),  # percent of log return
    Column("naive_crps", Float),
    Column("pit", Float, nullable=False),  # 0 to 1
    # Whether the forecast was issued before its session closed; others are told after the fact.
    Column("live", Boolean, nullable=False),
    Column("scored_at", DateTime(timezone=True), nullable=False),
)

# Something that a rule found and that somebody has to look at, and what became of it.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("universe", String(64), nullable=False),
    Column("ticker", String(24), nullable=False, server_default=""),  # empty: the whole universe
    Column("rule", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # open, acknowledged, closed
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("sentence", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("note", Text),
    Column("job_id", String(32)),  # the training that it asked for, and when
    Column("job_at", DateTime(timezone=True)),
    Column("notified_at", DateTime(timezone=True)),
    Column("notifying_at", DateTime(timezone=True)),  # since when some process has been sending its message
    Column("notify_error", Text),
)

Index("alerts_by_universe", alerts.c.universe, alerts.c.ticker, alerts.c.rule)
# One alert a rule and ticker that has not been closed, however many look at once.
Index(
    "one_standing_alert",
    alerts.c.universe,
    alerts.c.ticker,
    alerts.c.rule,
    unique=True,
    sqlite_where=text("state <> 'closed'"),
    postgresql_where=text("state <> 'closed'"),
)

# A person's word on what a drift check finds about a ticker: seen, and not to be shown until then.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("universe", String(64), nullable=False),
    Column("ticker", String(24), nullable=False),
    Column("measure", String(64), nullable=False),
    Column("severity", String(8), nullable=False),  # as it was seen; something worse is shown again
    Column("at", DateTime(timezone=True), nullable=False),
    Column("cutoff", Date, nullable=False),  # of the window in which it was seen
    Column("until", Date),  # the last cutoff for which it holds; NULL: for this cutoff alone
    Column("note", Text, nullable=False),
)

Index("acknowledgements_by_ticker", acknowledgements.c.universe, acknowledgements.c.ticker)

# How the intervals of a model version, known by its run, have adapted to a ticker up to a cutoff.
adaptations = Table(
    "adaptations",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("ticker", String(24), primary_key=True),
    Column("cutoff", Date, nullable=False),
    Column("state", JSON, nullable=False),
)

# Keys of the API, by their sha256 alone. A row is never removed: once there is one, the API asks for keys.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("label", String(60), nullable=False),
    Column("scope", String(8), nullable=False),  # predict, admin
    Column("digest", String(64), nullable=False, unique=True),
    Column("start", String(8), nullable=False),  # its first characters, by which its owner knows it again
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)
