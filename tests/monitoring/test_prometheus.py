"""What Prometheus is told: the same as the whole database read anew, quick, and never an error."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete, insert, select, text

from stockcast.cli.metrics_server import metrics_server
from stockcast.database import Database
from stockcast.errors import DatabaseUnavailable, InvalidRequest
from stockcast.forecasting.context import context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.jobs.job import KINDS
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.process import Process
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.journal import Journal
from stockcast.monitoring.live_tally import SHARES, WINDOWS, LiveTally
from stockcast.monitoring.outcomes import Outcomes
from stockcast.monitoring.prometheus import FAMILIES, metrics_registry
from stockcast.monitoring.tallies import NO_TICKER, OTHER, JobDurations, JournalTally
from stockcast.monitoring.track_record import track_record
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore
from stockcast.settings import Settings
from stockcast.tables import alerts, jobs, journal

MakeFrame = Callable[..., PriceFrame]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
THEN = datetime(2024, 6, 28, 12, tzinfo=UTC)
RED = Finding("integrity", "red", "split_or_unit", 0.48, 0.5, "This looks like a split.")
AMBER = Finding("shape", "amber", "ks", 0.4, 0.3, "The returns look unlike those of training.")
INFO = Finding("regime", "info", "volatility", 2.1, 1.9, "Volatility is 2.1x the training median.")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with all tables."""
    sqlite = f"sqlite:///{tmp_path / 'stockcast.db'}"
    opened = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def row(number: int, *findings: Finding, **changes: object) -> dict[str, object]:
    """A row of the journal."""
    return {
        "issued_at": THEN, "face": "page", "universe": "us", "ticker": "KO", "cutoff": THEN.date(),
        "model": "stockcast-us", "model_version": "3", "run_id": "abc", "fingerprint": f"{number:064d}",
        "last_close": 10.0, "sessions": [], "levels": [], "log_returns": [], "naive_log_returns": None,
        "findings": DriftReport(findings).to_json(), "from_store": True, **changes,
    }  # fmt: skip


def write(database: Database, *rows: dict[str, object]) -> None:
    with database.write() as connection:
        connection.execute(insert(journal), list(rows))


def registry_of(database: Database) -> CollectorRegistry:
    return metrics_registry(lambda: database, KINDS)


def read(registry: CollectorRegistry) -> Samples:
    return parsed(generate_latest(registry).decode())


