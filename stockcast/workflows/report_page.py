"""The paper that reports are written on: one HTML file that asks for nothing, on a screen and in print.

It holds no script, and its policy forbids the browser to run one, to load anything, or to send a form: whatever a
ticker, a note or a model card may hold stays text. Every function here escapes what it is given.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final, NewType

from stockcast import __version__
from stockcast.errors import InvalidRequest

Html = NewType("Html", str)  # what needs no escaping any more
NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_STYLE: Final = """
:root { color-scheme: light dark;
  --text: #1B2430; --soft: #51606F; --page: #FFFFFF; --line: #D5DBE3; --card: #F3F5F8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --text: #E8ECF2; --soft: #A9B4C2; --page: #10161F; --line: #303C4D; --card: #1A2330; }
}
* { box-sizing: border-box; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { font: 15px/1.5 "IBM Plex Sans", system-ui, sans-serif; color: var(--text); background: var(--page);
  max-width: 980px; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; }
.answer { background: var(--card); border-left: 4px solid #2E8BD8; padding: .7rem 1rem; font-size: 1.1rem; }
.warning { background: var(--card); border-left: 4px solid #D55E00; padding: .6rem 1rem; }
.small { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
.wide + .wide { margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .3rem; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: right; vertical-align: top; }
thead th, .figures th, .figures td { white-space: nowrap; }
.words td, .small { overflow-wrap: anywhere; }
tr > :first-child, .words th, .words td { text-align: left; }
th { font-weight: 600; }
figure { margin: .6rem 0; }
figcaption { color: var(--soft); font-size: .9rem; }
figure > svg { display: block; width: 100%; height: auto; }
.legend span { display: inline-block; margin-right: 1.2rem; }
.legend svg { vertical-align: middle; margin-right: .4rem; }
svg text { font: 12px "IBM Plex Sans", system-ui, sans-serif; fill: var(--text); }
svg .grid { stroke: var(--line); }
@media screen and (max-width: 600px) { svg text { font-size: 16px; } }
footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
@page { size: A4; margin: 14mm 12mm; }
@media print {
  body { font-size: 10.5pt; max-width: none; padding: 0; }
  h2, h3, caption, thead, tr:first-child { break-after: avoid; }
  figure, tr,  .answer, .warning { break-inside: avoid; }
  thead { display: table-header-group; }
  .wide { overflow: visible; }
  thead th, .figures td { white-space: normal; }
  th, td { padding: .2rem .35rem; }
}
"""


def require_page_name(file: Path) -> None:
    """Raises InvalidRequest when no such report can have that name."""
    if file.suffix.lower() != ".html":
        raise InvalidRequest(f"A report cannot be written as {file.name}.", "Let its name end in .html.")


def page(title: str, body: Sequence[Html], made_at: datetime) -> bytes:
    """The whole file; it says when it was made and with what."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    made = f"Made by stockcast {__version__} on {moment(made_at)}. Not investment advice."
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<title>{escape(title)}</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><style>{_STYLE}</style></head><body>\n<main>\n'
        + "\n".join(body)
        + f"\n</main>\n<footer>{paragraph(made, 'small')}</footer>\n</body></html>\n"
    ).encode()


def heading(text: str, level: int = 2) -> Html:
    """A heading of level 1 to 6."""
    return Html(f"<h{level}>{escape(text)}</h{level}>")


def paragraph(text: str, kind: str = "") -> Html:
    """A paragraph: plain, or an answer, a warning, or small."""
    return Html(f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>")


def bullets(texts: Sequence[str]) -> Html:
    """A list."""
    return Html("<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>")


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], caption: str, *, words: bool = False, told: bool = True
) -> Html:
    """A table whose first column names its rows; of figures, or of words.

    Its caption is for listeners alone where it is not `told`, right below a heading that says the same.
    """
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    heard = f"<caption>{escape(caption)}</caption>" if told else ""
    return _scrolling(
        f'<table class="{"words" if words else "figures"}">{heard}{head}<tbody>{body}</tbody></table>',
        caption,
    )


def facts(known: Mapping[str, str], caption: str) -> Html:
    """What is known of a thing, one line each; what is empty is left out."""
    return table((), [(name, text) for name, text in known.items() if text], caption, words=True)


def figure(drawing: Html, alt: str) -> Html:
    """A drawing with its description below it."""
    return Html(f"<figure>{drawing}<figcaption>{escape(alt)}</figcaption></figure>")


def _scrolling(content: str, label: str) -> Html:
    """On a narrow screen it is moved sideways, by the keyboard too."""
    return Html(f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}">{content}</div>')


def moment(when: datetime) -> str:
    """An aware moment."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def price(value: float) -> str:
    """Two decimals; four significant digits below one."""
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"


def money(value: float, currency: str | None) -> str:
    """A price with the code of its currency, where one is known."""
    return f"{price(value)}{NO_BREAK}{currency}" if currency else price(value)


def percent(share: float, how: str = ".1f") -> str:
    """A share of one."""
    return f"{100 * share:{how}}{NO_BREAK}%"
