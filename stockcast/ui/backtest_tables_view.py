"""The tables of a finished backtest: opponents, the sessions that it foresaw least, and the tickers."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.evaluation.diagnose import spoken
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.significance import p_text
from stockcast.ui.column_titles import P_VALUE, headed, localised
from stockcast.ui.domain_words import told
from stockcast.ui.format import figures, signed_percent
from stockcast.ui.language import N_, _
from stockcast.workflows.backtest_tables import ticker_table


def show_opponents(diagnosis: Diagnosis) -> None:
    """One row an opponent."""
    rows = [
        {
            N_("Opponent"): told(spoken(duel.opponent)),
            N_("Skill"): signed_percent(duel.skill),
            N_("Diebold-Mariano"): told(p_text(duel.p_value)),
            N_("Sessions"): figures(f"{duel.sessions:,}"),
            N_("Tickers won"): _("{won} of {count}").format(won=duel.won, count=len(duel.tickers)),
        }
        for duel in diagnosis.duels
    ]
    st.table(headed(pd.DataFrame(rows)), border="horizontal", hide_index=True)
    st.caption(
        _(
            "Skill: 1 - CRPS / CRPS of the opponent, over the same forecasts. The p-value is the "
            "chance of a difference at least this large if both were equally good, on means per "
            "session, since tickers move together."
        )
    )


def show_worst(diagnosis: Diagnosis) -> None:
    """The sessions with the highest CRPS."""
    number = st.column_config.NumberColumn
    table = worst_table(diagnosis)
    data, columns = localised(
        table,
        {
            "Return": number(format="%+.2f %%", help=_("From the last close to the one that came.")),
            "Low": number(_("95 % from"), format="%+.2f %%"),
            "High": number(_("to"), format="%+.2f %%"),
            "CRPS": number(format="%.3f", help=_("Of this one forecast, in percent of the price.")),
            "Naive CRPS": number(format="%.3f"),
        },
    )
    st.dataframe(
        data,
        hide_index=True,
        key="backtest_worst",
        column_config=columns,
        alt=_("Sessions that were foreseen least, the worst first"),
    )


def worst_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row a session, the worst first. Returns in percent."""
    return pd.DataFrame(
        [
            {
                N_("Session"): each.session,
                N_("Ticker"): each.ticker,
                N_("Return"): each.actual,
                N_("Low"): each.low_95,
                N_("High"): each.high_95,
                N_("CRPS"): each.crps,
                N_("Naive CRPS"): each.naive_crps,
            }
            for each in diagnosis.worst
        ]
    )


def show_tickers(diagnosis: Diagnosis) -> None:
    """One row a ticker, with its skill against every opponent."""
    table = ticker_table(diagnosis)
    shares = [name for name in table.columns if name.startswith(("skill_", "coverage_", "naive_coverage_"))]
    data, columns = localised(table.assign(**{name: 100 * table[name] for name in shares}), _columns(diagnosis))
    st.dataframe(
        data,
        hide_index=True,
        key="backtest_by_ticker",
        column_order=[name for name in table.columns if not name.endswith("coverage_90")],
        column_config=columns,
        alt=_("Scores by ticker"),
    )


def _columns(diagnosis: Diagnosis) -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    found: dict[str, ColumnConfig] = {
        "ticker": st.column_config.TextColumn(_("Ticker"), pinned=True),
        "currency": st.column_config.TextColumn(_("Currency")),
        "forecasts": number(_("Forecasts"), format="localized"),
        "mae": number(_("MAE"), format="%.3f"),
        "naive_mae": number(_("Naive MAE"), format="%.3f"),
        "mape": number(_("MAPE"), format="%.3f %%"),
        "naive_mape": number(_("Naive MAPE"), format="%.3f %%"),
        "crps": number(_("CRPS"), format="%.4f", help=_("In percent of the price.")),
        "naive_crps": number(_("Naive CRPS"), format="%.4f"),
        "coverage_80": number(_("80 % held"), format="%.1f %%"),
        "naive_coverage_80": number(_("Naive 80 %"), format="%.1f %%"),
        "coverage_95": number(_("95 % held"), format="%.1f %%"),
        "naive_coverage_95": number(_("Naive 95 %"), format="%.1f %%"),
    }
    for duel in diagnosis.duels:
        name = told(spoken(duel.opponent))
        found[f"skill_{duel.opponent}"] = number(_("Skill over {name}").format(name=name), format="%+.2f %%")
        found[f"p_{duel.opponent}"] = number(f"p, {name}", format=P_VALUE, help=_("Diebold-Mariano p-value."))
    return found
