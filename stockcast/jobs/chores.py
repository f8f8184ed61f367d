"""Whether there is something to do beside the jobs, told without loading what the work needs."""

from __future__ import annotations

from datetime import timedelta

from stockcast.config_versions import ConfigVersions
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.schedule import plan

SOON = timedelta(minutes=1)  # after its end a job is tied up by whoever did it


def chores_are_due(table: JobTable, configs: ConfigVersions) -> bool:
    """Whether a job was left with loose ends, or a universe's training is due and nobody has asked for it."""
    now = table.now()
    if any(job.finished_at is None or now - job.finished_at > SOON for job in table.loose()):
        return True
    for universe in configs.universes():
        current = configs.current(universe)
        planned = plan(universe, current.config.schedule, current.created_at)
        due = None if planned is None else planned.due(now)
        if planned is not None and due is not None and table.by_key(planned.key(due)) is None:
            return True
    return False
