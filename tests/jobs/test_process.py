"""Which process does a job: known by its host, its number and its start, alive only while it can still work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from stockcast.jobs.job_table import JobTable
from stockcast.jobs.process import TOLERANCE, Process, this_host

NOBODY = 2**22 + 1  # beyond the highest number that Linux gives out


@pytest.fixture
def sleeper() -> Iterator[tuple[subprocess.Popen[bytes], Process]]:
    """A process of this machine that waits."""
    line = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process, Process(this_host(), process.pid, psutil.Process(process.pid).create_time())
        finally:
            process.kill()


def wait_for_death(process: subprocess.Popen[bytes]) -> None:
    """Until it is dead but not yet waited for: a zombie."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def test_this_process_is_alive_and_here() -> None:
    me = Process.current()
    assert (me.pid, me.host, me.alive(), me.here) == (os.getpid(), this_host(), True, True)
    assert not replace(me, host="another-machine").here


def test_another_start_under_the_same_number_is_another_process(
    sleeper: tuple[subprocess.Popen[bytes], Process],
) -> None:
    running, process = sleeper
    for seconds in (-2 * TOLERANCE, 2 * TOLERANCE):
        stranger = replace(process, started=process.started + seconds)
        assert not stranger.alive()
        stranger.kill()
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(timeout=0.3)
    assert process.alive(), "nobody else under that number is harmed"
    assert replace(process, started=process.started + 0.5 * TOLERANCE).alive(), "the clock was corrected meanwhile"


def test_a_killed_process_is_dead_before_anybody_has_waited_for_it(
    sleeper: tuple[subprocess.Popen[bytes], Process],
) -> None:
    running, process = sleeper
    process.kill()
    wait_for_death(running)
    assert psutil.Process(running.pid).status() == psutil.STATUS_ZOMBIE
    assert not process.alive()
    process.kill()
    assert running.wait(timeout=10) == -signal.SIGKILL
    assert not process.alive()


def test_a_process_that_stands_still_is_alive_and_can_be_killed(
    sleeper: tuple[subprocess.Popen[bytes], Process],
) -> None:
    running, process = sleeper
    running.send_signal(signal.SIGSTOP)
    assert process.alive()
    process.kill()
    assert running.wait(timeout=10) == -signal.SIGKILL


def test_a_number_that_nobody_has_is_not_alive_and_killing_it_is_quiet() -> None:
    nobody = Process(this_host(), NOBODY, 1.0)
    assert not nobody.alive()
    nobody.kill()


def test_the_job_table_gives_back_the_process_that_it_was_told(table: JobTable) -> None:
    me = Process.current()
    table.submit("fetch", "tech", {})
    job = table.claim(me)
    assert job is not None
    assert table.get(job.id).process == me
    assert table.submit("fetch", "tech", {}).process is None


def test_a_process_that_gives_way_comes_last_and_may_do_so_twice() -> None:
    script = "from stockcast.jobs.process import give_way; import os; give_way(); give_way(); print(os.nice(0))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True,
        start_new_session=True,  # it gives way for all of its session, which must not be the tests'
    )  # fmt: skip
    assert done.stdout.strip() == "19"
