"""A scorecard in words and rows for a report: every figure beside the naive one, with how much it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.registry.runs import SCORES
from stockcast.workflows.report_page import Html, percent, table

_SIGNIFICANT = 0.05
_ROWS: Final = (  # figure, its name, how it is written, how to read it
    ("mae", "MAE", "#.4g", "smaller is better"),
    ("rmse", "RMSE", "#.4g", "smaller is better"),
    ("mape", "MAPE (%)", ".3f", "smaller is better"),
    ("crps", "CRPS (% of price)", ".4f", "smaller is better"),
    ("winkler_90", "Winkler score, 90 % interval", ".3f", "smaller is better"),
    ("log_score", "Log score", ".4f", "smaller is better"),
    ("coverage_80", "80 % interval held", "%", "80 % is right"),
    ("coverage_90", "90 % interval held", "%", "90 % is right"),
    ("coverage_95", "95 % interval held", "%", "95 % is right"),
)


def scores_of(card: Scorecard) -> dict[str, float]:
    """The figures as a run keeps them; without those that it has not."""
    found = {name: getattr(card, name) for name in SCORES}
    return {name: float(value) for name, value in found.items() if value is not None}


def score_table(scores: Mapping[str, float], label: str) -> Html:
    """One row a measure that is known of both."""
    rows = [
        (name, _written(scores[each], how), _written(scores[f"naive_{each}"], how), read)
        for each, name, how, read in _ROWS
        if each in scores and f"naive_{each}" in scores
    ]
    caption = f"One session ahead, {scores.get('count', 0):,.0f} forecasts of sessions that the model had not seen"
    return table(("Measure", label, "Naive", "How to read it"), rows, caption)


def skill_words(scores: Mapping[str, float]) -> str:
    """How far it is from naive, over how many forecasts, and whether that could be chance; empty: not judged."""
    if "skill" not in scores:
        return ""
    skill, p_value = scores["skill"], scores.get("dm_p_value", float("nan"))
    word = "better than" if skill > 0 else "worse than" if skill < 0 else "no better than"
    sure = "is hardly chance" if p_value <= _SIGNIFICANT else "could be chance"
    return (
        f"In its backtest its distributions were {percent(abs(skill), '.2f')} {word} the naive ones (CRPS) over "
        f"{scores.get('count', 0):,.0f} forecasts; the difference {sure} (Diebold-Mariano {p_text(p_value)})."
    )


def _written(value: float, how: str) -> str:
    return percent(value) if how == "%" else f"{value:{how}}"
