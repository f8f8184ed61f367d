"""Starts Streamlit's server with what the first page needs already on its way into memory.

`streamlit run app.py` shows the same pages; here the first visitor does not wait for the imports.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from pathlib import Path

from streamlit import logger as streamlit_logger
from streamlit.web import cli

from stockcast.errors import StockcastError
from stockcast.logs import configure_logs
from stockcast.settings import read_settings

APP = Path(__file__).parents[2] / "app.py"


def serve(options: list[str]) -> None:
    """Serves app.py with Streamlit's own command line options; does not return."""
    with contextlib.suppress(StockcastError):  # the first page tells what is wrong
        configure_logs(read_settings(), "INFO")
        log_as_we_do()
    threading.Thread(target=_warm, daemon=True).start()
    sys.argv = ["streamlit", "run", str(APP), *options]
    cli.main()


def log_as_we_do() -> None:
    """Lets Streamlit's loggers write where ours do; by itself each of them has a way and a form of its own."""

    def hand_over(logger: logging.Logger) -> None:
        logger.handlers.clear()
        logger.propagate = True

    streamlit_logger.setup_formatter = hand_over
    streamlit_logger.update_formatter()


def _warm() -> None:
    from stockcast.workspace import Workspace

    with contextlib.suppress(StockcastError):  # the first page tells what is wrong
        opened = Workspace(read_settings())
        opened.desk.look_after()  # jobs that a crash of everything has left go on without a visitor
        opened.tracking.client  # noqa: B018  # opened by the first look


if __name__ == "__main__":
    serve(sys.argv[1:])
