"""How what goes wrong becomes an answer: one table over the error tree, one form, nothing of the input in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import to_json

from stockcast import errors

# 503 where it may work again in a while, by itself; the client is told when to ask.
STATUSES: dict[type[errors.StockcastError], int] = {
    errors.InputError: 422,
    errors.UnknownTicker: 404,
    errors.InvalidConfig: 400,
    errors.ConfigMoved: 409,
    errors.UnknownUniverse: 404,
    errors.SourceError: 503,
    errors.StalePrices: 409,
    errors.EvaluationError: 409,
    errors.ModelError: 503,
    errors.UnknownModel: 404,
    errors.CorruptBundle: 409,
    errors.UnknownJob: 404,
    errors.JobError: 409,
    errors.StateError: 503,
}
RETRY_AFTER = 5  # seconds
_SEND_JSON = "Send one JSON object, as /docs shows it."


def status_of(problem: errors.StockcastError) -> int:
    """The status of an error: that of its nearest ancestor in the table."""
    for kind in type(problem).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    raise KeyError(f"{type(problem).__name__} has no status")


def code_of(problem: errors.StockcastError) -> str:
    """InvalidWindow as invalid_window: stable, for programs."""
    name = type(problem).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@dataclass(eq=False)
class Refused(Exception):
    """An answer that is no success, as a value that can be raised."""

    status: int
    code: str
    message: str
    hint: str
    field: str | None = None
    detail: object = None  # FastAPI's own form, where it differs from the message
    retry_after: float | None = None
    more: Mapping[str, str] | None = None  # beside the envelope, such as the id of the active job
    headers: Mapping[str, str] | None = None

    @staticmethod
    def of(problem: errors.StockcastError) -> Refused:
        """An error of the tree. What the state says of addresses and paths stays in the log."""
        status = status_of(problem)
        message, hint = problem.message, problem.hint
        if isinstance(problem, errors.StateError):
            message, hint = _STATE.get(type(problem), _STATE[errors.StateError])
        more = {"job_id": problem.job_id} if isinstance(problem, errors.TrainingActive) else None
        if more:
            hint = "Wait for it, watch it at /jobs/{id}, or cancel it with POST /jobs/{id}/cancel."
        return Refused(
            status, code_of(problem), message, hint, retry_after=RETRY_AFTER if status == 503 else None, more=more
        )

    def body(self, request_id: str) -> bytes:
        """The envelope, as JSON."""
        told = {
            "code": self.code, "message": self.message, "field": self.field, "hint": self.hint,
            "request_id": request_id,
        }  # fmt: skip
        detail = self.message if self.detail is None else self.detail
        return to_json({"detail": detail, "error": told | dict(self.more or {})}, inf_nan_mode="null")

    def head(self) -> list[tuple[bytes, bytes]]:
        """Headers beyond the usual ones."""
        found = [(name.lower().encode(), value.encode()) for name, value in (self.headers or {}).items()]
        if self.retry_after is not None:
            found.append((b"retry-after", str(max(1, round(self.retry_after))).encode()))
        return found


_STATE: dict[type[errors.StockcastError], tuple[str, str]] = {
    errors.DatabaseUnavailable: ("The database does not answer.", "Try again later; forecasts go on meanwhile."),
    errors.RegistryUnavailable: ("MLflow does not answer.", "Try again later; forecasts go on meanwhile."),
    errors.DiskFull: ("The disk is full.", "Free some space on the machine that serves."),
    errors.HomeNotWritable: ("The home of the server cannot be written.", "Tell whoever runs it."),
    errors.StateError: ("The server's own state is not at hand.", "Tell whoever runs it."),
}


def invalid(problem: ValidationError | Sequence[Any], where: str = "body") -> Refused:
    """What pydantic refuses: the first field is named, and all of them in FastAPI's form, without their values."""
    found: Sequence[Any] = (
        problem.errors(include_url=False, include_context=False, include_input=False)
        if isinstance(problem, ValidationError)
        else problem
    )
    faults = [_Fault(each["type"], _location(where, each["loc"]), _plain(each["msg"])) for each in found[:20]]
    first = faults[0] if faults else _Fault("invalid", [where], "It cannot be read")
    field = ".".join(str(part) for part in first.path if part not in ("body", "query", "path")) or None
    broken = first.kind in ("json_invalid", "json_type")
    return Refused(
        422,
        "invalid_json" if broken else "invalid_input",
        ("The body is not JSON that can be read" if broken else f"{field or 'The body'}: {first.told}") + ".",
        _SEND_JSON if broken else "Correct the field; /docs shows what is expected.",
        field,
        [{"type": each.kind, "loc": each.path, "msg": each.told} for each in faults],
    )


class _Fault(NamedTuple):
    kind: str
    path: list[str | int]
    told: str


def _location(where: str, path: Sequence[str | int]) -> list[str | int]:
    parts = [part if isinstance(part, int) else part[:60] for part in path]
    return parts if parts and parts[0] in ("body", "query", "path", "header") else [where, *parts]


def _plain(message: object) -> str:
    """Only the kind of fault: pydantic quotes the offending text of a date and of broken JSON."""
    return str(message).partition(": ")[0].split(", input")[0][:200]


def from_status(status: int, allow: str | None = None) -> Refused:
    """What the framework itself refuses: no such route, another method, too large a body."""
    code, message, hint = {
        400: (
            "invalid_json",
            "The body is not JSON that can be read.",
            "Send one JSON object, as /docs shows it.",
        ),
        404: ("not_found", "There is no such route.", "GET /docs lists what there is."),
        405: ("method_not_allowed", "This route does not take that method.", "GET /docs lists what there is."),
        413: ("body_too_large", "The body is too large.", "Send fewer windows at once."),
    }.get(status, ("refused", f"{_phrase(status)}.", "GET /docs shows what is expected."))
    return Refused(status, code, message, hint, headers={"allow": allow} if allow else None)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"


UNEXPECTED = Refused(
    500,
    "unexpected",
    "Something went wrong in the server, and it is in its log.",
    "Tell whoever runs it the request id.",
)