def parsed(exposition: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name.startswith("stockcast_")
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def random_row(number: int, random: np.random.Generator) -> dict[str, object]:
    found = [finding for finding in (RED, AMBER, INFO, INFO) if random.random() < 0.3]
    ticker = random.choice([None, "KO", "PEP", "IBM", "AAPL", "XOM", "<script>"])
    return row(
        number,
        *found,
        face=str(random.choice(["page", "cli", "api"])),
        universe=str(random.choice(["us", "br", "eu", "in"])),
        ticker=None if ticker is None else str(ticker),
        from_store=bool(random.random() < 0.5),
        model_version=str(number),
    )


def test_counting_what_is_new_equals_counting_everything(database: Database) -> None:
    random = np.random.default_rng(7)
    kept, number = JournalTally(most_tickers=3, most_universes=3), 0
    for _ in range(30):
        rows = [random_row(number + each, random) for each in range(int(random.integers(0, 12)))]
        number += len(rows)
        if rows:
            write(database, *rows)
        with database.read() as connection:
            kept.catch_up(connection)
    anew = JournalTally(most_tickers=3, most_universes=3)
    with database.read() as connection:
        anew.catch_up(connection)
        found = connection.execute(select(journal)).all()
    assert number > 100
    assert (kept.forecasts, kept.findings, kept.speaking) == (anew.forecasts, anew.findings, anew.speaking)
    assert kept.forecasts.total() == number
    assert kept.findings.total() == sum(len(each.findings["findings"]) for each in found)
    faces = Counter(each.face for each in found)
    assert {face: sum(n for (_, f, _), n in kept.forecasts.items() if f == face) for face in faces} == faces
    assert len({ticker for *_, ticker in kept.findings} - {OTHER, NO_TICKER}) == 3
    assert len({universe for universe, *_ in kept.forecasts} - {OTHER}) == 3


def test_a_forecast_that_is_committed_late_is_counted_when_it_appears(postgres_url: str) -> None:
    database = Database(postgres_url)
    tally = JournalTally()

    def count() -> int:
        with database.read() as connection:
            tally.catch_up(connection)
        return tally.forecasts.total()

    write(database, row(1))
    with database.engine.connect() as slow:
        slow.execute(insert(journal).values(row(2, RED)))  # has its number, and nobody can see it yet
        with database.engine.connect() as refused:
            refused.execute(insert(journal).values(row(3)))
            refused.rollback()
        write(database, row(4))
        assert count() == 2
        slow.commit()
    assert (count(), count()) == (3, 3)
    assert tally.findings == {("us", "integrity", "red", "KO"): 1}
    database.close()


def test_another_database_in_the_same_place_is_counted_anew(database: Database) -> None:
    tally = JournalTally()
    write(database, row(1), row(2), row(3))
    with database.read() as connection:
        tally.catch_up(connection)
    with database.write() as connection:
        connection.execute(delete(journal))
        connection.execute(insert(journal).values(row(9, RED) | {"id": 1}))
    with database.read() as connection:
        tally.catch_up(connection)
    assert tally.forecasts == {("us", "page", "red"): 1}


def test_a_row_that_cannot_be_read_does_not_hold_up_the_others(database: Database) -> None:
    write(database, row(1, findings=["?"]), row(2, findings={"findings": [{"layer": 1}]}), row(3, AMBER))
    found = read(registry_of(database))
    assert of(found, "stockcast_up") == 1
    assert of(found, "stockcast_forecasts_issued_total", universe="us", face="page", drift="unknown") == 2
    assert of(found, "stockcast_forecasts_issued_total", universe="us", face="page", drift="amber") == 1


def test_the_tickers_that_somebody_types_get_no_label_of_their_own(database: Database) -> None:
    typed = [row(each, RED, ticker=f"T{each}", from_store=False) for each in range(300)]
    write(database, *typed, row(300, RED, ticker="KO"), row(301, RED, ticker="KO", from_store=False))
    found = read(registry_of(database))
    labels = {"universe": "us", "layer": "integrity", "severity": "red"}
    assert of(found, "stockcast_drift_findings_total", **labels, ticker="KO") == 2
    assert of(found, "stockcast_drift_findings_total", **labels, ticker="other") == 300
    assert sum(name == "stockcast_drift_findings_total" for name, _ in found) == 2


def test_the_live_record_is_that_of_the_track_record(database: Database, make_frame: MakeFrame) -> None:
    often, seldom = (make_frame(seed=seed, count=142, ticker=name) for seed, name in ((1, "AAPL"), (2, "IBM")))
    tally = LiveTally()
    for start, stop in ((60, 110), (110, 140)):
        for frame, step in ((often, 1), (seldom, 8)):
            for end in range(start, stop, step):
                say(database, frame.rows(0, end), end)
            Outcomes(database).score(frame.rows(0, stop), THEN + timedelta(days=9))
        with database.read() as connection:
            tally.catch_up(connection)
    scored = Outcomes(database).scored("us")
    assert tally.scored > len(scored)
    for window in WINDOWS:
        expected, found = track_record(scored, last=window).scores, tally.records["us", window]
        assert expected is not None
        assert found.count == expected.count
        assert expected.sessions == {60: 60, 250: 64}[window]
        shares = {round(each.promised * 100): each.share for each in expected.coverages}
        assert dict(zip(SHARES, found.coverages, strict=True)) == pytest.approx(shares)
        assert found.skill == pytest.approx(expected.skill)
    told = read(registry_of(database))
    labels = {"universe": "us", "sessions": "60"}
    assert of(told, "stockcast_live_forecasts", **labels) == tally.records["us", 60].count
    assert of(told, "stockcast_live_crps_skill_ratio", **labels) == pytest.approx(tally.records["us", 60].skill)
    assert (
        of(told, "stockcast_live_coverage_ratio", **labels, interval="90") == tally.records["us", 60].coverages[1]
    )


def say(database: Database, known: PriceFrame, number: int) -> None:
    """Journals what EWMA says; now and then twice, too late, or about an uploaded window."""
    context = context_at_end(known, 2)
    ewma, naive = (each.forecast([context])[0] for each in (EwmaForecaster(), NaiveForecaster()))
    evening = datetime.combine(known.last_session, datetime.min.time(), UTC) + timedelta(hours=21)
    told: dict[str, Any] = {
        "universe": "us", "model": "stockcast-us", "model_version": "3", "run_id": "abc", "drift": DriftReport(),
    }  # fmt: skip
    late = timedelta(days=8 if number % 7 == 0 else 0)
    Journal(database).record(ewma, naive, face="page", from_store=number % 5 > 0, issued_at=evening + late, **told)
    if number % 3 == 0:  # another face says something else, later or earlier
        when = evening + timedelta(hours=1 if number % 2 else -1)
        Journal(database).record(naive, naive, face="cli", from_store=True, issued_at=when, **told)


def test_jobs_are_told_by_kind_and_state_with_their_queue_and_how_long_they_took(database: Database) -> None:
    hour = timedelta(hours=1)
    clock = [THEN]
    table = JobTable(database, clock=lambda _connection: clock[0])
    registry = registry_of(database)
    assert of(read(registry), "stockcast_job_queue_length", kind="train") == 0
    for seconds in (0.5, 5, 5.5, 10**6):
        table.submit("fetch", "us", {})
        job = table.claim(Process.current())
        assert job is not None
        clock[0] += timedelta(seconds=seconds)
        assert table.end(job, "succeeded", result={})
        read(registry)
    with database.read() as connection:
        clock[0] = Database.now(connection) - hour
    table.submit("train", "us", {})
    found = read(registry)
    assert of(found, "stockcast_jobs", kind="fetch", state="succeeded") == 4
    assert of(found, "stockcast_job_queue_length", kind="train") == 1
    assert of(found, "stockcast_job_queue_oldest_age_seconds") == pytest.approx(3600, abs=60)
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "stockcast_job_duration_seconds_bucket"
    }
    assert [buckets[le] for le in ("1.0", "5.0", "15.0", "43200.0", "+Inf")] == [1, 2, 3, 3, 4]
    assert of(found, "stockcast_job_duration_seconds_sum", kind="fetch") == pytest.approx(10**6 + 11)
    assert of(found, "stockcast_job_duration_seconds_count", kind="fetch") == 4


