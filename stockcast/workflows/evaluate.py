"""Scores a version on the sessions that came after it was judged: what it has been worth since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from stockcast.errors import TooShortHistory
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.forecasting.context import Market
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.backtest import Judged, judge_backtest
from stockcast.workflows.forecast import Speaker

LEAST_SESSIONS = 5


def evaluate(speaker: Speaker, frames: Sequence[PriceFrame], known: Mapping[str, Market]) -> Judged:
    """A backtest from the day after everything that the version has learnt from or was judged on.

    `known` are the markets that it reads. Raises TooShortHistory when fewer than five sessions have come since.
    """
    card, until = speaker.scorecard, speaker.forecaster.trained_until
    last = max(
        [each for each in (until, card.last_session if card else None) if each is not None], default=date.min
    )
    newest = max(frame.last_session for frame in frames)
    since = [frame for frame in frames if int((frame.sessions.astype(object) > last).sum()) >= LEAST_SESSIONS]
    if not since:
        raise TooShortHistory(
            f"{speaker.version.label} was judged on sessions up to {last}; the newest stored one is {newest}.",
            f"Come back when at least {LEAST_SESSIONS} sessions have come since: stockcast prices fetch TICKER",
        )
    start, forecaster = last + timedelta(days=1), speaker.forecaster
    judged = rolling_backtest(forecaster, since, start, newest, known)
    return judge_backtest(judged, since, start, newest, forecaster.lookback, speaker.version.label)
