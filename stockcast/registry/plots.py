"""Pictures that go with a run in MLflow: how the loss fell, and the last test sessions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stockcast.evaluation.rolling import Backtest, TickerBacktest
from stockcast.forecasting.observer import Epoch
from stockcast.forecasting.quantiles import MEDIAN, level_position

SHOWN = 120  # test sessions
TICKERS = 6  # pictures at the most


def draw_plots(folder: Path, epochs: Sequence[Epoch], judged: Backtest) -> None:
    """Writes loss.png and, for the first few tickers, test_1.png and so on into a folder that exists."""
    # The object interface, as pyplot keeps global state and looks for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    numbers = [epoch.number for epoch in epochs]
    axes.plot(numbers, [epoch.train_loss for epoch in epochs], label="training")
    axes.plot(numbers, [epoch.validation_loss for epoch in epochs], label="validation")
    axes.set(title="Loss by epoch", xlabel="epoch", ylabel="negative log-likelihood")
    axes.legend()
    figure.savefig(folder / "loss.png", dpi=110)
    for number, part in enumerate(judged.parts[:TICKERS], start=1):
        figure = Figure(figsize=(10, 4), layout="constrained")
        _draw_test(figure, part)
        figure.savefig(folder / f"test_{number}.png", dpi=110)


def _draw_test(figure: object, part: TickerBacktest) -> None:
    axes = figure.subplots()  # type: ignore[attr-defined]
    sessions = np.array(part.sessions(1)[-SHOWN:], dtype="datetime64[D]")
    prices = part.last_closes[:, None] * np.exp(part.quantile_returns[:, 0])
    shown = prices[-SHOWN:]
    low, high = level_position(0.1), level_position(0.9)
    axes.fill_between(sessions, shown[:, low], shown[:, high], alpha=0.25, label="80 % interval")
    axes.plot(sessions, shown[:, MEDIAN], label="median")
    axes.plot(sessions, part.last_closes[-SHOWN:], label="naive", linewidth=0.8)
    axes.plot(sessions, part.actuals[-SHOWN:, 0], "k.", markersize=3, label="close")
    axes.set(title=f"{part.ticker}, one session ahead", ylabel=part.currency)
    axes.legend(loc="upper left")
