"""An answer as plain data: what the command line and the API hand to programs."""

from __future__ import annotations

from pydantic import JsonValue

from stockcast.forecasting.chances import chance_above
from stockcast.forecasting.quantiles import LEVELS
from stockcast.workflows.forecast import Answer


def answer_json(answer: Answer, level: float | None = None) -> dict[str, JsonValue]:
    """Prices in the currency of the exchange; dates as ISO text, null where the window carried none.

    With a `level`, the chance of each close to end above it. Raises InvalidRequest for what can be none.
    """
    forecast, version, stale = answer.forecast, answer.speaker.version, answer.stale
    context = forecast.context
    card = answer.speaker.scorecard
    intervals = {name: forecast.interval(share) for name, share in (("80", 0.8), ("90", 0.9), ("95", 0.95))}
    prices = forecast.prices
    chances: list[dict[str, float]] = [{} for _ in range(forecast.horizon)]
    if level is not None:
        above = zip(chance_above(forecast, level), chance_above(answer.naive, level), strict=True)
        chances = [{"chance_above": float(ours), "naive_chance_above": float(naive)} for ours, naive in above]
    return {
        "ticker": context.ticker,
        "currency": context.currency,
        "cutoff": None if context.cutoff is None else str(context.cutoff),
        "last_close": context.last_close,
        "stale": None
        if stale is None
        else {
            "sentence": stale.sentence,
            "last_completed_session": str(stale.last_completed),
            "sessions_behind": stale.sessions_behind,
        },
        "forecasts": [
            {
                "horizon": h + 1,
                "session": str(forecast.session(h + 1)) if context.sessions else None,
                "median": float(forecast.median[h]),
                "naive": float(answer.naive.median[h]),
                **{f"interval_{name}": [float(low[h]), float(high[h])] for name, (low, high) in intervals.items()},
                "quantiles": {f"{level:g}": float(price) for level, price in zip(LEVELS, prices[h], strict=True)},
                **chances[h],
            }
            for h in range(forecast.horizon)
        ],
        "model": {
            "name": version.name,
            "version": version.version,
            "kind": version.kind,
            "run_id": version.run_id,
            "trained_until": None if version.trained_until is None else str(version.trained_until),
            "note": version.note,
        },
        "scorecard": None if card is None else card.to_json(),
        "drift": answer.drift.to_json(),
        "journal_id": answer.journal_id,
    }
