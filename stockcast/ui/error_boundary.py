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
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.language import N_, _

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
    errors.InvalidTicker: Telling(N_("That is not a ticker")),
    errors.UnknownTicker: Telling(N_("No such prices here"), "warning", _DATA, N_("Get prices on the Data page")),
    errors.UnreadableFile: Telling(N_("The file cannot be read")),
    errors.InvalidPrices: Telling(N_("These are no valid prices")),
    errors.TooShortHistory: Telling(N_("The history is too short"), "warning", _DATA, N_("Get a longer history")),
    errors.InvalidWindow: Telling(N_("The window does not fit")),
    errors.InvalidConfig: Telling(N_("The configuration was not accepted")),
    errors.ConfigMoved: Telling(N_("Somebody else saved a version meanwhile"), "warning"),
    errors.UnknownUniverse: Telling(
        N_("There is no such universe"), "warning", _CONFIGURATION, N_("Create it on the Configuration page")
    ),
    errors.NotAllowed: Telling(N_("You may look, and change nothing"), "warning"),
    errors.InvalidRequest: Telling(N_("That cannot be done")),
    errors.SourceUnavailable: Telling(N_("The price source does not answer"), "warning"),
    errors.SourceRateLimited: Telling(N_("The price source asks us to wait"), "warning"),
    errors.NoPricesFound: Telling(N_("No prices found"), "warning"),
    errors.StalePrices: Telling(N_("The prices are old"), "warning", _DATA, N_("Update the prices")),
    errors.LeakDetected: Telling(N_("That comparison would not be honest")),
    errors.UnlikeFingerprints: Telling(N_("These figures cannot be compared")),
    errors.UnknownModel: Telling(N_("No such model"), "warning", _TRAIN, N_("Train a model")),
    errors.CorruptBundle: Telling(N_("The model is damaged"), page=_TRAIN, link=N_("Train it again")),
    errors.TrainingFailed: Telling(
        N_("The training failed"), page=_CONFIGURATION, link=N_("Change the configuration")
    ),
    errors.UnknownJob: Telling(N_("No such job"), "warning", _TRAIN, N_("Open the Train page")),
    errors.TrainingActive: Telling(N_("A training is running already"), "warning", _TRAIN, N_("Watch it")),
    errors.JobCancelled: Telling(N_("It was cancelled"), "warning", _TRAIN, N_("Open the Train page")),
    errors.JobPaused: Telling(N_("It was paused"), "warning", _TRAIN, N_("Watch it")),
    errors.JobSuperseded: Telling(N_("Another process has taken it over"), "warning", _TRAIN, N_("Watch it")),
    errors.JobOverdue: Telling(N_("It took too long"), page=_TRAIN, link=N_("Open the Train page")),
    errors.DiskFull: Telling(N_("The disk is full")),
    errors.HomeNotWritable: Telling(N_("The data folder cannot be written")),
    errors.BackupFailed: Telling(N_("The database could not be backed up")),
    errors.DatabaseUnavailable: Telling(N_("The database cannot be opened")),
    errors.RegistryUnavailable: Telling(N_("MLflow does not answer")),
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
            _(
                "Nothing was lost. Reload the page; if it happens again, look for the reference "
                "**{reference}** in the log of the dashboard."
            ).format(reference=reference),
            title=_("Something went wrong on our side"),
            icon=":material/error:",
        )


def tell(problem: StockcastError) -> None:
    """Shows one error of the tree with its way out."""
    telling = telling_of(problem)
    show, icon = {
        "error": (st.error, ":material/error:"),
        "warning": (st.warning, ":material/warning:"),
    }[telling.severity]
    show(f"{plain(told(problem.message))}  \n{plain(told(problem.hint))}", title=_(telling.title), icon=icon)
    if telling.page is not None:
        st.page_link(telling.page, label=_(telling.link), icon=":material/arrow_forward:")


def telling_of(problem: StockcastError) -> Telling:
    """The entry of TELLINGS that fits best: that of the error's own class, or of the nearest parent."""
    return next(
        (TELLINGS[kind] for kind in type(problem).__mro__ if kind in TELLINGS), Telling(N_("That did not work"))
    )
