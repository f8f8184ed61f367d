"""The promotion gate: may the candidate speak? It advises with reasons; a person may overrule it with a note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stockcast.config import PromotionConfig
from stockcast.evaluation.scorecard import Comparison, Scorecard
from stockcast.evaluation.significance import p_text

SIGNIFICANT = 0.05  # p-values above it are said to be no proof


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate is promoted, and why, one sentence each."""

    promoted: bool
    reasons: tuple[str, ...]


def judge(
    card: Scorecard, comparisons: Sequence[Comparison], objections: Sequence[str], rules: PromotionConfig
) -> Verdict:
    """Judges a candidate against every opponent: the baselines and the present champion.

    `objections` are findings that rule promotion out whatever the figures say, for example a champion that
    cannot be judged on these sessions without a leak.
    """
    failures = list(objections)
    successes: list[str] = []
    if not card.mape_ratio <= rules.max_mape_ratio:  # so that NaN fails too
        failures.append(
            f"Its MAPE is {card.mape_ratio:.4f} times the naive one over {card.count:,} forecasts; "
            f"at most {rules.max_mape_ratio} is allowed."
        )
    for comparison in comparisons:
        (successes if comparison.skill > 0 else failures).append(_sentence(comparison, card.count))
    return Verdict(not failures, tuple(failures or successes))


def _sentence(comparison: Comparison, count: int) -> str:
    word = "lower" if comparison.skill > 0 else "not lower"
    doubt = ", though not significantly" if comparison.skill > 0 and comparison.test.p_value > SIGNIFICANT else ""
    return (
        f"Its CRPS is {word} than that of {comparison.opponent}{doubt}: skill {100 * comparison.skill:+.2f} % "
        f"over {count:,} forecasts (Diebold-Mariano {p_text(comparison.test.p_value)})."
    )
