"""Faults that the closes show by themselves: no numbers, a feed that stands still, splits, unit errors, jumps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stockcast.config import DriftConfig
from stockcast.monitoring.faults import fault, move, others, place
from stockcast.monitoring.findings import Finding, Severity
from stockcast.prices.frame import Floats
from stockcast.prices.window import PriceWindow

# Standard deviation of a normal variable whose median absolute value is 1.
_MAD_TO_SD = 1.4826
_RATIOS = np.array([2, 3, 10, 100, 1000])
# The session's ordinary move lies on top of a split: three usual moves are allowed for, within these bounds of log
# return. The upper one keeps a fall of 42 % or less from ever being called a split.
_LEAST_SLACK, _MOST_SLACK = 0.05, 0.15
# A tenfold move is a fault however wild the rest is, or a window of nothing but rubbish would excuse itself.
_MOST_EXCUSED = np.log(10)
# Runs of equal closes that chance makes in a window: above this a run is no proof of a feed that stands still.
_BY_CHANCE = 0.02


def check_values(window: PriceWindow, config: DriftConfig) -> list[Finding]:
    """Every fault of the closes, whatever their dates."""
    return [
        *_not_finite(window),
        *_not_positive(window),
        *_identical(window, config.identical_closes),
        *_jumps(window, config),
    ]


def valid(closes: Floats) -> NDArray[np.bool_]:
    """Which closes are positive and finite. [L]"""
    return np.isfinite(closes) & (closes > 0)


def known_log_closes(closes: Floats) -> Floats:
    """Logarithms of the closes, NaN where one is not a price. [L]"""
    known = valid(closes)
    return np.where(known, np.log(np.where(known, closes, 1.0)), np.nan)


def usual_move(returns: Floats) -> float:
    """Robust daily volatility of a window's log returns: the scaled median size, the largest one left out.

    Zero when fewer than two returns are known, or when more than half of them are zero.
    """
    sizes = np.sort(np.abs(returns[np.isfinite(returns)]))[:-1]
    return float(_MAD_TO_SD * np.median(sizes)) if len(sizes) else 0.0


def _not_finite(window: PriceWindow) -> list[Finding]:
    wrong = np.flatnonzero(~np.isfinite(window.closes))
    if not wrong.size:
        return []
    sentence = f"The close {place(window, wrong[0])} is missing or not a finite number{others(len(wrong))}."
    return [fault("not_finite", len(wrong), 0, sentence, wrong)]


def _not_positive(window: PriceWindow) -> list[Finding]:
    wrong = np.flatnonzero(np.isfinite(window.closes) & (window.closes <= 0))
    if not wrong.size:
        return []
    shown = window.closes[wrong[0]] + 0.0  # -0.0 reads as 0
    sentence = (
        f"The close {place(window, wrong[0])} is {shown:g}{others(len(wrong))}; closes must be positive numbers."
    )
    return [fault("not_positive", len(wrong), 0, sentence, wrong)]


def _identical(window: PriceWindow, limit: int) -> list[Finding]:
    closes = window.closes
    # Rows at which a run of equal closes begins, and one past the last row; NaN equals nothing.
    edges = np.concatenate(([0], np.flatnonzero(closes[1:] != closes[:-1]) + 1, [len(closes)]))
    lengths = np.diff(edges)
    runs = np.flatnonzero(lengths >= limit)
    if not runs.size:
        return []
    longest = int(np.argmax(lengths))
    sentence = (
        f"{lengths[longest]} closes in a row are {closes[edges[longest]]:g}, the first "
        f"{place(window, edges[longest])}{others(len(runs))}: the feed stood still, or the share hardly trades."
    )
    positions = np.concatenate([np.arange(edges[run], edges[run + 1]) for run in runs])
    severity: Severity = "amber" if _hardly_trades(lengths, longest) else "red"
    return [fault("identical_closes", lengths[longest], limit, sentence, positions, severity)]


def _hardly_trades(lengths: NDArray[np.intp], longest: int) -> bool:
    """Whether chance makes such a run where closes repeat as often as they do in the rest of the window."""
    repeats = lengths - 1  # within each run of equal closes [runs]
    moves = int(lengths.sum()) - 1
    apart = moves - int(repeats[longest])
    share = (int(repeats.sum()) - int(repeats[longest])) / apart if apart else 0.0
    return bool(moves * share ** int(repeats[longest]) > _BY_CHANCE)


def _jumps(window: PriceWindow, config: DriftConfig) -> list[Finding]:
    returns = np.diff(known_log_closes(window.closes))  # [L - 1], NaN beside a close that is no price
    sizes = np.abs(returns)
    usual = usual_move(returns)
    red = max(config.jump, min(config.jump_sigmas * usual, _MOST_EXCUSED))
    amber = min(red, max(config.jump_amber, config.jump_amber_sigmas * usual))
    slack = min(max(3 * usual, _LEAST_SLACK), _MOST_SLACK)
    near = np.abs(sizes[:, None] - np.log(_RATIOS)) < slack  # [L - 1, ratios]
    like_split = near.any(axis=1)
    splits = _landings(np.flatnonzero(like_split), returns, slack)
    jumps = _landings(np.flatnonzero((sizes > amber) & ~like_split), returns, slack)
    return [*_like_splits(window, returns, near, splits), *_plain_jumps(window, returns, usual, amber, red, jumps)]


def _landings(rows: NDArray[np.intp], returns: Floats, slack: float) -> list[int]:
    """Positions of the closes on which suspicious returns land, without the way back from a single bad close."""
    landings: list[int] = []
    for row in rows.tolist():
        comes_back = landings and landings[-1] == row and abs(returns[row - 1] + returns[row]) < slack
        if not comes_back:
            landings.append(row + 1)
    return landings


def _like_splits(
    window: PriceWindow, returns: Floats, near: NDArray[np.bool_], positions: list[int]
) -> list[Finding]:
    if not positions:
        return []
    first = positions[0]
    log_return = float(returns[first - 1])
    ratio = int(_RATIOS[np.argmax(near[first - 1])])
    sentence = (
        f"Close {move(log_return)} {place(window, first)}{others(len(positions))}: "
        f"this looks like {_cause(ratio, rises=log_return > 0)}."
    )
    expected = ratio if log_return > 0 else 1 / ratio
    return [fault("split_or_unit", np.exp(log_return), expected, sentence, positions)]


def _cause(ratio: int, *, rises: bool) -> str:
    if ratio >= 100:
        return "a unit error"
    split = f"a 1:{ratio} reverse split" if rises else f"a {ratio}:1 split"
    return f"{split} that was not adjusted" + (", or a unit error" if ratio == 10 else "")


def _plain_jumps(
    window: PriceWindow, returns: Floats, usual: float, amber: float, red: float, positions: list[int]
) -> list[Finding]:
    if not positions:
        return []
    worst = max(positions, key=lambda position: abs(returns[position - 1]))
    size = abs(float(returns[worst - 1]))
    compared = f", {size / usual:.0f} times the usual move of this window" if usual else ""
    severity: Severity = "red" if size > red else "amber"
    advice = "check this price" if severity == "red" else "check this price, or read that day's news"
    fell = move(float(returns[worst - 1]))
    sentence = f"Close {fell} {place(window, worst)}{compared}{others(len(positions))}: {advice}."
    return [fault("jump", size, red if severity == "red" else amber, sentence, positions, severity)]
