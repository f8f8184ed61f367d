"""What live forecasts have been worth, as few numbers: read with one query, and only when an outcome was written.

It counts what the track record counts: forecasts of stored histories one session ahead, issued before their
session closed, with a naive forecast beside them, and of each ticker and cutoff the first one that was said.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Subquery, case, func, select

from stockcast.tables import journal, outcomes

SHARES = (80, 90, 95)  # percent that the intervals promise
WINDOWS = (60, 250)  # newest sessions: what alert rules look at unless configured otherwise, and a year
_YEAR = timedelta(days=400)  # in which 250 sessions lie; what is older is not read
_EDGE = 1e-9  # 0.1 and 0.9 are told by 60 levels and back: what lies on the edge is inside


@dataclass(frozen=True)
class LiveFigures:
    """Sums over the live record of a universe, or over its newest sessions."""

    count: int
    held: tuple[int, ...]  # outcomes inside each interval of SHARES
    crps: float
    naive_crps: float

    @property
    def coverages(self) -> tuple[float, ...]:
        """Share of outcomes inside each interval of SHARES."""
        return tuple(held / self.count for held in self.held)

    @property
    def skill(self) -> float:
        """1 - CRPS / naive CRPS; 0 where naive made no error."""
        return 1 - self.crps / self.naive_crps if self.naive_crps else 0.0

    def __add__(self, other: LiveFigures) -> LiveFigures:
        held = tuple(map(sum, zip(self.held, other.held, strict=True)))
        return LiveFigures(
            self.count + other.count, held, self.crps + other.crps, self.naive_crps + other.naive_crps
        )


class LiveTally:
    """The live record of every universe. Outcomes are written once and never change: their number tells whether
    there is something new."""

    def __init__(self) -> None:
        self.scored = 0  # outcomes of every horizon, live or not
        self.records: dict[tuple[str, int], LiveFigures] = {}  # universe, one of WINDOWS

    def catch_up(self, connection: Connection) -> None:
        """Reads the record anew when an outcome was written since."""
        scored = connection.execute(select(func.count()).select_from(outcomes)).scalar_one()
        if scored == self.scored:
            return
        newest = connection.execute(select(func.max(outcomes.c.session))).scalar()
        sessions = {} if newest is None else _sessions(connection, newest - _YEAR)
        self.records = {
            (universe, window): _sum(figures[-window:])
            for universe, figures in sessions.items()
            for window in WINDOWS
        }
        self.scored = scored


def _sessions(connection: Connection, since: date) -> dict[str, list[LiveFigures]]:
    """Figures of each session of each universe, oldest first."""
    first = _first_words(since)
    inside = (func.abs(first.c.pit - 0.5) <= share / 200 + _EDGE for share in SHARES)
    query = (
        select(
            first.c.universe,
            func.count(),
            *(func.sum(case((each, 1), else_=0)) for each in inside),
            func.sum(first.c.crps),
            func.sum(first.c.naive_crps),
        )
        .where(first.c.said == 1)
        .group_by(first.c.universe, first.c.session)
        .order_by(first.c.universe, first.c.session)
    )
    found: defaultdict[str, list[LiveFigures]] = defaultdict(list)
    for universe, count, *held, crps, naive_crps in connection.execute(query):
        found[universe].append(LiveFigures(count, tuple(map(int, held)), crps, naive_crps))
    return found


def _first_words(since: date) -> Subquery:
    """Live outcomes one session ahead; `said` numbers those of one ticker and cutoff in the order of issue."""
    ahead = (
        select(outcomes)
        .where(
            outcomes.c.session >= since,
            outcomes.c.horizon == 1,
            outcomes.c.live,
            outcomes.c.naive_crps < 1e300,  # neither NULL nor, on PostgreSQL, NaN
        )
        .limit(2**31)  # read on its own: SQLite would rather look up an outcome for every row of the journal
        .subquery()
    )
    said = func.row_number().over(
        partition_by=(journal.c.universe, journal.c.ticker, journal.c.cutoff),
        order_by=(journal.c.issued_at, journal.c.id),
    )
    return (
        select(
            journal.c.universe,
            ahead.c.session,
            ahead.c.pit,
            ahead.c.crps,
            ahead.c.naive_crps,
            said.label("said"),
        )
        .join(journal, journal.c.id == ahead.c.journal_id)
        .where(journal.c.from_store)
        .subquery()
    )


def _sum(figures: list[LiveFigures]) -> LiveFigures:
    return sum(figures, LiveFigures(0, (0,) * len(SHARES), 0.0, 0.0))
