"""What the pages say: every sentence that is marked for the catalogues."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from stockcast.ui.domain_words import ROOMS
from stockcast.ui.language import LANGUAGES
from translations.reading import PACKAGE, ROOT, called
from translations.rooms import rooms_templates

_KEYWORDS = {"_": (0,), "N_": (0,), "ngettext": (0, 1), "count": (1, 2)}  # places of what is said
LOCALES = PACKAGE / "ui" / "locales"


def faces() -> list[Path]:
    """The files that speak to visitors."""
    return [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((PACKAGE / "ui").glob("*.py"))]


def marked() -> Iterator[str | tuple[str, str]]:
    """Sentences of the pages, those that count with both of their English forms.

    Read from the tree of the source: Babel's own reading does not look into f-strings.
    """
    for file in faces():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            places = _KEYWORDS.get(called(node))
            if places is None or not isinstance(node, ast.Call) or len(node.args) <= places[-1]:
                continue
            said = [node.args[at] for at in places]
            words = [each.value for each in said if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if len(words) == len(said):
                yield words[0] if len(words) == 1 else (words[0], words[1])


def catalogue_of(language: str) -> Catalog:
    """A catalogue as it stands in its file."""
    with (LOCALES / f"{language}.po").open(encoding="utf-8") as file:
        return read_po(file, locale=language.replace("-", "_"))


def needed() -> list[tuple[str | tuple[str, str], str | None]]:
    """What every catalogue must hold: messages and their contexts."""
    found: dict[tuple[str | tuple[str, str], str | None], None] = {}
    singles = {message[0]: message for message in marked() if isinstance(message, tuple)}
    for message in marked():
        found[singles.get(message, message) if isinstance(message, str) else message, None] = None
    found |= {(template, ROOMS): None for template in rooms_templates()}
    return list(found)


def updated(language: str) -> tuple[Catalog, list[str]]:
    """The catalogue with all that is needed and nothing else, and what has no translation yet."""
    before = catalogue_of(language)
    after = Catalog(locale=before.locale, fuzzy=False)
    after.mime_headers = before.mime_headers  # the forms of its plural among them
    missing = []
    for message, context in needed():
        one = message if isinstance(message, str) else message[0]
        known = before.get(one, context)
        string = known.string if known is not None and isinstance(known.string, type(message)) else None
        after.add(message, string or "", context=context).flags.clear()
        if not string or not all(string if isinstance(string, tuple) else (string,)):
            missing.append(one)
    return after, missing


def write(language: str, catalogue: Catalog) -> None:
    """Writes a catalogue: sorted, without places and dates, so that a change of the code changes few lines."""
    path = LOCALES / f"{language}.po"
    header, _blank, _messages = path.read_text(encoding="utf-8").partition("\n\n")
    text = BytesIO()
    write_po(text, catalogue, width=110, no_location=True, sort_output=True, omit_header=True)
    path.write_text(f"{header}\n\n{text.getvalue().decode().strip()}\n", encoding="utf-8")


def languages() -> list[str]:
    """Those that have a catalogue."""
    return [name for name in LANGUAGES if name != "en"]
