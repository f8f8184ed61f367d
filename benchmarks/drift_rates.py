"""How often the drift check cries wolf on healthy windows, and how often it catches injected faults.

    python benchmarks/drift_rates.py                 the bundled sample
    python benchmarks/drift_rates.py FOLDER          CSV files named after their ticker, with Date and Close
    python benchmarks/drift_rates.py --train 0.5     another share of sessions to learn from

The reference is fitted on the first part of each history; all windows are of 60 sessions, do not overlap and lie
in the rest. A window's stored history ends where the window begins.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.config import DriftConfig
from stockcast.forecasting.returns import log_returns, to_prices
from stockcast.monitoring.drift import check_window
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.regime import VolatilityReference
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow

LOOKBACK = 60
Fault = Callable[[PriceWindow, np.random.Generator], PriceWindow]


@dataclass(frozen=True, eq=False)
class Healthy:
    """A test window and the history before it."""

    window: PriceWindow
    stored: PriceFrame


def sample_frames() -> list[PriceFrame]:
    """The five histories of bokeh-sampledata, adjusted closes."""
    from bokeh_sampledata import stocks

    tables = {ticker: getattr(stocks, ticker) for ticker in ("AAPL", "FB", "GOOG", "IBM", "MSFT")}
    return [
        as_frame(ticker, pd.DataFrame({"close": table["adj_close"]}, index=pd.to_datetime(table["date"])))
        for ticker, table in tables.items()
    ]


def csv_frames(folder: Path) -> list[PriceFrame]:
    """Every CSV file of a folder; the adjusted close where there is one."""
    frames = []
    for path in sorted(folder.glob("*.csv")):
        table = pd.read_csv(path, parse_dates=["Date"], index_col="Date")
        close = table["Adj Close" if "Adj Close" in table else "Close"].dropna()
        frames.append(as_frame(path.stem, close.to_frame("close")))
    return frames


def as_frame(ticker: str, bars: pd.DataFrame) -> PriceFrame:
    """A frame of closes."""
    return PriceFrame.from_dataframe(bars, ticker=ticker, source="benchmark", as_of=datetime.now(UTC))


def healthy_windows(frames: Sequence[PriceFrame], train: float) -> Iterator[Healthy]:
    """The windows after each training part."""
    for frame in frames:
        for start in range(int(len(frame) * train), len(frame) - LOOKBACK + 1, LOOKBACK):
            rows = slice(start, start + LOOKBACK)
            window = PriceWindow(frame.close[rows], frame.sessions[rows], frame.ticker)
            yield Healthy(window, frame.rows(0, start))


def with_close(value: float) -> Fault:
    """One close replaced by a value."""
    return lambda window, rng: edit_close(window, int(rng.integers(LOOKBACK)), value)


def times_one_close(factor: float) -> Fault:
    """One close multiplied."""

    def inject(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
        row = int(rng.integers(LOOKBACK))
        return edit_close(window, row, window.closes[row] * factor)

    return inject


def edit_close(window: PriceWindow, row: int, value: float) -> PriceWindow:
    """The window with another close at `row`."""
    closes = window.closes.copy()
    closes[row] = value
    return replace(window, closes=closes)


def split(factor: float) -> Fault:
    """All closes before a random row multiplied, as before a split that was not adjusted."""

    def inject(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
        closes = window.closes.copy()
        closes[: int(rng.integers(1, LOOKBACK))] *= factor
        return replace(window, closes=closes)

    return inject


def stand_still(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
    """Four identical closes in a row."""
    closes = window.closes.copy()
    row = int(rng.integers(LOOKBACK - 3))
    closes[row : row + 4] = closes[row]
    return replace(window, closes=closes)


def lose_session(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
    """One row missing."""
    row = int(rng.integers(1, LOOKBACK - 1))
    assert window.sessions is not None
    return replace(window, closes=np.delete(window.closes, row), sessions=np.delete(window.sessions, row))


def edit_date(source: Callable[[int], int]) -> Fault:
    """One date replaced by that of another row; a row beyond the window is a year in the future."""

    def inject(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
        assert window.sessions is not None
        row = int(rng.integers(1, LOOKBACK - 1))
        days = window.sessions.copy()
        other = source(row)
        days[row] = days[other] if other < LOOKBACK else days[-1] + np.timedelta64(366, "D")
        return replace(window, sessions=days)

    return inject


def turn_round(window: PriceWindow, _rng: np.random.Generator) -> PriceWindow:
    """Newest close first."""
    assert window.sessions is not None
    return replace(window, closes=window.closes[::-1], sessions=window.sessions[::-1])


def wilder(window: PriceWindow, _rng: np.random.Generator) -> PriceWindow:
    """Every return times three."""
    moved = 3 * np.concatenate(([0.0], np.cumsum(log_returns(window.closes))))
    return replace(window, closes=to_prices(float(window.closes[0]), moved))


FAULTS: dict[str, Fault] = {
    "a close that is not a number": with_close(np.nan),
    "a close of zero": with_close(0.0),
    "a negative close": with_close(-3.0),
    "newest close first": turn_round,
    "a date twice": edit_date(lambda row: row - 1),
    "a date in the future": edit_date(lambda row: LOOKBACK),
    "a session missing": lose_session,
    "four identical closes": stand_still,
    "2:1 split not adjusted": split(2),
    "3:1 split not adjusted": split(3),
    "1:10 reverse split not adjusted": split(0.1),
    "one close x 100": times_one_close(100),
    "one close / 10": times_one_close(0.1),
}


def check(window: PriceWindow, case: Healthy, reference: VolatilityReference | None) -> DriftReport:
    """The check as it would have been made on the window's last day."""
    assert case.window.sessions is not None
    today: date = case.window.sessions[-1].astype(object)
    return check_window(window, reference, DriftConfig(), today=today, stored=case.stored)


