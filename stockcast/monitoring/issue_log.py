"""Tells the log that a forecast was issued, and warns when it reads a window with amber or red findings."""

from __future__ import annotations

from structlog.stdlib import BoundLogger

from stockcast.forecasting.context import Context
from stockcast.logs import get_logger
from stockcast.monitoring.findings import DriftReport

_log = get_logger(__name__)
_GRAVE = ("red", "amber")  # the worst first


def log_issued(
    context: Context,
    drift: DriftReport,
    *,
    journal_id: int,
    universe: str,
    face: str,
    model: str,
    model_version: str,
    run_id: str | None,
    from_store: bool,
) -> None:
    """One line for each forecast that is issued, and one more when its window has drifted.

    Call it once the forecast stands in the journal: both lines name its row.
    """
    log = _about(context, drift, universe, face, model, model_version, run_id).bind(
        journal_id=journal_id, fingerprint=context.fingerprint
    )
    log.info("forecast_issued", from_store=from_store)
    _warn(log, drift)


def log_drift(
    context: Context,
    drift: DriftReport,
    *,
    request_id: str,
    universe: str,
    face: str,
    model: str,
    model_version: str,
    run_id: str | None,
) -> None:
    """The second of these lines alone, for those who issue thousands in a second. It names the request instead."""
    log = _about(context, drift, universe, face, model, model_version, run_id)
    _warn(log.bind(request_id=request_id), drift)


def _about(
    context: Context,
    drift: DriftReport,
    universe: str,
    face: str,
    model: str,
    model_version: str,
    run_id: str | None,
) -> BoundLogger:
    return _log.bind(
        universe=universe,
        ticker=context.ticker,
        cutoff=context.cutoff,
        face=face,
        model=model,
        model_version=model_version,
        run_id=run_id,
        severity=drift.severity,
    )


def _warn(log: BoundLogger, drift: DriftReport) -> None:
    grave = sorted(
        (finding for finding in drift.findings if finding.severity in _GRAVE),
        key=lambda finding: _GRAVE.index(finding.severity),
    )
    if grave:
        worst = grave[0]
        log.warning(
            "drift_detected",
            layers=list(dict.fromkeys(finding.layer for finding in grave)),
            measures=list(dict.fromkeys(finding.measure for finding in grave)),
            layer=worst.layer,
            measure=worst.measure,
            value=worst.value,
            threshold=worst.threshold,
            sentence=worst.sentence,
        )
