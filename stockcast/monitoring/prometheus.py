"""What the database tells, as Prometheus metrics.

Dashboard, workers and API are many processes over one database: counters kept in one of them would tell a part of
the whole. Everything here is read from the database when it is asked for. Each process that exposes it tells the
same: scrape one of them, or take the maximum over instances, never their sum.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from stockcast import __version__
from stockcast.database import Database, utc
from stockcast.logs import get_logger
from stockcast.monitoring.live_tally import SHARES, LiveTally
from stockcast.monitoring.tallies import OTHER, JobDurations, JournalTally
from stockcast.tables import alerts, histories, jobs

_log = get_logger(__name__)

PATIENCE = 8.0  # seconds for which one request waits for another one's reading; Prometheus waits for 10

# Name and help of every family; docs/operations.md has the same table, and a test holds both together.
FAMILIES = {
    "stockcast_up": "1 when the database answered, else 0 and nothing more is told.",
    "stockcast_build_info": "The version of stockcast that answers.",
    "stockcast_read_duration_seconds": "Seconds that this reading of the database took.",
    "stockcast_forecasts_issued_total": "Forecasts in the journal by universe, face and worst severity of drift.",
    "stockcast_drift_findings_total": "Drift findings of issued forecasts by layer, severity and ticker.",
    "stockcast_outcomes_scored_total": "Outcomes of forecasts that were scored, every horizon counted.",
    "stockcast_live_forecasts": "Forecasts of the live record one session ahead, in its newest sessions.",
    "stockcast_live_coverage_ratio": "Share of the live record inside the interval that promises so many percent.",
    "stockcast_live_crps_skill_ratio": "1 - CRPS / naive CRPS of the live record; above 0 is better than naive.",
    "stockcast_champion_info": "The version whose forecast was issued last for a universe.",
    "stockcast_jobs": "Jobs by kind and state.",
    "stockcast_job_queue_length": "Jobs that wait for a worker.",
    "stockcast_job_queue_oldest_age_seconds": "Seconds for which the oldest queued job has waited; 0 for none.",
    "stockcast_job_duration_seconds": "Seconds from the first start to the end of jobs that succeeded.",
    "stockcast_alerts_standing": "Alerts that are not closed, by universe, rule and state.",
    "stockcast_stored_histories": "Tickers with stored prices.",
    "stockcast_prices_fetched_timestamp_seconds": "When prices were last stored: of the newest and oldest ticker.",
    "stockcast_prices_session_timestamp_seconds": "Midnight UTC of the last session: newest and oldest ticker.",
}


def metrics_registry(open_database: Callable[[], Database], kinds: Sequence[str]) -> CollectorRegistry:
    """A registry with the database's metrics and those of this process; the API may add its own.

    Nothing is opened before the first reading. `kinds` are those of jobs, so that none is left out for being zero.
    """
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(open_database, kinds))
    ProcessCollector(registry=registry)
    return registry


class DatabaseCollector(Collector):
    """Reads the database at each scrape: what is new of the large tables, and all of the small ones."""

    def __init__(self, open_database: Callable[[], Database], kinds: Sequence[str]) -> None:
        self._open = open_database
        self._kinds = tuple(kinds)
        self._database: Database | None = None
        self._journal = JournalTally()
        self._live = LiveTally()
        self._durations = JobDurations()
        self._alone = threading.Lock()
        self._was_up = True

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All families; only `stockcast_up 0` and what needs no database where it does not answer."""
        began, told = time.perf_counter(), self._read()
        yield _gauge("stockcast_up", [((), 0.0 if told is None else 1.0)])
        build = InfoMetricFamily("stockcast_build", FAMILIES["stockcast_build_info"])
        build.add_metric((), {"version": __version__})
        yield build
        yield _gauge("stockcast_read_duration_seconds", [((), time.perf_counter() - began)])
        yield from told or ()

    def _read(self) -> list[Metric] | None:
        """What the database tells, or None. Another request that reads just now is waited for, for a while."""
        if not self._alone.acquire(timeout=PATIENCE):
            return None
        try:
            self._database = self._database or self._open()
            with self._database.read() as connection:
                told = list(self._families(connection))
        except Exception as problem:  # a scrape always gets an answer, whatever is wrong with what it reads
            if self._was_up:
                _log.warning("metrics_unavailable", error=str(problem), exc_info=problem)
            self._was_up = False
            return None
        else:
            self._was_up = True
            return told
        finally:
            self._alone.release()

    def _families(self, connection: Connection) -> Iterator[Metric]:
        self._journal.catch_up(connection)
        self._live.catch_up(connection)
        self._durations.catch_up(connection)
        yield from self._of_journal()
        yield from self._of_live_record()
        yield from self._of_jobs(connection)
        yield from _of_alerts(connection)
        yield from _of_prices(connection)

    def _of_journal(self) -> Iterator[Metric]:
        issued, found = self._journal.forecasts.items(), self._journal.findings.items()
        yield _counter("stockcast_forecasts_issued_total", issued, ("universe", "face", "drift"))
        labels = ("universe", "layer", "severity", "ticker")
        yield _counter("stockcast_drift_findings_total", found, labels)
        champions = InfoMetricFamily(
            "stockcast_champion", FAMILIES["stockcast_champion_info"], labels=("universe",)
        )
        for universe, spoke in self._journal.speaking.items():
            told = {"model": spoke.model, "version": spoke.version, "run_id": spoke.run_id}
            champions.add_metric((universe,), told)
        yield champions

    def _of_live_record(self) -> Iterator[Metric]:
        yield _counter("stockcast_outcomes_scored_total", [((), self._live.scored)])
        records = [
            ((universe, str(window)), figures)
            for (universe, window), figures in self._live.records.items()
            if self._journal.universes.label(universe) != OTHER
        ]
        by = ("universe", "sessions")
        yield _gauge("stockcast_live_forecasts", [(key, each.count) for key, each in records], by)
        coverages = [
            ((*key, str(share)), coverage)
            for key, each in records
            for share, coverage in zip(SHARES, each.coverages, strict=True)
        ]
        yield _gauge("stockcast_live_coverage_ratio", coverages, (*by, "interval"))
        yield _gauge("stockcast_live_crps_skill_ratio", [(key, each.skill) for key, each in records], by)

    def _of_jobs(self, connection: Connection) -> Iterator[Metric]:
        counted = select(jobs.c.kind, jobs.c.state, func.count()).group_by(jobs.c.kind, jobs.c.state)
        found = [((kind, state), count) for kind, state, count in connection.execute(counted)]
        yield _gauge("stockcast_jobs", found, ("kind", "state"))
        queued = dict.fromkeys(self._kinds, 0) | {
            kind: count for (kind, state), count in found if state == "queued"
        }
        queue = [((kind,), count) for kind, count in queued.items()]
        yield _gauge("stockcast_job_queue_length", queue, ("kind",))
        oldest = connection.execute(select(func.min(jobs.c.created_at)).where(jobs.c.state == "queued")).scalar()
        age = 0.0 if oldest is None else (Database.now(connection) - utc(oldest)).total_seconds()
        yield _gauge("stockcast_job_queue_oldest_age_seconds", [((), max(0.0, age))])
        took = HistogramMetricFamily(
            "stockcast_job_duration_seconds", FAMILIES["stockcast_job_duration_seconds"], labels=("kind",)
        )
        for kind, counts in self._durations.counts.items():
            ends = (*(str(float(end)) for end in JobDurations.BUCKETS), "+Inf")
            upto = [sum(counts[: place + 1]) for place in range(len(counts))]
            took.add_metric((kind,), list(zip(ends, upto, strict=True)), self._durations.seconds[kind])
        yield took


