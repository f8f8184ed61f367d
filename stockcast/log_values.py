"""Makes the fields of a log event safe to write down: plain, finite, of bounded length, and without secrets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from itertools import islice
from numbers import Integral, Real

from pydantic import JsonValue

MASK = "***"
TEXT, TRACE, MANY, DEEP = 2000, 8000, 50, 4  # characters, characters of a traceback, items, levels
MARGIN = 500  # characters, more than any secret that is looked for

# The password of a URL, which SQLAlchemy lets hold a slash. Bounded, so that no text takes long.
_USERINFO = re.compile(r"(://[^\s:/@]{0,200}):[^\s@]{0,200}@(?:[^\s/@]{0,200}@)*")
_SECRET_WORDS = r"pass(?:word|wd|phrase)|pwd|secret|token|credentials?|authorization|cookie|api[_-]?key"
_ASSIGNED = re.compile(
    rf"(?i)\b([\w-]{{0,40}}(?:{_SECRET_WORDS}))([\"']?\s{{0,3}}[=:]\s{{0,3}}[\"']?(?:(?:Bearer|Basic)\s+)?)"
    r"[^\s&\"',;]{1,200}"
)
_SECRET_FIELD = re.compile(rf"(?i)(?:{_SECRET_WORDS})$")


def mask(text: str) -> str:
    """The same without passwords and keys that a URL or an assignment carries."""
    if "://" in text:
        text = _USERINFO.sub(rf"\1:{MASK}@", text)
    if "=" in text or ":" in text:  # most texts are done here: an event is told for every forecast
        text = _ASSIGNED.sub(rf"\1\2{MASK}", text)
    return text


def plain(
    event: Mapping[str, object], text: int = TEXT, trace: int = TRACE, many: int = MANY
) -> dict[str, JsonValue]:
    """The event as JSON can hold it; long texts and lists are cut, of a traceback the end is kept."""
    made = _fields(event.items(), text, many, 0)
    if "exception" in event:
        made["exception"] = _trace(_words(event["exception"]), trace)
    return made


def _fields(items: Iterable[tuple[object, object]], text: int, many: int, level: int) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name, value in items:
        known, secret = _name(_words(name))
        found[known] = MASK if secret else _plain(value, text, many, level)
    return found


@lru_cache(maxsize=500)
def _name(name: str) -> tuple[str, bool]:
    """A field's name, and whether it names a secret."""
    return _text(name, 100), _SECRET_FIELD.search(name) is not None


def _plain(value: object, text: int, many: int, level: int) -> JsonValue:
    if isinstance(value, str):
        return _text(value, text)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        number = int(value)
        # Beyond this no index of a log store has a type for it, and Python refuses to write it at all.
        return number if number.bit_length() < 64 else f"an integer of {number.bit_length()} bits"
    if isinstance(value, Real):
        real = float(value)
        return real if math.isfinite(real) else None
    if isinstance(value, Mapping) and level < DEEP:
        return _fields(islice(value.items(), many), text, many, level + 1)
    if isinstance(value, list | tuple | set | frozenset) and level < DEEP:
        return [_plain(each, text, many, level + 1) for each in islice(value, many)]
    if isinstance(value, date):
        return value.isoformat()
    return _text(_words(value), text)


def _words(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"unreadable {type(value).__name__}"


def _text(value: str, most: int) -> str:
    """Masked, cut, and without half letters, which no strict reader of JSON accepts."""
    masked = mask(value[: most + MARGIN])
    if len(value) > most + MARGIN:  # what stands at that cut may be half a secret
        masked = masked[:-MARGIN]
    cut = masked if len(masked) <= most else f"{masked[: most - 1]}…"
    return cut.encode(errors="replace").decode()


def _trace(value: str, most: int) -> str:
    """The end of a traceback, where the error stands; it begins with a whole line."""
    end = value[-most:]
    return _text(end if len(end) == len(value) else end.partition("\n")[2], most)
