"""The language of the pages: which one a visitor reads, and the words of the others.

What stands in the code is English. `_("...")` reads a sentence in the visitor's language, `ngettext` one that
counts, and `N_` marks a sentence that is read later. The other languages are catalogues in `locales/`, one file
each; they are read as they are, so there is nothing to compile and nothing that lags behind.

A sentence with figures is read first and filled in afterwards: `_("{count} of {total}").format(...)`. What is kept
between visitors (Streamlit's caches) must hold figures, never sentences.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import streamlit as st
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from streamlit.runtime.scriptrunner import get_script_run_ctx

LANGUAGE: Final = "lang"  # its name in the session and in the address
LANGUAGES: Final = {"en": "English", "pt-BR": "Português (Brasil)"}
_LOCALES = Path(__file__).with_name("locales")


def language() -> str:
    """What the visitor chose, or else what their browser asks for: a name of LANGUAGES. English outside a page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    chosen = st.session_state.get(LANGUAGE)
    return chosen if chosen in LANGUAGES else _nearest(st.context.locale)


def locale() -> Locale:
    """How figures and dates are written in the visitor's language."""
    return _locale(language())


def _(text: str) -> str:
    """A sentence in the visitor's language; itself where nobody has translated it."""
    return gettext_in(language(), text)


def ngettext(one: str, many: str, number: float) -> str:
    """A sentence that counts, in its form for `number`; still to be filled in."""
    return _words(language()).ngettext(one, many, number)  # type: ignore[arg-type]  # Babel's stub wants an int


def N_(text: str) -> str:
    """Marks a sentence for the catalogues that is read later, with `_`."""
    return text


def gettext_in(name: str, text: str) -> str:
    """A sentence in a language of LANGUAGES."""
    return _words(name).gettext(text) if text else text


@cache
def catalogue(name: str) -> Catalog:
    """All that is translated into a language other than English."""
    with (_LOCALES / f"{name}.po").open(encoding="utf-8") as file:
        return read_po(file, locale=name.replace("-", "_"))


def _nearest(asked: str | None) -> str:
    return "pt-BR" if (asked or "").lower().startswith("pt") else "en"


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name, sep="-")


@cache
def _words(name: str) -> NullTranslations:
    if name == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(name))
    compiled.seek(0)
    return Translations(compiled)
