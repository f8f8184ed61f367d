"""A small typed client of the API, for programs in Python.

with ApiClient("http://127.0.0.1:8000") as api:
    said = api.predict(closes, ticker="AAPL")
    print(said.predicted_price, said.interval_80, said.model.version)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import TypeVar

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from stockcast.client.schemas import (
    BatchAnswer,
    ConfigSaved,
    ConfigTold,
    Health,
    Hello,
    JobDetail,
    JobList,
    JobTold,
    ModelInfo,
    Prediction,
    Problem,
    Reloaded,
    SampleData,
    TrainAccepted,
)

Answer = TypeVar("Answer", bound=BaseModel)


class ApiError(Exception):
    """The API refused, in its own words. `job_id` names the active training where there is one."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        hint: str,
        field: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        job_id: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message} {hint}")
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.field = field
        self.request_id = request_id
        self.retry_after = retry_after
        self.job_id = job_id


class ApiClient:
    """Talks to one server. Raises ApiError for a refusal, and httpx's errors where there is no answer."""

    def __init__(
        self, address: str, key: str | None = None, timeout: float = 30.0, http: httpx.Client | None = None
    ) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = http or httpx.Client(base_url=address, timeout=timeout)
        self._http.headers.update(headers)

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def hello(self) -> Hello:
        """What the server is."""
        return self._get("/", Hello)

    def health(self) -> Health:
        """How it is."""
        return self._get("/health", Health)

    def predict(
        self,
        last_prices: Sequence[float],
        ticker: str | None = None,
        dates: Sequence[date] | None = None,
        universe: str = "default",
    ) -> Prediction:
        """The next close after a window of exactly as many closes as the model reads, oldest first."""
        return self._post("/predict", _window(last_prices, ticker, dates) | {"universe": universe}, Prediction)

    def predict_batch(
        self, windows: Sequence[Sequence[float]], tickers: Sequence[str] | None = None, universe: str = "default"
    ) -> BatchAnswer:
        """The same after many windows; each answer is a prediction, or why there is none."""
        names: Sequence[str | None] = tickers if tickers is not None else [None] * len(windows)
        asked = [_window(prices, ticker, None) for prices, ticker in zip(windows, names, strict=True)]
        return self._post("/predict/batch", {"windows": asked, "universe": universe}, BatchAnswer)

    def sample_data(self) -> SampleData:
        """A window to try it with."""
        return self._get("/sample-data", SampleData)

    def train(
        self, hyperparameters: Mapping[str, JsonValue] | None = None, universe: str = "default"
    ) -> TrainAccepted:
        """Queues a training."""
        body: dict[str, object] = {"universe": universe}
        if hyperparameters is not None:
            body["hyperparameters"] = dict(hyperparameters)
        return self._post("/train", body, TrainAccepted)

    def jobs(self, universe: str | None = None) -> list[JobTold]:
        """The newest jobs first."""
        return self._get("/jobs", JobList, {} if universe is None else {"universe": universe}).jobs

    def job(self, job_id: str) -> JobDetail:
        """One job with its losses."""
        return self._get(f"/jobs/{job_id}", JobDetail)

    def cancel(self, job_id: str) -> JobTold:
        """Asks a job to stop."""
        return self._post(f"/jobs/{job_id}/cancel", None, JobTold)

    def config(self, universe: str = "default") -> ConfigTold:
        """The configuration in force."""
        return self._get("/config", ConfigTold, {"universe": universe})

    def save_config(self, hyperparameters: Mapping[str, JsonValue], universe: str = "default") -> ConfigSaved:
        """Changes the configuration, whole or not at all."""
        body = {"hyperparameters": dict(hyperparameters), "universe": universe}
        return self._post("/config", body, ConfigSaved)

    def model_info(self, universe: str = "default") -> ModelInfo:
        """The version that answers, and its figures."""
        return self._get("/model/info", ModelInfo, {"universe": universe})

    def reload(self, universe: str = "default") -> Reloaded:
        """Loads the champion anew."""
        return self._post("/model/reload", {"universe": universe}, Reloaded)

    def _get(self, path: str, kind: type[Answer], query: Mapping[str, str] | None = None) -> Answer:
        return _read(self._http.get(path, params=dict(query or {})), kind)

    def _post(self, path: str, body: Mapping[str, object] | None, kind: type[Answer]) -> Answer:
        return _read(self._http.post(path, json=body) if body is not None else self._http.post(path), kind)


def _window(prices: Sequence[float], ticker: str | None, dates: Sequence[date] | None) -> dict[str, object]:
    window: dict[str, object] = {"last_prices": [float(price) for price in prices]}
    if ticker is not None:
        window["ticker"] = ticker
    if dates is not None:
        window["dates"] = [str(day) for day in dates]
    return window


def _read(reply: httpx.Response, kind: type[Answer]) -> Answer:
    if reply.is_success:
        return kind.model_validate_json(reply.content)
    after = reply.headers.get("retry-after")
    seconds = float(after) if after and after.isdigit() else None
    try:
        told = Problem.model_validate_json(reply.content).error
    except ValidationError:
        raise ApiError(
            reply.status_code, "no_answer", "Something between here and the API answered.", "Ask whoever runs it.",
            retry_after=seconds,
        ) from None  # fmt: skip
    raise ApiError(
        reply.status_code, told.code, told.message, told.hint, told.field, told.request_id, seconds, told.job_id
    )
