"""A Scorecard beside the naive forecast, for people: what was measured, in which unit, on how much."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.ui.format import count, percent, signed_percent


def scorecard_rows(card: Scorecard, label: str) -> pd.DataFrame:
    """One row a measure: the model's figure, the naive one, and which is the better."""
    unit = f" ({card.currency})" if card.currency else ""
    rows = [
        ("MAPE", percent(card.mape / 100, 3), percent(card.naive_mape / 100, 3), "smaller is better"),
        ("CRPS (percent of price)", f"{card.crps:.4f}", f"{card.naive_crps:.4f}", "smaller is better"),
        (
            "80 % interval held",
            percent(card.coverage_80),
            percent(card.naive_coverage_80),
            "80 % is right",
        ),
        (
            "95 % interval held",
            percent(card.coverage_95),
            percent(card.naive_coverage_95),
            "95 % is right",
        ),
    ]
    if (
        card.mae is not None
        and card.naive_mae is not None
        and card.rmse is not None
        and card.naive_rmse is not None
    ):
        rows = [
            (f"MAE{unit}", f"{card.mae:.4g}", f"{card.naive_mae:.4g}", "smaller is better"),
            (f"RMSE{unit}", f"{card.rmse:.4g}", f"{card.naive_rmse:.4g}", "smaller is better"),
            *rows,
        ]
    return pd.DataFrame(rows, columns=["Measure", label, "Naive", "How to read it"])


def skill_sentence(card: Scorecard) -> str:
    """How far the model is from the naive forecast, and whether that could be chance."""
    chance = "could be chance" if card.dm_p_value > 0.05 else "is hardly chance"
    better = "better" if card.skill > 0 else "worse" if card.skill < 0 else "no better"
    return (
        f"Its distributions were {percent(abs(card.skill), 2)} {better} than the naive ones (CRPS) over "
        f"{count(card.count, 'forecast', 'forecasts')}; the difference {chance} (Diebold-Mariano "
        f"{p_text(card.dm_p_value)})."
    )


def show_scorecard(card: Scorecard, label: str) -> None:
    """The table with its evidence line, and the tickers one by one where there are several."""
    st.table(scorecard_rows(card, label), border="horizontal", hide_index=True)
    st.caption(
        f"One session ahead, {count(card.count, 'forecast', 'forecasts')} of sessions {card.first_session} to "
        f"{card.last_session} that the model had not seen. Skill against naive {signed_percent(card.skill)}, "
        f"Diebold-Mariano {p_text(card.dm_p_value)}. Data fingerprint {card.fingerprint[:12]}."
    )


def show_tickers(card: Scorecard) -> None:
    """One row a ticker."""
    table = pd.DataFrame(
        [
            {
                "Ticker": score.ticker,
                "Forecasts": score.count,
                "MAE": score.mae,
                "Naive MAE": score.naive_mae,
                "Currency": score.currency,
                "MAPE": score.mape,
                "Naive MAPE": score.naive_mape,
                "Skill": 100 * (1 - score.crps / score.naive_crps) if score.naive_crps else 0.0,
                "80 %": 100 * score.coverage_80,
                "95 %": 100 * score.coverage_95,
            }
            for score in card.tickers
        ]
    )
    numbers = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "MAE": numbers(format="%.3f"),
            "Naive MAE": numbers(format="%.3f"),
            "MAPE": numbers(format="%.3f %%"),
            "Naive MAPE": numbers(format="%.3f %%"),
            "Skill": numbers(format="%.2f %%", help="1 - CRPS / naive CRPS; above zero is better than naive."),
            "80 %": numbers(format="%.1f %%", help="Share of actual closes inside the 80 % interval."),
            "95 %": numbers(format="%.1f %%", help="Share of actual closes inside the 95 % interval."),
        },
        alt="Scores by ticker",
    )
