"""PriceFrame: the validated daily bars of one ticker.

Checked once at the edge by a pandera schema, frozen from then on. Prices are adjusted for splits and
dividends, in the currency of the exchange; volume is in shares, as traded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stockcast.errors import InvalidPrices, TooShortHistory
from stockcast.prices.sessions import Sessions
from stockcast.prices.tickers import exchange_of, normalise_ticker

# What serves forecasts of windows starts without pandas; only what makes a frame needs it.
if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

Floats = NDArray[np.float64]
COLUMNS = ("open", "high", "low", "close", "volume")


@cache
def _schema() -> pa.DataFrameSchema:
    import pandera.pandas as pa

    positive = pa.Check(lambda values: np.isfinite(values) & (values > 0), error="positive and finite")
    countable = pa.Check(lambda values: np.isfinite(values) & (values >= 0), error="zero or more and finite")
    return pa.DataFrameSchema(
        {
            "open": pa.Column(float, positive, nullable=True),
            "high": pa.Column(float, positive, nullable=True),
            "low": pa.Column(float, positive, nullable=True),
            "close": pa.Column(float, positive, nullable=False),
            "volume": pa.Column(float, countable, nullable=True),
        },
        index=pa.Index("datetime64[ns]", name="session", unique=True),
        strict=True,
    )


@dataclass(frozen=True, eq=False)
class PriceFrame:
    """Daily bars of one ticker, oldest first. `T` sessions; all arrays are read-only and of shape [T].

    `open`, `high`, `low` and `volume` hold NaN where the source had none; `close` never does.
    """

    ticker: str
    source: str
    as_of: datetime
    sessions: Sessions  # [T] datetime64[D], strictly ascending
    open: Floats  # [T] adjusted, in `currency`
    high: Floats  # [T]
    low: Floats  # [T]
    close: Floats  # [T]
    volume: Floats  # [T] shares

    def __len__(self) -> int:
        return len(self.sessions)

    @property
    def exchange(self) -> str:
        """Code of the exchange whose calendar the sessions follow."""
        return exchange_of(self.ticker).code

    @property
    def currency(self) -> str:
        """Currency of the prices."""
        return exchange_of(self.ticker).currency

    @property
    def first_session(self) -> date:
        return self.sessions[0].astype(object)  # type: ignore[no-any-return]

    @property
    def last_session(self) -> date:
        return self.sessions[-1].astype(object)  # type: ignore[no-any-return]

    @cached_property
    def content_hash(self) -> str:
        """sha256 of ticker, sessions and bars, in hex: equal for equal content, whatever the source."""
        digest = hashlib.sha256(self.ticker.encode())
        digest.update(self.sessions.astype("datetime64[D]").astype("int64").tobytes())
        for name in COLUMNS:
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()

    def until(self, cutoff: date) -> PriceFrame:
        """The bars up to `cutoff`, inclusive; may be empty."""
        return self.rows(0, int(np.searchsorted(self.sessions, np.datetime64(cutoff, "D"), side="right")))

    def between(self, first: date, last: date) -> PriceFrame:
        """The bars from `first` to `last`, both inclusive; may be empty."""
        start = int(np.searchsorted(self.sessions, np.datetime64(first, "D")))
        stop = int(np.searchsorted(self.sessions, np.datetime64(last, "D"), side="right"))
        return self.rows(start, max(start, stop))

    def rows(self, start: int, stop: int) -> PriceFrame:
        """The bars `start` to `stop` - 1, as views."""
        return replace(
            self,
            sessions=self.sessions[start:stop],
            **{name: getattr(self, name)[start:stop] for name in COLUMNS},
        )

    def require(self, sessions: int, purpose: str) -> None:
        """Raises TooShortHistory when the frame holds fewer than `sessions` bars."""
        if len(self) < sessions:
            raise TooShortHistory(
                f"{self.ticker} has {len(self)} sessions; {purpose} needs at least {sessions}.",
                "Download or import a longer history.",
            )

    def to_dataframe(self) -> pd.DataFrame:
        """A copy as a data frame with the columns of COLUMNS, indexed by `session`."""
        import pandas as pd

        index = pd.DatetimeIndex(self.sessions.astype("datetime64[ns]"), name="session")
        return pd.DataFrame({name: getattr(self, name) for name in COLUMNS}, index=index)

    @staticmethod
    def from_dataframe(bars: pd.DataFrame, *, ticker: str, source: str, as_of: datetime) -> PriceFrame:
        """Validates and freezes a data frame with the columns of COLUMNS, indexed by `session`.

        Missing columns other than `close` are taken as unknown. Raises InvalidPrices with the first
        offending session: a duplicate, a value that is no number, a price that is not positive.
        """
        import pandas as pd

        normalised = normalise_ticker(ticker)
        if "close" not in bars.columns:
            raise InvalidPrices(
                f"The prices of {normalised} have no closing price.", "Provide a column of closes."
            )
        index = pd.DatetimeIndex(pd.to_datetime(bars.index)).as_unit("ns").rename("session")
        if index.tz is not None:
            raise InvalidPrices(f"The sessions of {normalised} carry a time zone.", "Provide plain dates.")
        if index.hasnans:
            raise InvalidPrices(
                f"{normalised} has rows without a date, {np.isnat(index.to_numpy()).sum()} of {len(index)}.",
                "Give every row its session.",
            )
        shaped = pd.DataFrame(
            {
                name: _numbers(bars[name], normalised, index) if name in bars.columns else np.nan
                for name in COLUMNS
            },
            index=index.normalize(),
        ).sort_index()
        if shaped.empty:
            raise InvalidPrices(f"The history of {normalised} is empty.", "Provide at least one session.")
        _raise_first_failure(shaped, normalised)
        values = {name: _frozen(shaped[name].to_numpy(dtype=np.float64)) for name in COLUMNS}
        days = shaped.index.to_numpy().astype("datetime64[D]")
        days.setflags(write=False)
        return PriceFrame(ticker=normalised, source=source, as_of=as_of, sessions=days, **values)

    @staticmethod
    def from_columns(
        sessions: Sessions, columns: Mapping[str, Floats], *, ticker: str, source: str, as_of: datetime
    ) -> PriceFrame:
        """Bars that were a frame before, read back from where they are kept. [T] each

        Raises InvalidPrices where they have not stayed one: it asks the same as `from_dataframe`, without pandas.
        """
        kept = {name: _frozen(columns[name]) for name in COLUMNS}
        ascending = bool((sessions[1:] > sessions[:-1]).all())
        with np.errstate(invalid="ignore"):
            bad = [name for name in COLUMNS if not _plausible(kept[name], name)]
        if bad or not ascending or not len(sessions):
            raise InvalidPrices(
                f"The stored history of {ticker} is damaged ({', '.join(bad) or 'its sessions'}).",
                "Fetch or import it again.",
            )
        days = sessions.copy()
        days.setflags(write=False)
        return PriceFrame(ticker=ticker, source=source, as_of=as_of, sessions=days, **kept)


def _plausible(values: Floats, name: str) -> bool:
    unknown = np.isnan(values)
    if name == "close" and unknown.any():
        return False
    least = values >= 0 if name == "volume" else values > 0
    return bool((unknown | (np.isfinite(values) & least)).all())


def _raise_first_failure(shaped: pd.DataFrame, ticker: str) -> None:
    import pandas as pd
    from pandera.errors import SchemaErrors

    duplicated = shaped.index[shaped.index.duplicated()]
    if len(duplicated):
        raise InvalidPrices(
            f"{ticker} has more than one bar for {duplicated[0]:%Y-%m-%d}"
            + (f" and {len(duplicated) - 1} other sessions." if len(duplicated) > 1 else "."),
            "Keep one row per session.",
        )
    try:
        _schema().validate(shaped, lazy=True)
    except SchemaErrors as problem:
        cases = problem.failure_cases
        first = cases.iloc[0]
        where = first["index"]
        when = f" on {pd.Timestamp(where):%Y-%m-%d}" if where is not None and not pd.isna(where) else ""
        shown = "missing" if pd.isna(first["failure_case"]) else f"{first['failure_case']}"
        more = f" ({len(cases)} such values)" if len(cases) > 1 else ""
        raise InvalidPrices(
            f"The {first['column']} of {ticker}{when} is {shown}{more}; "
            + (
                "volumes must not be negative."
                if first["column"] == "volume"
                else "prices must be positive numbers."
            ),
            "Correct or remove these rows and try again.",
        ) from problem


def _numbers(values: pd.Series, ticker: str, index: pd.DatetimeIndex) -> Floats:
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    words = np.flatnonzero(np.isnan(numbers) & values.notna().to_numpy())
    if words.size:
        raise InvalidPrices(
            f"The {values.name} of {ticker} on {index[words[0]]:%Y-%m-%d} is '{str(values.iloc[words[0]])[:40]}', "
            "not a number.",
            "Correct or remove these rows and try again.",
        )
    return numbers


def _frozen(values: Floats) -> Floats:
    # One bit pattern for zero and one for NaN, so that equal content has an equal hash.
    copy = np.where(np.isnan(values), np.nan, values + 0.0)
    copy.setflags(write=False)
    return copy
