"""The one place where errors become sentences on a page.

An error of the tree is told with its hint and a link to where it can be mended. Anything else is our own
fault: it is logged with a reference, and the page shows the reference, never a stack trace.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from stockcast import errors
from stockcast.errors import StockcastError
from stockcast.logs import get_logger
from stockcast.ui.escaping import plain

_log = get_logger(__name__)


@dataclass(frozen=True)
class Telling:
    """How one kind of error is told: the heading, how grave it is, and the page that helps."""

    title: str
    severity: Literal["error", "warning"] = "error"
    page: str | None = None
    link: str = ""


_DATA, _TRAIN, _CONFIGURATION = "pages/data.py", "pages/train.py", "pages/configuration.py"

TELLINGS: dict[type[StockcastError], Telling] = {
    errors.InvalidTicker: Telling("That is not a ticker"),
    errors.UnknownTicker: Telling("No such prices here", "warning", _DATA, "Get prices on the Data page"),
    errors.UnreadableFile: Telling("The file cannot be read"),
    errors.InvalidPrices: Telling("These are no valid prices"),
    errors.TooShortHistory: Telling("The history is too short", "warning", _DATA, "Get a longer history"),
    errors.InvalidWindow: Telling("The window does not fit"),
    errors.InvalidConfig: Telling("The configuration was not accepted"),
    errors.InvalidRequest: Telling("That cannot be done"),
    errors.SourceUnavailable: Telling("The price source does not answer", "warning"),
    errors.SourceRateLimited: Telling("The price source asks us to wait", "warning"),
    errors.NoPricesFound: Telling("No prices found", "warning"),
    errors.StalePrices: Telling("The prices are old", "warning", _DATA, "Update the prices"),
    errors.LeakDetected: Telling("That comparison would not be honest"),
    errors.UnlikeFingerprints: Telling("These figures cannot be compared"),
    errors.UnknownModel: Telling("No such model", "warning", _TRAIN, "Train a model"),
    errors.CorruptBundle: Telling("The model is damaged", page=_TRAIN, link="Train it again"),
    errors.TrainingFailed: Telling("The training failed", page=_CONFIGURATION, link="Change the configuration"),
    errors.UnknownJob: Telling("No such job", "warning", _TRAIN, "Open the Train page"),
    errors.TrainingActive: Telling("A training is running already", "warning", _TRAIN, "Watch it"),
    errors.JobCancelled: Telling("It was cancelled", "warning", _TRAIN, "Open the Train page"),
    errors.JobPaused: Telling("It was paused", "warning", _TRAIN, "Watch it"),
    errors.JobSuperseded: Telling("Another process has taken it over", "warning", _TRAIN, "Watch it"),
    errors.JobOverdue: Telling("It took too long", page=_TRAIN, link="Open the Train page"),
    errors.DiskFull: Telling("The disk is full"),
    errors.HomeNotWritable: Telling("The data folder cannot be written"),
    errors.DatabaseUnavailable: Telling("The database cannot be opened"),
    errors.RegistryUnavailable: Telling("MLflow does not answer"),
}


@contextmanager
def boundary() -> Iterator[None]:
    """Runs a page, or a part of one, and tells what went wrong in it."""
    try:
        yield
    except StockcastError as problem:
        tell(problem)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        _log.exception("page_failed", reference=reference)
        st.error(
            "Nothing was lost. Reload the page; if it happens again, look for the reference "
            f"**{reference}** in the log of the dashboard.",
            title="Something went wrong on our side",
            icon=":material/error:",
        )


def tell(problem: StockcastError) -> None:
    """Shows one error of the tree with its way out."""
    telling = telling_of(problem)
    show, icon = {
        "error": (st.error, ":material/error:"),
        "warning": (st.warning, ":material/warning:"),
    }[telling.severity]
    show(f"{plain(problem.message)}  \n{plain(problem.hint)}", title=telling.title, icon=icon)
    if telling.page is not None:
        st.page_link(telling.page, label=telling.link, icon=":material/arrow_forward:")


def telling_of(problem: StockcastError) -> Telling:
    """The entry of TELLINGS that fits best: that of the error's own class, or of the nearest parent."""
    return next(
        (TELLINGS[kind] for kind in type(problem).__mro__ if kind in TELLINGS), Telling("That did not work")
    )
