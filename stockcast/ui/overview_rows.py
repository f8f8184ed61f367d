"""The tickers of the Overview in the order in which a person should look at them, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stockcast.errors import StockcastError
from stockcast.prices.store import StoredHistory
from stockcast.ui.error_boundary import telling_of
from stockcast.ui.expectations import Expectation
from stockcast.ui.format import count
from stockcast.ui.freshness import SAMPLE
from stockcast.ui.language import _

Standing = Literal["red", "amber", "stale", "failed", "noted", "calm"]
_ORDER: tuple[Standing, ...] = ("red", "amber", "stale", "failed", "noted", "calm")


@dataclass(frozen=True, eq=False)
class TickerRow:
    """One ticker: what is expected of it, or why nothing is."""

    history: StoredHistory
    expectation: Expectation | None = None
    problem: StockcastError | None = None

    @property
    def ticker(self) -> str:
        """Its name."""
        return self.history.ticker

    @property
    def standing(self) -> Standing:
        """The gravest thing that is to be said of it. The sample is old on purpose, which is none."""
        if self.expectation is None:
            return "failed"
        found = self.expectation.answer
        if found.drift.severity in ("red", "amber"):
            return "red" if found.drift.severity == "red" else "amber"
        if found.stale and self.history.source != SAMPLE:
            return "stale"
        return "noted" if found.drift.severity == "info" else "calm"

    @property
    def wants_a_look(self) -> bool:
        """Whether a person should do something about it; a changed market is only good to know."""
        return self.standing not in ("noted", "calm")

    @property
    def move(self) -> float:
        """How far the median lies from the last close, in widths of the 80 % interval."""
        if self.expectation is None:
            return 0.0
        return abs(self.expectation.change) / width if (width := self.expectation.width) > 0 else 0.0


def by_attention(
    histories: Sequence[StoredHistory], found: Sequence[Expectation], failed: Mapping[str, StockcastError]
) -> list[TickerRow]:
    """Wrong prices first, then unusual ones, old ones and failures; then the widest moves, and by name."""
    known = {each.history.ticker: each for each in found}
    rows = [TickerRow(each, known.get(each.ticker), failed.get(each.ticker)) for each in histories]
    return sorted(rows, key=lambda row: (_ORDER.index(row.standing), -round(row.move, 2), row.ticker))


def concern(row: TickerRow) -> str:
    """What needs attention, in a few words; empty where nothing does."""
    if row.expectation is None:
        return _(telling_of(row.problem).title) if row.problem is not None else ""
    found, said = row.expectation.answer, []
    if found.drift.severity == "red":
        said.append(_("Prices look wrong"))
    elif found.drift.severity == "amber":
        said.append(_("Prices look unusual"))
    if found.stale:
        behind = count(found.stale.sessions_behind, "session", "sessions")
        is_sample = row.history.source == SAMPLE
        said.append(_("Old sample prices") if is_sample else _("{sessions} behind").format(sessions=behind))
    if found.drift.severity == "info":
        said.append(_("The market has changed its mood"))
    return " · ".join(said)
