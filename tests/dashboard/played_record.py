"""A record that was played: the champion speaks every evening, and then the coming closes are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import closing_times
from stockcast.workflows.forecast import Speaker, forecast_ticker
from stockcast.workspace import Workspace


def play(workspace: Workspace, tickers: Sequence[str], first: date, sessions: int | None = None) -> None:
    """Lets the champion forecast after each close from `first` on, and scores what the stored histories tell.

    Without `sessions` it speaks until the last stored close, whose forecast is still open.
    """
    speaker = workspace.speaker(DEFAULT_UNIVERSE)
    for ticker in tickers:
        frame = workspace.prices.load(ticker)
        start = int(np.searchsorted(frame.sessions, np.datetime64(first, "D")))
        stop = len(frame) if sessions is None else start + sessions
        for row in range(start, stop):
            _speak(workspace, speaker, frame.rows(row - 299, row + 1))
    workspace.track.score()


def _speak(workspace: Workspace, speaker: Speaker, known: PriceFrame) -> None:
    forecast_ticker(
        speaker,
        known,
        None,
        workspace.journal,
        workspace.adaptations,
        universe=DEFAULT_UNIVERSE,
        face="schedule",
        now=evening_of(known),
    )


def evening_of(known: PriceFrame) -> datetime:
    """An hour after the last close of a history."""
    closed: datetime = closing_times(known.exchange, known.sessions[-1:])[0].item()
    return closed.replace(tzinfo=UTC) + timedelta(hours=1)
