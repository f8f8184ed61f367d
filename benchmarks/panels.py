"""Panels of daily prices to measure accuracy on: from packages, or from a folder of one's own files."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from benchmarks.sample_histories import sample_histories
from stockcast.prices.file import FilePrices
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import ask, shape_question


@dataclass(frozen=True)
class Panel:
    """Histories that are learnt from, and those that are judged."""

    name: str
    learnt: tuple[PriceFrame, ...]
    judged: tuple[PriceFrame, ...]

    @property
    def folds(self) -> tuple[Panel, ...]:
        """The panel, and where no judged ticker is learnt from, the panel the other way round."""
        held_out = not {frame.ticker for frame in self.learnt} & {frame.ticker for frame in self.judged}
        return (self, Panel(self.name, self.judged, self.learnt)) if held_out else (self,)


def package_panels() -> list[Panel]:
    """The panels that come with installed packages; a package that is not installed is left out."""
    sample = tuple(sample_histories())
    found = [Panel("bundled sample, 4 US, OHLCV", sample, sample), Panel("2 US indices, OHLC", *[_indices()] * 2)]
    if importlib.util.find_spec("skfolio") is not None:
        found.append(_halves("20 US, closes 1990-2022", _skfolio()))
    return found


def folder_panel(folder: Path) -> Panel:
    """A panel of files named after their tickers, in two halves: every second one, and the others."""
    now = datetime.now(UTC)
    frames = [
        ask(FilePrices.at(file), shape_question(file.stem), now).frame
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in (".csv", ".xlsx", ".parquet")
    ]
    return _halves(f"{len(frames)} tickers of {folder.name}", frames)


def _halves(name: str, frames: Sequence[PriceFrame]) -> Panel:
    return Panel(f"{name}, held out", tuple(frames[0::2]), tuple(frames[1::2]))


def _skfolio() -> list[PriceFrame]:
    """Adjusted closes of 20 US companies, as skfolio ships them (BSD-3-Clause)."""
    spec = importlib.util.find_spec("skfolio")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    file = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "sp500_dataset.csv.gz"
    table = pd.read_csv(file, index_col=0, parse_dates=True)
    return [_frame(ticker, pd.DataFrame({"close": table[ticker].dropna()})) for ticker in table]


def _indices() -> tuple[PriceFrame, ...]:
    """S&P 500 and Nasdaq Composite, 1999 to 2018, as arch ships them."""
    import arch.data.nasdaq
    import arch.data.sp500

    frames = []
    for ticker, module in (("^GSPC", arch.data.sp500), ("^IXIC", arch.data.nasdaq)):
        table = module.load().dropna()
        frames.append(_frame(ticker, table.rename(columns=str.lower)[["open", "high", "low", "close", "volume"]]))
    return tuple(frames)


def _frame(ticker: str, bars: pd.DataFrame) -> PriceFrame:
    return PriceFrame.from_dataframe(bars, ticker=ticker, source="package", as_of=datetime.now(UTC))
