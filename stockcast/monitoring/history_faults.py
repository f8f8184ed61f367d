"""Disagreement with the stored history of the same ticker: returns first, for levels are restated by dividends."""

from __future__ import annotations

import numpy as np

from stockcast.config import DriftConfig
from stockcast.monitoring.date_faults import in_order
from stockcast.monitoring.faults import fault, move, others, place
from stockcast.monitoring.findings import Finding, Severity
from stockcast.monitoring.value_faults import known_log_closes, usual_move, valid
from stockcast.prices.frame import Floats, PriceFrame
from stockcast.prices.window import PriceWindow

# Differences of log return. A dividend that only one side adjusts for is told above the first, a different price
# above the second.
_TOLD, _WRONG = 0.02, 0.10
# Prices of another ticker, or of another day, differ in a typical return by about its own size; rounding to cents
# differs by far less.
_UNLIKE, _ROUNDING = 0.5, 0.001
_FEWEST_TO_BE_UNLIKE = 10

NO_HISTORY = "No stored history was at hand: the window was not compared with it."
NO_ORDER = "Without dates in order, the returns were not compared with the stored history."
NO_OVERLAP = "The window shares no two sessions with the stored history: returns were not compared."


def check_against_history(
    window: PriceWindow, stored: PriceFrame | None, config: DriftConfig
) -> tuple[list[Finding], list[str]]:
    """What the stored history of the window's ticker contradicts, and what could not be compared."""
    if stored is None or not len(stored):
        return [], [NO_HISTORY]
    rows, stored_rows = _common_rows(window, stored)
    if len(rows) < 2:
        ordered = window.sessions is not None and in_order(window.sessions)
        return _far_from_stored(window, stored, config), [NO_OVERLAP if ordered else NO_ORDER]
    disagreeing = _compare_returns(window, stored, rows, stored_rows)
    return disagreeing + _far_on_common_session(window, stored, rows[-1], stored_rows[-1], config, disagreeing), []


def _common_rows(window: PriceWindow, stored: PriceFrame) -> tuple[list[int], list[int]]:
    """Rows of the window that hold a price, and of the stored history, that are the same session."""
    if window.sessions is None or not in_order(window.sessions):
        return [], []
    priced = np.flatnonzero(valid(window.closes))
    _, rows, stored_rows = np.intersect1d(
        window.sessions[priced], stored.sessions, assume_unique=True, return_indices=True
    )
    return priced[rows].tolist(), stored_rows.tolist()


def _compare_returns(
    window: PriceWindow, stored: PriceFrame, rows: list[int], stored_rows: list[int]
) -> list[Finding]:
    given: Floats = np.diff(np.log(window.closes[rows]))  # [C - 1] between common sessions
    kept: Floats = np.diff(np.log(stored.close[stored_rows]))
    difference = np.abs(given - kept)
    typical, limit = float(np.median(difference)), max(_UNLIKE * float(np.median(np.abs(kept))), _ROUNDING)
    if len(rows) > _FEWEST_TO_BE_UNLIKE and typical > limit:
        sentence = (
            f"The returns are unlike those stored for {stored.ticker}, a typical one differs by "
            f"{100 * typical:.1f} %: check the ticker and the dates."
        )
        return [fault("unlike_history", typical, limit, sentence, rows[1:])]
    wrong = np.flatnonzero(difference > _TOLD)
    if not wrong.size:
        return []
    worst = int(np.argmax(difference))
    sentence = (
        f"Close {move(float(given[worst]))} {place(window, rows[worst + 1])}{others(len(wrong))}, in the stored "
        f"history of {stored.ticker} it {move(float(kept[worst]))}: a wrong price, or a split or dividend that "
        "only one of them adjusts for."
    )
    severe = difference[worst] > _WRONG
    return [
        fault(
            "returns_disagree",
            difference[worst],
            _WRONG if severe else _TOLD,
            sentence,
            [rows[row + 1] for row in wrong],
            "red" if severe else "amber",
        )
    ]


def _far_on_common_session(
    window: PriceWindow, stored: PriceFrame, row: int, stored_row: int, config: DriftConfig, faults: list[Finding]
) -> list[Finding]:
    """Levels on the last common session; amber when the returns agree, which survive another unit."""
    distance = abs(float(np.log(window.closes[row]) - np.log(stored.close[stored_row])))
    if distance <= config.jump:
        return []
    sentence = (
        f"The close on {stored.sessions[stored_row]} is {window.closes[row]:.6g}, the stored close of "
        f"{stored.ticker} {stored.close[stored_row]:.6g}: check the unit, the currency and the adjustment."
    )
    severity: Severity = "red" if any(finding.severity == "red" for finding in faults) else "amber"
    return [fault("last_close", distance, config.jump, sentence, [row], severity)]


def _far_from_stored(window: PriceWindow, stored: PriceFrame, config: DriftConfig) -> list[Finding]:
    """The last close against the last stored one, when no session is common; room is left for the time between."""
    priced = np.flatnonzero(valid(window.closes))
    if not priced.size:
        return []
    row = int(priced[-1])
    usual = usual_move(np.diff(known_log_closes(window.closes)))
    bound = max(config.jump, config.jump_sigmas * usual * np.sqrt(_sessions_apart(window, stored, row)))
    distance = abs(float(np.log(window.closes[row]) - np.log(stored.close[-1])))
    if distance <= bound:
        return []
    sentence = (
        f"The last close is {window.closes[row]:.6g}, the last stored close of {stored.ticker} "
        f"{stored.close[-1]:.6g} on {stored.last_session}: check the ticker, the unit and the currency."
    )
    return [fault("last_close", distance, bound, sentence, [row])]


def _sessions_apart(window: PriceWindow, stored: PriceFrame, row: int) -> float:
    """About how many sessions lie between a close and the last stored one; 1 when the close has no date."""
    if window.sessions is None or np.isnat(window.sessions[row]):
        return 1.0
    days = abs(int((window.sessions[row] - stored.sessions[-1]).astype(int)))
    return max(1.0, days * 5 / 7)
