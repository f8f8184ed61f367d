"""A Scorecard beside the naive forecast, for people: what was measured, in which unit, on how much."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.ui.column_titles import localised
from stockcast.ui.domain_words import told
from stockcast.ui.format import count, figures, percent, signed_percent
from stockcast.ui.language import N_, _


def scorecard_rows(card: Scorecard, label: str) -> pd.DataFrame:
    """One row a measure: the model's figure, the naive one, and which is the better."""
    unit = f" ({card.currency})" if card.currency else ""
    rows = [
        ("MAPE", percent(card.mape / 100, 3), percent(card.naive_mape / 100, 3), _("smaller is better")),
        (
            _("CRPS (percent of price)"),
            figures(f"{card.crps:.4f}"),
            figures(f"{card.naive_crps:.4f}"),
            _("smaller is better"),
        ),
        (
            _("80 % interval held"),
            percent(card.coverage_80),
            percent(card.naive_coverage_80),
            _("80 % is right"),
        ),
        (
            _("95 % interval held"),
            percent(card.coverage_95),
            percent(card.naive_coverage_95),
            _("95 % is right"),
        ),
    ]
    if (
        card.mae is not None
        and card.naive_mae is not None
        and card.rmse is not None
        and card.naive_rmse is not None
    ):
        rows = [
            (
                f"MAE{unit}",
                figures(f"{card.mae:.4g}"),
                figures(f"{card.naive_mae:.4g}"),
                _("smaller is better"),
            ),
            (
                f"RMSE{unit}",
                figures(f"{card.rmse:.4g}"),
                figures(f"{card.naive_rmse:.4g}"),
                _("smaller is better"),
            ),
            *rows,
        ]
    return pd.DataFrame(rows, columns=[_("Measure"), label, _("Naive"), _("How to read it")])


def skill_sentence(card: Scorecard) -> str:
    """How far the model is from the naive forecast, and whether that could be chance."""
    if card.skill > 0:
        said = _("Its distributions were {skill} better than the naive ones (CRPS) over {forecasts}")
    elif card.skill < 0:
        said = _("Its distributions were {skill} worse than the naive ones (CRPS) over {forecasts}")
    else:
        said = _("Its distributions were {skill} no better than the naive ones (CRPS) over {forecasts}")
    if card.dm_p_value > 0.05:
        whole = _("{said}; the difference could be chance (Diebold-Mariano {p}).")
    else:
        whole = _("{said}; the difference is hardly chance (Diebold-Mariano {p}).")
    return whole.format(
        said=said.format(skill=percent(abs(card.skill), 2), forecasts=count(card.count, "forecast", "forecasts")),
        p=told(p_text(card.dm_p_value)),
    )


def show_scorecard(card: Scorecard, label: str) -> None:
    """The table with its evidence line, and the tickers one by one where there are several."""
    st.table(scorecard_rows(card, label), border="horizontal", hide_index=True)
    st.caption(
        _(
            "One session ahead, {forecasts} of sessions {first_session} to {last_session} that "
            "the model had not seen. Skill against naive {skill}, Diebold-Mariano {dm_p_value}. "
            "Data fingerprint {fingerprint}."
        ).format(
            forecasts=count(card.count, "forecast", "forecasts"),
            first_session=card.first_session,
            last_session=card.last_session,
            skill=signed_percent(card.skill),
            dm_p_value=told(p_text(card.dm_p_value)),
            fingerprint=card.fingerprint[:12],
        )
    )


def show_tickers(card: Scorecard) -> None:
    """One row a ticker."""
    table = pd.DataFrame(
        [
            {
                N_("Ticker"): score.ticker,
                N_("Forecasts"): score.count,
                N_("MAE"): score.mae,
                N_("Naive MAE"): score.naive_mae,
                N_("Currency"): score.currency,
                N_("MAPE"): score.mape,
                N_("Naive MAPE"): score.naive_mape,
                N_("Skill"): 100 * (1 - score.crps / score.naive_crps) if score.naive_crps else 0.0,
                "80 %": 100 * score.coverage_80,
                "95 %": 100 * score.coverage_95,
            }
            for score in card.tickers
        ]
    )
    numbers = st.column_config.NumberColumn
    data, columns = localised(
        table,
        {
            "MAE": numbers(format="%.3f"),
            "Naive MAE": numbers(format="%.3f"),
            "MAPE": numbers(format="%.3f %%"),
            "Naive MAPE": numbers(format="%.3f %%"),
            "Skill": numbers(format="%.2f %%", help=_("1 - CRPS / naive CRPS; above zero is better than naive.")),
            "80 %": numbers(format="%.1f %%", help=_("Share of actual closes inside the 80 % interval.")),
            "95 %": numbers(format="%.1f %%", help=_("Share of actual closes inside the 95 % interval.")),
        },
    )
    st.dataframe(data, hide_index=True, column_config=columns, alt=_("Scores by ticker"))
