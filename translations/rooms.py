"""Sentences that the rooms below the pages make, as templates for the catalogues.

They are written in English where they arise, for logs, the command line and the API. `stockcast.ui.domain_words`
knows them again by their shape.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from translations.reading import PACKAGE, Found, called, strings, templates

# What is told in single words, or put together in ways that a look at the source does not see.
ALSO = (
    "Starting", "Judging", "naive", "narrow", "wide", "narrower", "wider", "lower", "higher", "below", "above",
    "calm", "usual", "turbulent", "Naive", "Live", "Held", "Skill (%)", "go on", "turn round", "better",
    "worse", "p unknown", "p = {value}", "p < {value}", "{count} forecasts", "{count} sessions",
    "{count} windows", "{count} session", "{count} move", "{count} moves", "{count} forecast",
    "{opponent} by {by}", "naive by {by}", "{label} {told}: promoted.", "{label} {told}: not promoted.",
    "{opponent} ({signed})", "beats {listed}", "fell {percent} %", "rose {percent} %", "on {session}",
    "a {ratio}:1 split", "skill of {universe}", "coverage of {universe}", "drift of {universe}",
    "track record of {universe}", "skill of {ticker} in {universe}", "coverage of {ticker} in {universe}",
    "drift of {ticker} in {universe}", "{skill}, {p_value}", "{size} ({p_value})", "MAE ({currency})",
    "No column", "More than one column", "{ticker}'s", "number", "{name}<br>{volatility} % a day", "date",
    "Input should be greater than or equal to {bound}", "Input should be less than or equal to {bound}",
    "Input should be greater than {bound}", "Input should be less than {bound}",
    "Input should be a valid integer", "Input should be a valid number", "Input should be {choices}",
    "String should have at most {most} characters", "Input should be a finite number", "Field required",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be a valid integer, got a number with a fractional part", "unreadable", "Volatility",
    "Roughness", "% a day", "from -1 to 1", "{encoding}, separated by {names}", "{encoding}, one column",
    "semicolons", "commas", "tabs", "bars", "sheet '{sheet}'", "Stopping", "Queued", "At {time} on {days}",
    "At {time} every day", "At {time}", "Monday through Friday", "Monday", "Tuesday", "Wednesday", "Thursday",
    "Friday", "Saturday", "Sunday",
)  # fmt: skip

# Faces, and files whose words no page shows: the schema of programs, settings, reports and cards that are files.
_ELSEWHERE = {
    "cli", "ui", "migrations", "client/schemas.py", "tables.py", "monitoring/prometheus.py", "logs.py",
    "log_values.py", "registry/plots.py",
    "workflows/chart_palette.py", "workflows/export_config.py", "workflows/export_forecast.py",
    "prices/price_export.py", "jobs/celery_worker.py", "jobs/celery_runner.py", "jobs/local_runner.py",
    "api/access_log.py", "api/serve.py", "api/http_application.py", "api/http_protocol.py",
    "api/api_metrics.py", "api/sample_window.py",
}  # fmt: skip
# The rest of their strings are names of columns, what programs read, and files in English.
_ERRORS_ALONE = {
    "prices/reading/headers.py",
    "settings.py",
    "workflows/model_card.py",
    "workflows/render_card.py",
    "workflows/score_words.py",
}
_NOT_TOLD = {
    "text", "exec_driver_sql", "execute", "tell", "_tell", "say", "Field", "getattr", "startswith",
    "search_runs", "Thread", "info", "warning", "error", "exception", "debug", "ValueError", "RuntimeError",
    "TypeError", "OSError", "Column", "send", "_wait_in_line", "compile", "APIRouter", "Header", "Query",
    "Path", "Depends", "Annotated", "create_lock", "lock", "removeprefix", "strptime", "strftime", "recording",
}  # fmt: skip
_LANGUAGE = re.compile(
    r"[A-Za-z]{2,}[,:;.)']*\s+\(?[A-Za-z]|[a-z]{3,}:?\s*\{\}|\{\}:?\s*[a-z]{3,}|[A-Za-z]{2,}:?\s+\{\}"
)
_CODE = re.compile(
    r"SELECT |PRAGMA |BEGIN |INSERT |VALUES|::timestamp|json_array|attributes\.|Bearer|LOCK TABLE|^kind = "
    r"|^jan feb"  # names of months
    # names of locks and keys, and mails
    r"|^(config|prices|adaptation|alerts|lease) of \{\}( to \{\})?$|^schedule \{\}|^alert \{\}$"
    r"|^CLOSED:|^OPENED:|^stockcast: "
)


def rooms_templates() -> list[str]:
    """Every sentence of the rooms below, in the writing of `str.format`, without repetition."""
    found = dict.fromkeys(ALSO)
    for file in sorted(PACKAGE.rglob("*.py")):
        inside = file.relative_to(PACKAGE)
        if inside.parts[0] in _ELSEWHERE or inside.as_posix() in _ELSEWHERE:
            continue
        found |= dict.fromkeys(_sentences(file))
    return list(found)


def _sentences(file: Path) -> Iterator[str]:
    seen: set[int] = set()
    alone = file.relative_to(PACKAGE).as_posix() in _ERRORS_ALONE or "report" in file.stem
    for each in strings(file):
        if not _told(each) or (alone and not any(isinstance(node, ast.Raise) for node in each.around)):
            continue
        whole = _whole(each)
        if id(whole) in seen:
            continue
        seen.add(id(whole))
        for template in templates(whole):
            if _language(template):
                yield template.strip()


def _told(each: Found) -> bool:
    if not _LANGUAGE.search(each.words) or _CODE.search(each.words):
        return False
    for node, inner in pairwise((*each.around, each.node)):
        if isinstance(node, ast.Compare | ast.Assert) or (isinstance(node, ast.Subscript) and inner is node.slice):
            return False
        if called(node) in _NOT_TOLD and not (called(node) == "ValueError" and each.file.name == "config.py"):
            return False
        if isinstance(node, ast.keyword) and node.arg in {"name", "description", "help", "summary", "font_family"}:
            return isinstance(each.parent, ast.keyword) and each.parent.arg == "name" and _chart(each)
    return True


def _chart(each: Found) -> bool:
    return any(called(node) in {"Scatter", "Bar"} for node in each.around)


def _whole(each: Found) -> ast.expr:
    """The sum that a string is a part of, or else itself."""
    whole: ast.expr = each.node
    for node in reversed(each.around):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            whole = node
        elif not (isinstance(node, ast.IfExp) and whole is not each.node):
            break
    return whole


def _language(template: str) -> bool:
    words = re.sub(r"\{\w*\}", "", template)
    return bool(re.search(r"[A-Za-z]{3,}", words)) and words.strip() != "and"
