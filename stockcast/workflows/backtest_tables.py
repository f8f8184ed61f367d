"""The tables of a Diagnosis, for the page and for the reports: full precision, one row a thing."""

from __future__ import annotations

import pandas as pd

from stockcast.evaluation.diagnosis import Diagnosis

_FIGURES = (
    "coverage_80", "naive_coverage_80", "coverage_90", "naive_coverage_90", "coverage_95", "naive_coverage_95",
    "mape", "naive_mape", "crps", "naive_crps", "mae", "naive_mae",
)  # fmt: skip


def ticker_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row a ticker: MAE in its currency, MAPE and CRPS in percent, coverage and skill as shares of one."""
    rows = []
    for score in diagnosis.scorecard.tickers:
        row: dict[str, str | int | float] = {
            "ticker": score.ticker,
            "currency": score.currency,
            "forecasts": score.count,
        }
        for duel in diagnosis.duels:
            found = next(each for each in duel.tickers if each.ticker == score.ticker)
            row |= {f"skill_{duel.opponent}": found.skill, f"p_{duel.opponent}": found.p_value}
        row |= {name: getattr(score, name) for name in _FIGURES}
        rows.append(row)
    return pd.DataFrame(rows)


def measure_rows(diagnosis: Diagnosis) -> list[tuple[str, str, str, str]]:
    """Every figure over all tickers: its name, the model's, the naive one, and how to read it."""
    card = diagnosis.scorecard
    rows = [
        ("MAPE", f"{card.mape:.3f} %", f"{card.naive_mape:.3f} %", "smaller is better"),
        ("CRPS (% of price)", f"{card.crps:.4f}", f"{card.naive_crps:.4f}", "smaller is better"),
        (
            "Winkler score, 90 % interval",
            f"{card.winkler_90:.3f}",
            f"{card.naive_winkler_90:.3f}",
            "smaller is better",
        ),
        ("Log score", f"{card.log_score:.4f}", f"{card.naive_log_score:.4f}", "smaller is better"),
        ("QLIKE", f"{card.qlike:.4f}", f"{card.naive_qlike:.4f}", "smaller is better"),
        *(
            (f"{share} % interval held", _percent(ours), _percent(theirs), f"{share} % is right")
            for share, ours, theirs in (
                (80, card.coverage_80, card.naive_coverage_80),
                (90, card.coverage_90, card.naive_coverage_90),
                (95, card.coverage_95, card.naive_coverage_95),
            )
        ),
        (
            "Direction right",
            direction_text(diagnosis),
            "no direction",
            f"{_percent(card.up_share)} of sessions rose",
        ),
    ]
    if card.mae is not None and card.naive_mae is not None:
        rows.insert(0, (f"MAE ({card.currency})", f"{card.mae:.4g}", f"{card.naive_mae:.4g}", "smaller is better"))
    return rows


def direction_text(diagnosis: Diagnosis) -> str:
    """The share of sessions that went where the median said, with its count."""
    card = diagnosis.scorecard
    if card.direction is None:
        return "says none"
    return f"{_percent(card.direction)} of {card.direction_count:,}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
