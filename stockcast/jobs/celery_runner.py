"""Rings for queued jobs over a broker; a Celery worker of any machine hears it."""

from __future__ import annotations

import contextlib
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stockcast.errors import StockcastError
from stockcast.home_files import make_folder
from stockcast.jobs.bells import not_rung, to_ring
from stockcast.jobs.job_table import JobTable
from stockcast.logs import get_logger
from stockcast.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

PATIENCE = 2.5  # seconds that whoever asks for a job waits for the broker

_log = get_logger(__name__)


class CeleryRunner:
    """Wakes workers through the broker of the settings. A broker that is away costs nobody a job, only time."""

    def __init__(self, table: JobTable, settings: Settings) -> None:
        self._table = table
        self._settings = settings
        self._ringing = threading.Lock()

    def wake(self) -> None:
        """Rings for every queued job that is due a bell, and is back within PATIENCE whatever the broker does.

        What it did not take is rung for by the next who looks: a page, a command or a worker.
        """
        ringing = threading.Thread(target=self._ring, name="rings for jobs", daemon=True)
        ringing.start()
        ringing.join(PATIENCE)

    def log_file(self, job_id: str) -> Path:
        """Where the process of a job writes, when it is one of this home."""
        return make_folder(self._settings.job_logs) / f"{job_id}.log"

    @cached_property
    def _application(self) -> Celery:
        from stockcast.jobs.celery_application import celery_application

        return celery_application(self._settings)

    def _ring(self) -> None:
        if not self._ringing.acquire(blocking=False):
            return  # one of before still waits for the broker
        try:
            with contextlib.suppress(StockcastError):  # the database is away, and whoever asked knows it
                self._ring_for_all()
        finally:
            self._ringing.release()

    def _ring_for_all(self) -> None:
        from stockcast.jobs.celery_application import TASK, queue_for, queue_name

        for job in to_ring(self._table):
            try:
                self._application.send_task(
                    TASK,
                    args=[job.id],
                    queue=queue_name(self._settings, queue_for(job.kind)),
                    retry=True,  # once and at once: a kept connection may have ended long ago
                    retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
                )
            except Exception as problem:  # each broker's library has errors of its own
                not_rung(self._table, job)
                _log.warning("broker_unavailable", job_id=job.id, error=type(problem).__name__)
                return
