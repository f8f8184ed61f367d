"""Tables of the Monitor page: tickers and versions of the record, open forecasts, what is left out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.monitoring.open_forecasts import OpenForecast
from stockcast.monitoring.record import LeftOut, LiveScores, RecordPart
from stockcast.ui.format import count, interval, money
from stockcast.ui.router import DATA
from stockcast.ui.track_words import LEAST_SESSIONS, concerns

_STATES = {
    "awaited": "waits for its session",
    "overdue": "overdue: the close is not stored yet",
    "missing": "overdue: the stored history has no such session",
}


def show_tickers(parts: Sequence[RecordPart]) -> None:
    """One row a ticker, those that need a look first."""
    st.dataframe(
        part_table(by_attention(parts), "Ticker"), hide_index=True, key="track_tickers", column_config=_columns(),
        alt="Live record by ticker",
    )  # fmt: skip
    judged = sum(part.scores.sessions >= LEAST_SESSIONS for part in parts)
    if judged > 1:
        st.caption(
            f"Chance alone misses about 1 band in 20: a mark on one of {judged} tickers proves little. Alerts "
            "allow for that."
        )


def by_attention(parts: Sequence[RecordPart]) -> list[RecordPart]:
    """What is wrong first, then the least skill; too few to tell last."""
    return sorted(
        parts,
        key=lambda part: (
            part.scores.sessions < LEAST_SESSIONS,
            not concerns(part.scores),
            part.scores.skill,
            part.name,
        ),
    )


def show_versions(parts: Sequence[RecordPart]) -> None:
    """One row a version, in the order in which they spoke."""
    table = part_table(parts, "Version", lambda name: f"v{name}")
    promises = [part.promise for part in parts]
    table.insert(4, "Promised skill", [100 * each.skill if each else None for each in promises])
    table.insert(8, "Promised 80 %", [100 * each.coverage_80 if each else None for each in promises])
    st.dataframe(
        table, hide_index=True, key="track_versions", column_config=_columns(), alt="Live record by model version"
    )


def part_table(parts: Sequence[RecordPart], title: str, named: object = None) -> pd.DataFrame:
    """Parts of a record as rows, shares in percent."""
    rename = named if callable(named) else str
    return pd.DataFrame([{title: rename(part.name), **_figures(part.scores)} for part in parts])


def _figures(scores: LiveScores) -> dict[str, object]:
    eighty, ninety, most = scores.coverages
    return {
        "Needs a look": concerns(scores),
        "Forecasts": scores.count,
        "Skill": 100 * scores.skill,
        "p": scores.p_value,
        "MAPE ratio": scores.mape_ratio,
        "80 % held": 100 * eighty.share,
        "Chance allows": f"{eighty.low * 100:.0f} – {eighty.high * 100:.0f} %",
        "90 % held": 100 * ninety.share,
        "95 % held": 100 * most.share,
        "Since": scores.first_session,
    }


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    held = {f"{share} % held": number(format="%.1f %%") for share in (80, 90, 95)}
    return {
        "Ticker": st.column_config.TextColumn(pinned=True),
        "Version": st.column_config.TextColumn(pinned=True),
        "Needs a look": st.column_config.TextColumn(help="Empty where nothing speaks against it."),
        "Forecasts": number(format="localized"),
        "Skill": number(format="%+.2f %%", help="1 - CRPS / naive CRPS."),
        "Promised skill": number(format="%+.2f %%", help="Of the backtest that the version was judged by."),
        "Promised 80 %": number(format="%.1f %%"),
        "p": number(format="%.3f", help="Diebold-Mariano, on means per session."),
        "MAPE ratio": number(format="%.3f", help="Error of the median over that of the naive forecast."),
        "Chance allows": st.column_config.TextColumn(help="For the 80 % interval, 95 % of cases."),
        **held,
    }


def show_open(waiting: Sequence[OpenForecast]) -> None:
    """What is still to come true, what is overdue first."""
    if not waiting:
        st.caption("None: everything that was said has come true.")
        return
    overdue = sum(each.state != "awaited" for each in waiting)
    st.dataframe(
        open_table(waiting), hide_index=True, key="track_open", alt="Open forecasts",
        column_config={
            "Ticker": st.column_config.TextColumn(pinned=True),
            "Said": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC", help="UTC."),
        },
    )  # fmt: skip
    if overdue:
        st.page_link(
            DATA,
            label=f"Get the missing closes of {count(overdue, 'overdue forecast', 'overdue forecasts')}",
            icon=":material/download:",
        )


def open_table(waiting: Sequence[OpenForecast]) -> pd.DataFrame:
    """One row a forecast, overdue ones first, then by session."""
    return pd.DataFrame(
        [
            {
                "Ticker": each.ticker,
                "For": each.session,
                "State": _STATES[each.state],
                "Median": money(each.median, each.currency),
                "80 % interval": interval(each.low_80, each.high_80),
                "Last close": money(each.last_close, each.currency),
                "Cutoff": each.cutoff,
                "Version": f"v{each.model_version}",
                "Said": each.issued_at,
            }
            for each in sorted(waiting, key=lambda each: (each.state == "awaited", each.session, each.ticker))
        ]
    )


def show_left_out(left_out: LeftOut) -> None:
    """What does not count, and why."""
    reasons = (
        (
            "Issued after the session had closed",
            left_out.after_the_fact,
            "Who knows the close forecasts well.",
        ),
        ("Uploaded windows", left_out.uploaded, "They may hold anything, and no history tells what came of them."),
        ("Repetitions", left_out.repeated, "The same word by another page, command or program counts once."),
        (
            "Second words",
            left_out.revised,
            "The first word on a close counts, not the better one.",
        ),
    )
    st.table(
        pd.DataFrame([{"What": what, "Forecasts": f"{number:,}", "Why": why} for what, number, why in reasons]),
        border="horizontal",
        hide_index=True,
    )
