from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from price_payloads import NOW, days_until

from stockcast.errors import InvalidPrices
from stockcast.prices.frame import PriceFrame

INDEX = pd.DatetimeIndex(days_until("2024-05-15", 4), name="session")


def frame_of(index: pd.DatetimeIndex = INDEX, **columns: object) -> PriceFrame:
    bars = pd.DataFrame({"close": [1.0, 2.0, 3.0, 4.0]} | columns, index=index)
    return PriceFrame.from_dataframe(bars, ticker="AAPL", source="test", as_of=NOW)


def test_a_word_among_the_prices_is_named_and_not_taken_as_unknown() -> None:
    with pytest.raises(InvalidPrices, match="The open of AAPL on 2024-05-13 is 'n/a', not a number"):
        frame_of(open=[1, "n/a", 3, 4])


def test_numbers_written_as_text_are_numbers() -> None:
    assert frame_of(close=["1", "2.5", "3", "4"]).close.tolist() == [1, 2.5, 3, 4]


@pytest.mark.parametrize("volume", [-1.0, np.inf])
def test_an_impossible_volume_is_refused(volume: float) -> None:
    with pytest.raises(InvalidPrices, match="volumes must not be negative"):
        frame_of(volume=[1, 2, volume, 4])


def test_rows_without_a_date_are_refused() -> None:
    with pytest.raises(InvalidPrices, match="AAPL has rows without a date, 1 of 4"):
        frame_of(pd.DatetimeIndex([pd.NaT, *INDEX[1:]], name="session"))


def test_equal_content_has_an_equal_hash_whatever_its_bits() -> None:
    other_nan = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\xff")[0]
    assert np.isnan(other_nan)
    one = frame_of(open=[1, np.nan, 3, 4], volume=[0.0, 1, 2, 3])
    other = frame_of(open=[1, other_nan, 3, 4], volume=[-0.0, 1, 2, 3])
    assert one.content_hash == other.content_hash
    assert one.content_hash != frame_of(open=[1, 2, 3, 4], volume=[0, 1, 2, 3]).content_hash
