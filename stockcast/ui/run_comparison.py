"""Several runs side by side: what differs between their parameters, and their figures less those of a baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from stockcast.registry.run_summary import RunSummary
from stockcast.ui.format import MISSING, seconds
from stockcast.ui.registry_reads import Curve
from stockcast.ui.run_words import figure, run_labels

MOST_COMPARED = 8
_EMPTY = {"", "None", "[]", "()", "{}", "nan"}


@dataclass(frozen=True)
class Measure:
    """How one figure of a scorecard is written: its scale, decimals and unit, and which way is better."""

    name: str
    title: str
    digits: int
    better: int  # -1: smaller, 1: larger, 0: neither
    how: str
    scale: float = 1.0
    unit: str = ""
    sign: str = "-"  # + where a gain should show as one

    def value(self, run: RunSummary) -> float:
        """In the unit in which it is shown; NaN where the run has none."""
        return figure(run, self.name, self.scale)

    def text(self, run: RunSummary, baseline: RunSummary) -> str:
        """The figure, behind it how far it is from that of the baseline; nothing where the data differ."""
        value = self.value(run)
        if not math.isfinite(value):
            return MISSING
        shown = f"{value:{self.sign},.{self.digits}f}{self.unit}"
        difference = round(value - self.value(baseline), self.digits) + 0.0
        if not difference or not math.isfinite(difference) or unlike_data((run, baseline)):
            return shown
        word = "" if not self.better else ", better" if difference * self.better > 0 else ", worse"
        return f"{shown} ({difference:+,.{self.digits}f}{word})"


_SMALL, _LARGE = "smaller is better", "larger is better"
_GLUED = "\N{NO-BREAK SPACE}%"
MEASURES = (
    Measure("skill", "Skill over naive", 2, 1, _LARGE, 100, _GLUED, "+"),
    Measure("dm_p_value", "p (Diebold-Mariano)", 3, 0, "small: hardly chance"),
    Measure("count", "Forecasts judged", 0, 0, "what all of this rests on"),
    Measure("crps", "CRPS (percent of price)", 4, -1, _SMALL),
    Measure("naive_crps", "Naive CRPS", 4, 0, "the same of naive"),
    Measure("mape", "MAPE", 3, -1, _SMALL, 1, _GLUED),
    Measure("naive_mape", "Naive MAPE", 3, 0, "the same of naive", 1, _GLUED),
    Measure("mape_ratio", "MAPE / naive MAPE", 4, -1, "close to 1 for every honest model"),
    Measure("coverage_80", "80 % interval held", 1, 0, "80 % is right", 100, _GLUED),
    Measure("naive_coverage_80", "80 % of naive held", 1, 0, "the same of naive", 100, _GLUED),
    Measure("coverage_95", "95 % interval held", 1, 0, "95 % is right", 100, _GLUED),
    Measure("naive_coverage_95", "95 % of naive held", 1, 0, "the same of naive", 100, _GLUED),
    Measure("winkler_90", "Winkler score, 90 %", 3, -1, _SMALL),
    Measure("naive_winkler_90", "Naive Winkler score", 3, 0, "the same of naive"),
    Measure("log_score", "Log score", 4, -1, _SMALL),
    Measure("naive_log_score", "Naive log score", 4, 0, "the same of naive"),
    Measure("qlike", "QLIKE", 4, -1, _SMALL),
    Measure("naive_qlike", "Naive QLIKE", 4, 0, "the same of naive"),
)

_HOW = {"Best validation loss": "smaller is better, on the same windows", "Duration": "from start to verdict"}


def parameter_table(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """One row a parameter that is not the same in all runs, one column a run."""
    names = dict.fromkeys(name for run in runs for name in run.parameters)
    rows = {name: [shown_parameter(run.parameters.get(name, "")) for run in runs] for name in names}
    different = {name: values for name, values in rows.items() if len(set(values)) > 1}
    return _table("Parameter", runs, different)


def figure_table(runs: Sequence[RunSummary], baseline: RunSummary, curves: Mapping[str, Curve]) -> pd.DataFrame:
    """One row a measure that any of the runs has, one column a run; `baseline` is one of them."""
    rows = {
        measure.title: [measure.text(run, baseline) for run in runs]
        for measure in MEASURES
        if any(math.isfinite(measure.value(run)) for run in runs)
    }
    if any(curves.values()):
        rows["Best validation loss"] = [_best(curves.get(run.run_id, ())) for run in runs]
    rows["Duration"] = [MISSING if run.seconds is None else seconds(run.seconds) for run in runs]
    how = {measure.title: measure.how for measure in MEASURES} | _HOW
    return _table("Measure", runs, rows).assign(**{"How to read it": [how[title] for title in rows]})


def unlike_data(runs: Sequence[RunSummary]) -> bool:
    """Whether some of the runs were judged on other prices or sessions than others."""
    return len({run.fingerprint for run in runs if run.fingerprint}) > 1


def shown_parameter(value: str) -> str:
    """A parameter as people read it: a list without its brackets, a dash for nothing."""
    text = value.strip()
    if text in _EMPTY:
        return MISSING
    if text[0] in "[(" and text[-1] in "])":
        return text[1:-1].replace("'", "").rstrip(",")
    return text


def _best(curve: Curve) -> str:
    if not curve:
        return MISSING
    epoch, loss = min(curve, key=lambda point: (point[1], point[0]))
    return f"{loss:.4f} (epoch {epoch})"


def _table(head: str, runs: Sequence[RunSummary], rows: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    cells = [[name, *values] for name, values in rows.items()]
    return pd.DataFrame(cells, columns=[head, *run_labels(runs)])
