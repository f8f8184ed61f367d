"""Sentences of the rooms below in the visitor's language.

Those rooms speak English, to logs and programs as much as to pages. Here a sentence is known again by its shape:
the catalogue holds its template, `{ticker} has {sessions} sessions`, and the values are put into the translation.
Values that are figures are written as the visitor writes them; values that are sentences are read in turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from string import Formatter
from typing import Final

from stockcast.ui.format import figures
from stockcast.ui.language import N_, catalogue, gettext_in, language

ROOMS: Final = "rooms"  # the context of such templates in the catalogues
_LONGEST = 1500  # characters; what is longer is no sentence
_DEEPEST = 40
_FEWEST = 5  # letters
_FIGURE = re.compile(r"[+\-−]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?(e[+-]\d+)?([\u00a0 ]?%)?")
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z\d^])")
_LISTED = re.compile(r"(, and |, | and )(?![^()]*\))")  # between the parts of a list, outside of brackets
_BRACKETS = re.compile(r"(.+) \(([^()]+)\)")
# What a value can be, where its name tells; anything else takes as little as possible.
_MOVE = r"(?:fell|rose) (?:to \S+ times the close before|\S+ %)"
_SHAPES = {
    "label": r"\S+(?: v\d+)?",
    "ticker": r"\S+",
    "count": r"[\d,]+(?: \w+)?",
    "p_value": r"p [=<] [\d.]+|p unknown",
    "move": _MOVE,
    "move2": _MOVE,
    "fell": _MOVE,
    "place": r"on \S+|at row \d+ of \d+|\S+",
    "forecasts": r"[\d,]+ forecasts?",
    "compared": r"(?:, \S+ times the usual move of this window)?|Volatility.+?",
    "doubt": r"(?:, though not significantly)?",
    "word": r"beats naive by|is worse than naive by|as good as|\S+ % (?:better|worse) than|(?:not )?lower",
    "counted": r"[\d,]+ forecasts?(?: of [\d,]+ tickers)?",
    "by": r"\S+ % \(p [^()]*\)",
    "signed": r"[+-]\S+ %, p [^()]*",
    "others": r"(?: \((?:and )?[\d,]+ (?:others?|such values)\))?",
}
# Names of gaps of many words, and ends of names of gaps that hold a date.
_SENTENCE = re.compile(r"join|told|sentence|message|problem|said|reason|msg|given|what|value")
_DAY = re.compile(r"(session|_end|_start|_until|cutoff|day)\d?$")
_TAIL = r"(?:[ ,;(].*?)?"  # of a value that follows a word or another value at once


@dataclass(frozen=True)
class Template:
    """A sentence with gaps, and how it is said in another language."""

    pattern: re.Pattern[str]
    literals: tuple[str, ...]
    translation: str

    @property
    def short(self) -> bool:
        """Whether it says so little that it is only known inside of another sentence."""
        begins = self.pattern.pattern.startswith(re.escape(self.literals[0]))
        return not begins and sum(map(str.isalpha, "".join(self.literals))) < _FEWEST

    def read(self, sentence: str) -> dict[str, str] | None:
        """The values in the gaps of a sentence of this shape."""
        at = 0
        for literal in self.literals:  # cheap, and nearly always enough to say no
            at = sentence.find(literal, at)
            if at < 0:
                return None
            at += len(literal)
        found = self.pattern.fullmatch(sentence)
        return found.groupdict() if found else None


def told(sentence: str) -> str:
    """A sentence of the rooms below in the visitor's language; itself where nobody has translated it."""
    name = language()
    if name == "en":
        return sentence
    return figures(sentence) if _FIGURE.fullmatch(sentence) else _told(name, sentence)


