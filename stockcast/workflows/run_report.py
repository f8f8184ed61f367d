"""A run as one HTML file: what came of it and why, its scorecard, its curves, its parameters, its model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stockcast.config import Config
from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.workflows.compare_configs import flat
from stockcast.workflows.forecast_report import notes, version_facts
from stockcast.workflows.render_card import render_card
from stockcast.workflows.report_page import Html, bullets, facts, figure, heading, moment, page, paragraph, table
from stockcast.workflows.report_svg import curves_svg
from stockcast.workflows.score_words import score_table, skill_words

_ENDED = {"FAILED": "It failed.", "KILLED": "It was interrupted.", "RUNNING": "It was still running."}


@dataclass(frozen=True, eq=False)
class RunEvidence:
    """What is known of a run."""

    version: ModelVersion | None  # that it made
    train: Sequence[tuple[int, float]]  # (epoch, loss), in order
    validation: Sequence[tuple[int, float]]
    card: str | None  # Markdown
    made_at: datetime  # aware


def run_report(run: RunSummary, evidence: RunEvidence) -> bytes:
    """The whole file."""
    version = evidence.version
    label = version.label if version else f"{run.kind or 'run'} {run.run_id[:6]}"
    title = f"Run {run.name}: {label} of universe {run.universe}"
    body = [
        heading(title, 1),
        paragraph(f"Started {moment(run.started_at)}, run {run.run_id}.", "small"),
        paragraph(_verdict(run, version), "answer"),
        *(notes(version) if version else []),
        *([paragraph(f"Note: {run.note}")] if run.note else []),
        *_reasons(version),
        heading("Scorecard"),
        *_scores(run, label),
        heading("How it learnt"),
        *_curves(evidence),
        heading("What it was"),
        facts(_known(run, version), "The run and its version"),
        *_parameters(run),
        heading("Model card"),
        *(render_card(evidence.card) if evidence.card else [paragraph("It has no model card.")]),
    ]
    return page(f"{title}: report by stockcast", body, evidence.made_at)


def _verdict(run: RunSummary, version: ModelVersion | None) -> str:
    ended = _ENDED.get(run.status)
    if ended is not None:
        return ended
    spoke = run.promoted or (version is not None and version.promoted_at is not None)
    return f"{'It was promoted.' if spoke else 'It was not promoted.'} {skill_words(run.scores)}".strip()


def _reasons(version: ModelVersion | None) -> list[Html]:
    if version is None or not version.reasons:
        return []
    return [heading("Why the gate decided so"), bullets(version.reasons)]


def _scores(run: RunSummary, label: str) -> list[Html]:
    if "skill" not in run.scores:
        return [paragraph("It came to no judgement.")]
    return [score_table(run.scores, label), paragraph(f"Judged on data {run.fingerprint or 'unknown'}.", "small")]


def _curves(evidence: RunEvidence) -> list[Html]:
    if not evidence.validation:
        return [paragraph("It has no loss curve: nothing was learnt step by step.")]
    epoch, loss = min(evidence.validation, key=lambda point: (point[1], point[0]))
    told = (
        f"Loss (negative log-likelihood) of training and validation over {len(evidence.validation):,} epochs; the "
        f"weights of epoch {epoch} were kept, whose validation loss was {loss:.4f}."
    )
    return [figure(curves_svg(evidence.train, evidence.validation), told)]


def _known(run: RunSummary, version: ModelVersion | None) -> dict[str, str]:
    return {
        "Universe": run.universe,
        "Tickers": ", ".join(run.tickers),
        "Kind": run.kind,
        "Took": "" if run.seconds is None else f"{run.seconds:,.1f} s",
        "Tags": ", ".join(run.labels),
        "Deleted": "yes" if run.deleted else "",
        "Data fingerprint": run.fingerprint,
        **(version_facts(version) if version else {}),
    }


def _parameters(run: RunSummary) -> list[Html]:
    if not run.parameters:
        return []
    defaults = {name: str(value) for name, value in flat(Config()).items()}
    order = {name: place for place, name in enumerate(defaults)}
    rows = [
        (name, value, "" if defaults.get(name, value) == value else f"default: {defaults[name]}")
        for name, value in sorted(run.parameters.items(), key=lambda each: (order.get(each[0], 999), each[0]))
    ]
    return [table(("Parameter", "Value", "Differs"), rows, f"Parameters of the run, {len(rows):,}", words=True)]
