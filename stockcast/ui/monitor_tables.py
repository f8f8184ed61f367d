"""Tables of the Monitor page: tickers and versions of the record, open forecasts, what is left out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.monitoring.open_forecasts import OpenForecast
from stockcast.monitoring.record import LeftOut, LiveScores, RecordPart
from stockcast.ui.column_titles import P_VALUE, headed, localised, titled
from stockcast.ui.format import count, figures, interval, money
from stockcast.ui.language import N_, _
from stockcast.ui.router import DATA
from stockcast.ui.track_words import concerns

_STATES = {
    "awaited": N_("waits for its session"),
    "overdue": N_("overdue: the close is not stored yet"),
    "missing": N_("overdue: the stored history has no such session"),
}


def show_tickers(parts: Sequence[RecordPart]) -> None:
    """One row a ticker, those that need a look first."""
    data, columns = localised(part_table(by_attention(parts), "Ticker"), _columns())
    st.dataframe(
        data,
        hide_index=True,
        key="track_tickers",
        column_config=columns,
        alt=_("Live record by ticker"),
    )
    judged = sum(part.scores.enough for part in parts)
    if judged > 1:
        st.caption(
            _(
                "Chance alone misses about 1 band in 20: a mark on one of {judged} tickers proves "
                "little. Alerts allow for that."
            ).format(judged=judged)
        )


def by_attention(parts: Sequence[RecordPart]) -> list[RecordPart]:
    """What is wrong first, then the least skill; too few to tell last."""
    return sorted(
        parts,
        key=lambda part: (
            not part.scores.enough,
            not concerns(part.scores),
            part.scores.skill,
            part.name,
        ),
    )


def show_versions(parts: Sequence[RecordPart]) -> None:
    """One row a version, in the order in which they spoke."""
    table = part_table(parts, "Version", lambda name: f"v{name}")
    promises = [part.promise for part in parts]
    table.insert(4, N_("Promised skill"), [100 * each.skill if each else None for each in promises])
    table.insert(8, N_("Promised 80 %"), [100 * each.coverage_80 if each else None for each in promises])
    data, columns = localised(table, _columns())
    st.dataframe(
        data,
        hide_index=True,
        key="track_versions",
        column_config=columns,
        alt=_("Live record by model version"),
    )


def part_table(parts: Sequence[RecordPart], title: str, named: object = None) -> pd.DataFrame:
    """Parts of a record as rows, shares in percent."""
    rename = named if callable(named) else str
    return pd.DataFrame([{title: rename(part.name), **_figures(part.scores)} for part in parts])


def _figures(scores: LiveScores) -> dict[str, object]:
    eighty, ninety, most = scores.coverages
    return {
        N_("Needs a look"): concerns(scores),
        N_("Forecasts"): scores.count,
        N_("Skill"): 100 * scores.skill,
        N_("p"): scores.p_value,
        N_("MAPE ratio"): scores.mape_ratio,
        N_("80 % held"): 100 * eighty.share,
        N_("Chance allows"): f"{eighty.low * 100:.0f} – {eighty.high * 100:.0f} %",
        N_("90 % held"): 100 * ninety.share,
        N_("95 % held"): 100 * most.share,
        N_("Since"): scores.first_session,
    }


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    held = {f"{share} % held": number(format="%.1f %%") for share in (80, 90, 95)}
    return {
        "Ticker": st.column_config.TextColumn(pinned=True),
        "Version": st.column_config.TextColumn(pinned=True),
        "Needs a look": st.column_config.TextColumn(help=_("Empty where nothing speaks against it.")),
        "Forecasts": number(format="localized"),
        "Skill": number(format="%+.2f %%", help=_("1 - CRPS / naive CRPS.")),
        "Promised skill": number(format="%+.2f %%", help=_("Of the backtest that the version was judged by.")),
        "Promised 80 %": number(format="%.1f %%"),
        "p": number(format=P_VALUE, help=_("Diebold-Mariano, on means per session.")),
        "MAPE ratio": number(format="%.3f", help=_("Error of the median over that of the naive forecast.")),
        "Chance allows": st.column_config.TextColumn(help=_("For the 80 % interval, 95 % of cases.")),
        **held,
    }


def show_open(waiting: Sequence[OpenForecast]) -> None:
    """What is still to come true, what is overdue first."""
    if not waiting:
        st.caption(_("None: everything that was said has come true."))
        return
    overdue = sum(each.state != "awaited" for each in waiting)
    table = open_table(waiting)
    st.dataframe(
        table,
        hide_index=True,
        key="track_open",
        alt=_("Open forecasts"),
        column_config=titled(
            table,
            {
                "Ticker": st.column_config.TextColumn(pinned=True),
                "Said": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC", help="UTC."),
            },
        ),
    )
    if overdue:
        st.page_link(
            DATA,
            label=_("Get the missing closes of {forecasts}").format(
                forecasts=count(overdue, "overdue forecast", "overdue forecasts")
            ),
            icon=":material/download:",
        )


def open_table(waiting: Sequence[OpenForecast]) -> pd.DataFrame:
    """One row a forecast, overdue ones first, then by session."""
    return pd.DataFrame(
        [
            {
                N_("Ticker"): each.ticker,
                N_("For"): each.session,
                N_("State"): _(_STATES[each.state]),
                N_("Median"): money(each.median, each.currency),
                N_("80 % interval"): interval(each.low_80, each.high_80),
                N_("Last close"): money(each.last_close, each.currency),
                N_("Cutoff"): each.cutoff,
                N_("Version"): f"v{each.model_version}",
                N_("Said"): each.issued_at,
            }
            for each in sorted(waiting, key=lambda each: (each.state == "awaited", each.session, each.ticker))
        ]
    )


def show_left_out(left_out: LeftOut) -> None:
    """What does not count, and why."""
    reasons = (
        (
            _("Issued after the session had closed"),
            left_out.after_the_fact,
            _("Who knows the close forecasts well."),
        ),
        (
            _("Uploaded windows"),
            left_out.uploaded,
            _("They may hold anything, and no history tells what came of them."),
        ),
        (_("Repetitions"), left_out.repeated, _("The same word by another page, command or program counts once.")),
        (
            _("Second words"),
            left_out.revised,
            _("The first word on a close counts, not the better one."),
        ),
    )
    st.table(
        headed(
            pd.DataFrame(
                [
                    {N_("What"): what, N_("Forecasts"): figures(f"{number:,}"), N_("Why"): why}
                    for what, number, why in reasons
                ]
            )
        ),
        border="horizontal",
        hide_index=True,
    )
