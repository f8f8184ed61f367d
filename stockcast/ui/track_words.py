"""What a track record comes to, in the words of the Monitor page."""

from __future__ import annotations

from typing import Literal

from stockcast.evaluation.gate import SIGNIFICANT
from stockcast.evaluation.significance import p_text
from stockcast.monitoring.live_coverage import LiveCoverage
from stockcast.monitoring.miss_cusum import MissCusum
from stockcast.monitoring.record import LiveScores
from stockcast.ui.format import count, percent

# Fewer say little of a mean, and nothing of how tickers move together.
LEAST_SESSIONS = 20

Standing = Literal["good", "open", "bad", "few"]


def standing(scores: LiveScores) -> Standing:
    """Whether the record is better than naive, worse or dishonest about its width, neither, or too short."""
    if scores.sessions < LEAST_SESSIONS:
        return "few"
    certain = scores.p_value <= SIGNIFICANT
    if (certain and scores.skill < 0) or not all(each.inside for each in scores.coverages):
        return "bad"
    return "good" if certain and scores.skill > 0 else "open"


def verdict(scores: LiveScores) -> str:
    """One sentence with its counts."""
    over = f"{count(scores.sessions, 'session', 'sessions')} and {count(scores.count, 'forecast', 'forecasts')}"
    held = scores.coverage(0.8)
    if scores.sessions < LEAST_SESSIONS:
        return (
            f"Too few to tell: {over} so far. The 80 % interval held {held.held:,} times; "
            f"a judgement needs at least {LEAST_SESSIONS} sessions."
        )
    luck = "" if scores.p_value <= SIGNIFICANT else ", cannot be told from luck"
    better = f"{percent(abs(scores.skill), 2)} {'better' if scores.skill >= 0 else 'worse'} than naive"
    return (
        f"Over {over}, {better} ({p_text(scores.p_value)}{luck}); the 80 % interval held "
        f"{percent(held.share)} ({chance(held)})"
    )


def chance(coverage: LiveCoverage) -> str:
    """The band of chance around a promised share."""
    return f"chance allows {coverage.low * 100:.1f} – {percent(coverage.high)}"


def concerns(scores: LiveScores) -> str:
    """What is wrong with a part of the record, in a few words; empty when nothing is."""
    if scores.sessions < LEAST_SESSIONS:
        return "too few to tell"
    found = []
    for each in scores.coverages:
        if not each.inside:
            width = "too narrow" if each.share < each.low else "too wide"
            found.append(f"{percent(each.promised, 0)} interval {width}")
    if scores.p_value <= SIGNIFICANT and scores.skill < 0:
        found.insert(0, "worse than naive")
    return ", ".join(found)


def cusum_words(cusum: MissCusum) -> str:
    """Whether the run of misses rings."""
    if cusum.alarm is None:
        return "No alarm: misses of the 80 % interval come about as often as promised."
    return f"Alarm: {cusum.alarm} of the 80 % interval since {cusum.since}."
