"""One run as it is listed: what MLflow keeps of it, in the words of the house."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from stockcast.errors import InvalidRequest

if TYPE_CHECKING:
    from mlflow.entities import Run

JOB, INPUTS = "stockcast.job", "stockcast.inputs"  # tags by which a job finds its run again
FINGERPRINT = "data_fingerprint"
NOTE = "mlflow.note.content"  # what MLflow's own pages show as the description
_OWN_TAGS = frozenset(
    {"universe", "tickers", "kind", "version", "promoted", "reasons", FINGERPRINT, JOB, INPUTS}
)  # what the house says of a run; all others are people's


@dataclass(frozen=True)
class RunSummary:
    """One run. `scores` are those of the scorecard, `tags` those that people gave it."""

    run_id: str
    experiment_id: str
    universe: str
    name: str
    kind: str
    status: str
    started_at: datetime
    seconds: float | None
    tickers: tuple[str, ...]
    version: str | None
    promoted: bool | None
    fingerprint: str  # of the data that it was judged on; empty where it came to no judgement
    scores: Mapping[str, float]
    parameters: Mapping[str, str]
    note: str
    tags: Mapping[str, str]
    deleted: bool

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it runs."""
        return None if self.seconds is None else self.started_at + timedelta(seconds=self.seconds)

    @property
    def labels(self) -> list[str]:
        """Its tags as people write them: name, or name=value."""
        return [f"{name}={value}" if value else name for name, value in self.tags.items()]


def summary_of(run: Run) -> RunSummary:
    """What is listed of a run of MLflow."""
    info, tags, parameters = run.info, run.data.tags, dict(run.data.params)
    promoted = tags.get("promoted")
    running = info.status == "RUNNING"  # a run that was opened again keeps the time of its first end
    return RunSummary(
        run_id=info.run_id,
        experiment_id=info.experiment_id,
        universe=tags.get("universe", ""),
        name=info.run_name or info.run_id[:8],
        kind=tags.get("kind") or parameters.get("model.kind") or parameters.get("model", ""),
        status=info.status,
        started_at=datetime.fromtimestamp(info.start_time / 1000, UTC),
        seconds=None if running or info.end_time is None else (info.end_time - info.start_time) / 1000,
        tickers=tuple(filter(None, tags.get("tickers", "").split(","))),
        version=tags.get("version"),
        promoted=None if promoted is None else promoted == "true",
        fingerprint=tags.get(FINGERPRINT, ""),
        scores={
            key.removeprefix("test_"): value for key, value in run.data.metrics.items() if key.startswith("test_")
        },
        parameters=parameters,
        note=tags.get(NOTE, ""),
        tags={key: value for key, value in sorted(tags.items()) if _is_a_persons(key)},
        deleted=info.lifecycle_stage == "deleted",
    )


def tags_of(labels: Iterable[str]) -> dict[str, str]:
    """Tags from what people write: name, or name=value."""
    parts = (label.partition("=") for label in labels)
    return {name.strip(): value.strip() for name, _, value in parts}


def require_tag_names(names: Mapping[str, str]) -> None:
    """Raises InvalidRequest for a tag that people cannot give a run."""
    for name in names:
        well_formed = all(letter.isalnum() or letter in "_-. " for letter in name) and name.strip() == name
        if not (well_formed and 0 < len(name) <= 100):
            raise InvalidRequest(
                f"{name[:40]!r} cannot be a tag.",
                "Use up to 100 letters, digits, '-', '_', '.' and blanks; name=value gives it a value.",
            )
        if not _is_a_persons(name):
            raise InvalidRequest(f"The tag '{name}' is kept by stockcast itself.", "Choose another name.")


def _is_a_persons(tag: str) -> bool:
    return tag not in _OWN_TAGS and not tag.startswith("mlflow.")
