"""Which version speaks, how it was judged, and loading it anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import JsonValue

from stockcast.api.predict_routes import speaking
from stockcast.api.server_state import state_of
from stockcast.api.training_routes import current_params
from stockcast.client.schemas import ModelInfo, Problem, ReloadBody, Reloaded, Universe

router = APIRouter(prefix="/model", tags=["model"])


@router.get("/info", responses={503: {"model": Problem}})
async def model_info(request: Request, universe: Annotated[Universe, Query()] = "default") -> ModelInfo:
    """The version that answers, its configuration and its figures beside the naive ones."""
    champion = speaking(state_of(request), universe)
    speaker = champion.windows.speaker
    metrics: dict[str, JsonValue] = {}
    if speaker.scorecard is not None:
        metrics = speaker.scorecard.to_json()
    return ModelInfo(
        version=champion.version.version,
        current_params=current_params(speaker.config),
        metrics=metrics,
        model=champion.told,
        universe=universe,
    )


@router.post("/reload", responses={409: {"model": Problem}, 503: {"model": Problem}})
async def reload(request: Request, body: ReloadBody | None = None) -> Reloaded:
    """Asks MLflow who speaks and loads it, without a restart. A damaged bundle is refused."""
    champions, universe = state_of(request).champions, (body or ReloadBody()).universe
    before = champions.of(universe)
    champion = await champions.reload(universe)
    changed = champion is not before
    return Reloaded(
        message=f"{champion.version.label} speaks{'' if changed else ', as before'}.",
        model=champion.told,
        changed=changed,
    )
