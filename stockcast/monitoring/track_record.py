"""The track record: what live forecasts have been worth, beside naive and beside what the backtest promised.

Only what nobody can polish counts: forecasts of stored histories, issued before their session closed, and of each
ticker, cutoff and horizon the first one that was said. Whatever is left out is counted and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from stockcast.evaluation.comparison import daily_means, skill
from stockcast.evaluation.one_ahead import OneAhead
from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import diebold_mariano
from stockcast.forecasting.quantiles import MEDIAN
from stockcast.monitoring.live_coverage import live_coverage, live_pit
from stockcast.monitoring.miss_cusum import MissCusum, miss_cusum
from stockcast.monitoring.record import (
    SHARES,
    LeftOut,
    LiveScores,
    Promise,
    RecordPart,
    SkillPoint,
    TrackRecord,
)
from stockcast.monitoring.scored import Bools, Scored


def track_record(
    scored: Scored,
    *,
    ticker: str | None = None,
    model_version: str | None = None,
    since: date | None = None,
    until: date | None = None,
    last: int | None = None,
    promised: Mapping[str, Scorecard] | None = None,
    confidence: float = 0.95,
) -> TrackRecord:
    """The record of one universe and horizon, or a part of it; `last` means only so many of the newest sessions.

    What a version said counts where it was first to speak, also when it is asked for alone. `promised` are the
    scorecards of versions, `confidence` is that of the bands.
    """
    counts, reasons = first_words(scored)
    chosen = np.ones(len(scored), dtype=np.bool_)
    if ticker is not None:
        chosen &= scored.tickers == ticker
    if model_version is not None:
        chosen &= scored.versions == model_version
    if since is not None:
        chosen &= scored.sessions >= np.datetime64(since, "D")
    if until is not None:
        chosen &= scored.sessions <= np.datetime64(until, "D")
    if last is not None and (counts & chosen).any():
        days = np.unique(scored.sessions[counts & chosen])
        chosen &= scored.sessions >= days[-last:][0]
    left_out = LeftOut(**{name: int((reason & chosen).sum()) for name, reason in reasons.items()})
    empty = TrackRecord(scored.universe, scored.horizon, ticker, model_version, left_out)
    held = scored.where(counts & chosen)
    if not len(held):
        return empty
    own, cards = _ahead(held), promised if promised and scored.horizon == 1 else {}
    return TrackRecord(
        universe=scored.universe,
        horizon=scored.horizon,
        ticker=ticker,
        model_version=model_version,
        left_out=left_out,
        scores=_scores(held, confidence),
        promise=_promise(held, cards),
        pit=live_pit(held.pit, held.sessions, held.horizon, confidence),
        cusum=_cusum(held, own) if held.horizon == 1 else None,
        path=_path(held),
        tickers=tuple(
            RecordPart(name, _scores(held.where(held.tickers == name), confidence))
            for name in np.unique(held.tickers).tolist()
        ),
        versions=tuple(
            RecordPart(name, _scores(part, confidence), _promise(part, cards))
            for name, part in ((name, held.where(held.versions == name)) for name in _in_order(held.versions))
        ),
    )


def first_words(scored: Scored) -> tuple[Bools, dict[str, Bools]]:
    """Which forecasts count, and which are left out for each reason of LeftOut. [N] each"""
    uploaded = ~scored.from_store | np.isnan(scored.naive_crps)
    late = ~scored.live & ~uploaded
    rows = np.flatnonzero(~uploaded & ~late)
    first = np.arange(len(scored))
    said: dict[tuple[str, object], int] = {}
    keys = zip(scored.tickers[rows].tolist(), scored.cutoffs[rows].tolist(), strict=True)
    for row, key in zip(rows.tolist(), keys, strict=True):  # in the order in which they were issued
        first[row] = said.setdefault(key, row)
    later = first != np.arange(len(scored))
    same = later & (scored.quantiles == scored.quantiles[first]).all(axis=1)
    reasons = {"uploaded": uploaded, "after_the_fact": late, "repeated": same, "revised": later & ~same}
    return ~uploaded & ~late & ~later, reasons


def _ahead(held: Scored) -> OneAhead:
    """In units of the last close: what a restated history would tell in another unit stays as it was."""
    medians, closes = np.exp(held.quantiles[:, MEDIAN]), np.exp(held.returns)
    return OneAhead(held.quantiles, held.returns, medians, closes, held.sessions, held.crps)


def _naive_ahead(held: Scored) -> OneAhead:
    medians, closes = np.exp(held.naive_quantiles[:, MEDIAN]), np.exp(held.returns)
    return OneAhead(held.naive_quantiles, held.returns, medians, closes, held.sessions, held.naive_crps)


def _scores(held: Scored, confidence: float) -> LiveScores:
    own, naive = _ahead(held), _naive_ahead(held)
    ours, theirs = (daily_means(losses, held.sessions) for losses in (held.crps, held.naive_crps))
    test = diebold_mariano(ours, theirs, held.horizon)
    mape, naive_mape = own.mape, naive.mape
    return LiveScores(
        count=len(held),
        sessions=test.count,
        first_session=held.sessions.min().item(),
        last_session=held.sessions.max().item(),
        mape=mape,
        naive_mape=naive_mape,
        mape_ratio=mape / naive_mape if naive_mape else 1.0,
        crps=float(held.crps.mean()),
        naive_crps=float(held.naive_crps.mean()),
        skill=skill(held.crps, held.naive_crps),
        dm_statistic=test.statistic,
        p_value=test.p_value,
        coverages=tuple(
            live_coverage(
                share, own.held(share), naive.held(share), held.sessions, held.horizon, confidence=confidence
            )
            for share in SHARES
        ),
    )


def _promise(held: Scored, cards: Mapping[str, Scorecard]) -> Promise | None:
    names, spoke = np.unique(held.versions, return_counts=True)
    counts = {name: count for name, count in zip(names.tolist(), spoke.tolist(), strict=True) if name in cards}
    if not counts:
        return None

    def mean(figure: str) -> float:
        return float(np.average([getattr(cards[name], figure) for name in counts], weights=list(counts.values())))

    return Promise(
        count=sum(counts.values()),
        mape_ratio=mean("mape_ratio"),
        skill=mean("skill"),
        coverage_80=mean("coverage_80"),
        coverage_90=mean("coverage_90"),
        coverage_95=mean("coverage_95"),
    )


def _cusum(held: Scored, own: OneAhead) -> MissCusum:
    missed = (~own.held(0.8)).astype(np.float64)
    return miss_cusum(daily_means(missed, held.sessions), np.unique(held.sessions))


def _path(held: Scored) -> tuple[SkillPoint, ...]:
    days, counts = np.unique(held.sessions, return_counts=True)
    own, naive = daily_means(held.crps, held.sessions), daily_means(held.naive_crps, held.sessions)
    told = np.cumsum(counts)
    reference = np.cumsum(naive * counts)
    skills = np.where(reference > 0, 1 - np.cumsum(own * counts) / np.where(reference > 0, reference, 1.0), 0.0)
    columns = (days, told, skills, np.cumsum(naive - own))
    return tuple(SkillPoint(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _in_order(versions: np.ndarray[tuple[int], np.dtype[np.str_]]) -> list[str]:
    """Each version once, in the order in which they first spoke."""
    return list(dict.fromkeys(versions.tolist()))
