"""The HTML that a browser gets first: Streamlit's own, and in it where the server is.

Streamlit's HTML is the same for every page and does not say that. So below the address of a page the browser asks
for the server at that address, is told no, and waits a tenth of a second before it asks one level higher. And it
loads a font that nothing is set in, before it knows ours: docs/decisions/0036.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = ("", *sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "overview"))
_TITLE: Final = "</title>"
_OTHER_FONT: Final = re.compile(r"<link[^>]*SourceSans[^>]*>")


@cache
def first_html(page: str) -> bytes:
    """The HTML for a page of PAGES, by its address; "" is the Overview. static/begin.html is what we add."""
    static = ROOT / "static"
    version = hashlib.sha256((static / "begin.js").read_bytes()).hexdigest()[:8]
    told = (static / "begin.html").read_text(encoding="utf-8").replace("VERSION", version).replace("PAGE", page)
    html = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    return _OTHER_FONT.sub("", html).replace(_TITLE, f"{_TITLE}\n{told.rstrip()}", 1).encode()
