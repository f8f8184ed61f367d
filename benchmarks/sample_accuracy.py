"""How good forecasts of the bundled sample are on sessions that nothing has seen, beside naive and EWMA.

python -m benchmarks.sample_accuracy
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.sample_histories import sample_histories
from stockcast.config import Config
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.evaluation.scorecard import compare, score
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.lstm.estimator import LstmEstimator
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.prices.frame import PriceFrame

COLUMNS = ("forecasts", "MAPE/naive", "skill", "p", "vs EWMA", "p", "80 %", "95 %")
WIDTHS = (10, 12, 9, 8, 9, 8, 8, 8)
HEAD = f"{'trained on':24}" + "".join(f"{name:>{width}}" for name, width in zip(COLUMNS, WIDTHS, strict=True))


def judge(frames: Sequence[PriceFrame]) -> str:
    """One line of the table: an LSTM trained on these histories, judged on their last 15 %."""
    config = Config()
    split = split_dates(frames, config)
    pairs, _ = training_pairs(frames, split, config)
    with tempfile.TemporaryDirectory() as folder:
        lstm = LstmEstimator(config, Path(folder), 2).fit(pairs, lambda _epoch: None)
    naive, ewma, judged = (
        rolling_backtest(each, frames, split.test_start, split.test_end)
        for each in (NaiveForecaster(), EwmaEstimator().fit(pairs), lstm)
    )
    card, against = score(judged, naive), compare(judged, ewma)
    name = ", ".join(frame.ticker for frame in frames)
    return (
        f"{name:24}{card.count:>10}{card.mape_ratio:>12.4f}{card.skill:>+9.2%}{card.dm_p_value:>8.3f}"
        f"{against.skill:>+9.2%}{against.test.p_value:>8.3f}{card.coverage_80:>8.1%}{card.coverage_95:>8.1%}"
    )


def main() -> None:
    """Prints the table, one training a line."""
    print(HEAD)
    frames = sample_histories()
    for frame in frames:
        print(judge([frame]))
    print(judge(frames))


if __name__ == "__main__":
    main()
