"""Runs: one MLflow run per training, with parameters, curves, scorecard, plots and bundle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.forecaster import Epoch
from stockcast.registry.tracking_server import TrackingServer, model_name
from stockcast.registry.versions import ModelVersion

# The scorecard's figures that become MLflow metrics, so that runs can be compared there too.
SCORES = (
    "mae", "naive_mae", "rmse", "naive_rmse", "mape", "naive_mape", "mape_ratio", "crps", "naive_crps", "skill",
    "dm_p_value", "coverage_80", "naive_coverage_80", "coverage_95", "naive_coverage_95", "count",
)  # fmt: skip


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


class Runs:
    """The runs of all universes."""

    def __init__(self, server: TrackingServer) -> None:
        self.server = server

    @contextmanager
    def recording(
        self, universe: str, name: str, parameters: Mapping[str, object], tags: Mapping[str, str]
    ) -> Iterator[str]:
        """Opens a run, hands out its id, and closes it whatever happens inside."""
        run_id = self._open(universe, name, parameters, tags)
        try:
            yield run_id
        except (KeyboardInterrupt, SystemExit):  # Lightning turns the former into the latter
            self._close(run_id, "KILLED")
            raise
        except BaseException:
            self._close(run_id, "FAILED")
            raise
        self._close(run_id, "FINISHED")

    def log_epoch(self, run_id: str, epoch: Epoch) -> None:
        """Adds one point to the curves."""
        self._log(
            run_id,
            {
                "train_loss": epoch.train_loss,
                "validation_loss": epoch.validation_loss,
                "learning_rate": epoch.learning_rate,
                "epoch_seconds": epoch.seconds,
            },
            step=epoch.number,
        )

    def log_scorecard(self, run_id: str, card: Scorecard) -> None:
        """Adds the scorecard's figures as metrics."""
        figures = {name: getattr(card, name) for name in SCORES}
        self._log(run_id, {f"test_{name}": value for name, value in figures.items() if value is not None}, step=0)

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
        """The newest runs first, of one universe or of all."""
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
            return [_summary(run) for run in found]

    def curve(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """(epoch, value) of one curve, in order."""
        with self.server.told("reading a curve") as client:
            return sorted((point.step, point.value) for point in client.get_metric_history(run_id, metric))

    def _open(self, universe: str, name: str, parameters: Mapping[str, object], tags: Mapping[str, str]) -> str:
        from mlflow.entities import Param

        experiment = self.server.experiment(universe)
        with self.server.told("opening a run") as client:
            run = client.create_run(experiment, run_name=name, tags={"universe": universe, **tags})
            client.log_batch(
                run.info.run_id, params=[Param(key, str(value)[:6000]) for key, value in parameters.items()]
            )
            return str(run.info.run_id)

    def _close(self, run_id: str, outcome: Literal["FINISHED", "FAILED", "KILLED"]) -> None:
        with self.server.told("closing a run") as client:
            client.set_terminated(run_id, outcome)

    def _log(self, run_id: str, metrics: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(datetime.now(UTC).timestamp() * 1000)
        points: Sequence[Metric] = [Metric(key, float(value), now, step) for key, value in metrics.items()]
        with self.server.told("logging metrics") as client:
            client.log_batch(run_id, metrics=points)


def _summary(run: object) -> RunSummary:
    info, data = run.info, run.data  # type: ignore[attr-defined]
    tags = data.tags
    promoted = tags.get("promoted")
    return RunSummary(
        run_id=info.run_id,
        experiment_id=info.experiment_id,
        universe=tags.get("universe", ""),
        name=info.run_name or info.run_id[:8],
        status=info.status,
        started_at=datetime.fromtimestamp(info.start_time / 1000, UTC),
        seconds=None if info.end_time is None else (info.end_time - info.start_time) / 1000,
        tickers=tuple(filter(None, tags.get("tickers", "").split(","))),
        version=tags.get("version"),
        promoted=None if promoted is None else promoted == "true",
        scores={
            key.removeprefix("test_"): value for key, value in data.metrics.items() if key.startswith("test_")
        },
        parameters=dict(data.params),
    )