def _of_alerts(connection: Connection) -> Iterator[Metric]:
    standing = (
        select(alerts.c.universe, alerts.c.rule, alerts.c.state, func.count())
        .where(alerts.c.state != "closed")
        .group_by(alerts.c.universe, alerts.c.rule, alerts.c.state)
    )
    found = [(tuple(names), count) for *names, count in connection.execute(standing)]
    yield _gauge("stockcast_alerts_standing", found, ("universe", "rule", "state"))


def _of_prices(connection: Connection) -> Iterator[Metric]:
    newest, oldest, last, behind, count = connection.execute(
        select(
            func.max(histories.c.as_of),
            func.min(histories.c.as_of),
            func.max(histories.c.last_session),
            func.min(histories.c.last_session),
            func.count(),
        )
    ).one()
    yield _gauge("stockcast_stored_histories", [((), count)])
    if count:
        fetched = [(("newest",), utc(newest).timestamp()), (("oldest",), utc(oldest).timestamp())]
        yield _gauge("stockcast_prices_fetched_timestamp_seconds", fetched, ("which",))
        sessions = [(("newest",), _midnight(last)), (("oldest",), _midnight(behind))]
        yield _gauge("stockcast_prices_session_timestamp_seconds", sessions, ("which",))


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _gauge(
    name: str, values: Iterable[tuple[Sequence[str], float]], labels: Sequence[str] = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, FAMILIES[name], labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _counter(
    name: str, values: Iterable[tuple[Sequence[str], float]], labels: Sequence[str] = ()
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, FAMILIES[name], labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family
