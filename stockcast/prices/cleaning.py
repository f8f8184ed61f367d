"""From a raw bar table to a PriceFrame: the pure steps that all price sources share.

A raw table is a data frame with one row a bar, in any order: a `session` column (datetime64, NaT where
unreadable), the columns of COLUMNS as floats (NaN where unknown) and, when the source keeps adjusted closes
apart, `adjusted`. An index that is named "line" holds the line numbers of a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stockcast.errors import InvalidPrices, NoPricesFound
from stockcast.prices.frame import COLUMNS, PriceFrame
from stockcast.prices.repairs import dates_of, repair, some_lines, some_of
from stockcast.prices.sessions import all_sessions, last_completed_session
from stockcast.prices.source import FetchedPrices, PriceQuestion, PriceReport, Repair
from stockcast.prices.tickers import exchange_of

Mask = NDArray[np.bool_]

_RANGE = ["open", "high", "low"]
# Adjusted and rounded prices may leave the day's range by a hair; beyond this they contradict it.
_ROUNDING = 1e-4


def clean_bars(
    rows: pd.DataFrame, question: PriceQuestion, *, source: str, now: datetime, told: Iterable[Repair] = ()
) -> FetchedPrices:
    """The usable bars of a raw table, adjusted, sorted, up to the last completed session at `now`.

    `told` holds what was mended before the table was made. Raises NoPricesFound when nothing lies in the
    asked range, InvalidPrices when closes are not positive or two rows of one session disagree.
    """
    exchange = exchange_of(question.ticker).code
    wash = _Wash(_in_range(rows, question, source), question.ticker, list(told))
    rows_read = len(wash.rows)
    wash.use_adjusted_closes()
    wash.leave_out("undated_row", wash.rows["session"].isna().to_numpy())
    over = np.datetime64(last_completed_session(exchange, now), "D")
    wash.leave_out("unfinished_bar", wash.rows["session"].to_numpy() > over)
    volume = wash.rows["volume"]
    wash.forget("unusable_volume", ((volume < 0) | np.isinf(volume)).to_numpy(), ["volume"])
    wash.leave_out("phantom_session", _phantoms(wash.rows, exchange))
    wash.leave_out("missing_close", wash.rows["close"].isna().to_numpy())
    wash.refuse_impossible_closes()
    wash.merge_duplicates()
    wash.sort()
    wash.forget("inconsistent_range", _contradictions(wash.rows), _RANGE)
    wash.tell("off_calendar", ~_on_calendar(wash.rows, exchange))
    return wash.result(rows_read, source, now)


class _Wash:
    """The rows on their way, and what was mended so far."""

    def __init__(self, rows: pd.DataFrame, ticker: str, repairs: list[Repair]) -> None:
        self.rows = rows
        self.ticker = ticker
        self.repairs = repairs

    def tell(self, kind: str, mask: Mask) -> None:
        if mask.any():
            rows = self.rows[mask]
            self.repairs.append(repair(kind, int(mask.sum()), _places(rows), dates_of(rows["session"])))

    def leave_out(self, kind: str, mask: Mask) -> None:
        self.tell(kind, mask)
        self.rows = self.rows[~mask]

    def forget(self, kind: str, mask: Mask, columns: list[str]) -> None:
        self.tell(kind, mask)
        self.rows.loc[mask, columns] = np.nan

    def use_adjusted_closes(self) -> None:
        """Brings open, high and low to the level of the adjusted close, which becomes the close."""
        if "adjusted" not in self.rows.columns:
            return
        factor = self.rows["adjusted"] / self.rows["close"].where(self.rows["close"] != 0)
        scaled = {name: self.rows[name] * factor for name in _RANGE}
        self.rows = self.rows.assign(**scaled, close=self.rows["adjusted"]).drop(columns="adjusted")

    def refuse_impossible_closes(self) -> None:
        closes = self.rows["close"]
        wrong = self.rows[~(np.isfinite(closes) & (closes > 0))].sort_values("session")
        if len(wrong):
            first = wrong.iloc[0]
            more = f", and {len(wrong) - 1:,} more closes are impossible" if len(wrong) > 1 else ""
            raise InvalidPrices(
                f"The close of {self.ticker} on {first['session']:%Y-%m-%d} is {first['close']:g}{more}; "
                "closes must be positive numbers.",
                f"Correct or remove these rows ({_places(wrong)}) and try again.",
            )

    def merge_duplicates(self) -> None:
        repeated = self.rows.duplicated(["session", *COLUMNS]).to_numpy()
        self.leave_out("duplicate_row", repeated)
        conflicting = self.rows[self.rows.duplicated("session", keep=False)].sort_values("session")
        if len(conflicting):
            days = [f"{day:%Y-%m-%d}" for day in conflicting["session"].unique()]
            raise InvalidPrices(
                f"{self.ticker} has rows that disagree about the same session: {some_of(days)}.",
                f"Keep one daily bar per session ({_places(conflicting)}) and try again.",
            )

    def sort(self) -> None:
        ordered = self.rows.sort_values("session", kind="stable")
        moved = int((ordered["session"].to_numpy() != self.rows["session"].to_numpy()).sum())
        if moved:
            self.repairs.append(repair("unsorted_rows", moved))
        self.rows = ordered

    def result(self, rows_read: int, source: str, now: datetime) -> FetchedPrices:
        if self.rows.empty:
            raise InvalidPrices(
                f"None of the {rows_read:,} rows of {self.ticker} is a usable session. "
                + " ".join(done.sentence for done in self.repairs),
                "Check the dates, the closes and the ticker's exchange.",
            )
        bars = self.rows.set_index("session")
        frame = PriceFrame.from_dataframe(bars, ticker=self.ticker, source=source, as_of=now)
        return FetchedPrices(frame, PriceReport(rows_read, tuple(self.repairs)))


def _in_range(rows: pd.DataFrame, question: PriceQuestion, source: str) -> pd.DataFrame:
    """The rows of the asked range, and those without a date, whose sessions are plain days."""
    rows = rows.assign(session=rows["session"].dt.normalize())
    days = rows["session"]
    outside = pd.Series(False, index=rows.index)
    if question.start:
        outside |= days < pd.Timestamp(question.start)
    if question.end:
        outside |= days > pd.Timestamp(question.end)
    if not (days.notna() & ~outside).any():
        raise NoPricesFound(
            f"There are no prices of {question.ticker} in the asked range; {source} has "
            + (f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}." if days.notna().any() else "none at all."),
            "Choose another range, or check the ticker.",
        )
    return rows[~outside]


def _phantoms(rows: pd.DataFrame, exchange: str) -> Mask:
    """Rows of days on which nothing was traded: holidays and weekends that some sources fill in."""
    traded = (rows["volume"] > 0).to_numpy()
    still = ((rows["volume"] == 0) & (rows["high"] == rows["low"])).to_numpy()
    # Indices and currencies have a volume of zero throughout; there it says nothing.
    return (still & traded.any()) | (~traded & ~_on_calendar(rows, exchange))


def _on_calendar(rows: pd.DataFrame, exchange: str) -> Mask:
    known = all_sessions(exchange)
    days = rows["session"].to_numpy().astype("datetime64[D]")
    # Before the calendar's first year nothing is known, and nothing is held against a row.
    on: Mask = np.isin(days, known) | (days < known[0])
    return on


def _contradictions(rows: pd.DataFrame) -> Mask:
    bars = {name: rows[name].to_numpy(dtype=np.float64) for name in (*_RANGE, "close")}
    top, bottom = bars["high"] * (1 + _ROUNDING), bars["low"] * (1 - _ROUNDING)
    outside: Mask = bottom > top
    for name in ("open", "close"):
        outside |= (bars[name] > top) | (bars[name] < bottom)
    for name in _RANGE:
        outside |= (bars[name] <= 0) | np.isinf(bars[name])
    return outside


def _places(rows: pd.DataFrame) -> str:
    if rows.index.name == "line":
        return some_lines(rows.index)
    return some_of([f"{day:%Y-%m-%d}" for day in rows["session"] if not pd.isna(day)])
