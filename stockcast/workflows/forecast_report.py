"""A forecast as one HTML file: the answer first, then its evidence, and how far to trust it. In English.

It needs no network, no script and no dashboard: what is sent to somebody stays readable, and can be printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stockcast.monitoring.acknowledgements import Sifted
from stockcast.monitoring.record import LATELY, TrackRecord
from stockcast.prices.store import StoredHistory
from stockcast.registry.versions import CHAMPION, ModelVersion
from stockcast.workflows.forecast import Answer
from stockcast.workflows.render_card import render_card
from stockcast.workflows.report_page import (
    NO_BREAK,
    Html,
    bullets,
    facts,
    figure,
    heading,
    moment,
    money,
    page,
    paragraph,
    percent,
    price,
    table,
)
from stockcast.workflows.report_svg import PAST, fan_svg
from stockcast.workflows.score_words import score_table, scores_of, skill_words

_SHARES = (0.80, 0.95)
_GRAVE = {"red": "wrong", "amber": "unusual", "info": "another regime"}
_DECIDED = {"gate": "the promotion gate", "person": "a person", "first": "nobody: it was the first version"}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What stands below a forecast."""

    universe: str
    history: StoredHistory | None  # None for an uploaded window
    drift: Sifted
    record: TrackRecord | None  # of this ticker, over the last LATELY sessions; None: it cannot be read just now
    card: str | None  # the model card as Markdown; None: there is none, or it cannot be read just now
    made_at: datetime  # aware


def forecast_report(answer: Answer, evidence: Evidence) -> bytes:
    """The whole file."""
    context = answer.forecast.context
    ticker = context.ticker or "An uploaded window"
    coming = answer.forecast.session(1)
    cutoff = f"prices up to {context.cutoff}" if context.cutoff else "prices without dates"
    drift = _drift(answer, evidence.drift)
    grave = evidence.drift.shown.warning  # no figure before it is known that it rests on doubtful prices
    body = [
        heading(f"{ticker}: forecast for {coming or 'the next session'}", 1),
        paragraph(f"From {cutoff}, universe {evidence.universe}, journal entry {answer.journal_id:,}.", "small"),
        *([paragraph(answer.stale.sentence, "warning")] if answer.stale else []),
        *(drift if grave else []),
        paragraph(answer_sentence(answer), "answer"),
        paragraph(naive_sentence(answer)),
        *_speaker(answer),
        heading("The coming sessions"),
        figure(fan_svg(answer, _marked(answer)), _described(answer)),
        _horizons(answer),
        *([] if grave else drift),
        *_lately(answer, evidence.record),
        *_source(answer, evidence.history),
        heading("Model card"),
        *(
            render_card(evidence.card)
            if evidence.card
            else [paragraph("It has no model card, or the card could not be read when this was made.")]
        ),
    ]
    return page(f"{ticker}, {coming or 'next session'}: forecast by stockcast", body, evidence.made_at)


def answer_sentence(answer: Answer) -> str:
    """The next session in one sentence."""
    forecast, unit = answer.forecast, answer.forecast.context.currency
    change = percent(forecast.median[0] / forecast.context.last_close - 1, "+.2f")
    parts = [f"Median {money(forecast.median[0], unit)} ({change} on the last close)"]
    for share in _SHARES:
        low, high = forecast.interval(share)
        parts.append(f"{percent(share, '.0f')} interval {_range(low[0], high[0])}")
    return f"{'; '.join(parts)}{f', in {unit}' if unit else ''}."


def naive_sentence(answer: Answer) -> str:
    """What every model has to beat."""
    naive, unit = answer.naive, answer.forecast.context.currency
    parts = [f"Naive, which says that nothing changes: median {money(naive.median[0], unit)}"]
    for share in _SHARES:
        low, high = naive.interval(share)
        parts.append(f"{percent(share, '.0f')} interval {_range(low[0], high[0])}")
    return f"{'; '.join(parts)}."


def version_facts(version: ModelVersion) -> dict[str, str]:
    """Who a version is, and who let it speak."""
    speaks = "it speaks (champion)" if CHAMPION in version.aliases else ", ".join(version.aliases) or "none"
    decided = _DECIDED.get(version.promoted_by, "") if version.promoted_at else ""
    return {
        "Version": f"{version.label} of {version.name}",
        "Role when this was made": speaks,
        "Registered": moment(version.created_at),
        "Trained on sessions up to": str(version.trained_until or ""),
        "Promoted": f"{moment(version.promoted_at)} by {decided or 'nobody known'}" if version.promoted_at else "",
        "Run": version.run_id,
    }


def notes(version: ModelVersion) -> list[Html]:
    """What people said who overruled the gate: it stays visible wherever that version speaks."""
    return [paragraph(f"A person decided this: {note}", "warning") for note in version.note.splitlines()]


