"""Runs: one MLflow run per training, with parameters, curves, scorecard, plots and bundle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.observer import Epoch
from stockcast.registry.tracking_server import TrackingServer, model_name
from stockcast.registry.versions import ModelVersion

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# The scorecard's figures that become MLflow metrics, so that runs can be compared there too.
SCORES = (
    "mae", "naive_mae", "rmse", "naive_rmse", "mape", "naive_mape", "mape_ratio", "crps", "naive_crps", "skill",
    "dm_p_value", "coverage_80", "naive_coverage_80", "coverage_90", "naive_coverage_90", "coverage_95",
    "naive_coverage_95", "winkler_90", "naive_winkler_90", "log_score", "naive_log_score",
    "qlike", "naive_qlike", "count",
)  # fmt: skip
Outcome = Literal["FINISHED", "FAILED", "KILLED"]
CARD = "card"  # folder of the model card among a run's artifacts
JOB, INPUTS = "stockcast.job", "stockcast.inputs"  # tags by which a job finds its run again


@dataclass(frozen=True)
class RunSummary:
    """One run as it is listed."""

    run_id: str
    experiment_id: str
    universe: str
    name: str
    status: str
    started_at: datetime
    seconds: float | None
    tickers: tuple[str, ...]
    version: str | None
    promoted: bool | None
    scores: Mapping[str, float]
    parameters: Mapping[str, str]

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it runs."""
        return None if self.seconds is None else self.started_at + timedelta(seconds=self.seconds)


