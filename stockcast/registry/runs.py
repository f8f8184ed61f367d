"""Runs: one MLflow run per training, with parameters, curves, scorecard, plots and bundle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stockcast.errors import InvalidRequest
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.observer import Epoch
from stockcast.registry.run_summary import (
    FINGERPRINT,
    INPUTS,
    JOB,
    NOTE,
    RunSummary,
    require_tag_names,
    summary_of,
)
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
            client.set_tag(run_id, FINGERPRINT, fingerprint)
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

    def annotate(self, run_id: str, note: str, tags: Mapping[str, str]) -> RunSummary:
        """Replaces what people say of a run: its note and their tags. Raises InvalidRequest for a tag of ours."""
        require_tag_names(tags)
        before = self.read(run_id)
        with self.server.told("tagging a run") as client:
            client.set_tag(run_id, NOTE, note.strip())
            for name in before.tags.keys() - tags.keys():
                client.delete_tag(run_id, name)
            for name, value in tags.items():
                client.set_tag(run_id, name, value[:5000])
        return self.read(run_id)

    def delete(self, run_id: str) -> None:
        """Puts a run out of sight; MLflow keeps it with its files until its own `mlflow gc`."""
        with self.server.told("deleting a run") as client:
            client.delete_run(run_id)

    def restore(self, run_id: str) -> None:
        """Brings a deleted run back."""
        with self.server.told("restoring a run") as client:
            client.restore_run(run_id)

    def read(self, run_id: str) -> RunSummary:
        """One run as it is now, deleted or not. Raises RegistryUnavailable when there is none."""
        with self.server.told("reading a run") as client:
            return summary_of(client.get_run(run_id))

    def find(self, which: str) -> RunSummary:
        """The run whose id begins so, deleted or not. Raises InvalidRequest when that is none or several."""
        if not (6 <= len(which) <= 32 and which.isalnum()):
            raise InvalidRequest(
                f"{which[:40]!r} is not the id of a run.", "Give at least its first 6 letters and digits."
            )
        with self.server.told("looking for a run") as client:
            from mlflow.entities import ViewType

            found = client.search_runs(
                self._experiments(client, None),
                f"attributes.run_id LIKE '{which.lower()}%'",
                run_view_type=ViewType.ALL,
                max_results=2,
            )
        if len(found) != 1:
            raise InvalidRequest(
                f"{'No run has' if not found else 'More than one run has'} an id that begins with {which}.",
                "stockcast runs list shows them.",
            )
        return summary_of(found[0])

    def recent(self, universe: str | None = None, limit: int = 100, *, deleted: bool = False) -> list[RunSummary]:
        """The newest runs first, of one universe or of all: those that run, then the last one that ended.

        `deleted` lists those too that were deleted.
        """
        with self.server.told("listing runs") as client:
            from mlflow.entities import ViewType

            experiments = self._experiments(client, universe)
            if not experiments:
                return []
            found = client.search_runs(
                experiments,
                run_view_type=ViewType.ALL if deleted else ViewType.ACTIVE_ONLY,
                max_results=limit,
                order_by=["attributes.start_time DESC"],
            )
            last = datetime.max.replace(tzinfo=UTC)
            return sorted(map(summary_of, found), key=lambda run: run.ended_at or last, reverse=True)

    def curve(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """(epoch, value) of one curve, in order."""
        with self.server.told("reading a curve") as client:
            return sorted((point.step, point.value) for point in client.get_metric_history(run_id, metric))

    @staticmethod
    def _experiments(client: MlflowClient, universe: str | None) -> list[str]:
        wanted = None if universe is None else model_name(universe)
        return [
            str(found.experiment_id)
            for found in client.search_experiments()
            if (found.name == wanted if wanted else found.name.startswith("stockcast-"))
        ]

    @staticmethod
    def _of_job(client: MlflowClient, experiment: str, job: str) -> Sequence[Run]:
        return client.search_runs([experiment], filter_string=f"tags.`{JOB}` = '{job}'")
