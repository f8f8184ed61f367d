"""Counts over the journal and over ended jobs, kept up by reading what is new since the last time.

Rows of the journal are never deleted, and a job that has succeeded stays so: what was counted once need not be
read again. A count equals that of all rows read anew, whatever happened in between.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, func, select

from stockcast.database import utc
from stockcast.tables import jobs, journal

OTHER = "other"  # stands for every name beyond those that have a label of their own
NO_TICKER = "none"  # of an uploaded window that names none
MOST_TICKERS, MOST_UNIVERSES = 200, 50

# PostgreSQL gives numbers out before rows can be seen, so that a smaller one may appear after a larger. Numbers
# that are left out are looked for again for so long; most were taken by a row that was refused.
_PATIENCE = 600.0  # seconds
_FAR_BACK = 10_000  # rows; no transaction is open while so many others are written


@dataclass(frozen=True)
class Speaking:
    """The version whose forecast was issued last for a universe."""

    journal_id: int
    model: str
    version: str
    run_id: str


class Names:
    """Label values of a bounded number: the first `most` names keep their own, all others share one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._own: set[str] = set()

    def label(self, name: str, worthy: bool = True) -> str:
        """The label of a name; one that is not worthy is given none of its own."""
        if name not in self._own:
            if not worthy or len(self._own) >= self._most:
                return OTHER
            self._own.add(name)
        return name


class JournalTally:
    """Forecasts and findings of the journal. A ticker has a label of its own from its first stored history on: the
    tickers of uploaded windows are whatever somebody types."""

    def __init__(self, most_tickers: int = MOST_TICKERS, most_universes: int = MOST_UNIVERSES) -> None:
        self._most = most_tickers, most_universes
        self._forget()

    def _forget(self) -> None:
        self.forecasts: Counter[tuple[str, str, str]] = Counter()  # universe, face, severity
        self.findings: Counter[tuple[str, str, str, str]] = Counter()  # universe, layer, severity, ticker
        self.speaking: dict[str, Speaking] = {}
        self._tickers, self.universes = map(Names, self._most)
        self._newest = 0
        self._missing: dict[int, float] = {}  # number: until when it is looked for

    def catch_up(self, connection: Connection) -> None:
        """Counts what the journal holds by now and has not been counted."""
        newest: int = connection.execute(select(func.max(journal.c.id))).scalar() or 0
        if newest < self._newest:  # another database, or an older copy of it
            self._forget()
        missing = sorted(self._missing)
        for start in range(0, len(missing), 500):
            wanted = _WANTED.where(journal.c.id.in_(missing[start : start + 500]))
            for row in connection.execute(wanted.order_by(journal.c.id)):
                self._count(row)
                del self._missing[row.id]
        now = time.monotonic()
        self._missing = {number: until for number, until in self._missing.items() if until > now}
        query = _WANTED.where(journal.c.id > self._newest).order_by(journal.c.id)
        for row in connection.execution_options(yield_per=2000).execute(query):
            left_out = range(max(self._newest + 1, newest - _FAR_BACK), row.id)
            self._missing |= dict.fromkeys(left_out, now + _PATIENCE)
            self._newest = row.id
            self._count(row)

    def _count(self, row: Row[Any]) -> None:
        universe = self.universes.label(row.universe)
        ticker = NO_TICKER if row.ticker is None else self._tickers.label(row.ticker, row.from_store)
        worst, findings = _read(row.findings)
        self.forecasts[universe, row.face, worst] += 1
        for layer, severity in findings:
            self.findings[universe, layer, severity, ticker] += 1
        spoke = self.speaking.get(universe)
        if universe != OTHER and (spoke is None or spoke.journal_id < row.id):
            self.speaking[universe] = Speaking(row.id, row.model, row.model_version, row.run_id or "")


_WANTED = select(
    journal.c.id,
    journal.c.universe,
    journal.c.face,
    journal.c.ticker,
    journal.c.from_store,
    journal.c.model,
    journal.c.model_version,
    journal.c.run_id,
    cast(journal.c.findings, Text).label("findings"),
)
_RANK = ("healthy", "info", "amber", "red")
_HEALTHY = '"findings": []'  # as the journal writes it; most windows are, and parsing is what takes time


def _read(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The worst severity of a report and (layer, severity) of each finding."""
    if _HEALTHY in text:
        return _RANK[0], []
    try:
        found = [(str(each["layer"]), str(each["severity"])) for each in json.loads(text)["findings"]]
        return _RANK[max((_RANK.index(severity) for _, severity in found), default=0)], found
    except (ValueError, LookupError, TypeError):  # not written by us; the others still count
        return "unknown", []


class JobDurations:
    """How long the jobs that have succeeded took, from the start of their first attempt, in buckets."""

    BUCKETS: Sequence[float] = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200)  # seconds
    _OVERLAP = timedelta(hours=1)  # in which what was written at the same time may appear later

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.counts: dict[str, list[int]] = {}  # kind: jobs per bucket, the last one without an upper end
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._recent: dict[str, datetime] = {}

    def catch_up(self, connection: Connection) -> None:
        """Counts the jobs that have succeeded since."""
        ended = select(func.count()).where(jobs.c.state == "succeeded")
        if connection.execute(ended).scalar_one() < sum(map(sum, self.counts.values())):
            self._forget()  # another database, or an older copy of it
        query = select(jobs.c.id, jobs.c.kind, jobs.c.started_at, jobs.c.finished_at).where(
            jobs.c.state == "succeeded", jobs.c.started_at.is_not(None), jobs.c.finished_at.is_not(None)
        )
        if self._recent:
            query = query.where(jobs.c.finished_at >= max(self._recent.values()) - self._OVERLAP)
        for row in connection.execute(query.order_by(jobs.c.finished_at)):
            if row.id not in self._recent:
                self._recent[row.id] = utc(row.finished_at)
                self._add(row.kind, (row.finished_at - row.started_at).total_seconds())
        if self._recent:
            since = max(self._recent.values()) - self._OVERLAP
            self._recent = {job: ended for job, ended in self._recent.items() if ended >= since}

    def _add(self, kind: str, seconds: float) -> None:
        counts = self.counts.setdefault(kind, [0] * (len(self.BUCKETS) + 1))
        counts[bisect_left(self.BUCKETS, seconds)] += 1
        self.seconds[kind] += max(0.0, seconds)
