"""Forecasts for many requests at once.

Requests that wait at the same moment are computed together: most of what a forecast costs, it costs once for
all of them. Whoever is alone is computed at once; where several were there just before, the first of the next wait
a moment for the others. What is said is in the spool of the journal before anybody sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np

from stockcast.api.champions import Champion
from stockcast.api.histories import Histories
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.issue_log import log_drift
from stockcast.monitoring.journal_lines import findings_text, journal_line, moment_text
from stockcast.monitoring.journal_spool import JournalSpool
from stockcast.prices.tickers import normalise_ticker
from stockcast.prices.window import PriceWindow
from stockcast.workflows.forecast_windows import AskedWindow, WindowForecast

GATHER = 0.002  # seconds for which others are waited for at most, where others have been there just before
TOGETHER = 48  # windows of one pass at most
LONGEST = 0.02  # seconds of one pass, in which nothing else is answered


@dataclass(eq=False)
class _Waiting:
    champion: Champion
    asked: AskedWindow
    request_id: str
    answer: asyncio.Future[WindowForecast]


@dataclass(eq=False)
class Predictor:
    """Says what the champions expect after windows."""

    spool: JournalSpool
    histories: Histories
    predictions: int = 0
    _waiting: list[_Waiting] = field(default_factory=list)
    _healthy: dict[tuple[str, ...], str] = field(default_factory=dict)
    _computing: bool = False
    _expected: int = 1  # that come within a moment of one another
    _planned: asyncio.TimerHandle | None = None
    _slow: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "slow model"))
    _dated: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "dated windows"))

    async def ask(
        self, champion: Champion, prices: Sequence[float], ticker: str | None, dates: Sequence[object] | None
    ) -> AskedWindow:
        """A question that can be answered. Raises InvalidTicker, InvalidWindow or InvalidRequest."""
        name = None if ticker is None else normalise_ticker(ticker)
        sessions = None if dates is None else np.array(dates, dtype="datetime64[D]")
        window = PriceWindow(np.array(prices, dtype=np.float64), sessions, name)
        stored = await self.histories.find(name) if name is not None and self.histories.known(name) else None
        if sessions is None:
            return champion.windows.ask(window, stored)
        # A calendar takes a second to build, once an exchange.
        return await asyncio.get_running_loop().run_in_executor(self._dated, champion.windows.ask, window, stored)

    async def say(self, champion: Champion, asked: Sequence[AskedWindow], request_id: str) -> list[WindowForecast]:
        """The answers to questions of one request, in order. Raises DiskFull when they cannot be written down."""
        return [await answer for answer in [self._begin(champion, each, request_id) for each in asked]]

    def _begin(self, champion: Champion, asked: AskedWindow, request_id: str) -> asyncio.Future[WindowForecast]:
        loop = asyncio.get_running_loop()
        if asked.window.sessions is not None:
            return asyncio.ensure_future(self._say_dated(champion, asked, request_id))
        waiting = _Waiting(champion, asked, request_id, loop.create_future())
        self._waiting.append(waiting)
        if not self._computing:
            self._computing = True
            self._plan()
        elif self._planned is not None and len(self._waiting) >= self._expected:
            self._planned.cancel()
            self._plan()
        return waiting.answer

    def _plan(self) -> None:
        """Computes at once when as many wait as have lately, and else in a moment."""
        loop = asyncio.get_running_loop()
        if len(self._waiting) >= min(self._expected, TOGETHER):
            self._planned = None
            loop.call_soon(self._compute)
        else:
            self._planned = loop.call_later(GATHER, self._compute)

    async def _say_dated(self, champion: Champion, asked: AskedWindow, request_id: str) -> WindowForecast:
        """By itself and in a thread: a calendar takes a second to build, once an exchange."""
        now = datetime.now(UTC)
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self._dated, champion.windows.forecast, [asked], now)
        self._write_down(champion, said, now, [request_id])
        return said[0]

    def _compute(self) -> None:
        """Answers those who wait for the same champion, and goes on as long as somebody waits."""
        champion = self._waiting[0].champion
        most = max(1, min(TOGETHER, int(LONGEST / champion.seconds)))
        batch = [each for each in self._waiting if each.champion is champion][:most]
        taken = set(map(id, batch))
        self._waiting = [each for each in self._waiting if id(each) not in taken]
        batch = [each for each in batch if not each.answer.done()]  # the others have gone
        self._planned = None
        self._expected = max(1, len(batch) + len(self._waiting), int(0.9 * self._expected))
        now, loop = datetime.now(UTC), asyncio.get_running_loop()
        asked = [each.asked for each in batch]
        if not batch or champion.seconds < LONGEST:
            self._answer(champion, batch, now, partial(champion.windows.forecast, asked, now))
            self._go_on()
            return
        # So slow a model must not hold up the health reports.
        computed = loop.run_in_executor(self._slow, champion.windows.forecast, asked, now)

        def answer(done: asyncio.Future[list[WindowForecast]]) -> None:
            self._answer(champion, batch, now, done.result)
            self._go_on()

        computed.add_done_callback(answer)

    def _go_on(self) -> None:
        self._computing = bool(self._waiting)
        if self._computing:
            self._plan()

    def _answer(
        self,
        champion: Champion,
        batch: Sequence[_Waiting],
        now: datetime,
        forecast: Callable[[], Sequence[WindowForecast]],
    ) -> None:
        if not batch:
            return
        try:
            said = forecast()
            self._write_down(champion, said, now, [each.request_id for each in batch])
        except Exception as problem:
            if len(batch) == 1:
                if not batch[0].answer.done():
                    batch[0].answer.set_exception(problem)
                return
            for each in batch:  # one of them is at fault, and the others shall not suffer for it
                self._answer(champion, [each], now, partial(champion.windows.forecast, [each.asked], now))
            return
        for each, answer in zip(batch, said, strict=True):
            if not each.answer.done():
                each.answer.set_result(answer)

    def _write_down(
        self, champion: Champion, said: Sequence[WindowForecast], now: datetime, request_ids: Sequence[str]
    ) -> None:
        version, at = champion.version, moment_text(now)
        lines = [
            journal_line(
                each.forecast,
                each.naive,
                face="api",
                universe=champion.universe,
                model=version.name,
                model_version=version.version,
                run_id=version.run_id,
                findings=self._findings(each.drift),
                from_store=False,
                issued_at=at,
            )
            for each in said
        ]
        self.spool.append(lines)
        self.predictions += len(lines)
        for each, request_id in zip(said, request_ids, strict=True):
            if each.drift.findings and each.drift.warning:
                log_drift(
                    each.forecast.context,
                    each.drift,
                    request_id=request_id,
                    universe=champion.universe,
                    face="api",
                    model=version.name,
                    model_version=version.version,
                    run_id=version.run_id,
                )

    def _findings(self, drift: DriftReport) -> str:
        if drift.findings:
            return findings_text(drift)
        if drift.unchecked not in self._healthy:
            self._healthy[drift.unchecked] = findings_text(drift)
            if len(self._healthy) > 1000:  # sentences name tickers and dates
                self._healthy.pop(next(iter(self._healthy)))
        return self._healthy[drift.unchecked]
