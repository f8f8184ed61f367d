"""Drift findings in the words and the signs of a page: what a rule looks for, and how grave it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.window_features import FEATURES
from stockcast.ui.chart_style import CHAMPION, FALLING, HISTORY, NAIVE


@dataclass(frozen=True)
class Sign:
    """How one severity is drawn: never by its colour alone."""

    word: str
    colour: str
    symbol: str  # of Plotly
    size: int

    @property
    def marker(self) -> dict[str, object]:
        """For Plotly."""
        line = {"width": 1.5, "color": self.colour}
        return {"symbol": self.symbol, "color": self.colour, "size": self.size, "line": line}


SIGNS: Mapping[str, Sign] = {
    "red": Sign("wrong", FALLING, "x", 11),
    "amber": Sign("unusual", NAIVE, "diamond", 11),
    "info": Sign("another regime", CHAMPION, "circle-open", 9),
    "healthy": Sign("healthy", HISTORY, "circle", 4),
}

_MEASURES = {
    "not_finite": "Missing closes",
    "not_positive": "Closes that are not positive",
    "identical_closes": "Closes that stand still",
    "split_or_unit": "Split or unit error",
    "jump": "Jump",
    "unreadable_dates": "Unreadable dates",
    "duplicate_dates": "Dates that stand twice",
    "unsorted_dates": "Dates out of order",
    "future_dates": "Dates in the future",
    "closed_dates": "Dates without a session",
    "missing_sessions": "Missing sessions",
    "last_close": "Last close unlike the stored one",
    "unlike_history": "Unlike the stored history",
    "returns_disagree": "Returns unlike the stored ones",
    "volatility": "Volatility",
    "volatility_last_year": "Volatility beside the last year",
    "volatility_change": "Change of volatility",
    "volatility_swing": "Volatility of the last third",
} | {feature.name: feature.label for feature in FEATURES}


def measure_words(measure: str) -> str:
    """A rule as a person names it."""
    return _MEASURES.get(measure, measure.replace("_", " ").capitalize())


def marked_positions(report: DriftReport) -> Mapping[int, tuple[str, str]]:
    """The offending closes, counted from 0, each with its worst severity and the rules that name it."""
    found: dict[int, tuple[str, str]] = {}
    for severity in ("red", "amber", "info"):
        for finding in report.findings:
            if finding.severity != severity:
                continue
            for position in finding.positions:
                worst, words = found.get(position, (severity, ""))
                told = measure_words(finding.measure)
                found[position] = worst, words if told in words else ", ".join(filter(None, (words, told)))
    return found
