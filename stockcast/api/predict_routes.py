"""POST /predict and POST /predict/batch, GET /sample-data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError

from stockcast.api.champions import Champion
from stockcast.api.problems import Refused, invalid
from stockcast.api.sample_window import sample_window
from stockcast.api.server_state import ServerState, state_of
from stockcast.client.schemas import (
    BatchAnswer,
    BatchRequest,
    BatchWindow,
    Prediction,
    PredictRequest,
    SampleData,
)
from stockcast.config import DEFAULT_UNIVERSE
from stockcast.errors import InvalidWindow, StockcastError
from stockcast.forecasting.quantiles import LEVELS, MEDIAN, level_position
from stockcast.forecasting.returns import to_prices
from stockcast.monitoring.findings import DriftReport
from stockcast.workflows.forecast_windows import AskedWindow, WindowForecast

router = APIRouter(tags=["forecasts"])

_NAMES = tuple(f"{level:g}" for level in LEVELS)
_LOW_80, _HIGH_80, _LOW_95, _HIGH_95 = map(level_position, (0.1, 0.9, 0.025, 0.975))


Question = TypeVar("Question", bound=BaseModel)


def _taking(body: type[BaseModel]) -> dict[str, Any]:
    """The part of the OpenAPI document on a body that the route reads by itself."""
    schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post("/predict", response_model=Prediction, openapi_extra=_taking(PredictRequest))
async def predict(request: Request) -> Response:
    """The next close after a window of closes, as a distribution, with the naive forecast and the drift check."""
    answer = await answer_window(state_of(request), await request.body(), request.scope["state"])
    return Response(answer, media_type="application/json")


async def answer_window(state: ServerState, body: bytes, noted: dict[str, Any]) -> bytes:
    """The body of the answer to the body of a question. Raises Refused, or an error of the tree.

    The door calls it without FastAPI's layers between, which cost more than the forecast. What the log shall tell
    is added to `noted`, which holds the request's id.
    """
    question = _read(PredictRequest, body)
    champion = speaking(state, question.universe)
    try:
        asked = await state.predictor.ask(champion, question.last_prices, question.ticker, question.dates)
    except InvalidWindow as problem:
        raise _field(problem, "last_prices") from problem
    [said] = await state.predictor.say(champion, [asked], noted["request_id"])
    noted["model_version"] = champion.version.version
    return orjson.dumps(prediction(champion, said, noted["request_id"]))


@router.post("/predict/batch", response_model=BatchAnswer, openapi_extra=_taking(BatchRequest))
async def predict_batch(request: Request) -> Response:
    """The same after many windows at once, by one version; a window that is refused does not stop the others."""
    state, request_id = state_of(request), request.state.request_id
    question = _read(BatchRequest, await request.body())
    champion = speaking(state, question.universe)
    items = [await _item(state, champion, window) for window in question.windows]
    asked = [item for item in items if isinstance(item, AskedWindow)]
    said = iter(await state.predictor.say(champion, asked, request_id))
    told = [
        {"prediction": prediction(champion, next(said), request_id), "error": None}
        if isinstance(item, AskedWindow)
        else {"prediction": None, "error": item}
        for item in items
    ]
    request.state.model_version = champion.version.version
    body = {"predictions": told, "model": champion.told_json, "request_id": request_id}
    return Response(orjson.dumps(body), media_type="application/json")


@router.get("/sample-data", response_model=SampleData)
async def sample_data(request: Request, universe: str = "default") -> SampleData:
    """A window that /predict accepts as it is: the end of a stored history, or of one in the program."""
    state = state_of(request)
    champion = state.champions.of(universe)
    lookback = champion.windows.lookback if champion else 60
    return await sample_window(state.histories, champion.version.tickers if champion else (), lookback)


def speaking(state: ServerState, universe: str) -> Champion:
    """Who answers. Raises Refused: 503 when the universe has nobody yet, 404 when nobody knows it."""
    champion = state.champions.of(universe)
    if champion is None and universe != DEFAULT_UNIVERSE:
        raise Refused(
            404, "unknown_model", f"No model speaks for the universe {universe}.",
            "Train one there; an admin may then POST /model/reload.", "universe",
        )  # fmt: skip
    if champion is None:
        raise Refused(
            503, "no_model", "No model can speak yet.",
            "Ask again in a while; an admin may store prices, train, and POST /model/reload.", retry_after=5,
        )  # fmt: skip
    return champion


def prediction(champion: Champion, said: WindowForecast, request_id: str) -> dict[str, object]:
    """A Prediction as plain data; schemas.Prediction is its form."""
    forecast, context = said.forecast, said.forecast.context
    prices = forecast.prices.tolist()
    naive = to_prices(context.last_close, said.naive.log_returns[:, MEDIAN]).tolist()
    severity = said.drift.severity
    sessions = context.sessions or (None,) * len(prices)
    first = prices[0]
    return {
        "predicted_price": first[MEDIAN],
        "drift_warning": severity in ("amber", "red"),
        "drift_details": [finding.sentence for finding in said.drift.findings],
        "interval_80": (first[_LOW_80], first[_HIGH_80]),
        "interval_95": (first[_LOW_95], first[_HIGH_95]),
        "quantiles": dict(zip(_NAMES, first, strict=True)),
        "naive_price": naive[0],
        "horizons": [
            {
                "horizon": number,
                "session": session,
                "median": row[MEDIAN],
                "naive": beside,
                "interval_80": (row[_LOW_80], row[_HIGH_80]),
                "interval_95": (row[_LOW_95], row[_HIGH_95]),
            }
            for number, (session, row, beside) in enumerate(zip(sessions, prices, naive, strict=False), start=1)
        ],
        "session": sessions[0],
        "ticker": context.ticker,
        "currency": context.currency,
        "stale": None if said.stale is None else said.stale.sentence,
        "universe": champion.universe,
        "model": champion.told_json,
        "drift": _drift(said.drift, severity),
        "request_id": request_id,
    }


def _drift(report: DriftReport, severity: str) -> Mapping[str, object]:
    layers: dict[str, list[dict[str, object]]] = {"integrity": [], "shape": [], "regime": []}
    for finding in report.findings:
        layers[finding.layer].append(
            {
                "severity": finding.severity,
                "measure": finding.measure,
                "value": finding.value,
                "threshold": finding.threshold,
                "sentence": finding.sentence,
                "positions": finding.positions,
            }
        )
    return {"severity": severity, **layers, "unchecked": report.unchecked}


def _read(kind: type[Question], body: bytes) -> Question:
    """Raises Refused."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as problem:
        raise invalid(problem) from None


def _field(problem: StockcastError, field: str) -> Refused:
    refused = Refused.of(problem)
    refused.field = field
    return refused


async def _item(
    state: ServerState, champion: Champion, window: BatchWindow
) -> AskedWindow | dict[str, str | None]:
    """A question that can be answered, or the error to tell."""
    try:
        return await state.predictor.ask(champion, window.last_prices, window.ticker, window.dates)
    except StockcastError as problem:
        refused = Refused.of(problem)
        return {"code": refused.code, "message": refused.message, "hint": refused.hint, "field": None}
