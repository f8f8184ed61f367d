"""The ladder of models on panels of real prices, on sessions (and where there are enough, tickers) never seen.

python -m benchmarks.accuracy [--folder FILES] [--seeds 7,8]

Every panel is cut at the same dates for all tickers: 70 % to learn from, 15 % to stop and calibrate, 15 % to
judge. A large one is cut into two halves of tickers, each judged by models that have learnt from the other.
GARCH(1,1)-t is fitted anew each year to each judged ticker's own past. Skill is 1 - CRPS / CRPS of the opponent,
one session ahead, p by Diebold and Mariano on daily means. The table is Markdown, for docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.panels import Panel, folder_panel, package_panels
from stockcast.config import Config
from stockcast.evaluation.refits import garch_reference
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.evaluation.scorecard import compare, score
from stockcast.evaluation.significance import p_text
from stockcast.evaluation.split import Split, split_dates, training_pairs
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.forecasting.linear import LinearEstimator
from stockcast.forecasting.market import markets
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.observer import UNWATCHED
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.choose_estimator import choose_estimator

COLUMNS = (
    "forecaster", "skill over GARCH", "tickers won", "skill over linear", "skill over naive",
    "MAPE / naive (worst MAE)", "80 % held", "90 % held", "95 % held", "90 % miss per ticker", "seconds",
)  # fmt: skip


def closes_alone(frame: PriceFrame) -> PriceFrame:
    """The same history as somebody would have it who knows closes only."""
    unknown = np.full(len(frame), np.nan)
    return dataclasses.replace(frame, open=unknown, high=unknown, low=unknown, volume=unknown)


def measure(panel: Panel, seeds: list[int]) -> None:
    """Prints the table of one panel; where tickers are held out, each half is judged by models of the other."""
    ladders = [ladder(fold, seeds) for fold in panel.folds]
    rows = {
        name: Backtest(name, tuple(part for each in ladders for part in each[name][0].parts))
        for name in ladders[0]
    }
    naive, garch = rows["naive"], rows["GARCH(1,1)-t, yearly"]
    print(f"\n### {panel.name}\n\n{_question(panel, naive)}\n")
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for name, found in rows.items():
        seconds = float(np.mean([each[name][1] for each in ladders]))
        linear = rows["linear, closes" if "closes" in name else "linear, all inputs"]
        print(_row(name, found, naive, garch, linear, seconds))


def ladder(panel: Panel, seeds: list[int]) -> dict[str, tuple[Backtest, float]]:
    """Every rung's backtest by its name, and the seconds that fitting it took."""
    config = Config()
    split = split_dates(panel.learnt, config)
    pairs, _ = training_pairs(panel.learnt, split, config)
    rungs: dict[str, tuple[Backtest, float]] = {}

    def judge(name: str, make: Callable[[], Forecaster], *, alone: bool = False) -> Forecaster:
        started = time.perf_counter()
        forecaster = make()
        seconds = time.perf_counter() - started
        rungs[name] = backtest(forecaster, panel, split, alone=alone), seconds
        return forecaster

    judge("naive", NaiveForecaster)
    judge("EWMA-t", lambda: EwmaEstimator().fit(pairs))
    rungs["GARCH(1,1)-t, yearly"] = garch_reference(panel.judged, split.test_start, split.test_end), 0.0
    linear = LinearEstimator().fit(pairs, UNWATCHED)
    judge("linear, closes", lambda: linear, alone=True)
    judge("linear, all inputs", lambda: LinearEstimator().fit(pairs, UNWATCHED))
    for seed in seeds:
        told = f", seed {seed}" if len(seeds) > 1 else ""
        made = training(config.with_overrides([f"training.seed={seed}"]), pairs)
        network = judge(f"**LSTM, all inputs**{told}", made)
        judge(f"**LSTM, closes**{told}", lambda network=network: network, alone=True)
    return rungs


def _question(panel: Panel, naive: Backtest) -> str:
    sessions = [session for part in naive.parts for session in part.sessions(1)]
    count = f"{len(sessions):,} forecasts of {len(naive.parts)} tickers, {min(sessions)} to {max(sessions)}"
    if len(panel.folds) == 1:
        return f"{count}; learnt from the same tickers before."
    return f"{count}; each half judged by models that have learnt from the other."


def training(config: Config, pairs: Sequence[TrainingPair]) -> Callable[[], Forecaster]:
    """What trains an LSTM, to be timed."""

    def make() -> Forecaster:
        with tempfile.TemporaryDirectory() as folder:
            return choose_estimator(config, Path(folder), threads=2).fit(pairs, UNWATCHED)

    return make


def backtest(forecaster: Forecaster, panel: Panel, split: Split, *, alone: bool) -> Backtest:
    """The judged tickers over the test part; `alone` hides everything but each ticker's own closes."""
    frames = [closes_alone(frame) for frame in panel.judged] if alone else panel.judged
    known = None if alone else markets(panel.learnt)
    return rolling_backtest(forecaster, frames, split.test_start, split.test_end, known)


def _row(name: str, found: Backtest, naive: Backtest, garch: Backtest, linear: Backtest, seconds: float) -> str:
    card = score(found, naive)
    ratios = [ticker.mae / ticker.naive_mae for ticker in card.tickers]
    misses = [abs(ticker.coverage_90 - 0.9) for ticker in card.tickers]
    mine, other = (_means(each) for each in (found, garch))
    won = sum(mine[ticker] < other[ticker] for ticker in mine)
    cells = [
        name,
        _skill(found, garch),
        f"{won} of {len(mine)}",
        _skill(found, linear),
        _skill(found, naive),
        f"{card.mape_ratio:.4f} ({max(ratios):.4f})",
        *(f"{share:.1%}" for share in (card.coverage_80, card.coverage_90, card.coverage_95)),
        f"{np.mean(misses):.2%}",
        f"{seconds:.0f}" if seconds >= 0.5 else "",
    ]
    return "| " + " | ".join(cells) + " |"


def _skill(found: Backtest, opponent: Backtest) -> str:
    if found is opponent:
        return ""
    against = compare(found, opponent)
    return f"{against.skill:+.2%} ({p_text(against.test.p_value)})"


def _means(backtest_: Backtest) -> dict[str, float]:
    """Mean CRPS by ticker, one session ahead, in percent."""
    return {ticker.ticker: ticker.crps for ticker in score(backtest_, backtest_).tickers}


def main() -> None:
    """Prints a table a panel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="Files named after their tickers, with OHLCV or closes.")
    parser.add_argument("--seeds", default="7", help="Seeds of the LSTM, one row each.")
    asked = parser.parse_args()
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    for panel in [folder_panel(asked.folder)] if asked.folder else package_panels():
        measure(panel, seeds)


if __name__ == "__main__":
    main()
