"""The same question from a program: text to copy, with the real address and ticker and never a key."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

import streamlit as st

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.ui.api_try import AskedWindow
from stockcast.ui.language import _

KEY = "YOUR_KEY"  # a placeholder: no snippet ever holds a key

_PYTHON = """\
import httpx

last_prices = [
{closes}
]
reply = httpx.post(
    {address},
    headers={{"Authorization": "Bearer {key}"}},
    json={{{named}, "last_prices": last_prices}},
)
said = reply.json()
if reply.is_error:
    raise SystemExit("{{code}}: {{message}} {{hint}}".format(**said["error"]))
print(said["predicted_price"], said["interval_80"], said["naive_price"])
"""

_JAVASCRIPT = """\
const last_prices = [
{closes}
];
const reply = await fetch({address}, {{
  method: "POST",
  headers: {{"Authorization": "Bearer {key}", "Content-Type": "application/json"}},
  body: JSON.stringify({{{named}, last_prices}}),
}});
const said = await reply.json();
if (!reply.ok) throw new Error(`${{said.error.code}}: ${{said.error.message}} ${{said.error.hint}}`);
console.log(said.predicted_price, said.interval_80, said.naive_price);
"""


@st.fragment
def show_snippets(window: AskedWindow) -> None:
    """curl, Python and JavaScript, each drawn when it is opened: what colours code is heavy."""
    st.caption(
        _(
            "Put a key in the place of {key}; while the API asks for none, that line does "
            "nothing. Keep keys out of addresses and out of your repository."
        ).format(key=KEY)
    )
    for title, language, snippet, said in (
        ("curl", "shell", curl_snippet, ""),
        (
            "Python", "python", python_snippet,
            _("Where this package is installed: `from stockcast.client.api_client import ApiClient`, typed."),
        ),
        (
            "JavaScript", "javascript", javascript_snippet,
            _("For Node. Pages of other sites are kept out: the API sends no CORS headers."),
        ),
    ):  # fmt: skip
        place = st.expander(title, icon=":material/code:", key=f"snippet_{language}", on_change="rerun")
        if place.open:
            with place:
                st.code(snippet(window), language=language, height=300)
                if said:
                    st.caption(said)


def curl_snippet(window: AskedWindow) -> str:
    """For a POSIX shell."""
    return (
        f"curl -s {window.address}/predict \\\n"
        f"  -H 'Authorization: Bearer {KEY}' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{{{_named(window)}, \"last_prices\": [\n{_closes(window.closes)}\n]}}'\n"
    )


def python_snippet(window: AskedWindow) -> str:
    """For Python with httpx."""
    return _filled(_PYTHON, window)


def javascript_snippet(window: AskedWindow) -> str:
    """For a module of Node."""
    return _filled(_JAVASCRIPT, window)


def _filled(form: str, window: AskedWindow) -> str:
    address = json.dumps(f"{window.address}/predict")
    return form.format(closes=_closes(window.closes), address=address, key=KEY, named=_named(window))


def _named(window: AskedWindow) -> str:
    """Ticker and universe as members of an object; so they read in JSON, in Python and in JavaScript."""
    members = {"ticker": window.ticker}
    if window.universe != DEFAULT_UNIVERSE:
        members["universe"] = window.universe
    return json.dumps(members)[1:-1]


def _closes(closes: Sequence[float]) -> str:
    text = ", ".join(f"{close:.6g}" for close in closes)
    return textwrap.fill(text, 84, initial_indent="    ", subsequent_indent="    ")
