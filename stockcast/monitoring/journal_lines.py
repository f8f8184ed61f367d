"""A forecast as a line of the spool: the row that the journal will hold, as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import orjson

from stockcast.forecasting.quantiles import LEVELS, QuantileForecast
from stockcast.forecasting.returns import Floats
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.journal import Face, fingerprint_of

_LEVELS = json.dumps(LEVELS.tolist())


def journal_line(
    forecast: QuantileForecast,
    naive: QuantileForecast,
    *,
    face: Face,
    universe: str,
    model: str,
    model_version: str,
    run_id: str | None,
    findings: str,
    from_store: bool,
    issued_at: str,
) -> bytes:
    """The same row that `Journal.record` would write; `findings` is the `findings_text` of its drift report,
    and `issued_at` a `moment_text`."""
    context = forecast.context
    sessions = context.sessions[: forecast.horizon] if context.sessions else ()
    return orjson.dumps(
        {
            "issued_at": issued_at,
            "face": face,
            "universe": universe,
            "ticker": context.ticker,
            "cutoff": None if context.cutoff is None else context.cutoff.isoformat(),
            "model": model,
            "model_version": model_version,
            "run_id": run_id,
            "fingerprint": fingerprint_of(forecast, universe, model, model_version),
            "last_close": context.last_close,
            "sessions": json.dumps([session.isoformat() for session in sessions]) if sessions else "[]",
            "levels": _LEVELS,
            "log_returns": _text(forecast.log_returns),
            "findings": findings,
            "naive_log_returns": _text(naive.log_returns),
            "from_store": from_store,
        }
    )


def moment_text(moment: datetime) -> str:
    """An aware moment as the journal keeps it: in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _text(values: Floats) -> str:
    # It must be contiguous, as a row of many forecasts is.
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def findings_text(drift: DriftReport) -> str:
    """A report as the text that the journal keeps, the same that SQLAlchemy would write."""
    return json.dumps(drift.to_json())
