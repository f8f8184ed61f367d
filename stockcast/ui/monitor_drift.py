"""Drift over time on the Monitor page: when the input of which ticker looked unlike what was learnt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from stockcast.monitoring.drift_history import DriftDay, measure_counts
from stockcast.monitoring.findings import Severity
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.drift_charts import drift_strip, measure_strip
from stockcast.ui.drift_words import SIGNS, measure_words
from stockcast.ui.escaping import plain
from stockcast.ui.format import count, figures, percent
from stockcast.ui.language import N_, _

MOST_CUTOFFS = 60  # on one picture
_MOST_ROWS = 25
_SEVERITIES: tuple[Severity, ...] = ("red", "amber", "info")


def show_drift(days: Sequence[DriftDay], ticker: str | None, last: int | None) -> None:
    """A strip of signs and the rules that found something, over the newest cutoffs."""
    cutoffs = newest_cutoffs(days, min(last or MOST_CUTOFFS, MOST_CUTOFFS))
    held = [day for day in days if day.cutoff in set(cutoffs) and ticker in (None, day.ticker)]
    if not held:
        st.caption(_("No forecast of a stored history was made yet: each one is checked, and stands here."))
        return
    counts = {severity: sum(day.report.severity == severity for day in held) for severity in _SEVERITIES}
    st.caption(
        _(
            "{windows} at {cutoffs} up to {last}: {red} looked wrong, {amber} unusual, "
            "{info} in another regime. A regime is no fault: intervals follow it."
        ).format(
            windows=count(len(held), "window", "windows"),
            cutoffs=count(len(cutoffs), "cutoff", "cutoffs"),
            last=cutoffs[-1],
            red=figures(f"{counts['red']:,}"),
            amber=figures(f"{counts['amber']:,}"),
            info=figures(f"{counts['info']:,}"),
        )
    )
    if ticker is None:
        rows = by_gravity(held)
        figure = drift_strip(held, rows[:_MOST_ROWS], cutoffs)
        if len(rows) > _MOST_ROWS:
            st.caption(
                _("The {most_rows} tickers with most findings, of {rows}.").format(
                    most_rows=_MOST_ROWS, rows=figures(f"{len(rows):,}")
                )
            )
    else:
        rows = list(dict.fromkeys(each.measure for each in measure_counts(held)))
        figure = measure_strip(held, rows, cutoffs)
    if rows:
        st.plotly_chart(figure, width="stretch", key="drift_strip", config=TOOL_BAR, alt=_("Drift over time"))
    table = measure_table(held)
    if len(table):
        st.table(
            table.map(lambda cell: plain(str(cell))).rename(columns=_),
            hide_index=True,
            border="horizontal",
            alt=_("What the drift checks found, by rule"),
        )


def newest_cutoffs(days: Sequence[DriftDay], number: int) -> list[date]:
    """The newest cutoffs of any ticker, in order."""
    return sorted({day.cutoff for day in days})[-number:]


def by_gravity(days: Sequence[DriftDay]) -> list[str]:
    """Tickers, those with most red findings first, then most amber, then most information."""
    found: dict[str, list[int]] = {}
    for day in days:
        counts = found.setdefault(day.ticker, [0, 0, 0])
        if day.report.severity != "healthy":
            counts[_SEVERITIES.index(day.report.severity)] -= 1
    return sorted(found, key=lambda ticker: (*found[ticker], ticker))


def measure_table(days: Sequence[DriftDay]) -> pd.DataFrame:
    """One row a rule and severity, the gravest first."""
    return pd.DataFrame(
        [
            {
                N_("Rule"): measure_words(each.measure),
                N_("It looked"): _(SIGNS[each.severity].word),
                N_("Windows"): each.count,
                N_("Share of windows"): percent(each.count / len(days)),
                N_("Tickers"): ", ".join(_tickers(days, each.measure)),
            }
            for each in sorted(
                measure_counts(days), key=lambda each: (_SEVERITIES.index(each.severity), -each.count)
            )
        ]
    )


def _tickers(days: Sequence[DriftDay], measure: str) -> list[str]:
    found = dict.fromkeys(
        day.ticker for day in days if any(finding.measure == measure for finding in day.report.findings)
    )
    return [*list(found)[:5], *([_("and {found} more").format(found=len(found) - 5)] if len(found) > 5 else [])]
