"""The API as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from stockcast import __version__
from stockcast.api import health_routes, model_routes, predict_routes, training_routes
from stockcast.api.door import LARGEST_BODY, Door, refusal
from stockcast.api.predict_routes import answer_window
from stockcast.api.problems import UNEXPECTED, Refused, from_status, invalid
from stockcast.api.server_state import ServerState
from stockcast.client.schemas import Problem
from stockcast.errors import StockcastError
from stockcast.settings import Settings

_DESCRIPTION = """Stock price forecasts as distributions, each beside the naive forecast it has to beat.

With keys set, send `Authorization: Bearer KEY` or `X-API-Key: KEY`. Errors have one form: a `code` for programs,
a `message` and a `hint` for people, the `field` at fault and the `request_id` that stands in the server's log."""


def create_app(settings: Settings) -> ASGIApp:
    """The whole application; its lifespan opens and closes what it needs. Raises InvalidConfig for bad keys."""
    return make_door(ServerState(settings))


def make_door(state: ServerState) -> ASGIApp:
    """The routes and the door before them, over a state."""
    return Door(make_api(state), state, answer_window)


def make_api(state: ServerState) -> FastAPI:
    """The routes over a state, without the door before them."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await state.start()
        try:
            yield
        finally:
            await state.stop()

    api = FastAPI(
        title="stockcast",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        max_body_size=LARGEST_BODY,
        redoc_url=None,
        responses={422: {"model": Problem}},
        separate_input_output_schemas=False,
    )
    api.state.server = state
    for routes in (health_routes, predict_routes, model_routes, training_routes):
        api.include_router(routes.router)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(Refused, _told)
    api.add_exception_handler(StockcastError, _told)
    api.add_exception_handler(Exception, _unexpected)
    return api


async def _invalid(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    return _answer(request, invalid(problem.errors()))


async def _refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    allow = (problem.headers or {}).get("Allow") or (problem.headers or {}).get("allow")
    return _answer(request, from_status(problem.status_code, allow))


async def _told(request: Request, problem: Exception) -> Response:
    return _answer(request, refusal(problem, request.scope))


async def _unexpected(request: Request, _problem: Exception) -> Response:
    return _answer(request, UNEXPECTED)  # Starlette raises it again, and the door logs it


def _answer(request: Request, refused: Refused) -> Response:
    headers: dict[str, Any] = {name.decode(): value.decode() for name, value in refused.head()}
    return Response(refused.body(request.state.request_id), refused.status, headers, media_type="application/json")
