"""Acknowledgements: a person's word on a drift finding, kept, and what it keeps from being shown.

What was acknowledged stays away for the cutoff at which it was seen, or until a date. It is shown again when it
becomes worse than it was then. A red finding of integrity says that the data are wrong: it can be acknowledged for
the cutoff that somebody has looked at, never for data that nobody has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, insert, select

from stockcast.database import Database, utc
from stockcast.errors import InvalidRequest
from stockcast.monitoring.findings import DriftReport, Finding, Severity
from stockcast.tables import acknowledgements

_RANK: dict[Severity, int] = {"info": 0, "amber": 1, "red": 2}


@dataclass(frozen=True)
class Acknowledgement:
    """What somebody said about the findings of one measure of a ticker. The moment is aware, in UTC."""

    id: int
    universe: str
    ticker: str
    measure: str
    severity: Severity
    at: datetime
    cutoff: date  # of the window in which it was seen
    until: date | None  # the last cutoff for which it holds; None: for `cutoff` alone
    note: str

    def holds(self, finding: Finding, cutoff: date) -> bool:
        """Whether it keeps this finding of a window with that cutoff from being shown."""
        if finding.measure != self.measure or _RANK[finding.severity] > _RANK[self.severity]:
            return False
        if cutoff == self.cutoff:
            return True
        return self.until is not None and self.cutoff < cutoff <= self.until and not _for_one_cutoff(finding)


@dataclass(frozen=True)
class Sifted:
    """A report without what was acknowledged, and that with the word that was said about it."""

    shown: DriftReport
    acknowledged: tuple[tuple[Finding, Acknowledgement], ...]


def sift(report: DriftReport, said: Sequence[Acknowledgement], cutoff: date | None) -> Sifted:
    """Parts the findings of a window by what was said about its ticker, the newest word first."""
    if cutoff is None:  # a window without dates: nobody can have meant it
        return Sifted(report, ())
    known = _in_force(said)
    words = {
        finding: next((word for word in known if word.holds(finding, cutoff)), None) for finding in report.findings
    }
    shown = tuple(finding for finding, word in words.items() if word is None)
    quiet = tuple((finding, word) for finding, word in words.items() if word is not None)
    return Sifted(replace(report, findings=shown), quiet)


class Acknowledgements:
    """Everything that was ever acknowledged, in the one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, universe: str, ticker: str | None = None) -> tuple[Acknowledgement, ...]:
        """What was said about a ticker, or about all of a universe, the newest first."""
        query = select(acknowledgements).where(acknowledgements.c.universe == universe)
        if ticker is not None:
            query = query.where(acknowledgements.c.ticker == ticker)
        with self._database.read() as connection:
            return tuple(_said(row) for row in connection.execute(query.order_by(acknowledgements.c.id.desc())))

    def acknowledge(
        self,
        universe: str,
        ticker: str,
        findings: Sequence[Finding],
        *,
        cutoff: date,
        until: date | None,
        note: str,
        now: datetime,
    ) -> tuple[Acknowledgement, ...]:
        """Keeps a word on findings that were seen at a cutoff; `until` is the last cutoff for which it holds.

        A later word with a date takes the place of an earlier one about the same measure: so it is lengthened,
        shortened or, with the cutoff itself as date, taken back. Raises InvalidRequest without a note or finding,
        for a date before the cutoff, and for a later date with a red finding of integrity.
        """
        _check(findings, cutoff, until, note)
        worst: dict[str, Severity] = {}
        for finding in findings:
            worst[finding.measure] = max(
                finding.severity, worst.get(finding.measure, "info"), key=_RANK.__getitem__
            )
        rows = [
            {
                "universe": universe,
                "ticker": ticker,
                "measure": measure,
                "severity": severity,
                "at": now,
                "cutoff": cutoff,
                "until": until,
                "note": note.strip(),
            }
            for measure, severity in worst.items()
        ]
        with self._database.write() as connection:
            kept = connection.execute(insert(acknowledgements).returning(acknowledgements), rows)
            return tuple(_said(row) for row in kept)


def _in_force(said: Sequence[Acknowledgement]) -> list[Acknowledgement]:
    """Of the words with a date only the newest about each measure; words on one cutoff stand for themselves."""
    dated: set[str] = set()
    found = []
    for word in sorted(said, key=lambda each: each.id, reverse=True):
        if word.until is None:
            found.append(word)
        elif word.measure not in dated:
            dated.add(word.measure)
            found.append(word)
    return found


def _for_one_cutoff(finding: Finding) -> bool:
    return finding.layer == "integrity" and finding.severity == "red"


def _check(findings: Sequence[Finding], cutoff: date, until: date | None, note: str) -> None:
    if not note.strip():
        raise InvalidRequest("An acknowledgement needs a note.", "Say in a few words why it may be ignored.")
    if not findings:
        raise InvalidRequest("There is no finding to acknowledge.", "Nothing has to be done.")
    if until is None:
        return
    if until < cutoff:
        raise InvalidRequest(
            f"{until} lies before {cutoff}, the last session of the window.", "Choose a later date, or none."
        )
    grave = next((finding for finding in findings if _for_one_cutoff(finding)), None)
    if grave is not None and until != cutoff:
        raise InvalidRequest(
            f"Wrong data can be acknowledged for the window that you have seen, not for those to come: "
            f"{grave.sentence}",
            "Leave the date out, or mend the prices on the Data page.",
        )


def _said(row: Row[Any]) -> Acknowledgement:
    return Acknowledgement(**dict(row._mapping) | {"at": utc(row.at)})
