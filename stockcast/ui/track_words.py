"""What a track record comes to, in the words of the Monitor page."""

from __future__ import annotations

from typing import Literal

from stockcast.evaluation.gate import SIGNIFICANT
from stockcast.evaluation.significance import p_text
from stockcast.monitoring.live_coverage import LiveCoverage
from stockcast.monitoring.miss_cusum import MissCusum
from stockcast.monitoring.record import LEAST_SESSIONS, LiveScores
from stockcast.ui.domain_words import told
from stockcast.ui.format import count, figures, percent
from stockcast.ui.language import _

Standing = Literal["good", "open", "bad", "few"]


def standing(scores: LiveScores) -> Standing:
    """Whether the record is better than naive, worse or dishonest about its width, neither, or too short."""
    if not scores.enough:
        return "few"
    certain = scores.p_value <= SIGNIFICANT
    if (certain and scores.skill < 0) or not all(each.inside for each in scores.coverages):
        return "bad"
    return "good" if certain and scores.skill > 0 else "open"


def verdict(scores: LiveScores) -> str:
    """One sentence with its counts."""
    over = _("{sessions} and {forecasts}").format(
        sessions=count(scores.sessions, "session", "sessions"),
        forecasts=count(scores.count, "forecast", "forecasts"),
    )
    held = scores.coverage(0.8)
    if not scores.enough:
        return _(
            "Too few to tell: {over} so far. The 80 % interval held {held} times; a judgement "
            "needs at least {least_sessions} sessions."
        ).format(over=over, held=figures(f"{held.held:,}"), least_sessions=LEAST_SESSIONS)
    better = _("{skill} better than naive") if scores.skill >= 0 else _("{skill} worse than naive")
    luck = "{p}" if scores.p_value <= SIGNIFICANT else _("{p}, cannot be told from luck")
    return _("Over {over}, {better} ({chance}); the 80 % interval held {share} ({band})").format(
        over=over,
        better=better.format(skill=percent(abs(scores.skill), 2)),
        chance=luck.format(p=told(p_text(scores.p_value))),
        share=percent(held.share),
        band=chance(held),
    )


def chance(coverage: LiveCoverage) -> str:
    """The band of chance around a promised share."""
    return _("chance allows {low} – {high}").format(
        low=figures(f"{coverage.low * 100:.1f}"), high=percent(coverage.high)
    )


def concerns(scores: LiveScores) -> str:
    """What is wrong with a part of the record, in a few words; empty when nothing is."""
    if not scores.enough:
        return _("too few to tell")
    found = []
    for each in scores.coverages:
        if not each.inside:
            said = _("{share} interval too narrow") if each.share < each.low else _("{share} interval too wide")
            found.append(said.format(share=percent(each.promised, 0)))
    if scores.p_value <= SIGNIFICANT and scores.skill < 0:
        found.insert(0, _("worse than naive"))
    return ", ".join(found)


def cusum_words(cusum: MissCusum) -> str:
    """Whether the run of misses rings."""
    if cusum.alarm is None:
        return _("No alarm: misses of the 80 % interval come about as often as promised.")
    return _("Alarm: {alarm} of the 80 % interval since {since}.").format(
        alarm=told(cusum.alarm), since=cusum.since
    )