def test_durations_counted_as_jobs_end_equal_those_of_all_jobs(database: Database) -> None:
    random = np.random.default_rng(3)
    kept, number = JobDurations(), 0
    for moment in range(20):
        with database.write() as connection:
            for _ in range(int(random.integers(1, 6))):
                number += 1  # some appear after others that ended later
                ended = THEN + timedelta(minutes=20 * moment - float(random.integers(0, 50)))
                started = ended - timedelta(seconds=float(random.exponential(300)))
                connection.execute(
                    insert(jobs).values(
                        id=str(number), kind=str(random.choice(["train", "fetch"])), universe="us", request={},
                        state="succeeded" if random.random() < 0.8 else "failed", created_at=started,
                        started_at=started, finished_at=ended, progress=1.0,
                    )
                )  # fmt: skip
        with database.read() as connection:
            kept.catch_up(connection)
    anew = JobDurations()
    with database.read() as connection:
        anew.catch_up(connection)
    assert kept.counts == anew.counts
    assert kept.seconds == pytest.approx(anew.seconds)


def test_alerts_prices_and_who_speaks(database: Database, make_frame: MakeFrame) -> None:
    frame = make_frame(count=70)
    PriceStore(database).save(FetchedPrices(frame, PriceReport(rows_read=70)))
    write(database, row(1), row(2, model_version="4", run_id="def"), row(3, universe="br"))
    with database.write() as connection:
        told = {"universe": "us", "opened_at": THEN, "seen_at": THEN, "sentence": "Bad.", "evidence": {}}
        for rule, state in (("skill", "open"), ("drift", "closed"), ("coverage", "acknowledged")):
            connection.execute(insert(alerts).values(rule=rule, state=state, **told))
    found = read(registry_of(database))
    standing = {dict(labels)["rule"] for name, labels in found if name == "stockcast_alerts_standing"}
    assert standing == {"skill", "coverage"}
    assert of(found, "stockcast_alerts_standing", universe="us", rule="skill", state="open") == 1
    speaks = {"universe": "us", "model": "stockcast-us", "version": "4", "run_id": "def"}
    assert of(found, "stockcast_champion_info", **speaks) == 1
    assert of(found, "stockcast_stored_histories") == 1
    fetched = of(found, "stockcast_prices_fetched_timestamp_seconds", which="newest")
    assert datetime.fromtimestamp(fetched, UTC) == frame.as_of
    session = of(found, "stockcast_prices_session_timestamp_seconds", which="oldest")
    assert datetime.fromtimestamp(session, UTC).date() == frame.last_session


