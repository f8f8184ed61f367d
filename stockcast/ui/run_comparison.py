"""Several runs side by side: what differs between their parameters, and their figures less those of a baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from stockcast.evaluation.significance import LEAST_P
from stockcast.registry.run_summary import RunSummary
from stockcast.ui.format import MISSING, figures, seconds
from stockcast.ui.language import N_, _
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
    least: float = -math.inf  # what is smaller is written as smaller than this

    def value(self, run: RunSummary) -> float:
        """In the unit in which it is shown; NaN where the run has none."""
        return figure(run, self.name, self.scale)

    def text(self, run: RunSummary, baseline: RunSummary) -> str:
        """The figure, behind it how far it is from that of the baseline; nothing where the data differ."""
        value = self.value(run)
        if not math.isfinite(value):
            return MISSING
        shown = figures(f"{max(value, self.least):{self.sign},.{self.digits}f}") + self.unit
        if value < self.least:
            shown = f"< {shown}"
        difference = round(value - self.value(baseline), self.digits) + 0.0
        if not difference or not math.isfinite(difference) or unlike_data((run, baseline)):
            return shown
        apart = figures(f"{difference:+,.{self.digits}f}")
        if not self.better:
            return f"{shown} ({apart})"
        word = _("better") if difference * self.better > 0 else _("worse")
        return f"{shown} ({apart}, {word})"


_SMALL, _LARGE = N_("smaller is better"), N_("larger is better")
_GLUED = "\N{NO-BREAK SPACE}%"
MEASURES = (
    Measure("skill", N_("Skill over naive"), 2, 1, _LARGE, 100, _GLUED, "+"),
    Measure("dm_p_value", N_("p (Diebold-Mariano)"), 3, 0, N_("small: hardly chance"), least=LEAST_P),
    Measure("count", N_("Forecasts judged"), 0, 0, N_("what all of this rests on")),
    Measure("crps", N_("CRPS (percent of price)"), 4, -1, _SMALL),
    Measure("naive_crps", N_("Naive CRPS"), 4, 0, N_("the same of naive")),
    Measure("mape", N_("MAPE"), 3, -1, _SMALL, 1, _GLUED),
    Measure("naive_mape", N_("Naive MAPE"), 3, 0, N_("the same of naive"), 1, _GLUED),
    Measure("mape_ratio", N_("MAPE / naive MAPE"), 4, -1, N_("close to 1 for every honest model")),
    Measure("coverage_80", N_("80 % interval held"), 1, 0, N_("80 % is right"), 100, _GLUED),
    Measure("naive_coverage_80", N_("80 % of naive held"), 1, 0, N_("the same of naive"), 100, _GLUED),
    Measure("coverage_95", N_("95 % interval held"), 1, 0, N_("95 % is right"), 100, _GLUED),
    Measure("naive_coverage_95", N_("95 % of naive held"), 1, 0, N_("the same of naive"), 100, _GLUED),
    Measure("winkler_90", N_("Winkler score, 90 %"), 3, -1, _SMALL),
    Measure("naive_winkler_90", N_("Naive Winkler score"), 3, 0, N_("the same of naive")),
    Measure("log_score", N_("Log score"), 4, -1, _SMALL),
    Measure("naive_log_score", N_("Naive log score"), 4, 0, N_("the same of naive")),
    Measure("qlike", N_("QLIKE"), 4, -1, _SMALL),
    Measure("naive_qlike", N_("Naive QLIKE"), 4, 0, N_("the same of naive")),
)

_HOW = {
    N_("Best validation loss"): N_("smaller is better, on the same windows"),
    N_("Duration"): N_("from start to verdict"),
}


def parameter_table(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """One row a parameter that is not the same in all runs, one column a run."""
    names = dict.fromkeys(name for run in runs for name in run.parameters)
    rows = {name: [shown_parameter(run.parameters.get(name, "")) for run in runs] for name in names}
    different = {name: values for name, values in rows.items() if len(set(values)) > 1}
    return _table(N_("Parameter"), runs, different)


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
    table = _table(N_("Measure"), runs, {_(title): values for title, values in rows.items()})
    return table.assign(**{N_("How to read it"): [_(how[title]) for title in rows]})


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
    return _("{loss} (epoch {epoch})").format(loss=figures(f"{loss:.4f}"), epoch=epoch)


def _table(head: str, runs: Sequence[RunSummary], rows: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    cells = [[name, *values] for name, values in rows.items()]
    return pd.DataFrame(cells, columns=[head, *run_labels(runs)])
