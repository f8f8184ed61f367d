"""Drift findings in the words and the signs of a page: what a rule looks for, and how grave it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.window_features import FEATURES
from stockcast.ui.chart_style import CHAMPION, FALLING, HISTORY, NAIVE
from stockcast.ui.domain_words import told
from stockcast.ui.language import N_, _


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
    "red": Sign(N_("wrong"), FALLING, "x", 11),
    "amber": Sign(N_("unusual"), NAIVE, "diamond", 11),
    "info": Sign(N_("another regime"), CHAMPION, "circle-open", 9),
    "healthy": Sign(N_("healthy"), HISTORY, "circle", 4),
}

_MEASURES = {
    "not_finite": N_("Missing closes"),
    "not_positive": N_("Closes that are not positive"),
    "identical_closes": N_("Closes that stand still"),
    "split_or_unit": N_("Split or unit error"),
    "jump": N_("Jump"),
    "unreadable_dates": N_("Unreadable dates"),
    "duplicate_dates": N_("Dates that stand twice"),
    "unsorted_dates": N_("Dates out of order"),
    "future_dates": N_("Dates in the future"),
    "closed_dates": N_("Dates without a session"),
    "missing_sessions": N_("Missing sessions"),
    "last_close": N_("Last close unlike the stored one"),
    "unlike_history": N_("Unlike the stored history"),
    "returns_disagree": N_("Returns unlike the stored ones"),
    "volatility": N_("Volatility"),
    "volatility_last_year": N_("Volatility beside the last year"),
    "volatility_change": N_("Change of volatility"),
    "volatility_swing": N_("Volatility of the last third"),
}
_FEATURES = {feature.name: feature.label for feature in FEATURES}


def measure_words(measure: str) -> str:
    """A rule as a person names it."""
    if measure in _MEASURES:
        return _(_MEASURES[measure])
    return told(_FEATURES.get(measure, measure.replace("_", " ").capitalize()))


def marked_positions(report: DriftReport) -> Mapping[int, tuple[str, str]]:
    """The offending closes, counted from 0, each with its worst severity and the rules that name it."""
    found: dict[int, tuple[str, str]] = {}
    for severity in ("red", "amber", "info"):
        for finding in report.findings:
            if finding.severity != severity:
                continue
            for position in finding.positions:
                worst, words = found.get(position, (severity, ""))
                rule = measure_words(finding.measure)
                found[position] = worst, words if rule in words else ", ".join(filter(None, (words, rule)))
    return found
