"""What the processes tell while they work: one JSON object a line, or a short line for a person at a terminal.

A room takes a logger at import and names what happened as an event with fields; a face calls `configure_logs` at
its start. Until then nothing is configured, and only warnings come out, as of any library. Libraries that use
Python's logging come out in the same form.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from typing import cast

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.processors import TimeStamper, format_exc_info
from structlog.stdlib import (
    BoundLogger,
    ProcessorFormatter,
    add_log_level,
    add_logger_name,
    filter_by_level,
)
from structlog.typing import EventDict, WrappedLogger

from stockcast.log_values import plain
from stockcast.settings import LogLevel, Settings

# Fields that every event in this thread carries from here on, for example the job that it belongs to.
log_context = bound_contextvars

# Docker cuts a line at 16 KiB, and what ships the log would have to put it together again.
LONGEST_LINE = 15_000  # characters

_SHARED = (merge_contextvars, add_log_level, add_logger_name, TimeStamper(fmt="iso", utc=True))
_FIRST = ("timestamp", "level", "event", "logger", "pid")


def get_logger(name: str) -> BoundLogger:
    """The logger of a module; call it with `__name__`. It opens nothing and configures nothing."""
    return cast(
        BoundLogger,
        structlog.wrap_logger(
            logging.getLogger(name),
            processors=[filter_by_level, *_SHARED, format_exc_info, ProcessorFormatter.wrap_for_formatter],
            wrapper_class=BoundLogger,
            cache_logger_on_first_use=True,
        ),
    )


def configure_logs(settings: Settings, usual: LogLevel = "WARNING") -> None:
    """Sends what this process logs to stderr; `usual` is the level where the settings name none.

    Of other libraries only warnings come out, whatever the level. It may be called again.
    """
    level = settings.log_level or usual
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    root = logging.getLogger()
    handler = next((each for each in root.handlers if isinstance(each, _Lines)), None)
    if handler is None:
        handler = _Lines()
        root.addHandler(handler)
    handler.setFormatter(_formatter(as_json))
    root.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("stockcast").setLevel(level)
    logging.captureWarnings(as_json)


@contextlib.contextmanager
def beside_a_file(stderr: int) -> Iterator[None]:
    """While the process's own stdout and stderr lead to a job's file: events go on to `stderr`, a descriptor of
    where it led before, and for people into that file too."""
    root = logging.getLogger()
    handler = next((each for each in root.handlers if isinstance(each, _Lines)), None)
    if handler is None:
        yield
        return
    into_file = _Lines(2)
    into_file.setFormatter(_formatter(as_json=False))
    # How the job goes stands there already.
    into_file.addFilter(lambda record: not record.name.startswith("stockcast.jobs."))
    root.addHandler(into_file)
    handler.descriptor = stderr
    try:
        yield
    finally:
        handler.descriptor = None
        root.removeHandler(into_file)


class _Lines(logging.Handler):
    """Writes each event at once, so that the lines of several processes do not mix. It never stops the work: a
    full disk or a reader that is gone costs the line.

    It writes to `descriptor`, or to what is `sys.stderr` at that moment.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        super().__init__()
        self.descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as problem:  # a library whose message and arguments do not fit one another
            told = f"unreadable message ({type(problem).__name__})"
            line = self.format(logging.LogRecord(record.name, record.levelno, "", 0, told, None, None))
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            if self.descriptor is None:
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()
            else:
                os.write(self.descriptor, f"{line}\n".encode())


def _formatter(as_json: bool) -> ProcessorFormatter:
    return ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            format_exc_info,
            _json_line if as_json else _console_line,
        ],
    )


def _json_line(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """One JSON object in ASCII: no value can break the line, and every reader of JSON accepts it."""
    event["pid"] = os.getpid()
    ordered = {name: event.pop(name) for name in _FIRST if name in event} | dict(event)
    line = json.dumps(plain(ordered), allow_nan=False)
    for text, trace, many in ((200, 2000, 10), (30, 200, 3)):
        if len(line) > LONGEST_LINE:
            line = json.dumps({**plain(ordered, text, trace, many), "cut": True}, allow_nan=False)
    return line


def _console_line(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """Time (UTC), level, event, and its sentence if it has one or else its fields; a traceback stands below."""
    fields = plain(event)
    trace = fields.pop("exception", None)
    time, level, what, logger = (str(fields.pop(name, "")) for name in _FIRST[:4])
    told = fields.get("sentence") or " ".join(f"{key}={fields[key]}" for key in fields)
    if fields.get("ticker") and str(fields["ticker"]) not in str(told):
        told = f"{fields['ticker']}: {told}"
    head = what if logger.startswith("stockcast") else f"{logger}: {what}"
    line = f"{time[:19].replace('T', ' ')} {level.upper():<7} {_visible(head)} {_visible(told)}".rstrip()
    return line if trace is None else "\n".join((line, *map(_visible, str(trace).splitlines())))


def _visible(value: object) -> str:
    """A text in one line that cannot steer a terminal."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(value))
