"""Renders a model card as HTML: its headings, paragraphs and tables, and nothing else of Markdown.

A card is read back from MLflow, where anybody with access may have changed it: what is no such thing stays text.
"""

from __future__ import annotations

import re

from stockcast.workflows.report_page import Html, heading, paragraph, table

_ESCAPED = re.compile(r"\\([\\`*_\[\]()<>|#!~$])")  # what model_card.escape has written
_BETWEEN = re.compile(r"(?<!\\)\|")
_MOST = 200_000  # characters; ours have a few thousand


def render_card(card: str) -> list[Html]:
    """Its parts in order, headings one level lower than they were; its title is left to whoever shows it."""
    parts: list[Html] = []
    title = ""
    for block in re.split(r"\n\s*\n", card[:_MOST].replace("\r\n", "\n").strip()):
        lines = [line.strip() for line in block.strip().splitlines()]
        marks, _space, words = lines[0].partition(" ")
        if len(lines) == 1 and re.fullmatch(r"#{1,4}", marks):
            title = _plain(words)
            if len(marks) > 1:
                parts.append(heading(title, len(marks) + 1))
        elif len(lines) > 1 and all(line.startswith("|") and line.endswith("|") for line in lines):
            head, *rows = map(_cells, lines)
            rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
            parts.append(table(head, rows, title, told=False))
        elif lines[0]:
            parts.append(paragraph(_plain(" ".join(lines))))
    return parts


def _cells(line: str) -> list[str]:
    return [_plain(cell.strip()) for cell in _BETWEEN.split(line)[1:-1]]


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