def percent(hits: Sequence[bool]) -> str:
    """A share, with the number of cases behind it."""
    return f"{100 * float(np.mean(hits)):6.1f} %   ({sum(hits)} of {len(hits)})"


def main() -> None:
    """Prints the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--train", type=float, default=0.7)
    parser.add_argument("--list", action="store_true", help="print the sentences found on healthy windows")
    arguments = parser.parse_args()
    frames = csv_frames(arguments.folder) if arguments.folder else sample_frames()
    reference = VolatilityReference.fit(
        [frame.rows(0, int(len(frame) * arguments.train)) for frame in frames], LOOKBACK
    )
    cases = list(healthy_windows(frames, arguments.train))
    rng = np.random.default_rng(7)
    print_integrity_alone(list(healthy_windows(frames, 0.0)), listed=arguments.list)
    print_false_alarms(cases, reference, listed=arguments.list)
    print_catches(cases, reference, rng)
    began = time.perf_counter()
    for case in cases:
        check(case.window, case, reference)
    print(f"\none check: {1000 * (time.perf_counter() - began) / len(cases):.2f} ms")


def print_integrity_alone(cases: Sequence[Healthy], *, listed: bool) -> None:
    """Rates over every window of the histories, for which nothing has to be trained."""
    reports = [check(case.window, case, None) for case in cases]
    print(f"{len(cases)} windows of the whole histories, integrity alone")
    print_rates(cases, reports, ("red", "amber"), listed=listed)


def print_false_alarms(cases: Sequence[Healthy], reference: VolatilityReference, *, listed: bool) -> None:
    """Rates over windows that nobody touched."""
    reports = [check(case.window, case, reference) for case in cases]
    print(f"\n{len(cases)} windows after the training part, all layers")
    print_rates(cases, reports, ("red", "amber", "info"), listed=listed)


def print_rates(
    cases: Sequence[Healthy], reports: Sequence[DriftReport], severities: Sequence[str], *, listed: bool
) -> None:
    """Share of the windows whose worst finding has each severity, and the findings when they are wanted."""
    for severity in severities:
        print(f"  {severity:<34}{percent([report.severity == severity for report in reports])}")
    if listed:
        for case, report in zip(cases, reports, strict=True):
            for finding in report.findings:
                print(f"    {case.window.ticker}: {finding.severity}: {finding.sentence}")


def print_catches(cases: Sequence[Healthy], reference: VolatilityReference, rng: np.random.Generator) -> None:
    """Rates over the same windows with one fault each."""
    print("\ncaught as integrity (red or amber)")
    for name, inject in FAULTS.items():
        caught = [check(inject(case.window, rng), case, reference).warning for case in cases]
        print(f"  {name:<34}{percent(caught)}")
    measures = [
        {finding.measure for finding in check(wilder(case.window, rng), case, reference).findings}
        for case in cases
    ]
    print("\nvolatility x 3, told as regime")
    print(f"  {'by the level':<34}{percent(['volatility' in found for found in measures])}")
    print(f"  {'by the change':<34}{percent(['volatility_change' in found for found in measures])}")
    either = [bool(found & {"volatility", "volatility_change"}) for found in measures]
    print(f"  {'by either':<34}{percent(either)}")


if __name__ == "__main__":
    main()
