"""Imports a configuration from YAML: read whole, told with line numbers, and saved by nobody here.

A file may name some fields only; the others stay as they are in force. The text is never trusted: it is read by
PyYAML's safe loader, without aliases (a few lines of which make gigabytes), and only up to a size.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from stockcast.config import Config, config_faults, parse_config
from stockcast.errors import InvalidConfig, InvalidTicker
from stockcast.prices.tickers import exchange_of, normalise_ticker
from stockcast.workflows.export_config import fields

MOST_BYTES = 64_000
_DEEPEST = 6  # a configuration has three levels


@dataclass(frozen=True)
class Problem:
    """One thing in the file that cannot be meant. `line` counts from 1; `field` may be empty."""

    field: str
    message: str
    line: int | None = None

    @property
    def sentence(self) -> str:
        """Where it is and what is wrong."""
        where = [part for part in (None if self.line is None else f"line {self.line}", self.field) if part]
        return f"{', '.join(where)}: {self.message}" if where else self.message


@dataclass(frozen=True)
class Imported:
    """What a file says: a configuration, or everything that is wrong with it."""

    config: Config | None
    problems: tuple[Problem, ...] = ()

    def required(self) -> Config:
        """The configuration. Raises InvalidConfig that tells every problem."""
        if self.config is None:
            told = "; ".join(problem.sentence for problem in self.problems)
            raise InvalidConfig(f"The file is no configuration: {told}.", "Correct the file; nothing was changed.")
        return self.config


class _Refused(Exception):
    def __init__(self, message: str, line: int | None = None, field: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(field, message, line)


def import_config(content: bytes, base: Config) -> Imported:
    """Reads YAML on top of `base`. Never raises for what a file may hold."""
    try:
        document = _document(content)
    except _Refused as refused:
        return Imported(None, (refused.problem,))
    data, lines = base.model_dump(mode="json"), dict[str, int]()
    unreadable = tuple(_fill(data, lines, document))
    checked = check_config(data, lines)
    if not unreadable:
        return checked
    return Imported(None, tuple(sorted((*unreadable, *checked.problems), key=lambda each: each.line or 0)))


def _document(content: bytes) -> yaml.MappingNode:
    if len(content) > MOST_BYTES:
        raise _Refused(f"the file has {len(content):,} bytes; a configuration has at most {MOST_BYTES:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _Refused("the file is not text in UTF-8") from problem
    try:
        _refuse_tricks(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        what = getattr(problem, "problem", None) or getattr(problem, "reason", None) or "it cannot be read"
        raise _Refused(f"this is no YAML: {what}", None if mark is None else mark.line + 1) from problem
    if node is None:
        raise _Refused("the file is empty")
    if not isinstance(node, yaml.MappingNode):
        raise _Refused("the file must name sections, such as windows:", node.start_mark.line + 1)
    return node


def _refuse_tricks(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = None if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _Refused("anchors and aliases (& and *) are not read; write the value itself", line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise _Refused("it is nested deeper than a configuration", line)


def _fill(
    data: dict[str, dict[str, object]], lines: dict[str, int], document: yaml.MappingNode
) -> Iterator[Problem]:
    """Puts the file's values into `data`, notes their lines, and tells names that nobody knows."""
    for section, below, line in _pairs(document):
        if section in lines:
            yield Problem(section, "the section stands there twice", line)
        elif section not in data:
            yield Problem(section, f"there is no such section{_meant(section, data)}", line)
        elif not isinstance(below, yaml.MappingNode):
            yield Problem(section, "its fields must stand below it, each on a line of its own", line)
        else:
            lines[section] = line
            for name, node, at in _pairs(below):
                whole = f"{section}.{name}"
                if whole in lines:
                    yield Problem(whole, "the field stands there twice", at)
                elif name not in data[section]:
                    yield Problem(whole, f"there is no such field{_meant(name, data, section)}", at)
                else:
                    lines[whole] = at
                    try:
                        data[section][name] = _value(node)
                    except (yaml.YAMLError, ValueError) as problem:
                        yield Problem(whole, f"the value cannot be read: {_first_line(problem)}", at)


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, int]]:
    for key, value in node.value:
        yield str(key.value) if isinstance(key, yaml.ScalarNode) else "?", value, key.start_mark.line + 1


def _value(node: yaml.Node) -> object:
    return yaml.SafeLoader("").construct_object(node, deep=True)


def check_config(data: Mapping[str, Mapping[str, object]], lines: Mapping[str, int] | None = None) -> Imported:
    """Plain data as a configuration with tidy tickers, or everything that is wrong with it."""
    known = lines or {}
    problems = [
        Problem(fault.field, fault.sentence, known.get(".".join(fault.field.split(".")[:2])))
        for fault in config_faults(data)
    ]
    if problems:
        return Imported(None, tuple(problems))
    config = parse_config(data)
    try:
        tickers = tidy_tickers(config.universe.tickers)
    except InvalidTicker as problem:
        said = f"{problem.message} {problem.hint}".rstrip(".")
        return Imported(None, (Problem("universe.tickers", said, known.get("universe.tickers")),))
    universe = config.universe.model_copy(update={"tickers": tickers})
    return Imported(config.model_copy(update={"universe": universe}))


def tidy_tickers(tickers: tuple[str, ...]) -> tuple[str, ...]:
    """In capitals, each once. Raises InvalidTicker for what is none, or whose exchange nobody knows."""
    found = tuple(dict.fromkeys(map(normalise_ticker, tickers)))
    for ticker in found:
        exchange_of(ticker)
    return found


def _meant(name: str, data: Mapping[str, Mapping[str, object]], section: str | None = None) -> str:
    """The nearest name, as a question."""
    short = {field.split(".")[1]: field for field in fields()}
    near = difflib.get_close_matches(name, data if section is None else data[section], 1)
    if near:
        return f" (did you mean {near[0]}?)"
    elsewhere = difflib.get_close_matches(name, short, 1)
    return f" (did you mean {short[elsewhere[0]]}?)" if elsewhere else ""


def _first_line(problem: Exception) -> str:
    return str(getattr(problem, "problem", None) or problem).partition("\n")[0]