class Runs:
    """The runs of all universes."""

    def __init__(self, server: TrackingServer) -> None:
        self.server = server

    @contextmanager
    def recording(
        self, universe: str, name: str, parameters: Mapping[str, object], tags: Mapping[str, str]
    ) -> Iterator[str]:
        """Opens a run, hands out its id, and closes it whatever happens inside."""
        run_id = self.open(universe, name, parameters, tags)
        try:
            yield run_id
        except (KeyboardInterrupt, SystemExit):
            self.close(run_id, "KILLED")
            raise
        except BaseException:
            self.close(run_id, "FAILED")
            raise
        self.close(run_id, "FINISHED")

    def open(
        self,
        universe: str,
        name: str,
        parameters: Mapping[str, object],
        tags: Mapping[str, str],
        *,
        job: str | None = None,
        inputs: str = "",
        began: datetime | None = None,
    ) -> str:
        """Opens a run that `began` then, or that of an earlier attempt of the same job on the same inputs.

        Returns its id. A run of the job on other inputs is closed as killed: it will never be ended.
        """
        experiment = self.server.experiment(universe)
        with self.server.told("opening a run") as client:
            from mlflow.entities import Param

            for found in [] if job is None else self._of_job(client, experiment, job):
                if found.data.tags.get(INPUTS) == inputs:
                    client.update_run(found.info.run_id, status="RUNNING")
                    return str(found.info.run_id)
                client.set_terminated(found.info.run_id, "KILLED")
            known = {} if job is None else {JOB: job, INPUTS: inputs}
            run = client.create_run(
                experiment,
                start_time=None if began is None else int(began.timestamp() * 1000),
                run_name=name,
                tags={"universe": universe, **tags, **known},
            )
            client.log_batch(
                run.info.run_id, params=[Param(key, str(value)[:6000]) for key, value in parameters.items()]
            )
            return str(run.info.run_id)

    def close(self, run_id: str, outcome: Outcome) -> None:
        """Closes a run; closing it again changes only how it ended."""
        with self.server.told("closing a run") as client:
            client.set_terminated(run_id, outcome)

    def close_of_job(self, universe: str, job: str, outcome: Outcome) -> None:
        """Closes what an ended job has left running."""
        experiment = self.server.experiment(universe)
        with self.server.told("closing a run") as client:
            for found in self._of_job(client, experiment, job):
                if found.info.status == "RUNNING":
                    client.set_terminated(found.info.run_id, outcome)

    def log_epochs(self, run_id: str, epochs: Sequence[Epoch]) -> None:
        """Adds points to the curves, each under the moment at which its epoch ended."""
        with self.server.told("logging metrics") as client:
            from mlflow.entities import Metric

            points = [
                Metric(name, float(value), int(epoch.ended_at.timestamp() * 1000), epoch.number)
                for epoch in epochs
                for name, value in (
                    ("train_loss", epoch.train_loss),
                    ("validation_loss", epoch.validation_loss),
                    ("learning_rate", epoch.learning_rate),
                    ("epoch_seconds", epoch.seconds),
                )
            ]
            for start in range(0, len(points), 500):  # MLflow takes a thousand at once
                client.log_batch(run_id, metrics=points[start : start + 500])

    def log_scorecard(self, run_id: str, card: Scorecard) -> None:
        """Adds the scorecard's figures as metrics."""
        figures = {name: getattr(card, name) for name in SCORES}
        from mlflow.entities import Metric

        now = int(datetime.now(UTC).timestamp() * 1000)
        points = [
            Metric(f"test_{name}", float(value), now, 0) for name, value in figures.items() if value is not None
        ]
        with self.server.told("logging metrics") as client:
            client.log_batch(run_id, metrics=points)

    def log_dataset(self, run_id: str, tickers: Sequence[str], fingerprint: str) -> None:
        """Names the data that a run was judged on."""
        from mlflow.entities import Dataset, DatasetInput

        source = json.dumps({"tickers": list(tickers)})
        # MLflow keeps 36 characters of a digest; the whole fingerprint is a tag.
        dataset = Dataset(
            name=", ".join(tickers)[:400], digest=fingerprint[:36], source_type="stockcast", source=source
        )
        with self.server.told("naming the data") as client:
            client.set_tag(run_id, "data_fingerprint", fingerprint)
            client.log_inputs(run_id, [DatasetInput(dataset)])

    def log_folder(self, run_id: str, folder: Path, name: str) -> None:
        """Stores a folder of files under `name` among the run's artifacts."""
        with self.server.told("storing files") as client:
            client.log_artifacts(run_id, str(folder), name)

    def texts(self, run_id: str, folder: str) -> dict[str, str]:
        """The text files of a folder among the run's artifacts, by name; empty when there is no such folder."""
        with self.server.told("reading files") as client, tempfile.TemporaryDirectory() as place:
            names = [file.path for file in client.list_artifacts(run_id, folder) if not file.is_dir]
            return {
                Path(name).name: Path(client.download_artifacts(run_id, name, place)).read_text(encoding="utf-8")
                for name in names
            }

    def tag_verdict(self, run_id: str, version: ModelVersion) -> None:
        """Notes on a run which version it made and what the gate said."""
        tags = {
            "kind": version.kind,
            "version": version.version,
            "promoted": "true" if version.promoted else "false",
            "reasons": "\n".join(version.reasons)[:5000],
        }
        with self.server.told("tagging a run") as client:
            for key, value in tags.items():
                client.set_tag(run_id, key, value)

    def recent(self, universe: str | None = None, limit: int = 100) -> list[RunSummary]:
        """The newest runs first, of one universe or of all: those that run, then the last one that ended."""
        wanted = None if universe is None else model_name(universe)
        with self.server.told("listing runs") as client:
            experiments = [
                found.experiment_id
                for found in client.search_experiments()
                if (found.name == wanted if wanted else found.name.startswith("stockcast-"))
            ]
            if not experiments:
                return []
            found = client.search_runs(experiments, max_results=limit, order_by=["attributes.start_time DESC"])
            last = datetime.max.replace(tzinfo=UTC)
            return sorted(map(_summary, found), key=lambda run: run.ended_at or last, reverse=True)

    def curve(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """(epoch, value) of one curve, in order."""
        with self.server.told("reading a curve") as client:
            return sorted((point.step, point.value) for point in client.get_metric_history(run_id, metric))

    @staticmethod
    def _of_job(client: MlflowClient, experiment: str, job: str) -> Sequence[Run]:
        return client.search_runs([experiment], filter_string=f"tags.`{JOB}` = '{job}'")


def _summary(run: object) -> RunSummary:
    info, data = run.info, run.data  # type: ignore[attr-defined]
    tags = data.tags
    promoted = tags.get("promoted")
    running = info.status == "RUNNING"  # a run that was opened again keeps the time of its first end
    return RunSummary(
        run_id=info.run_id,
        experiment_id=info.experiment_id,
        universe=tags.get("universe", ""),
        name=info.run_name or info.run_id[:8],
        status=info.status,
        started_at=datetime.fromtimestamp(info.start_time / 1000, UTC),
        seconds=None if running or info.end_time is None else (info.end_time - info.start_time) / 1000,
        tickers=tuple(filter(None, tags.get("tickers", "").split(","))),
        version=tags.get("version"),
        promoted=None if promoted is None else promoted == "true",
        scores={
            key.removeprefix("test_"): value for key, value in data.metrics.items() if key.startswith("test_")
        },
        parameters=dict(data.params),
    )
