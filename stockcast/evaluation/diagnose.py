"""Makes the Diagnosis of a backtest, and says in one sentence what it comes to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockcast.evaluation.answers import Answers
from stockcast.evaluation.calibration import calibration_curve, horizon_coverage, pit_histogram, regime_coverage
from stockcast.evaluation.diagnosis import NAIVE, Diagnosis, Duel, WorstSession
from stockcast.evaluation.duels import duel
from stockcast.evaluation.gate import SIGNIFICANT
from stockcast.evaluation.one_ahead import OneAhead
from stockcast.evaluation.scorecard import Scorecard, score
from stockcast.evaluation.significance import p_text

WORST = 10
_SPOKEN = {"ewma": "EWMA", "garch": "GARCH", "linear": "the linear model"}


def diagnose(
    backtest: Answers, naive: Answers, opponents: Sequence[Answers] = (), label: str | None = None
) -> Diagnosis:
    """Everything about a backtest beside the naive one and the other opponents, on the same sessions.

    An opponent of the backtested kind is left out: it would be held against itself. `label` is how the model is
    named to a person. Raises UnlikeFingerprints when one was run on unlike data.
    """
    named = label or backtest.forecaster
    card = score(backtest, naive)
    own = (named, backtest.forecaster, naive.forecaster)
    duels = [duel(backtest, naive)]
    duels += [duel(backtest, each) for each in opponents if each.forecaster not in own]
    mine, reference = backtest.ahead, naive.ahead
    return Diagnosis(
        label=named,
        verdict=verdict_sentence(named, card, duels),
        scorecard=card,
        duels=tuple(duels),
        calibration=calibration_curve(mine, reference),
        pit=pit_histogram(mine),
        horizons=horizon_coverage(backtest, naive),
        regimes=regime_coverage([part.volatility for part in naive.parts], mine, reference),
        worst=_worst(backtest, mine, reference),
    )


def spoken(opponent: str) -> str:
    """An opponent's name inside a sentence."""
    return _SPOKEN.get(opponent, opponent)


def verdict_sentence(label: str, card: Scorecard, duels: Sequence[Duel]) -> str:
    """What it beat, with p-values and counts, and whether its interval held."""
    held = [each for each in duels if each.opponent != card.forecaster]
    won = [each for each in held if each.skill > 0 and each.p_value <= SIGNIFICANT]
    lost = [each for each in held if each.skill < 0 and each.p_value <= SIGNIFICANT]
    even = [each for each in held if each not in won and each not in lost]
    parts = []
    if won:
        parts.append("beats " + _listed([f"{spoken(each.opponent)} by {_by(each)}" for each in won]))
    if lost:
        parts.append("loses to " + _listed([f"{spoken(each.opponent)} by {_by(each)}" for each in lost]))
    if even:
        parts.append(
            "cannot be told from " + _listed([f"{spoken(each.opponent)} ({_signed(each)})" for each in even])
        )
    said = _listed(parts) if parts else "was held against nobody but itself"
    tickers = len(card.tickers)
    naive = next((each for each in held if each.opponent == NAIVE), None)
    on = f", won against naive on {naive.won} of {tickers} tickers" if naive is not None and tickers > 1 else ""
    forecasts = f"{card.count:,} forecast{'' if card.count == 1 else 's'}"
    return f"{label} {said} over {forecasts}{on}; its 80 % interval held {card.coverage_80 * 100:.1f} %."


def _worst(backtest: Answers, mine: OneAhead, naive: OneAhead) -> tuple[WorstSession, ...]:
    """The forecasts with the highest CRPS, the worst first."""
    tickers = np.repeat([part.ticker for part in backtest.parts], [len(part.ahead) for part in backtest.parts])
    low, high = mine.interval(0.95)
    return tuple(
        WorstSession(
            session=mine.days[at].item(),
            ticker=str(tickers[at]),
            actual=float(np.expm1(mine.returns[at]) * 100),
            low_95=float(np.expm1(low[at]) * 100),
            high_95=float(np.expm1(high[at]) * 100),
            crps=float(mine.crps[at]),
            naive_crps=float(naive.crps[at]),
        )
        for at in np.argsort(-mine.crps, kind="stable")[:WORST]
    )


def _listed(items: Sequence[str]) -> str:
    """One, two and three."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _by(each: Duel) -> str:
    size = abs(each.skill) * 100
    return f"{size:.{1 if size >= 0.1 else 2}f} % ({p_text(each.p_value)})"


def _signed(each: Duel) -> str:
    return f"{round(each.skill * 100, 2) + 0.0:+.2f} %, {p_text(each.p_value)}"
