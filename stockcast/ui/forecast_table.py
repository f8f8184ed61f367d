"""A forecast as a table, on the page and as CSV."""

from __future__ import annotations

import pandas as pd

from stockcast.ui.format import interval, price, session
from stockcast.workflows.forecast import Answer

SHARES = (0.80, 0.95)


def shown_table(answer: Answer) -> pd.DataFrame:
    """One row a horizon, in words for people."""
    forecast = answer.forecast
    edges = {share: forecast.interval(share) for share in SHARES}
    unit = f" ({forecast.context.currency})" if forecast.context.currency else ""
    return pd.DataFrame(
        [
            {
                # A hyphen at which a narrow table does not break the date.
                "Session": session(forecast.session(h + 1), h + 1).replace("-", "\N{NON-BREAKING HYPHEN}"),
                f"Median{unit}": price(forecast.median[h]),
                **{
                    f"{share:.0%} interval".replace("%", " %"): interval(low[h], high[h])
                    for share, (low, high) in edges.items()
                },
                f"Naive{unit}": price(answer.naive.median[h]),
            }
            for h in range(forecast.horizon)
        ]
    )


def csv_bytes(answer: Answer) -> bytes:
    """One row a horizon, at full precision, with the version that spoke."""
    forecast, version = answer.forecast, answer.speaker.version
    edges = {f"{share:.0%}".rstrip("%"): forecast.interval(share) for share in SHARES}
    table = pd.DataFrame(
        {
            "ticker": forecast.context.ticker or "",
            "cutoff": forecast.context.cutoff,
            "horizon": range(1, forecast.horizon + 1),
            "session": [forecast.session(h + 1) for h in range(forecast.horizon)],
            "currency": forecast.context.currency or "",
            "last_close": forecast.context.last_close,
            "median": forecast.median,
            **{
                f"{edge}_{name}": values
                for name, pair in edges.items()
                for edge, values in zip(("low", "high"), pair, strict=True)
            },
            "naive": answer.naive.median,
            "model": version.name,
            "version": version.version,
            "kind": version.kind,
        }
    )
    return table.to_csv(index=False).encode()
