"""What the processes tell: one event is one line, whatever it holds, and no secret is in it."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.log_values import mask
from stockcast.logs import LONGEST_LINE, configure_logs, get_logger, log_context
from stockcast.settings import Settings

log = get_logger("stockcast.tests")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Puts Python's logging back."""
    root, ours = logging.getLogger(), logging.getLogger("stockcast")
    kept = list(root.handlers), root.level, ours.level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level, ours.level = kept
    root.manager._clear_cache()  # type: ignore[attr-defined]  # what is enabled at which level


@contextmanager
def heard_alone() -> Iterator[None]:
    """What threads that other tests have left behind tell meanwhile is not written."""
    me, handlers = threading.get_ident(), list(logging.getLogger().handlers)

    def ours(record: logging.LogRecord) -> bool:
        return record.thread == me

    for handler in handlers:
        handler.addFilter(ours)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(ours)


def lines(tell: Callable[[], object], form: str = "json", level: str = "") -> list[str]:
    """What is written to stderr while something is told."""
    kept, sys.stderr = sys.stderr, io.StringIO()
    # pytest listens too, and stumbles over some of what is told.
    logging.getLogger().handlers[:] = [
        each for each in logging.getLogger().handlers if "pytest" not in type(each).__module__
    ]
    try:
        configure_logs(Settings(log_format=form, log_level=level), "INFO")
        with heard_alone():
            tell()
        return sys.stderr.getvalue().splitlines()
    finally:
        sys.stderr = kept


def event(tell: Callable[[], object]) -> dict[str, Any]:
    told = lines(tell)
    assert len(told) == 1, told
    return json.loads(told[0], parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no words")


HOSTILE: dict[str, object] = {
    "huge number": 10**5000, "broken": Broken(), "error": ValueError("a\nb"), "path": Path("/x"),
    "numpy": [np.float32("nan"), np.int64(7)], "forged": '\r\n{"event": "forged"}',
    "line ends": "\u2028\u2029\x85\x0b\x0c", "half a letter": "\ud800", "control": "\x00\x1b[2J",
    "emoji": "😀" * 9000, "huge": "x" * 10**6, "urls": "://a:" * 10**5, "deep": [[[[[[[["x"]]]]]]]],
}  # fmt: skip
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.binary(),
        st.dates(),
        st.sampled_from(sorted(HOSTILE)).map(lambda name: HOSTILE[name]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)


@given(values, st.text(max_size=30))
def test_one_event_is_one_line_of_json_whatever_it_holds(value: object, text: str) -> None:
    found = event(lambda: log.warning("tested", value=value, text=text, nested=[{"in": value}]))
    assert (found["event"], found["level"], found["logger"]) == ("tested", "warning", "stockcast.tests")
    assert found["pid"] == os.getpid()
    assert found["timestamp"].endswith("Z")
    assert len(json.dumps(found)) <= LONGEST_LINE
    json.dumps(found, ensure_ascii=False).encode()  # no half letters, which a strict reader refuses


@pytest.mark.parametrize("name", HOSTILE)
def test_no_single_value_breaks_a_line(name: str) -> None:
    found = event(lambda: log.warning("tested", value=HOSTILE[name], ticker="KO"))
    assert (found["event"], found["ticker"]) == ("tested", "KO")
    json.dumps(found, ensure_ascii=False).encode()


def test_numbers_dates_and_texts_arrive_as_they_are() -> None:
    told = {
        "count": 3,
        "share": 0.25,
        "day": date(2024, 5, 2),
        "who": "Ação 😀",
        "list": ["a", 1],
        "of": {"b": None},
    }
    found = event(lambda: log.info("tested", **told))
    assert {name: found[name] for name in told} == {**told, "day": "2024-05-02"}


def test_the_end_of_a_long_traceback_is_kept() -> None:
    def deep(level: int) -> None:
        if not level:
            raise ValueError("what went wrong: postgresql://u:hunter2@db/x")
        deep(level - 1)

    def tell() -> None:
        try:
            deep(200)
        except ValueError:
            log.exception("job_failed", universe="tech")

    found = event(tell)
    assert found["level"] == "error"
    assert found["exception"].endswith("ValueError: what went wrong: postgresql://u:***@db/x")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql+psycopg://stock:hunter2@db:5432/x cannot be used",
        "postgresql://stock:hun/ter2@db/x",
        "postgresql://stock:hun@ter2@db/x",
        "redis://:hunter2@broker:6379/0",
        "amqp://guest:hunter2@a//, amqp://guest:hunter2@b//",
        "https://mlflow.example/?token=hunter2&x=1",
        "host=db password=hunter2 user=x",
        'headers {"Authorization": "Bearer hunter2"}',
        "X-API-Key: hunter2",
        "x" * 1990 + " https://user:hunter2hunter2hunter2@host",
        (f"token={'y' * 180} " * 20)[:2479] + " https://user:hunter2hunter2hunter2@host",
    ],
)
def test_no_password_or_key_is_logged(text: str) -> None:
    for line in (*lines(lambda: log.error("tested", error=text)), *lines(lambda: log.error(text), "console")):
        assert "hunter2" not in line, line
        assert "ter2" not in line, line


