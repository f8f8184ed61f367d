"""Starts Streamlit's server with what the first page needs already on its way into memory, and into the browser.

`streamlit run app.py` shows the same pages; here the first visitor does not wait for the imports, and no visitor
for what Streamlit's browser code would find out by itself.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import tomllib
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import logger as streamlit_logger

from stockcast.errors import StockcastError
from stockcast.logs import configure_logs
from stockcast.settings import read_settings
from stockcast.ui.first_html import PAGES, first_html

APP = Path(__file__).parents[2] / "app.py"


class Dashboard(st.App):
    """Streamlit's application, whose HTML is ours."""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answers as ASGI asks for it."""
        page = _page_asked(scope)
        if page is None:
            await super().__call__(scope, receive, send)
            return
        body = first_html(page)
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-cache")]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})


def _page_asked(scope: MutableMapping[str, Any]) -> str | None:
    """The page of PAGES that a browser asks for; None for whatever else."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    path: str = scope["path"].removeprefix(f"/{base}") if base else scope["path"]
    return path[1:] if path[:1] == "/" and path[1:] in PAGES else None


def serve(options: Sequence[str]) -> None:
    """Serves app.py with Streamlit's own command line options; does not return."""
    with contextlib.suppress(StockcastError):  # the first page tells what is wrong
        configure_logs(read_settings(), "INFO")
        log_as_we_do()
    threading.Thread(target=_warm, daemon=True).start()
    sys.argv = [str(APP)]  # its folder is where Streamlit looks for our configuration
    Dashboard(APP).run(config=read_options(options))


def read_options(words: Sequence[str]) -> dict[str, object]:
    """Streamlit's options as a command line has them: `--name value`, `--name=value`, or `--name` for true."""
    found: dict[str, object] = {}
    for at, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, given, value = word[2:].partition("=")
        following = words[at + 1] if at + 1 < len(words) else "--"
        if not given:
            value = "true" if following.startswith("--") else following
        several = isinstance(st.get_option(name), list | tuple)
        found[name] = [*_listed(found.get(name)), value] if several else _value(value)
    return found


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:  # no number and no truth value, so words
        return text


def log_as_we_do() -> None:
    """Lets Streamlit's loggers write where ours do; by itself each of them has a way and a form of its own."""

    def hand_over(logger: logging.Logger) -> None:
        logger.handlers.clear()
        logger.propagate = True

    streamlit_logger.setup_formatter = hand_over
    streamlit_logger.update_formatter()
    # What uvicorn tells of its start has a form of its own, and Streamlit tells the address.
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno > logging.INFO)


def _warm() -> None:
    from stockcast.workspace import Workspace

    with contextlib.suppress(StockcastError):  # the first page tells what is wrong
        opened = Workspace(read_settings())
        opened.desk.look_after()  # jobs that a crash of everything has left go on without a visitor
        opened.tracking.client  # noqa: B018  # opened by the first look


if __name__ == "__main__":
    serve(sys.argv[1:])
