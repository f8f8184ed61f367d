"""Puts runs out of sight and brings them back, except those that somebody listens to."""

from __future__ import annotations

from collections.abc import Sequence

from stockcast.errors import InvalidRequest
from stockcast.registry.run_summary import RunSummary
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import universe_of
from stockcast.registry.versions import CHAMPION, ModelVersion, Versions


def delete_run(runs: Runs, versions: Versions, which: str) -> RunSummary:
    """Deletes a run; one that is deleted already stays so. Raises InvalidRequest for one that must stay."""
    run = runs.find(which)
    made = versions.of_run(run.run_id)
    must = why_it_stays(run, versions.all(universe_of(made[0].name)) if made else ())
    if must is not None:
        raise InvalidRequest(*must)
    if not run.deleted:
        runs.delete(run.run_id)
    return runs.read(run.run_id)


def restore_run(runs: Runs, which: str) -> RunSummary:
    """Brings a deleted run back; one that was not deleted stays as it is. Raises InvalidRequest for no run."""
    run = runs.find(which)
    if run.deleted:
        runs.restore(run.run_id)
    return runs.read(run.run_id)


def why_it_stays(run: RunSummary, versions: Sequence[ModelVersion]) -> tuple[str, str] | None:
    """Why a run cannot be deleted and what can be done about it; None when it can. `versions`: of its universe."""
    if run.status == "RUNNING":
        return f"The run {run.name} is still running.", "Cancel its job first."
    made = next((version for version in versions if version.run_id == run.run_id), None)
    speaks = next((version for version in versions if CHAMPION in version.aliases), None)
    if made is None or speaks is None:
        return None
    if made == speaks:
        return (
            f"The run of {made.label} cannot be deleted: that version speaks.",
            "Promote another version first, or roll back.",
        )
    if made.version == speaks.previous:
        return (
            f"The run of {made.label} cannot be deleted: a rollback would let that version speak again.",
            "It can be once another version has been promoted.",
        )
    return None