def test_a_field_that_is_named_as_a_secret_is_not_logged_and_nothing_else_is_lost() -> None:
    found = event(lambda: log.info("tested", api_key="hunter2", headers={"cookie": "hunter2"}, ticker="KO"))
    assert (found["api_key"], found["headers"], found["ticker"]) == ("***", {"cookie": "***"}, "KO")
    kept = "https://mlflow.example:5000/#/runs/1 and 12:30 and a@b, PETR4.SA: token ring"
    assert mask(kept) == kept


def test_an_event_of_many_long_fields_is_cut_and_says_so() -> None:
    found = event(lambda: log.info("tested", **{f"field{number}": "😀" * 900 for number in range(20)}))
    assert found["cut"] is True
    assert found["field19"].startswith("😀")


def test_other_libraries_come_out_in_the_same_form_and_only_from_warnings_on() -> None:
    def tell() -> None:
        logging.getLogger("vendor").info("chatter")
        logging.getLogger("vendor").warning("two\nlines of %s", "it")
        logging.getLogger("vendor").warning("%d", "does not fit")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old\nways", DeprecationWarning, stacklevel=1)

    found = [json.loads(line) for line in lines(tell)]
    assert [each["event"] for each in found[:2]] == ["two\nlines of it", "unreadable message (TypeError)"]
    assert "DeprecationWarning: old\nways" in found[2]["event"]
    assert [each["logger"] for each in found] == ["vendor", "vendor", "py.warnings"]


@pytest.mark.parametrize(("level", "told"), [("", ["b", "c"]), ("DEBUG", ["a", "b", "c"]), ("WARNING", ["c"])])
def test_the_setting_decides_what_is_told_and_else_the_face_does(level: str, told: list[str]) -> None:
    def tell() -> None:
        log.debug("a")
        log.info("b")
        log.warning("c")

    assert [json.loads(line)["event"] for line in lines(tell, level=level)] == told


def test_a_person_reads_a_short_line_that_cannot_steer_the_terminal() -> None:
    found = lines(
        lambda: log.warning("drift_detected", ticker="KO", value=0.5, sentence="Close\x1b[2J fell\nby half."),
        "console",
    )
    [line] = found
    assert line.endswith(r"WARNING drift_detected KO: Close\x1b[2J fell\nby half.")
    [line] = lines(lambda: log.info("job_started", job_id="ab", kind="train"), "console")
    assert line.endswith("INFO    job_started job_id=ab kind=train")


def test_what_belongs_to_the_thread_stands_in_every_event() -> None:
    def tell() -> None:
        with log_context(request_id="r1"):
            log.info("tested")

    assert event(tell)["request_id"] == "r1"
    assert "request_id" not in event(lambda: log.info("tested"))


def test_a_full_disk_or_a_closed_stream_costs_the_line_and_not_the_work() -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    kept = sys.stderr
    closed = io.StringIO()
    closed.close()
    for stream in (Full(), closed):
        sys.stderr = stream
        try:
            configure_logs(Settings(log_format="json"), "INFO")
            log.warning("tested")
        finally:
            sys.stderr = kept


def test_configuring_twice_does_not_tell_twice() -> None:
    configure_logs(Settings(log_format="console"))
    assert len(lines(lambda: log.warning("tested"))) == 1
