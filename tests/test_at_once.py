"""The helper that begins work in several processes keeps them, and does not wait for one that has left."""

from __future__ import annotations

import time

import pytest
from at_once import all_at_once
from joblib.externals.loky import process_executor


@pytest.mark.timeout(60)
def test_work_is_done_although_the_processes_that_did_the_last_have_grown_and_leave() -> None:
    def grow(number: int) -> int:
        """Its process finds itself too large a moment after the answer, as it does once torch was loaded."""

        def measured(_pid: int, force_gc: bool = False) -> int:
            time.sleep(0.3)
            return 10**12

        process_executor._get_memory_usage = measured
        process_executor._MEMORY_LEAK_CHECK_DELAY = -1
        return number

    assert all_at_once(2, lambda number: number) == [0, 1]
    assert all_at_once(2, grow) == [0, 1]
    assert all_at_once(2, lambda number: number) == [0, 1]
    assert all_at_once(2, lambda number: number) == [0, 1]
