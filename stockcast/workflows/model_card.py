"""The model card: what a version learnt from, how it did against every rung, where it fails, and what it cost.

After Mitchell et al. (2019), Model Cards for Model Reporting. Markdown, for MLflow and for the page alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stockcast.config import Config
from stockcast.evaluation.diagnose import spoken
from stockcast.evaluation.diagnosis import Diagnosis, TickerDuel
from stockcast.evaluation.significance import p_text
from stockcast.evaluation.split import Split
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.workflows.backtest_tables import measure_rows

CARD_FILE = "model_card.md"
_READS = {"range": "open, high, low and volume", "market": "the median of its market"}


@dataclass(frozen=True, eq=False)
class Training:
    """What a model card tells beside the figures."""

    pairs: Sequence[TrainingPair]
    split: Split
    config: Config
    epochs: int
    seconds: float  # of fitting, calibration included


def model_card(forecaster: Forecaster, training: Training, diagnosis: Diagnosis) -> str:
    """The whole card as Markdown."""
    sections = [
        f"# Model card: {forecaster.kind}\n\n{escape(diagnosis.verdict)}",
        "## What it is\n\n" + _nature(forecaster, training.config),
        "## What it learnt from\n\n" + _lessons(training),
        "## Against every rung\n\n" + _rungs(diagnosis),
        "## All figures\n\n" + _figures(diagnosis),
        "## Calibration\n\n" + _calibration(diagnosis),
        "## Where it fails\n\n" + _failures(diagnosis),
        "## What it cost\n\n" + _cost(forecaster, training),
    ]
    return "\n\n".join(sections) + "\n"


def write_model_card(card: str, folder: Path) -> None:
    """Puts the card into a folder that becomes part of a run."""
    (folder / CARD_FILE).write_text(card, encoding="utf-8")


def escape(text: str) -> str:
    """Text from outside, such as a ticker, as Markdown shows it: no link, image, table cell or emphasis."""
    return re.sub(r"([\\`*_\[\]()<>|#!~$])", r"\\\1", text)


def _nature(forecaster: Forecaster, config: Config) -> str:
    beside = [_READS[group] for group in forecaster.groups]
    reads = " and ".join(["closes", *(f"{each} where known" for each in beside)])
    text = (
        f"A forecast of the log return of the next {forecaster.horizon} sessions as quantiles. It reads {reads}; "
        f"at least {forecaster.lookback} closes, at most {forecaster.history}."
    )
    if forecaster.kind == "lstm":
        network = config.network
        text += (
            f" {network.members} LSTM{'s' if network.members > 1 else ''} of {network.layers} x "
            f"{network.hidden_size} units correct a pooled linear Student-t model of the same inputs."
        )
    if forecaster.adaptation:
        text += (
            " Its intervals were recalibrated on validation and follow each ticker's own misses "
            f"(step {forecaster.adaptation:g})."
        )
    return text


def _lessons(training: Training) -> str:
    split = training.split
    names = [escape(pair.ticker) for pair in training.pairs]
    sessions = sum(pair.train_length for pair in training.pairs)
    first = min(pair.history.first_session for pair in training.pairs)
    return (
        f"{len(names)} ticker{'s' if len(names) > 1 else ''}, {sessions:,} sessions from {first} to "
        f"{split.train_end}: {', '.join(names)}. It stopped and was calibrated on {split.validation_start} to "
        f"{split.validation_end}, and was judged on {split.test_start} to {split.test_end}, unseen before; "
        f"{training.config.split.embargo} sessions were left out after each cut."
    )


def _rungs(diagnosis: Diagnosis) -> str:
    rows = [
        (
            spoken(duel.opponent),
            _percent(duel.skill, "+.2%"),
            p_text(duel.p_value),
            f"{duel.won} of {len(duel.tickers)}",
            f"{duel.count:,}",
        )
        for duel in diagnosis.duels
    ]
    return (
        "Skill is 1 - CRPS / CRPS of the rung, one session ahead; p is two-sided, by Diebold and Mariano on daily "
        "means.\n\n" + _table(("rung", "skill", "p", "tickers won", "forecasts"), rows)
    )


def _figures(diagnosis: Diagnosis) -> str:
    return _table(("one session ahead", "model", "naive", "how to read it"), measure_rows(diagnosis))


def _calibration(diagnosis: Diagnosis) -> str:
    rows = [
        (
            str(each.horizon),
            *(f"{100 * share:.1f} %" for share in (each.coverage_80, each.coverage_90, each.coverage_95)),
            f"{each.count:,}",
        )
        for each in diagnosis.horizons
    ]
    table = _table(("sessions ahead", "80 % held", "90 % held", "95 % held", "forecasts"), rows)
    return f"{escape(diagnosis.pit.sentence)}\n\n{table}"


def _failures(diagnosis: Diagnosis) -> str:
    against = diagnosis.duels[0]
    lost = sorted((each for each in against.tickers if each.skill <= 0), key=lambda each: each.skill)
    told = (
        f"It does not beat {spoken(against.opponent)} on {len(lost)} of {len(against.tickers)} tickers: "
        + ", ".join(map(_lost, lost[:10]))
        + ("." if len(lost) <= 10 else f" and {len(lost) - 10} more.")
        if lost
        else f"It beats {spoken(against.opponent)} on every ticker."
    )
    rows = [
        (
            str(each.session),
            escape(each.ticker),
            f"{each.actual:+.1f} %",
            f"{each.low_95:+.1f} to {each.high_95:+.1f} %",
        )
        for each in diagnosis.worst[:5]
    ]
    return f"{told}\n\nThe sessions that it foresaw least:\n\n" + _table(
        ("session", "ticker", "return", "95 % interval"), rows
    )


def _lost(each: TickerDuel) -> str:
    return f"{escape(each.ticker)} ({_percent(each.skill, '+.2%')}, {p_text(each.p_value)})"


def _cost(forecaster: Forecaster, training: Training) -> str:
    size = sum(map(len, forecaster.state().files.values()))
    epochs = f"{training.epochs} epoch{'s' if training.epochs > 1 else ''}, " if training.epochs else ""
    stored = f"; {size / 1024:,.0f} KiB of graph and weights" if size else ""
    return f"{epochs}{training.seconds:.1f} s to fit and calibrate{stored}."


def _percent(share: float, how: str = ".1%") -> str:
    return format(share, how).replace("%", " %")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
