"""What the figures of a backtest are computed from, and how it travels between processes.

A backtest holds every forecast with all that it was made from; the figures need a fifth of it and no prices but
the closes that they judge. N forecasts of a ticker, H horizons, Q levels.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from stockcast.evaluation.one_ahead import Days, OneAhead
from stockcast.forecasting.quantiles import level_position
from stockcast.forecasting.returns import Floats

Counts = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
REACH_SHARES = (0.8, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Reach:
    """How often the intervals held at each horizon, where the actual is known."""

    known: Counts  # [H]
    held: Counts  # [H, 3] of the central intervals REACH_SHARES

    @staticmethod
    def of(quantiles: Floats, returns: Floats) -> Reach:
        """[N, H, Q] log returns, [N, H] those that came true, NaN where not known."""
        known = ~np.isnan(returns)
        held = np.zeros((returns.shape[1], len(REACH_SHARES)), dtype=np.int64)
        for column, share in enumerate(REACH_SHARES):
            tail = level_position((1 - share) / 2)
            held[:, column] = ((returns >= quantiles[..., tail]) & (returns <= quantiles[..., -1 - tail])).sum(
                axis=0
            )
        return Reach(known.sum(axis=0), held)

    @staticmethod
    def total(parts: Sequence[Reach]) -> Reach:
        """That of several together, over the horizons that all know."""
        horizons = min(len(part.known) for part in parts)
        return Reach(
            np.sum([part.known[:horizons] for part in parts], axis=0),
            np.sum([part.held[:horizons] for part in parts], axis=0),
        )


class TickerAnswers(Protocol):
    """What one forecaster said about one ticker, and what came true."""

    @property
    def ticker(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def cutoffs(self) -> Days: ...
    @property
    def last_closes(self) -> Floats: ...
    @property
    def ahead(self) -> OneAhead: ...
    @property
    def reach(self) -> Reach: ...
    @property
    def volatility(self) -> Floats: ...


class Answers:
    """What one forecaster said about one or more tickers: a Backtest, or what was kept of one."""

    forecaster: str
    parts: Sequence[TickerAnswers]

    @cached_property
    def ahead(self) -> OneAhead:
        """All tickers one session ahead, in order."""
        return OneAhead.pooled([part.ahead for part in self.parts])

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over tickers, cutoffs, last closes and next closes: equal when the question was the same."""
        digest = hashlib.sha256()
        for part in self.parts:
            digest.update(part.ticker.encode())
            digest.update("".join(np.datetime_as_string(part.cutoffs, "D").tolist()).encode())
            digest.update(part.last_closes.tobytes())
            digest.update(np.ascontiguousarray(part.ahead.actuals).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class KeptTicker:
    """What is kept of one ticker's backtest."""

    ticker: str
    currency: str
    cutoffs: Days
    last_closes: Floats  # [N]
    ahead: OneAhead
    reach: Reach
    volatility: Floats  # [N]

    @staticmethod
    def of(part: TickerAnswers) -> KeptTicker:
        """The same without the rest."""
        return KeptTicker(**{field.name: getattr(part, field.name) for field in fields(KeptTicker)})

    def scored(self) -> KeptTicker:
        """The same without quantiles."""
        return replace(self, ahead=self.ahead.scored())

    @staticmethod
    def joined(parts: Sequence[KeptTicker]) -> KeptTicker:
        """Several spans of sessions of one ticker as one, in the order of sessions."""
        if len(parts) == 1:
            return parts[0]
        ordered = sorted(parts, key=lambda part: str(part.cutoffs[0]))
        return KeptTicker(
            ordered[0].ticker,
            ordered[0].currency,
            np.concatenate([part.cutoffs for part in ordered]),
            np.concatenate([part.last_closes for part in ordered]),
            OneAhead.pooled([part.ahead for part in ordered]),
            Reach.total([part.reach for part in ordered]),
            np.concatenate([part.volatility for part in ordered]),
        )


@dataclass(frozen=True, eq=False)
class KeptAnswers(Answers):
    """What is kept of a backtest."""

    forecaster: str
    parts: tuple[KeptTicker, ...]

    @staticmethod
    def of(answers: Answers) -> KeptAnswers:
        """The same without the rest."""
        return KeptAnswers(answers.forecaster, tuple(KeptTicker.of(part) for part in answers.parts))

    def scored(self) -> KeptAnswers:
        """The same without quantiles, which nobody asks of an opponent."""
        return KeptAnswers(self.forecaster, tuple(part.scored() for part in self.parts))

    @staticmethod
    def joined(pieces: Sequence[KeptAnswers], tickers: Sequence[str]) -> KeptAnswers:
        """Several pieces of one backtest as one, its tickers in this order but for those without a forecast."""
        found: dict[str, list[KeptTicker]] = {ticker: [] for ticker in tickers}
        for piece in pieces:
            for part in piece.parts:
                found[part.ticker].append(part)
        forecaster = pieces[0].forecaster if pieces else ""
        return KeptAnswers(forecaster, tuple(KeptTicker.joined(parts) for parts in found.values() if parts))


def packed(several: Sequence[Answers]) -> bytes:
    """What is kept of some backtests, as bytes; see `unpacked`."""
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for number, answers in enumerate(several):
        parts = answers.parts
        arrays[f"{number}/names"] = np.array([answers.forecaster, *(f"{p.ticker} {p.currency}" for p in parts)])
        if not parts:
            continue
        arrays[f"{number}/lengths"] = np.array([len(part.ahead) for part in parts])
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _OWN}
        columns |= {name: getattr(answers.ahead, name) for name in _AHEAD}
        rows = np.empty(len(answers.ahead), [(name, each.dtype, each.shape[1:]) for name, each in columns.items()])
        for name, each in columns.items():
            rows[name] = each
        arrays[f"{number}/rows"] = rows
        for name in _REACH:
            arrays[f"{number}/{name}"] = np.stack([getattr(part.reach, name) for part in parts])
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpacked(content: bytes) -> list[KeptAnswers]:
    """The inverse of `packed`."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = dict(file)
    several = []
    for number in range(sum(name.endswith("/names") for name in arrays)):
        forecaster, *names = map(str, arrays[f"{number}/names"])
        spans = np.split(arrays[f"{number}/rows"], np.cumsum(arrays[f"{number}/lengths"])[:-1]) if names else []
        parts = []
        for place, (name, rows) in enumerate(zip(names, spans, strict=True)):
            ticker, currency = name.split(" ")
            parts.append(
                KeptTicker(
                    ticker=ticker,
                    currency=currency,
                    ahead=OneAhead(*(np.ascontiguousarray(rows[each]) for each in _AHEAD)),
                    reach=Reach(*(arrays[f"{number}/{each}"][place] for each in _REACH)),
                    **{each: np.ascontiguousarray(rows[each]) for each in _OWN},
                )
            )
        several.append(KeptAnswers(forecaster, tuple(parts)))
    return several


_OWN = ("cutoffs", "last_closes", "volatility")
_AHEAD = tuple(field.name for field in fields(OneAhead))
_REACH = tuple(field.name for field in fields(Reach))
