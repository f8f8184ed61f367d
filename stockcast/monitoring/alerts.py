"""Alerts: what a rule found and somebody has to look at, from its opening to its end, kept for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from pydantic import JsonValue
from sqlalchemy import Connection, Row, Select, func, insert, or_, select, update

from stockcast.database import Database, utc
from stockcast.errors import InvalidRequest
from stockcast.monitoring.performance_rules import Rule, Verdict
from stockcast.tables import alerts

# open: nobody has said a word about it; acknowledged: somebody has, so that it stands and is quiet.
State = Literal["open", "acknowledged", "closed"]
STATES: tuple[State, ...] = get_args(State)
STANDING: tuple[State, ...] = ("open", "acknowledged")
RETRAINED: tuple[Rule, ...] = ("skill", "coverage")  # the rules that a new training may answer

# A process that has been sending a message for so long is gone, and another one sends it.
_SENDING = timedelta(minutes=5)
# What closed longer ago is no news any more.
_NEWS = timedelta(days=7)


@dataclass(frozen=True)
class Alert:
    """One alert as it is now. Moments are aware, in UTC."""

    id: int
    universe: str
    ticker: str | None  # None: the whole universe
    rule: Rule
    state: State
    opened_at: datetime
    seen_at: datetime  # when the rule last held
    closed_at: datetime | None
    sentence: str  # of the last time that the rule held, and so is the evidence
    evidence: Mapping[str, JsonValue]
    acknowledged_at: datetime | None
    note: str | None
    job_id: str | None  # the training that it asked for
    job_at: datetime | None
    notified_at: datetime | None
    notifying_at: datetime | None
    notify_error: str | None

    @property
    def subject(self) -> str:
        """What it is about: "skill of default", "coverage of KO in default"."""
        return f"{self.rule} of {self.universe if self.ticker is None else f'{self.ticker} in {self.universe}'}"


@dataclass(frozen=True)
class Settled:
    """What a look at the rules changed."""

    opened: tuple[Alert, ...]
    closed: tuple[Alert, ...]


class Alerts:
    """The alerts in the one database. Any number of processes may look at the same time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self, universe: str | None = None, states: Sequence[State] = STANDING, limit: int = 1000
    ) -> tuple[Alert, ...]:
        """Alerts in these states, the newest first."""
        query = select(alerts).where(alerts.c.state.in_(states))
        if universe is not None:
            query = query.where(alerts.c.universe == universe)
        return self._read(query.order_by(alerts.c.opened_at.desc(), alerts.c.id.desc()).limit(limit))

    def get(self, alert_id: int) -> Alert:
        """Raises InvalidRequest when there is none of that number."""
        found = self._read(select(alerts).where(alerts.c.id == alert_id))
        if not found:
            raise InvalidRequest(f"There is no alert {alert_id}.", "See which there are: stockcast alerts list")
        return found[0]

    def settle(self, universe: str, verdicts: Sequence[Verdict], now: datetime) -> Settled:
        """Opens, keeps and closes alerts as the rules say; the same verdicts again only renew `seen_at`."""
        opened, closed = [], []
        with self._database.write(alone=_name(universe)) as connection:
            rows = connection.execute(_standing(universe)).all()
            standing = {(row.rule, row.ticker): row.id for row in rows}
            for verdict in verdicts:
                key = verdict.rule, verdict.ticker or ""
                alert_id = standing.get(key)
                told = {"seen_at": now, "sentence": verdict.sentence, "evidence": dict(verdict.evidence)}
                if alert_id is None and verdict.outcome == "fires":
                    opened.append(_open(connection, universe, key, told))
                elif alert_id is not None and verdict.outcome in ("fires", "holds"):
                    _change(connection, [alert_id], **told)
                elif alert_id is not None and verdict.outcome == "quiet":
                    _change(connection, [alert_id], state="closed", closed_at=now)
                    closed.append(alert_id)
        return Settled(tuple(map(self.get, opened)), tuple(map(self.get, closed)))

    def acknowledge(self, alert_id: int, note: str, now: datetime) -> Alert:
        """Keeps a person's word on a standing alert, which is quiet from then on; a second word is added.

        Raises InvalidRequest for a closed alert, for none, and without a note.
        """
        if not note.strip():
            raise InvalidRequest(
                "An acknowledgement needs a note.", "Say in a few words what you found or what is to be done."
            )
        found = self.get(alert_id)
        with self._database.write(alone=_name(found.universe)) as connection:
            row = connection.execute(select(alerts.c.state, alerts.c.note).where(alerts.c.id == alert_id)).one()
            if row.state != "closed":
                words = "\n".join(filter(None, (row.note, note.strip())))
                _change(connection, [alert_id], state="acknowledged", acknowledged_at=now, note=words)
        if row.state == "closed":
            raise InvalidRequest(f"Alert {alert_id} has closed already.", "There is nothing left to acknowledge.")
        return self.get(alert_id)

    # Trainings

    def unanswered(self, universe: str) -> tuple[Alert, ...]:
        """Open alerts that a training may answer and that have asked for none, the oldest first."""
        query = _standing(universe).where(
            alerts.c.state == "open", alerts.c.rule.in_(RETRAINED), alerts.c.job_id.is_(None)
        )
        return self._read(query.order_by(alerts.c.id))

    def last_training(self, universe: str) -> datetime | None:
        """When an alert of the universe last asked for a training."""
        with self._database.read() as connection:
            query = select(func.max(alerts.c.job_at)).where(alerts.c.universe == universe)
            found = connection.execute(query).scalar()
            return None if found is None else utc(found)

    def link(self, asked: Sequence[Alert], job_id: str, now: datetime) -> None:
        """Keeps which training these alerts asked for, unless somebody has by now."""
        with self._database.write() as connection:
            _change(
                connection, [alert.id for alert in asked], alerts.c.job_id.is_(None), job_id=job_id, job_at=now
            )

    # Messages

    def take_news(self, universe: str, *, closed_too: bool, pause: timedelta, now: datetime) -> tuple[Alert, ...]:
        """What is to be told, taken by this process: nobody else tells it until `told` is called.

        That is what is open and was never told, and with `closed_too` what was told and has closed since. About
        the same rule and ticker there is at most one message in `pause`.
        """
        pauses = (
            select(alerts.c.rule, alerts.c.ticker)
            .where(alerts.c.universe == universe, alerts.c.notified_at > now - pause)
            .distinct()
        )
        news = (alerts.c.state == "open") & alerts.c.notified_at.is_(None)
        if closed_too:
            fresh = (alerts.c.closed_at > now - _NEWS) & (alerts.c.notified_at < alerts.c.closed_at)
            news = news | fresh
        free = or_(alerts.c.notifying_at.is_(None), alerts.c.notifying_at < now - _SENDING)
        with self._database.write(alone=_name(universe)) as connection:
            told = {(row.rule, row.ticker) for row in connection.execute(pauses)}
            found = select(alerts).where(alerts.c.universe == universe, news, free).order_by(alerts.c.id)
            rows = connection.execute(found).all()
            taken = [row.id for row in rows if (row.rule, row.ticker) not in told]
            _change(connection, taken, notifying_at=now)
        return tuple(map(self.get, taken))

    def told(self, taken: Sequence[Alert], *, sent: bool, problem: str | None, now: datetime) -> None:
        """Keeps whether a message was sent, and what was wrong; what was not is sent again at the next look."""
        values = {"notifying_at": None, "notify_error": problem} | ({"notified_at": now} if sent else {})
        with self._database.write() as connection:
            _change(connection, [alert.id for alert in taken], **values)

    def _read(self, query: Select[Any]) -> tuple[Alert, ...]:
        with self._database.read() as connection:
            return tuple(_alert(row) for row in connection.execute(query))


def _name(universe: str) -> str:
    """Those who change the alerts of one universe come one after another."""
    return f"alerts of {universe}"


def _standing(universe: str) -> Select[Any]:
    return select(alerts).where(alerts.c.universe == universe, alerts.c.state.in_(STANDING))


def _open(connection: Connection, universe: str, key: tuple[str, str], told: Mapping[str, object]) -> int:
    rule, ticker = key
    row = {"universe": universe, "rule": rule, "ticker": ticker, "state": "open", "opened_at": told["seen_at"]}
    number: int = connection.execute(insert(alerts).values(row | dict(told)).returning(alerts.c.id)).scalar_one()
    return number


def _change(connection: Connection, ids: Sequence[int], *conditions: Any, **values: object) -> None:
    if ids:
        connection.execute(update(alerts).where(alerts.c.id.in_(ids), *conditions).values(**values))


def _alert(row: Row[Any]) -> Alert:
    values = {  # the columns are the fields; a test holds both against one another
        name: utc(value) if isinstance(value, datetime) else value for name, value in row._mapping.items()
    }
    return Alert(**values | {"ticker": row.ticker or None})
