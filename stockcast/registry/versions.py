"""Model versions: which one speaks (champion), which one asks to (challenger)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from stockcast.errors import UnknownModel
from stockcast.evaluation.gate import Verdict
from stockcast.logs import get_logger
from stockcast.registry.tracking_server import TrackingServer, model_name, universe_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

CHAMPION = "champion"
CHALLENGER = "challenger"

_log = get_logger(__name__)


@dataclass(frozen=True)
class ModelVersion:
    """One registered version of a universe's model."""

    name: str
    version: str
    kind: str
    run_id: str
    experiment_id: str
    created_at: datetime
    trained_until: date | None
    tickers: tuple[str, ...]
    aliases: tuple[str, ...]
    promoted: bool
    reasons: tuple[str, ...]
    note: str
    promoted_at: datetime | None = None  # last; None: it never spoke
    promoted_by: str = ""  # the gate, a person, or first: nobody spoke before it
    previous: str = ""  # number of the version that spoke before it

    @property
    def label(self) -> str:
        """How the version is named to a person."""
        return f"{self.kind} v{self.version}"


class Versions:
    """The versions of every universe's model."""

    def __init__(self, server: TrackingServer) -> None:
        self.server = server

    def register(
        self, universe: str, run_id: str, kind: str, trained_until: date | None, tickers: tuple[str, ...]
    ) -> ModelVersion:
        """Registers the folder `bundle` of a run as the newest version; a run has one version, whoever asks."""
        from mlflow.exceptions import MlflowException

        name = model_name(universe)
        found = self._of_run(name, run_id)
        if found:
            return self.read(name, found[0])
        with self.server.told("registering a model version") as client:
            try:
                client.create_registered_model(name)
            except MlflowException as problem:
                if problem.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            made = client.create_model_version(
                name,
                source=f"runs:/{run_id}/bundle",
                run_id=run_id,
                tags={
                    "kind": kind,
                    "experiment_id": client.get_run(run_id).info.experiment_id,
                    "trained_until": "" if trained_until is None else str(trained_until),
                    "tickers": ",".join(tickers),
                },
            )
        first, *later = self._of_run(name, run_id) or [str(made.version)]
        for number in later:  # two attempts at the same moment: the first one stands
            with self.server.told("withdrawing a model version") as client:
                try:
                    client.delete_model_version(name, number)
                except MlflowException as problem:
                    if problem.error_code != "RESOURCE_DOES_NOT_EXIST":  # withdrawn by the other one already
                        raise
        return self.read(name, first)

    def decide(self, version: ModelVersion, verdict: Verdict, judged_against: str) -> ModelVersion:
        """Keeps the gate's verdict with the version and moves the alias: champion, or else challenger.

        `judged_against` is the number of the champion at that time. A verdict against a champion that no longer
        speaks is void: then the version becomes challenger.
        """
        with self.server.told("moving an alias") as client:
            present = self._by_alias(client, version.name, CHAMPION)
            if present is not None and present.version == version.version:
                return present  # decided before, by an attempt that did not come to say so
            if client.get_model_version(version.name, version.version).tags.get(
                "decided"
            ):  # a person may be after it
                return self.read(version.name, version.version)
            if verdict.promoted and present is not None and present.version != judged_against:
                verdict = Verdict(
                    False,
                    (f"While it was trained, {present.label} became champion; it was not compared with that.",),
                )
            _tag(client, version, "promoted", "true" if verdict.promoted else "false")
            _tag(client, version, "reasons", "\n".join(verdict.reasons))
            if verdict.promoted:
                self._crown(client, version, present, "gate")
            else:
                client.set_registered_model_alias(version.name, CHALLENGER, version.version)
            _tag(client, version, "decided", "true")
        return self.read(version.name, version.version)

    def crown(self, version: ModelVersion, reasons: tuple[str, ...] = (), note: str = "") -> ModelVersion:
        """Makes a version the champion without the gate; a person's note stays visible, and so do earlier ones."""
        with self.server.told("moving an alias") as client:
            if reasons:
                _tag(client, version, "promoted", "true")
                _tag(client, version, "reasons", "\n".join(reasons))
            notes = dict.fromkeys(filter(None, (note, *version.note.splitlines())))  # the newest first
            _tag(client, version, "note", "\n".join(notes))
            present = self._by_alias(client, version.name, CHAMPION)
            self._crown(client, version, present, "person" if note else "first")
        return self.read(version.name, version.version)

    def _crown(
        self, client: MlflowClient, version: ModelVersion, present: ModelVersion | None, decided_by: str
    ) -> None:
        if present is not None and present.version != version.version:
            _tag(client, version, "previous", present.version)
        client.set_registered_model_alias(version.name, CHAMPION, version.version)
        _tag(client, version, "promoted_at", datetime.now(UTC).isoformat())
        _tag(client, version, "promoted_by", decided_by)
        challenger = self._by_alias(client, version.name, CHALLENGER)
        if challenger is not None and challenger.version == version.version:
            client.delete_registered_model_alias(version.name, CHALLENGER)
        _log.info(
            "model_promoted",
            universe=universe_of(version.name),
            model=version.name,
            model_version=version.version,
            model_kind=version.kind,
            run_id=version.run_id,
            previous_version=None if present is None else present.version,
            decided_by=decided_by,  # the gate, a person, or nobody where it is the first
        )

    def previous_champion(self, universe: str) -> ModelVersion:
        """The version that spoke before the present champion. Raises UnknownModel when there was none."""
        present = self.resolve(universe, CHAMPION)
        if not present.previous:
            raise UnknownModel(
                f"No version spoke for {universe} before {present.label}.", "There is nothing to roll back to."
            )
        return self.read(present.name, present.previous)

    def champion(self, universe: str) -> ModelVersion | None:
        """The version that speaks, or None when nothing is registered yet."""
        with self.server.told("reading the champion") as client:
            return self._by_alias(client, model_name(universe), CHAMPION)

    def resolve(self, universe: str, which: str) -> ModelVersion:
        """champion, challenger, a version number, or a kind such as lstm (its newest version).

        Raises UnknownModel with what there is.
        """
        versions = self.all(universe)
        for version in versions:  # newest first
            if which in (*version.aliases, version.version, f"v{version.version}", version.kind):
                return version
        known = ", ".join(version.label for version in versions) or "none"
        raise UnknownModel(
            f"The universe {universe} has no model '{which}' (registered: {known}).",
            f"Train one with: stockcast train --universe {universe}",
        )

    def all(self, universe: str | None = None) -> list[ModelVersion]:
        """Versions, newest first, of one universe or of all."""
        with self.server.told("listing model versions") as client:
            models = client.search_registered_models(
                filter_string=None if universe is None else f"name = '{model_name(universe)}'"
            )
            found = [
                _version(
                    made, [alias for alias, number in model.aliases.items() if str(number) == str(made.version)]
                )
                for model in models
                if model.name.startswith("stockcast-")
                for made in client.search_model_versions(f"name = '{model.name}'")
            ]
        return sorted(found, key=lambda version: (version.created_at, int(version.version)), reverse=True)

    def of_run(self, run_id: str) -> list[ModelVersion]:
        """What was registered of a run: one version, or none."""
        with self.server.told("listing model versions") as client:
            found = client.search_model_versions(f"run_id = '{run_id}'")
        return [self.read(made.name, str(made.version)) for made in found]

    def read(self, name: str, number: str) -> ModelVersion:
        """One version as it is now. Raises RegistryUnavailable when there is none."""
        with self.server.told("reading a model version") as client:
            made = client.get_model_version(name, number)
            return _version(made, made.aliases)

    def _of_run(self, name: str, run_id: str) -> list[str]:
        with self.server.told("listing model versions") as client:
            found = [made for made in client.search_model_versions(f"run_id = '{run_id}'") if made.name == name]
        return sorted((str(made.version) for made in found), key=int)

    def _by_alias(self, client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
        from mlflow.exceptions import MlflowException

        try:
            made = client.get_model_version_by_alias(name, alias)
        except MlflowException as problem:
            if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
        return _version(made, made.aliases)


def _tag(client: MlflowClient, version: ModelVersion, key: str, value: str) -> None:
    client.set_model_version_tag(version.name, version.version, key, value[:5000])


def _version(made: MlflowVersion, aliases: Sequence[str]) -> ModelVersion:
    tags = made.tags
    until = tags.get("trained_until")
    return ModelVersion(
        name=made.name,
        version=str(made.version),
        kind=tags.get("kind", "unknown"),
        run_id=made.run_id or "",
        experiment_id=tags.get("experiment_id", ""),
        created_at=datetime.fromtimestamp(made.creation_timestamp / 1000, UTC),
        trained_until=date.fromisoformat(until) if until else None,
        tickers=tuple(filter(None, tags.get("tickers", "").split(","))),
        aliases=tuple(sorted(aliases)),
        promoted=tags.get("promoted") == "true",
        reasons=tuple(filter(None, tags.get("reasons", "").split("\n"))),
        note=tags.get("note", ""),
        promoted_at=datetime.fromisoformat(tags["promoted_at"]) if "promoted_at" in tags else None,
        promoted_by=tags.get("promoted_by", ""),
        previous=tags.get("previous", ""),
    )
