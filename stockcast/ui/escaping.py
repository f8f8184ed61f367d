"""Text that people or files gave us, made safe to stand inside Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stockcast.ui.format import glued

_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")  # every ASCII punctuation mark; CommonMark lets each be escaped


def plain(text: str) -> str:
    """The text as it is, without any Markdown meaning: no links, images, formulas or HTML come of it."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def bullets(sentences: Iterable[str]) -> str:
    """Sentences as a Markdown list, each made safe, with figures and percent signs on one line."""
    return "\n".join(f"- {glued(plain(sentence))}" for sentence in sentences)
