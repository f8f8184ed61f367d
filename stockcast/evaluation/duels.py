"""A backtest against one opponent: overall, ticker by ticker, and month by month."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockcast.evaluation.answers import Answers
from stockcast.evaluation.comparison import daily_means, daily_test, require_same_question, skill
from stockcast.evaluation.diagnosis import Duel, Period, TickerDuel
from stockcast.evaluation.one_ahead import Days, OneAhead

_MOST_MONTHS = 24  # beyond which quarters are shown: a month of one ticker is 21 forecasts, mostly noise


def duel(candidate: Answers, opponent: Answers) -> Duel:
    """CRPS one session ahead. Raises UnlikeFingerprints when the two were run on unlike data."""
    require_same_question(candidate, opponent)
    ours, theirs = candidate.ahead, opponent.ahead
    test = daily_test(ours, theirs)
    return Duel(
        opponent=opponent.forecaster,
        skill=skill(ours.crps, theirs.crps),
        dm_statistic=test.statistic,
        p_value=test.p_value,
        sessions=test.count,
        count=len(ours),
        tickers=tuple(
            _ticker_duel(mine.ticker, mine.ahead, other.ahead)
            for mine, other in zip(candidate.parts, opponent.parts, strict=True)
        ),
        periods=tuple(_periods(ours, theirs)),
    )


def _ticker_duel(ticker: str, mine: OneAhead, other: OneAhead) -> TickerDuel:
    return TickerDuel(ticker, len(mine), skill(mine.crps, other.crps), daily_test(mine, other).p_value)


def _periods(mine: OneAhead, other: OneAhead) -> Sequence[Period]:
    months = mine.days.astype("datetime64[M]").astype(int)  # since January 1970
    quarterly = np.ptp(months) >= _MOST_MONTHS
    number = months // 3 if quarterly else months
    found = []
    for each in np.unique(number):
        held = number == each
        days = mine.days[held]
        ahead = daily_means((other.crps - mine.crps)[held], days)
        found.append(
            Period(
                name=_name(days, quarterly),
                first_session=days.min().item(),
                last_session=days.max().item(),
                count=int(held.sum()),
                skill=skill(mine.crps[held], other.crps[held]),
                advantage=float(ahead.sum()),
            )
        )
    return found


def _name(days: Days, quarterly: bool) -> str:
    day = days.min().item()
    return f"{day.year} Q{(day.month - 1) // 3 + 1}" if quarterly else f"{day:%Y-%m}"