def test_every_family_has_its_name_and_help_and_none_is_told_that_is_not_listed(database: Database) -> None:
    PriceStore(database)
    write(database, row(1, RED))
    exposed = generate_latest(registry_of(database)).decode()
    told = {
        (line.split(" ")[2], line.split(" ", 3)[3])
        for line in exposed.splitlines()
        if line.startswith("# HELP stockcast_")
    }
    missing = {name for name in FAMILIES if name.startswith("stockcast_prices_")}  # nothing is stored
    assert told == {(name, text) for name, text in FAMILIES.items() if name not in missing}


def test_a_database_that_is_away_is_told_as_such_until_it_is_back(tmp_path: Path) -> None:
    file = tmp_path / "stockcast.db"
    Database(f"sqlite:///{file}").close()
    there = [False]

    def opened() -> Database:
        if not there[0]:
            raise DatabaseUnavailable("It is gone.", "Bring it back.")
        return Database(f"sqlite:///{file}")

    registry = metrics_registry(opened, KINDS)
    away = read(registry)
    assert of(away, "stockcast_up") == 0
    assert {name for name, _ in away} == {
        "stockcast_up",
        "stockcast_build_info",
        "stockcast_read_duration_seconds",
    }
    there[0] = True
    assert of(read(registry), "stockcast_up") == 1
    database = Database(f"sqlite:///{file}")
    with database.write() as connection:
        connection.execute(text("ALTER TABLE journal RENAME TO lost"))
    assert of(read(registry), "stockcast_up") == 0
    with database.write() as connection:
        connection.execute(text("ALTER TABLE lost RENAME TO journal"))
    assert of(read(registry), "stockcast_up") == 1


def test_many_scrapes_over_http_while_forecasts_are_written(database: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database.engine.url.render_as_string(hide_password=False))
    counted: list[float] = []

    def scrape(address: str) -> None:
        for _ in range(3):
            with urllib.request.urlopen(address, timeout=30) as reply:
                assert reply.status == 200
                assert reply.headers["Content-Type"].startswith("text/plain")
                found = parsed(reply.read().decode())
            assert of(found, "stockcast_up") == 1
            counted.append(sum(value for (name, _), value in found.items() if "issued_total" in name))

    with metrics_server(settings, "127.0.0.1", free_port()) as address:
        threads = [threading.Thread(target=scrape, args=(address,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(40):
            write(database, row(number, INFO))
        for thread in threads:
            thread.join()
        scrape(address)
    assert len(counted) == 15
    assert counted[-3:] == [40, 40, 40]
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=5)


def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(InvalidRequest, match=f"cannot be served at 127.0.0.1:{port}"),
            metrics_server(Settings(home=tmp_path), "127.0.0.1", port),
        ):
            pytest.fail("it was served")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
