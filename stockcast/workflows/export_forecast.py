"""A forecast as a file for other programs, and the file that a window is filled into.

One row a horizon: the same figures as CSV, at full precision, and as a workbook that says who has spoken.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import pandas as pd

from stockcast.forecasting.chances import chance_above
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.prices.frame import Floats, PriceFrame
from stockcast.prices.price_export import harmless
from stockcast.workflows.compare_forecasts import Beside
from stockcast.workflows.forecast import Answer

SHARES: Final = (0.80, 0.95)


def forecast_table(answer: Answer, others: Sequence[Beside] = (), level: float | None = None) -> pd.DataFrame:
    """Medians and intervals in prices, medians also as shares of the last close, and the chances above a level."""
    forecast, version = answer.forecast, answer.speaker.version
    context, ahead = forecast.context, forecast.horizon
    columns: dict[str, object] = {
        "ticker": harmless(context.ticker or ""),
        "cutoff": context.cutoff,
        "horizon": range(1, ahead + 1),
        "session": [forecast.session(h) for h in range(1, ahead + 1)],
        "currency": context.currency or "",
        "last_close": context.last_close,
        "median": forecast.median,
        **_edges(forecast),
        "median_change": forecast.median / context.last_close - 1,
        "naive": answer.naive.median[:ahead],
        **_edges(answer.naive, "naive_", ahead),
        "model": version.name,
        "version": version.version,
        "kind": version.kind,
    }
    for beside in others:
        columns[f"{beside.rival}_model"] = beside.label
        columns[f"{beside.rival}_median"] = beside.forecast.median[:ahead]
        columns |= _edges(beside.forecast, f"{beside.rival}_", ahead)
    if level is not None:
        columns["level"] = level
        columns["chance_above"] = chance_above(forecast, level)
        columns["naive_chance_above"] = chance_above(answer.naive, level)[:ahead]
        for beside in others:
            columns[f"{beside.rival}_chance_above"] = chance_above(beside.forecast, level)[:ahead]
    return pd.DataFrame(columns)


def forecast_csv(answer: Answer, others: Sequence[Beside] = (), level: float | None = None) -> bytes:
    """The table as CSV."""
    return forecast_table(answer, others, level).to_csv(index=False, lineterminator="\n").encode()


def forecast_xlsx(answer: Answer, others: Sequence[Beside] = (), level: float | None = None) -> bytes:
    """The table as a workbook, with a sheet that says who has spoken and what stands beside it."""
    table, context, version = (
        forecast_table(answer, others, level),
        answer.forecast.context,
        answer.speaker.version,
    )
    facts = {
        "Ticker": context.ticker or "not named",
        "Last session read": str(context.cutoff or "undated"),
        "Model": f"{version.name} v{version.version} ({version.kind})",
        "Journal": f"entry {answer.journal_id}",
        "Chances": "between 2.5 % and 97.5 % they are read off the quantiles; beyond, the tail is a guess",
    }
    if answer.stale:
        facts["Prices"] = answer.stale.sentence
    if answer.drift.findings:
        facts["Input"] = " ".join(finding.sentence for finding in answer.drift.findings)
    if others:
        facts["Comparison"] = f"{', '.join(each.label for each in others)}: not issued, and in no journal"
    return _workbook("Forecast", list(table.columns), table.to_numpy(dtype=object).tolist(), facts)


def window_csv(frame: PriceFrame, lookback: int) -> bytes:
    """The last closes of a history, as a window is read."""
    rows = [f"{day},{close!r}" for day, close in _last(frame, lookback)]
    return "\n".join(["Date,Close", *rows, ""]).encode()


def window_xlsx(frame: PriceFrame, lookback: int) -> bytes:
    """The same as a workbook."""
    rows = [list(row) for row in _last(frame, lookback)]
    facts = {"Ticker": frame.ticker, "Currency": frame.currency, "Closes": f"exactly {lookback}, oldest first"}
    return _workbook("Window", ["Date", "Close"], rows, facts)


def _last(frame: PriceFrame, lookback: int) -> list[tuple[date, float]]:
    days = frame.sessions[-lookback:].tolist()
    return list(zip(days, frame.close[-lookback:].tolist(), strict=True))


def _edges(forecast: QuantileForecast, prefix: str = "", ahead: int | None = None) -> Mapping[str, Floats]:
    return {
        f"{prefix}{name}_{share * 100:.0f}": values[:ahead]
        for share in SHARES
        for name, values in zip(("low", "high"), forecast.interval(share), strict=True)
    }


def _workbook(
    title: str, header: Sequence[str], rows: Sequence[Sequence[object]], facts: Mapping[str, str]
) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(list(header))
    for row in rows:
        sheet.append(list(row))
    about = book.create_sheet("About")
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 20, 100
    for name, text in facts.items():
        about.append([name, harmless(text)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
