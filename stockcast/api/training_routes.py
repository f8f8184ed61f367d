"""Trainings, jobs and the configuration: the same job table and the same versions as those of the pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import JsonValue

from stockcast.api.problems import Refused
from stockcast.api.server_state import ServerState, state_of
from stockcast.client.schemas import (
    ConfigBody,
    ConfigSaved,
    ConfigTold,
    EpochTold,
    Hyperparameters,
    JobDetail,
    JobList,
    JobTold,
    Problem,
    TrainAccepted,
    TrainBody,
    Universe,
)
from stockcast.config import Config, parse_config
from stockcast.config_versions import ConfigVersion
from stockcast.jobs.job import EPOCH, NOTE, Job

router = APIRouter(tags=["training"])

# The names of the replaced API, as fields of the configuration.
ALIASES: Mapping[str, str] = {
    "num_epochs": "training.max_epochs",
    "learning_rate": "training.learning_rate",
    "batch_size": "training.batch_size",
    "hidden_size": "network.hidden_size",
    "num_layers": "network.layers",
    "seq_length": "windows.lookback",
}
JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,40}$")]


@router.post("/train", status_code=202, responses={409: {"model": Problem}, 400: {"model": Problem}})
async def train(request: Request, body: TrainBody | None = None) -> TrainAccepted:
    """Queues a training; predictions go on meanwhile. 409 names the training that is active already."""
    state, asked = state_of(request), body or TrainBody()
    overrides = _assignments(asked.hyperparameters)

    def submit() -> Job:
        _refuse_bad(state.workspace.config(asked.universe), asked.hyperparameters)
        return state.workspace.desk.submit_training(asked.universe, asked.tickers, None, overrides)

    job = await asyncio.to_thread(submit)
    state.training_active = True
    return TrainAccepted(
        status="processing", message=f"The training of {asked.universe} is queued.", job_id=job.id
    )


@router.get("/jobs")
async def jobs(
    request: Request,
    universe: Annotated[Universe | None, Query()] = None,
    state: Annotated[
        Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"] | None, Query()
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> JobList:
    """The newest jobs first."""
    server = state_of(request)
    found = await asyncio.to_thread(lambda: server.jobs.recent(universe, None, limit, state))
    return JobList(jobs=[_told(job) for job in found])


@router.get("/jobs/{job_id}", responses={404: {"model": Problem}})
async def job(request: Request, job_id: JobId) -> JobDetail:
    """One job, with the losses of each epoch so far."""
    server = state_of(request)
    return await asyncio.to_thread(_detail, server, job_id)


@router.post("/jobs/{job_id}/cancel", responses={404: {"model": Problem}})
async def cancel(request: Request, job_id: JobId) -> JobTold:
    """Cancels a queued job at once, and asks a running one to stop; an ended one stays as it is."""
    server = state_of(request)
    return _told(await asyncio.to_thread(lambda: server.jobs.cancel(job_id)))


@router.get("/config")
async def config(request: Request, universe: Annotated[Universe, Query()] = "default") -> ConfigTold:
    """The configuration in force."""
    server = state_of(request)
    return ConfigTold(**_config(await asyncio.to_thread(lambda: server.configs.current(universe))))


@router.post("/config", responses={400: {"model": Problem}})
async def save_config(request: Request, body: ConfigBody) -> ConfigSaved:
    """Changes the configuration, whole or not at all; the next training uses it."""
    server = state_of(request)

    def save() -> ConfigVersion:
        current = server.configs.current(body.universe)
        changed = _refuse_bad(current.config, body.hyperparameters)
        note = body.note or "by the API"
        return server.configs.save(body.universe, changed, note, server.clock(), author="API")

    saved = await asyncio.to_thread(save)
    return ConfigSaved(message=f"Version {saved.version} is in force.", **_config(saved))


def _assignments(asked: Hyperparameters | None) -> list[str]:
    """As `section.field=value`; JSON is YAML."""
    return [f"{name}={json.dumps(value)}" for name, value in _fields(asked).items()]


def _fields(asked: Hyperparameters | None) -> dict[str, JsonValue]:
    """Values by the names of the configuration. Raises Refused for a field that is asked for twice."""
    if asked is None:
        return {}
    given = {name: getattr(asked, name) for name in asked.model_fields_set if name in ALIASES}
    found = {ALIASES[name]: value for name, value in given.items() if value is not None}
    for name, value in (asked.model_extra or {}).items():
        if name in found:
            raise Refused(400, "invalid_config", f"{name} is asked for twice.", "Give each field once.", name)
        found[name] = value
    return found


def _refuse_bad(config: Config, asked: Hyperparameters | None) -> Config:
    """The configuration with what is asked for. Raises InvalidConfig, or Refused that names the client's field."""
    data = config.model_dump(mode="json")
    for name, value in _fields(asked).items():
        section, _, field = name.partition(".")
        if section not in data or field not in data[section]:
            raise Refused(
                400, "invalid_config", f"There is no hyperparameter {name[:60]!r}.",
                f"Known: {', '.join(ALIASES)}, and the fields of the configuration, such as training.patience.",
                name[:60],
            )  # fmt: skip
        data[section][field] = value
    return parse_config(data)


def current_params(config: Config) -> dict[str, JsonValue]:
    """The hyperparameters by the names of the replaced API."""
    data = config.model_dump(mode="json")
    parts = {old: name.partition(".") for old, name in ALIASES.items()}
    return {old: data[section][field] for old, (section, _, field) in parts.items()}


def _config(found: ConfigVersion) -> dict[str, object]:
    data = found.config.model_dump(mode="json")
    return {
        "current_params": current_params(found.config),
        "config": data,
        "version": found.version,
        "universe": found.universe,
    }


def _told(job: Job) -> JobTold:
    return JobTold.model_validate(job, from_attributes=True)


def _detail(server: ServerState, job_id: str) -> JobDetail:
    found = server.jobs.get(job_id)
    events = server.jobs.events(job_id)
    return JobDetail(
        **_told(found).model_dump(),
        epochs=[_epoch(event.payload) for event in events if event.kind == EPOCH],
        notes=[str(event.payload.get("sentence", "")) for event in events if event.kind == NOTE],
        result=None if found.result is None else dict(found.result),
    )


def _epoch(payload: Mapping[str, JsonValue]) -> EpochTold:
    def number(name: str) -> float | None:
        value = payload.get(name)
        return float(value) if isinstance(value, int | float) else None

    return EpochTold(
        epoch=int(number("number") or 0),
        train_loss=number("train_loss"),
        validation_loss=number("validation_loss"),
    )