@lru_cache(maxsize=4096)
def _told(name: str, sentence: str, depth: int = 0) -> str:
    if not sentence or len(sentence) > _LONGEST or depth > _DEEPEST:
        return sentence
    known = _templates(name)
    parts = _SENTENCES.split(sentence)
    found = known.whole.get(sentence) or _filled(name, sentence, depth, several=len(parts) == 1)
    if found is not None:
        return found
    if len(parts) > 1:
        return " ".join(_told(name, part, depth + 1) for part in parts)
    if sentence.endswith("."):
        return f"{_told(name, sentence[:-1], depth + 1)}."
    if depth and (found := _filled(name, sentence, depth, several=True, short=True)):
        return found
    about, colon, rest = sentence.partition(": ")
    if colon and " " not in about:  # a ticker or a field, and what is said of it
        return f"{about}: {_value(name, rest, depth)}"
    within = _BRACKETS.fullmatch(sentence)
    if within:
        before = known.whole.get(within[1]) or _filled(name, within[1], depth, several=False)
        if before is None and not (depth and _LISTED.search(sentence)):
            before = _value(name, within[1], depth)
        if before is not None:
            return f"{before} ({_value(name, within[2], depth)})"
    return _listed(name, sentence, depth) if depth else sentence


def _filled(name: str, sentence: str, depth: int, *, several: bool, short: bool = False) -> str | None:
    """A sentence of a known shape. Without `several` no value may be more than one sentence."""
    known = _templates(name)
    for template in known.by_start.get(_start(sentence), known.by_start[""]):
        if template.short is not short:
            continue
        values = template.read(sentence)
        if values is not None and (several or not any(map(_SENTENCES.search, values.values()))):
            return template.translation.format(
                **{gap: _value(name, value, depth) for gap, value in values.items()}
            )
    return None


def _value(name: str, value: str, depth: int) -> str:
    bare = value.strip(" ")
    if not bare:
        return value
    if _FIGURE.fullmatch(bare):
        return value.replace(bare, figures(bare))
    found = _told(name, bare, depth + 1)
    return value.replace(bare, found if found != bare else gettext_in(name, bare))


def _listed(name: str, value: str, depth: int) -> str:
    """A list inside a sentence: each part is read by itself."""
    if "; " in value:
        return "; ".join(_value(name, part, depth) for part in value.split("; "))
    parts = _LISTED.split(value)
    if len(parts) == 1:
        return value
    return "".join(_between(name, part) if at % 2 else _value(name, part, depth) for at, part in enumerate(parts))


def _between(name: str, text: str) -> str:
    return text.replace("and", gettext_in(name, N_("and")))


@dataclass(frozen=True)
class _Known:
    whole: dict[str, str]
    by_start: dict[str, tuple[Template, ...]]


@cache
def _templates(name: str) -> _Known:
    whole: dict[str, str] = {}
    found: dict[str, list[Template]] = {}
    for message in catalogue(name):
        if message.context != ROOMS or not message.string:
            continue
        source, said = str(message.id), str(message.string)
        parts = list(Formatter().parse(source))
        if all(gap is None for _literal, gap, _spec, _conversion in parts):
            whole[source.format()] = said.format()
            continue
        start = _start(parts[0][0])
        found.setdefault(start, []).append(_template(source, said))
    anywhere = found.setdefault("", [])
    return _Known(
        whole,
        {
            start: tuple(sorted(each if start == "" else [*each, *anywhere], key=_weight))
            for start, each in found.items()
        },
    )


def _template(source: str, said: str) -> Template:
    pattern, literals, seen, tight = "", [], set(), False
    for literal, gap, _spec, _conversion in Formatter().parse(source):
        pattern += re.escape(literal)
        if literal:
            literals.append(literal)
            tight = literal[-1].isalnum()
        if gap is not None:
            shape = _SHAPES.get(gap) or _shape(gap, tight)
            pattern += f"(?P={gap})" if gap in seen else f"(?P<{gap}>{shape})"
            seen.add(gap)
            tight = True
    return Template(re.compile(pattern, re.DOTALL), tuple(literals), said)


def _shape(gap: str, tight: bool) -> str:
    if tight:
        return _TAIL
    if _DAY.search(gap):
        return r"\S+"
    return ".+?" if _SENTENCE.match(gap) else "[^;]+?"


def _weight(template: Template) -> int:
    """Those that say most of a sentence come first."""
    return -sum(len(literal) for literal in template.literals)


def _start(text: str) -> str:
    """The first word where it is whole; templates are looked up by it."""
    first, between, _rest = text.partition(" ")
    return first if between else ""
