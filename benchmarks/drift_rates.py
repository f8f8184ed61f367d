"""How often the drift check cries wolf on healthy windows, and how often it notices what was done to them.

    python -m benchmarks.drift_rates                     the panels that come with packages
    python -m benchmarks.drift_rates --folder FOLDER     files named after their tickers
    python -m benchmarks.drift_rates --train 0.5         another share of sessions to learn from
    python -m benchmarks.drift_rates --most 2000         up to so many windows a panel, evenly chosen

The reference is fitted on the first part of each history. Windows of 60 sessions lie in the rest and do not
overlap; the stored history of each ends where it begins. Every window is judged twice: with ticker, dates and
stored history, and by its 60 closes alone. Beside it stand textbook tests of the same window against its ticker's
training part.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.drift_faults import FAULTS, Fault
from benchmarks.panels import Panel, folder_panel, package_panels
from benchmarks.textbook_tests import TESTS
from stockcast.config import DriftConfig
from stockcast.monitoring.drift import check_window
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.value_faults import known_log_closes
from stockcast.prices.frame import Floats, PriceFrame
from stockcast.prices.window import PriceWindow

LOOKBACK = 60
_ENOUGH = 20  # tickers that others are worth judging by
HEALTHY = Fault("healthy", lambda window, _rng: window, integrity=False)
# With ticker, dates and stored history; by the closes alone.
KINDS = ("known", "closes only")


@dataclass(frozen=True, eq=False)
class Case:
    """A healthy window after the training part, and what is known of its ticker."""

    window: PriceWindow
    stored: PriceFrame  # ends where the window begins
    trained: PriceFrame  # the training part


def later_windows(frames: Sequence[PriceFrame], train: float) -> Iterator[Case]:
    """The windows after each training part."""
    for frame in frames:
        cut = int(len(frame) * train)
        for start in range(cut, len(frame) - LOOKBACK + 1, LOOKBACK):
            rows = slice(start, start + LOOKBACK)
            window = PriceWindow(frame.close[rows], frame.sessions[rows], frame.ticker)
            yield Case(window, frame.rows(0, start), frame.rows(0, cut))


def evenly(cases: Sequence[Case], most: int) -> list[Case]:
    """At most so many of them, as far apart as can be."""
    rows = np.unique(np.linspace(0, len(cases) - 1, min(most, len(cases))).astype(int))
    return [cases[row] for row in rows]


def reference_of(frames: Sequence[PriceFrame], train: float) -> DriftReference:
    """Fitted on the first part of each history."""
    return DriftReference.fit([frame.rows(0, int(len(frame) * train)) for frame in frames], LOOKBACK)


def check(window: PriceWindow, case: Case, reference: DriftReference | None, kind: str = "known") -> DriftReport:
    """The check as it would have been made on the window's last day."""
    assert case.window.sessions is not None
    today: date = case.window.sessions[-1].astype(object)
    if kind == "closes only":
        return check_window(PriceWindow(window.closes), reference, DriftConfig(), today=today, stored=None)
    return check_window(window, reference, DriftConfig(), today=today, stored=case.stored)


def told(report: DriftReport) -> tuple[bool, bool, bool]:
    """Whether it is red, whether it warns at all, and whether the regime is told."""
    return report.severity == "red", report.warning, any(found.layer == "regime" for found in report.findings)


def textbook(window: PriceWindow, case: Case) -> list[bool]:
    """Alarms of each test on the closes, then on the log returns; False where there is nothing to test."""
    alarms = []
    for transform in (np.exp, np.diff):
        values, training = transform(known_log_closes(window.closes)), transform(np.log(case.trained.close))
        values = values[np.isfinite(values)]
        alarms += [bool(len(values)) and test(values, training) for test in TESTS.values()]
    return alarms


def rates(fault: Fault, cases: Sequence[Case], reference: DriftReference) -> list[float]:
    """Percent of the windows; NaN where the fault cannot be seen without dates.

    For each of KINDS red, warned and regime, then each textbook test on closes and on returns.
    """
    rng = np.random.default_rng(7)
    windows = [fault.inject(case.window, rng) for case in cases]
    pairs = list(zip(windows, cases, strict=True))
    columns: list[float] = []
    for kind in KINDS:
        if fault.dated and kind == "closes only":
            columns += [np.nan] * 3
        else:
            columns += percent([told(check(window, case, reference, kind)) for window, case in pairs])
    return columns + percent([textbook(window, case) for window, case in pairs])


def percent(rows: Sequence[Sequence[bool]]) -> list[float]:
    """Percent of true values by column."""
    shares: Floats = 100 * np.array(rows, dtype=float).mean(axis=0)
    return shares.tolist()


def report(panel: Panel, train: float, most: int, *, listed: bool) -> None:
    """Prints one panel as a table in Markdown."""
    reference = reference_of(panel.learnt, train)
    cases = evenly(list(later_windows(panel.judged, train)), most)
    tests = [f"{test} {what}" for what in ("closes", "returns") for test in TESTS]
    print(f"\n### {panel.name}, {train:.0%} learnt from: {len(cases)} windows\n".replace("%", " %"))
    print("| % of windows | red | red or amber | regime | closes only: red | red or amber | regime |", end="")
    print(f" {' | '.join(tests)} |\n|---|{'---|' * (6 + len(tests))}")
    for fault in (HEALTHY, *FAULTS):
        shown = ["-" if np.isnan(value) else f"{value:.1f}" for value in rates(fault, cases, reference)]
        print(f"| {fault.name} | {' | '.join(shown)} |")
    if listed:
        for case in cases:
            for finding in check(case.window, case, reference).findings:
                print(f"    {case.window.ticker}: {finding.severity}: {finding.sentence}")


def both_ways(panel: Panel) -> list[Panel]:
    """Later windows of the tickers that were learnt from, and where there are many, those of other tickers."""
    everything = tuple({frame.ticker: frame for frame in (*panel.learnt, *panel.judged)}.values())
    name = panel.name.removesuffix(", held out")
    known = Panel(name, everything, everything)
    if len(everything) < _ENOUGH:
        return [known]
    return [known, Panel(f"{name}, half of the tickers judged by the others", everything[::2], everything[1::2])]


def main() -> None:
    """Prints the rates of each panel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--train", type=float, default=0.7)
    parser.add_argument("--most", type=int, default=500, help="windows of one panel, evenly chosen")
    parser.add_argument("--list", action="store_true", help="print the sentences found on healthy windows")
    arguments = parser.parse_args()
    panels = [folder_panel(arguments.folder)] if arguments.folder else package_panels()
    for panel in panels:
        for way in both_ways(panel):
            report(way, arguments.train, arguments.most, listed=arguments.list)


if __name__ == "__main__":
    main()
