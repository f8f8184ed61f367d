"""What a job was asked to do comes back from the job table as it was meant, or is refused."""

from __future__ import annotations

import json
from datetime import date

import pytest
from pydantic import ValidationError

from stockcast.config import Config
from stockcast.presets import preset
from stockcast.workflows.job_requests import (
    BacktestRequest,
    EvaluateRequest,
    FetchRequest,
    JobRequest,
    TrainRequest,
)

REQUESTS = [
    TrainRequest(config=Config(), config_version=0),
    TrainRequest(
        config=preset("classic"),
        config_version=3,
        tickers=("AAPL", "CMIG4.SA"),
        until=date(2024, 1, 2),
        refresh=True,
    ),
    FetchRequest(tickers=("AAPL",)),
    FetchRequest(tickers=("AAPL", "IBM"), start=date(2020, 1, 2), end=date(2024, 1, 2)),
    BacktestRequest(model="champion", start=date(2020, 1, 2), end=date(2021, 1, 4)),
    BacktestRequest(model="v3", start=date(2020, 1, 2), end=date(2021, 1, 4), tickers=("AAPL",)),
    BacktestRequest(model="v3", start=date(2020, 1, 2), end=date(2021, 1, 4), refit="yearly"),
    EvaluateRequest(model="lstm"),
    EvaluateRequest(model="lstm", tickers=("AAPL", "IBM")),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_a_request_survives_the_job_table(request_: JobRequest) -> None:
    kept = json.loads(json.dumps(request_.to_json()))
    assert type(request_).from_json(kept) == request_


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_a_request_with_more_or_less_than_is_known_is_refused(request_: JobRequest) -> None:
    kept = request_.to_json()
    with pytest.raises(ValidationError):
        type(request_).from_json({**kept, "speed": 1})
    with pytest.raises(ValidationError):
        type(request_).from_json({})


def test_a_later_edit_of_the_configuration_does_not_change_a_training_that_was_asked_for() -> None:
    config = Config().with_overrides(["training.max_epochs=3", "schedule.cron=0 22 * * *"])
    kept = TrainRequest(config=config, config_version=1).to_json()
    assert TrainRequest.from_json(kept).config == config
    with pytest.raises(ValidationError):
        TrainRequest.from_json({**kept, "config": {"training": {"max_epochs": 0}}})


def test_a_request_is_frozen() -> None:
    with pytest.raises(ValidationError):
        FetchRequest(tickers=("AAPL",)).tickers = ("IBM",)
