"""How the pages talk with the API: briefly, and whatever goes wrong becomes a sentence."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

import httpx
from pydantic import ValidationError

from stockcast.client.api_client import ApiClient, ApiError
from stockcast.ui.domain_words import told
from stockcast.ui.format import figures
from stockcast.ui.language import _

CONNECT = 1.0  # seconds to be let in
QUICK = 2.0  # seconds for an answer that waits for nothing
PATIENT = 10.0  # seconds for a forecast: the first one of a process loads calendars

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Answered(Generic[Answer]):
    """What the API said, and how many seconds it took, the opening of a connection among them."""

    said: Answer
    seconds: float


@dataclass(frozen=True)
class Failed:
    """Why there is no answer. `refused`: the API itself said so; otherwise nobody there speaks as it does."""

    title: str
    message: str
    hint: str
    refused: bool = False


def ask(
    address: str, question: Callable[[ApiClient], Answer], key: str | None = None, seconds: float = QUICK
) -> Answered[Answer] | Failed:
    """What the API at an address says to a question."""
    if key is not None and not (key.isascii() and key.isprintable()):
        return Failed(_("That is no key"), _("A key has plain letters and digits."), _("Copy it anew."))
    # A sidecar is not behind the proxy of the environment.
    http = httpx.Client(
        base_url=address, timeout=httpx.Timeout(seconds, connect=CONNECT), verify=_trusted(), trust_env=False
    )
    try:
        with ApiClient(address, key, http=http) as client:
            began = time.perf_counter()
            return Answered(question(client), time.perf_counter() - began)
    except ApiError as problem:
        return _refusal(problem)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return Failed(_("Nobody answers"), _("Nothing listens there."), _("Start the API."))
    except httpx.TimeoutException:
        return Failed(_("No answer in time"), _("Something is there, and it is too slow."), _("Look at its log."))
    except (httpx.HTTPError, ValidationError):
        return Failed(
            _("Something else answers"), _("What came is no answer of this API."), _("Set STOCKCAST_API_URL.")
        )


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates of this machine; reading them takes longer than an answer."""
    return ssl.create_default_context()


def _refusal(problem: ApiError) -> Failed:
    if problem.request_id is None:  # another program, or a proxy before the API
        return Failed(_("Something else answers"), told(problem.message), told(problem.hint))
    wait = ""
    if problem.retry_after is not None:
        wait = _("Ask again in {seconds} s.").format(seconds=figures(f"{problem.retry_after:.0f}"))
    return Failed(
        _("It refused: {status} {code}").format(status=problem.status, code=problem.code),
        _("{message} (request {request_id})").format(message=told(problem.message), request_id=problem.request_id),
        " ".join(filter(None, (told(problem.hint), wait))),
        refused=True,
    )