def _speaker(answer: Answer) -> list[Html]:
    version = answer.speaker.version
    return [heading("Who speaks"), *notes(version), facts(version_facts(version), "The version that speaks")]


def _horizons(answer: Answer) -> Html:
    forecast, unit = answer.forecast, answer.forecast.context.currency
    titles = ["Session", "Median", "Change", "80 % interval", "95 % interval", "Naive", "Naive 80 %", "Naive 95 %"]
    ours, naive = ([each.interval(share) for share in _SHARES] for each in (forecast, answer.naive))
    rows = [
        (
            str(forecast.session(h + 1) or f"+{h + 1}"),
            price(forecast.median[h]),
            percent(forecast.median[h] / forecast.context.last_close - 1, "+.2f"),
            *(_range(low[h], high[h]) for low, high in ours),
            price(answer.naive.median[h]),
            *(_range(low[h], high[h]) for low, high in naive),
        )
        for h in range(forecast.horizon)
    ]
    last = money(forecast.context.last_close, unit)
    return table(titles, rows, f"Closes{f' in {unit}' if unit else ''}; the last one was {last}")


def _described(answer: Answer) -> str:
    shown = min(PAST, len(answer.window.closes))
    return (
        f"The last {shown} closes, then the median and the 80 % and 95 % intervals of the next "
        f"{answer.forecast.horizon} sessions, the naive forecast as a dotted line. The table holds the figures."
    )


def _marked(answer: Answer) -> dict[int, tuple[str, str]]:
    """The closes that a finding names, with the worst of what was found."""
    marked: dict[int, tuple[str, str]] = {}
    for severity in ("red", "amber", "info"):
        for finding in answer.drift.findings:
            if finding.severity == severity:
                marked = dict.fromkeys(finding.positions, (severity, finding.sentence)) | marked
    return marked


def _drift(answer: Answer, sifted: Sifted) -> list[Html]:
    """The findings in words, those that somebody has looked at with what was said, and what was not checked."""
    shown, parts = sifted.shown, [heading("Does the input look like what it has learnt from?")]
    if shown.findings:
        rows = [(_GRAVE[each.severity], each.sentence) for each in shown.findings]
        parts.append(table(("How grave", "What was found"), rows, "Findings of the drift check", words=True))
    elif not sifted.acknowledged:
        closes = len(answer.window.closes)
        parts.append(paragraph(f"Nothing unusual was found in the {closes:,} closes that were checked."))
    parts += [
        paragraph(f"{finding.sentence} Seen by a person on {moment(word.at)}: {word.note or 'no note'}")
        for finding, word in sifted.acknowledged
    ]
    if shown.unchecked:
        parts.append(bullets([f"Not checked: {sentence}" for sentence in shown.unchecked]))
    return parts


def _lately(answer: Answer, record: TrackRecord | None) -> list[Html]:
    """The live record with its count, and what the backtest had found."""
    card, version = answer.speaker.scorecard, answer.speaker.version
    parts = [heading("How well did it do lately?")]
    if record is None:
        parts.append(paragraph("The live record could not be read when this was made."))
    else:
        live = record.scores
        few = " Too few to tell." if live is not None and not live.enough else ""
        over = f"Of the last {LATELY} sessions, one session ahead, by whatever version spoke then: "
        parts.append(paragraph(f"{over if live is not None else ''}{record.sentence}{few}"))
    if card is None:
        return [*parts, paragraph("This version has not been judged by a backtest.")]
    scores = scores_of(card)
    parts += [
        heading("Scorecard of the backtest", 3),
        paragraph(skill_words(scores)),
        score_table(scores, version.label),
        paragraph(f"Sessions {card.first_session} to {card.last_session}; data {card.fingerprint}.", "small"),
    ]
    own = next((each for each in card.tickers if each.ticker == answer.forecast.context.ticker), None)
    if own is not None and own.naive_crps and len(card.tickers) > 1:
        skill = percent(1 - own.crps / own.naive_crps, "+.2f")
        parts.append(
            paragraph(
                f"{own.ticker} alone: {own.count:,} forecasts, skill {skill}, 80 % interval held "
                f"{percent(own.coverage_80)}, 95 % interval {percent(own.coverage_95)}."
            )
        )
    return parts


def _source(answer: Answer, history: StoredHistory | None) -> Sequence[Html]:
    context = answer.forecast.context
    known = {
        "Closes checked": f"{len(answer.window.closes):,}",
        "Fingerprint of what was read": context.fingerprint,
    }
    if history is not None:
        known = {
            "Source": history.source,
            "Asked": moment(history.as_of),
            "Sessions stored": f"{history.sessions:,}, {history.first_session} to {history.last_session}",
            "Fingerprint of the history": history.content_hash,
        } | known
    return heading("The prices"), facts(known, "Adjusted daily prices, in the currency of the exchange")


def _range(low: float, high: float) -> str:
    return f"{price(low)}{NO_BREAK}– {price(high)}"
