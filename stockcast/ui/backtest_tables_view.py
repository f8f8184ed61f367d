"""The tables of a finished backtest: opponents, the sessions that it foresaw least, and the tickers."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.evaluation.diagnose import spoken
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.significance import p_text
from stockcast.ui.format import signed_percent
from stockcast.workflows.backtest_tables import ticker_table


def show_opponents(diagnosis: Diagnosis) -> None:
    """One row an opponent."""
    rows = [
        {
            "Opponent": spoken(duel.opponent),
            "Skill": signed_percent(duel.skill),
            "Diebold-Mariano": p_text(duel.p_value),
            "Sessions": f"{duel.sessions:,}",
            "Tickers won": f"{duel.won} of {len(duel.tickers)}",
        }
        for duel in diagnosis.duels
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
    st.caption(
        "Skill: 1 - CRPS / CRPS of the opponent, over the same forecasts. The p-value is the chance of a "
        "difference at least this large if both were equally good, on means per session, since tickers move "
        "together."
    )


def show_worst(diagnosis: Diagnosis) -> None:
    """The sessions with the highest CRPS."""
    number = st.column_config.NumberColumn
    st.dataframe(
        worst_table(diagnosis),
        hide_index=True,
        key="backtest_worst",
        column_config={
            "Return": number(format="%+.2f %%", help="From the last close to the one that came."),
            "Low": number("95 % from", format="%+.2f %%"),
            "High": number("to", format="%+.2f %%"),
            "CRPS": number(format="%.3f", help="Of this one forecast, in percent of the price."),
            "Naive CRPS": number(format="%.3f"),
        },
        alt="Sessions that were foreseen least, the worst first",
    )


def worst_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row a session, the worst first. Returns in percent."""
    return pd.DataFrame(
        [
            {
                "Session": each.session,
                "Ticker": each.ticker,
                "Return": each.actual,
                "Low": each.low_95,
                "High": each.high_95,
                "CRPS": each.crps,
                "Naive CRPS": each.naive_crps,
            }
            for each in diagnosis.worst
        ]
    )


def show_tickers(diagnosis: Diagnosis) -> None:
    """One row a ticker, with its skill against every opponent."""
    table = ticker_table(diagnosis)
    shares = [name for name in table.columns if name.startswith(("skill_", "coverage_", "naive_coverage_"))]
    st.dataframe(
        table.assign(**{name: 100 * table[name] for name in shares}),
        hide_index=True,
        key="backtest_by_ticker",
        column_order=[name for name in table.columns if not name.endswith("coverage_90")],
        column_config=_columns(diagnosis),
        alt="Scores by ticker",
    )


def _columns(diagnosis: Diagnosis) -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    found: dict[str, ColumnConfig] = {
        "ticker": st.column_config.TextColumn("Ticker", pinned=True),
        "currency": st.column_config.TextColumn("Currency"),
        "forecasts": number("Forecasts", format="localized"),
        "mae": number("MAE", format="%.3f"),
        "naive_mae": number("Naive MAE", format="%.3f"),
        "mape": number("MAPE", format="%.3f %%"),
        "naive_mape": number("Naive MAPE", format="%.3f %%"),
        "crps": number("CRPS", format="%.4f", help="In percent of the price."),
        "naive_crps": number("Naive CRPS", format="%.4f"),
        "coverage_80": number("80 % held", format="%.1f %%"),
        "naive_coverage_80": number("Naive 80 %", format="%.1f %%"),
        "coverage_95": number("95 % held", format="%.1f %%"),
        "naive_coverage_95": number("Naive 95 %", format="%.1f %%"),
    }
    for duel in diagnosis.duels:
        name = spoken(duel.opponent)
        found[f"skill_{duel.opponent}"] = number(f"Skill over {name}", format="%+.2f %%")
        found[f"p_{duel.opponent}"] = number(f"p, {name}", format="%.3f", help="Diebold-Mariano p-value.")
    return found
