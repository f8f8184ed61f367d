"""Is it there, is it well, may it be asked; and the metrics."""

from __future__ import annotations

import asyncio
import time

import psutil
from fastapi import APIRouter, Request, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from stockcast import __version__
from stockcast.api.problems import Refused
from stockcast.api.server_state import state_of
from stockcast.client.schemas import Alive, Health, Hello, Part, QueueTold, Ready, Resources
from stockcast.config import DEFAULT_UNIVERSE

router = APIRouter(tags=["health"])
_process = psutil.Process()


@router.get("/")
async def hello() -> Hello:
    """What this is."""
    return Hello(app="stockcast", version=__version__, status="online")


@router.get("/health")
async def health(request: Request) -> Health:
    """How it is, from what is known already: asking waits for nothing."""
    state = state_of(request)
    champion = state.champions.of(DEFAULT_UNIVERSE)
    reasons = state.reasons()
    database_ok = not state.spool.database_problem
    return Health(
        status="unhealthy" if champion is None else "degraded" if reasons else "healthy",
        reasons=reasons,
        drift_monitoring=champion is not None and champion.windows.speaker.reference is not None,
        training_active=state.training_active,
        resources=Resources(cpu=_process.cpu_percent(None), memory=round(_process.memory_info().rss / 2**20, 1)),
        model_version=None if champion is None else champion.version.version,
        models={universe: each.told for universe, each in state.champions.all().items()},
        database=Part(ok=database_ok, reason=None if database_ok else "The database does not answer."),
        registry=Part(
            ok=state.champions.registry_problem is None,
            reason=None if state.champions.registry_problem is None else "MLflow does not answer.",
        ),
        queue=QueueTold(length=state.spool.length),
        asks_for_key=state.keys.any,
        uptime_seconds=round(time.monotonic() - state.started, 1),
    )


@router.get("/health/live")
async def alive() -> Alive:
    """Answers as long as the process does."""
    return Alive(status="alive")


@router.get("/health/ready")
async def ready(request: Request) -> Ready:
    """Whether it may be asked: a model is loaded, and it is not about to leave."""
    state = state_of(request)
    if state.draining:
        raise Refused(503, "draining", "This process is about to leave.", "Ask another one.", retry_after=1)
    if state.champions.of(DEFAULT_UNIVERSE) is None:
        raise Refused(503, "no_model", "No model can speak yet.", "Ask again in a while.", retry_after=1)
    return Ready(status="ready")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """For Prometheus: this process's own figures, and those that every process reads from the database."""
    state = state_of(request)
    text = await asyncio.to_thread(generate_latest, state.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
