"""Two backtests on the same sessions: whose distributions were better, and could that be chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockcast.errors import UnlikeFingerprints
from stockcast.evaluation.answers import Answers
from stockcast.evaluation.one_ahead import Days, OneAhead
from stockcast.evaluation.significance import DieboldMariano, diebold_mariano
from stockcast.forecasting.returns import Floats


@dataclass(frozen=True)
class Comparison:
    """A candidate's CRPS against an opponent's on the same sessions; skill > 0 when the candidate is better."""

    opponent: str
    skill: float
    test: DieboldMariano


def compare(candidate: Answers, opponent: Answers) -> Comparison:
    """CRPS one session ahead of two backtests. Raises UnlikeFingerprints when they were run on unlike data."""
    require_same_question(candidate, opponent)
    mine, other = candidate.ahead, opponent.ahead
    return Comparison(opponent.forecaster, skill(mine.crps, other.crps), daily_test(mine, other))


def require_same_question(candidate: Answers, opponent: Answers) -> None:
    """Raises UnlikeFingerprints when the two were run on unlike data."""
    if candidate.fingerprint != opponent.fingerprint:
        raise UnlikeFingerprints(
            f"The backtests of {candidate.forecaster} and {opponent.forecaster} were run on different data.",
            "Run both on the same tickers, sessions and stored prices.",
        )


def skill(losses: Floats, reference: Floats) -> float:
    """1 - mean loss / mean loss of the reference; 0 where the reference has none. [N], [N]"""
    mean = float(reference.mean())
    return 1 - float(losses.mean()) / mean if mean else 0.0


def daily_test(mine: OneAhead, other: OneAhead) -> DieboldMariano:
    """Diebold-Mariano on the CRPS averaged per session, as tickers move together."""
    return diebold_mariano(daily_means(mine.crps, mine.days), daily_means(other.crps, other.days))


def daily_means(losses: Floats, days: Days) -> Floats:
    """Losses averaged per session, in the order of sessions. [N], [N] -> [D]"""
    _, inverse, counts = np.unique(days, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(inverse, weights=losses) / counts)
