"""On the way into the journal: what was said is written to a file first, and from there into the database in bulk.

For those who answer thousands in a second and cannot wait for a commit each. A line in the file survives the
death of the process; a thread moves lines into the database some moments later, and whoever starts next moves
those that a dead process has left. A line that is there twice is one row.

    spool/<process>/lock          held as long as that process lives
    spool/<process>/000007.jsonl  lines in the order in which they were said
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from stockcast.database import Database
from stockcast.errors import DiskFull, StockcastError
from stockcast.home_files import make_folder
from stockcast.logs import get_logger

_log = get_logger(__name__)

EVERY = 0.2  # seconds between two moves
CHUNK = 200  # lines of one transaction
MOST_HELD = 5_000  # lines kept in memory where no file can be written; more are refused
_PATIENCE = 2.0  # seconds before a database that did not answer is asked again

# Columns as they stand in a line, each as text or a plain value; JSON columns as the text that is to be kept.
COLUMNS = (
    "issued_at", "face", "universe", "ticker", "cutoff", "model", "model_version", "run_id", "fingerprint",
    "last_close", "sessions", "levels", "log_returns", "findings", "naive_log_returns", "from_store",
)  # fmt: skip
# Added to what is taken out of the line; SQLite keeps values as they are written.
_TYPES = {
    "issued_at": "::timestamp AT TIME ZONE 'UTC'", "cutoff": "::date", "last_close": "::float8",
    "from_store": "::boolean", "sessions": "::json", "levels": "::json", "log_returns": "::json",
    "findings": "::json", "naive_log_returns": "::json",
}  # fmt: skip
_INSERT = f"INSERT INTO journal ({', '.join(COLUMNS)}) "
_SQLITE = f"{_INSERT}VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT DO NOTHING"
_POSTGRESQL = (
    f"{_INSERT}SELECT "
    + ", ".join(f"(value ->> '{name}'){_TYPES.get(name, '')}" for name in COLUMNS)
    + " FROM json_array_elements(%s::json) ON CONFLICT DO NOTHING"
)


class JournalSpool:
    """Takes lines from one thread and moves them in another. Nothing is opened before `start`."""

    def __init__(self, folder: Path, open_database: Callable[[], Database]) -> None:
        self._folder = folder
        self._open = open_database
        self._own = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._database: Database | None = None
        self._lock: int | None = None
        self._file: int | None = None
        self._size = self._number = 0
        self._held: list[bytes] = []  # lines that no file took
        self._swapping = threading.Lock()
        self._wake, self._leave = threading.Event(), False
        self._thread: threading.Thread | None = None
        self._taken = self._moved = 0
        self._pinged = 0.0
        self.database_problem: str | None = None  # what the last try met
        self.file_problem: str | None = None

    @property
    def length(self) -> int:
        """Lines on their way."""
        return max(0, self._taken - self._moved)

    @property
    def database(self) -> Database | None:
        """The open database; None while it does not answer."""
        return self._database

    def start(self) -> None:
        """Begins to move, with what others have left."""
        try:
            make_folder(self._own)
            self._lock = _lock(self._own)
        except (OSError, StockcastError) as problem:
            self.file_problem = f"No file can be written: {problem}"
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def append(self, lines: Sequence[bytes]) -> None:
        """Takes lines before they are said. Raises DiskFull; then they must not be said."""
        content = b"\n".join(lines) + b"\n"
        with self._swapping:
            if not self._write(content):
                if len(self._held) + len(lines) > MOST_HELD:
                    raise DiskFull(
                        "Forecasts cannot be written down: the database and the disk take nothing.",
                        "Free some disk space, or see that the database is there.",
                    )
                self._held += lines
            self._taken += len(lines)

    def close(self, seconds: float = 20.0) -> bool:
        """Moves what is there and stops. False when something stays in files, for whoever starts next."""
        self._leave = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)
        done = self.length == 0
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if done:
            shutil.rmtree(self._own, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._database is not None:
            self._database.close()
        return done

    def _write(self, content: bytes) -> bool:
        """Into the file, whole or not at all."""
        try:
            if self._file is None:
                self._number += 1
                place = self._own / f"{self._number:06}.jsonl"
                self._file = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
                self._size = 0
            if os.write(self._file, content) != len(content):
                os.ftruncate(self._file, self._size)
                raise OSError("no space is left")
        except OSError as problem:
            self.file_problem = f"No file can be written: {problem.strerror or problem}."
            return False
        self._size += len(content)
        self.file_problem = None
        return True

    def _work(self) -> None:
        with contextlib.suppress(Exception):
            self._take_over()
        while True:
            if not self._leave:
                self._wake.wait(EVERY)
                self._wake.clear()
            leaving = self._leave
            try:
                self._move_all()
                self._told(None)
            except Exception as problem:
                self._told(problem)
                if leaving:
                    return
                if not self._leave:
                    self._wake.wait(_PATIENCE)
            if leaving and not self.length:
                return

    def _told(self, problem: Exception | None) -> None:
        was = self.database_problem
        self.database_problem = None if problem is None else getattr(problem, "message", None) or str(problem)
        if problem is not None and was is None:
            _log.warning("journal_waits", error=self.database_problem, waiting=self.length)
        elif problem is None and was is not None:
            _log.info("journal_goes_on", waiting=self.length)

    def _move_all(self) -> None:
        if self._database is None:
            self._database = self._open()
            self._take_over()
        with self._swapping:
            file, self._file = self._file, None
            held, self._held = self._held, []
            places = sorted(self._own.glob("*.jsonl"))  # none of them is written to any more
        if file is not None:
            os.close(file)
        try:
            while held:
                self._moved += _insert(self._database, held[:CHUNK])
                held = held[CHUNK:]
        finally:
            if held:
                with self._swapping:
                    self._held = held + self._held
        for place in places:
            self._moved += self._move(place)
        if time.monotonic() - self._pinged > _PATIENCE:  # so that it is known also while nobody asks
            self._pinged = time.monotonic()
            with self._database.read() as connection:
                connection.exec_driver_sql("SELECT 1")

    def _move(self, place: Path, left: bool = False) -> int:
        assert self._database is not None
        count = 0
        with open(place, "rb") as file:  # a piece at a time: it may have grown while the database was away
            # After the last break nothing stands, or half a line.
            while lines := [line[:-1] for line in itertools.islice(file, CHUNK) if line.endswith(b"\n")]:
                count += len(lines)
                good = [line for line in lines if _readable(line)] if left else lines
                if good:
                    _insert(self._database, good)
        place.unlink()
        return count

    def _take_over(self) -> None:
        """Moves what processes have left that are gone."""
        if self._database is None:
            return
        for left, lock in _abandoned(self._folder, self._own):
            try:
                for place in sorted(left.glob("*.jsonl")):
                    count = self._move(place, left=True)
                    _log.info("journal_taken_over", forecasts=count)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)


def _abandoned(folder: Path, own: Path) -> Iterator[tuple[Path, int]]:
    """Folders of processes that are gone, each with its lock in our hands."""
    for left in sorted(folder.iterdir()) if folder.is_dir() else ():
        if left != own and left.is_dir():
            with contextlib.suppress(OSError):
                yield left, _lock(left)


def _lock(folder: Path) -> int:
    """Holds the lock of a folder until the descriptor is closed. Raises OSError when somebody else does."""
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _readable(line: bytes) -> bool:
    """A loss of power may leave anything in a file."""
    try:
        return isinstance(orjson.loads(line), dict)
    except ValueError:
        return False


_values = itemgetter(*COLUMNS)


def _insert(database: Database, lines: Sequence[bytes]) -> int:
    """One statement for all of them; where the database refuses it, line by line, and only the bad one is lost."""
    try:
        with database.write() as connection:
            _execute(connection, lines)
    except (DataError, IntegrityError) as problem:
        if len(lines) > 1:
            for line in lines:
                _insert(database, [line])
        else:
            _log.error(
                "journal_line_refused", error=str(problem.orig), line=lines[0][:500].decode(errors="replace")
            )
    return len(lines)


def _execute(connection: Connection, lines: Sequence[bytes]) -> None:
    if connection.dialect.name == "postgresql":  # one statement, so that the network is crossed once
        together = f"[{b','.join(lines).decode(errors='replace')}]"
        connection.exec_driver_sql(_POSTGRESQL, (together,))
    else:
        connection.exec_driver_sql(_SQLITE, [_values(orjson.loads(line)) for line in lines])
