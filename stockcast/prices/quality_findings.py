"""Everything in a stored history that a person should be able to look at: one line a place, with its session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from stockcast.prices.frame import PriceFrame
from stockcast.prices.quality import LONG_STANDSTILL, PriceQuality, standstills
from stockcast.prices.repairs import MOST_SESSIONS, words_for_one
from stockcast.prices.source import PriceReport

FindingKind = Literal["gap", "split", "unit_error", "extreme_move", "standstill", "zero_volume", "repair"]

_PASSING = {"unfinished_bar"}  # nothing to look at: the next update brings it


@dataclass(frozen=True)
class QualityFinding:
    """One place in a history."""

    kind: FindingKind
    first: date | None  # its first session; None where a repair belongs to no session
    last: date | None
    sessions: int  # how many it concerns
    sentence: str


def list_findings(frame: PriceFrame, quality: PriceQuality, report: PriceReport) -> tuple[QualityFinding, ...]:
    """What `quality` and the `report` of the reading say about a history, by session; repairs without one last."""
    found = [*_gaps(frame, quality), *_jumps(quality), *_standstills(frame), *_zero_volumes(quality)]
    found += _repairs(report)
    return tuple(sorted(found, key=lambda each: (each.first is None, each.first or date.max)))


def _gaps(frame: PriceFrame, quality: PriceQuality) -> list[QualityFinding]:
    missing = np.array(quality.missing_sessions, dtype="datetime64[D]")
    before = np.searchsorted(frame.sessions, missing)  # missing sessions before the same bar make one gap
    gaps = []
    for bar in np.unique(before):
        days = missing[before == bar].tolist()
        words = "The exchange traded, the history has no bar."
        gaps.append(QualityFinding("gap", days[0], days[-1], len(days), words))
    return gaps


def _jumps(quality: PriceQuality) -> list[QualityFinding]:
    found = []
    for jump in quality.jumps:
        kind: FindingKind = "extreme_move"
        if jump.looks_like != "an extreme move":
            kind = "unit_error" if jump.looks_like == "a unit error" else "split"
        words = (
            f"The close moved by {100 * np.expm1(jump.log_return):+.1f} % in one session: "
            f"looks like {jump.looks_like}."
        )
        found.append(QualityFinding(kind, jump.session, jump.session, 1, words))
    return found


def _standstills(frame: PriceFrame) -> list[QualityFinding]:
    return [
        QualityFinding(
            "standstill",
            frame.sessions[first].astype(object),
            frame.sessions[last].astype(object),
            last - first + 1,
            f"{last - first + 1} closes in a row are {frame.close[first]:,.6g} {frame.currency}.",
        )
        for first, last in standstills(frame.close)
        if last - first + 1 >= LONG_STANDSTILL
    ]


def _zero_volumes(quality: PriceQuality) -> list[QualityFinding]:
    words = "A close, and not one share traded."
    return [QualityFinding("zero_volume", day, day, 1, words) for day in quality.zero_volume]


def _repairs(report: PriceReport) -> list[QualityFinding]:
    found = []
    for repair in report.repairs:
        if repair.kind in _PASSING:
            continue
        for day in repair.sessions:
            found.append(QualityFinding("repair", day, day, 1, words_for_one(repair.kind)))
        if not repair.sessions:
            found.append(QualityFinding("repair", None, None, repair.count, repair.sentence))
        elif len(repair.sessions) == MOST_SESSIONS:  # the rest of them was not kept
            found.append(QualityFinding("repair", None, None, repair.count - MOST_SESSIONS, repair.sentence))
    return found
