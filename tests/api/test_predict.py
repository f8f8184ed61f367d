"""What clients of the replaced API rely on, and what they get beside it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from api_serving import WINDOW, Served, ServingProcess, wait_until

from stockcast.client.api_client import ApiClient, ApiError
from stockcast.forecasting.quantiles import LEVELS
from stockcast.monitoring.journal import Journal


def wait_for_journal(client: Served) -> Journal:
    state = client.state
    wait_until(lambda: not state.spool.length)
    assert state.spool.database is not None
    return Journal(state.spool.database)


def test_the_server_says_what_it_is_and_how_it_is(api: ApiClient) -> None:
    assert api.hello().status == "online"
    health = api.health()
    assert (health.status, health.reasons, health.drift_monitoring) == ("healthy", [], True)
    assert health.model_version == "1"
    assert 50 < health.resources.memory < 220


def test_sixty_closes_give_a_price_with_everything_that_belongs_to_it(api: ApiClient) -> None:
    said = api.predict(WINDOW)
    assert said.predicted_price == pytest.approx(WINDOW[-1], rel=0.02)
    assert said.drift_warning is False
    assert (
        said.interval_95[0]
        < said.interval_80[0]
        < said.predicted_price
        < said.interval_80[1]
        < said.interval_95[1]
    )
    assert list(said.quantiles) == [f"{level:g}" for level in LEVELS]
    assert said.quantiles["0.5"] == said.predicted_price
    assert said.naive_price == WINDOW[-1]
    assert (said.model.name, said.model.version, said.model.run_id) == ("stockcast-default", "1", "run1")
    assert [each.horizon for each in said.horizons] == [1, 2, 3, 4, 5]
    assert said.drift.severity == "healthy"
    assert said.drift.unchecked


def test_the_sample_is_accepted_as_it_is(api: ApiClient) -> None:
    sample = api.sample_data()
    assert len(sample.last_prices) == 60
    assert sample.ticker == "AAPL"
    dated = api.predict(sample.last_prices, sample.ticker, sample.dates)
    assert dated.session is not None
    assert dated.currency == "USD"
    assert dated.stale is not None
    assert "sessions later" in dated.stale
    assert dated.drift.unchecked == []  # all of it was compared with what is stored
    assert api.predict(sample.last_prices).predicted_price == dated.predicted_price


def test_absurd_prices_are_answered_with_a_drift_warning_and_one_line_in_the_log(
    api: ApiClient, serving: ServingProcess
) -> None:
    absurd = [price * (100 if row > 30 else 1) for row, price in enumerate(WINDOW)]
    said = api.predict(absurd, ticker="MSFT")
    assert said.drift_warning is True
    assert any("unit error" in sentence for sentence in said.drift_details)
    assert said.drift.integrity[0].severity == "red"
    lines = [each for each in serving.events() if each["event"] == "drift_detected"]
    [line] = [each for each in lines if each["request_id"] == said.request_id]
    assert line["level"] == "warning"
    assert {"ticker": "MSFT", "model_version": "1", "layer": "integrity"}.items() <= line.items()
    assert {"measure", "value", "threshold"} <= set(line)


@pytest.mark.parametrize("count", [0, 59, 61, 1000])
def test_another_number_of_closes_is_refused_and_the_right_one_is_told(api: ApiClient, count: int) -> None:
    with pytest.raises(ApiError) as refused:
        api.predict((WINDOW * 20)[:count])
    assert (refused.value.status, refused.value.code) == (422, "invalid_window")
    assert refused.value.field == "last_prices"
    assert "60" in refused.value.message


def test_closes_that_stand_still_have_a_finite_forecast(api: ApiClient) -> None:
    said = api.predict([42.0] * 60)
    assert np.isfinite(list(said.quantiles.values())).all()
    assert said.drift_warning is True


def test_a_ticker_is_read_as_a_person_writes_it(api: ApiClient) -> None:
    assert api.predict(WINDOW, ticker=" aapl ").ticker == "AAPL"


def test_a_batch_answers_each_window_and_one_bad_window_stops_no_other(api: ApiClient) -> None:
    windows = [WINDOW, WINDOW[1:], [price * 2 for price in WINDOW]]
    answer = api.predict_batch(windows, ["AAPL", "AAPL", "IBM"])
    first, second, third = answer.predictions
    assert first.prediction is not None
    assert first.prediction.predicted_price == api.predict(WINDOW).predicted_price
    assert second.prediction is None
    assert second.error is not None
    assert second.error.code == "invalid_window"
    assert third.prediction is not None
    assert third.prediction.predicted_price == pytest.approx(2 * first.prediction.predicted_price)
    assert third.prediction.ticker == "IBM"


def test_a_batch_as_large_as_allowed_says_the_same_as_one_by_one(served: Served) -> None:
    random = np.random.default_rng(5)
    windows = [(100 * np.exp(np.cumsum(random.standard_t(5, 60) * 0.013))).tolist() for _ in range(130)]
    together = served.post("/predict/batch", json={"windows": [{"last_prices": each} for each in windows]}).json()
    for row in (0, 47, 48, 129):
        alone = served.post("/predict", json={"last_prices": windows[row]}).json()
        said = together["predictions"][row]["prediction"]
        assert {**alone, "request_id": ""} == {**said, "request_id": ""}


def test_what_was_said_stands_in_the_journal_to_the_last_digit(served: Served) -> None:
    window = [round(price * 1.01, 6) for price in WINDOW]
    said = served.post("/predict", json={"last_prices": window, "ticker": "IBM"}).json()
    entry = wait_for_journal(served).entries(ticker="IBM", limit=1)[0]
    assert (entry.face, entry.universe, entry.model_version, entry.from_store) == ("api", "default", "1", False)
    assert entry.last_close == window[-1]
    assert entry.prices[0].tolist() == list(said["quantiles"].values())
    assert entry.naive_log_returns is not None
    assert entry.naive_log_returns.shape == (5, 39)
    assert entry.drift.severity == said["drift"]["severity"]


def test_the_same_question_twice_is_one_row(served: Served) -> None:
    window = [round(price * 1.02, 6) for price in WINDOW]
    for _ in range(3):
        assert served.post("/predict", json={"last_prices": window, "ticker": "MSFT"}).status_code == 200
    entries = wait_for_journal(served).entries(ticker="MSFT", limit=50)
    assert sum(entry.last_close == window[-1] for entry in entries) == 1


def test_a_dated_window_of_the_past_reads_its_calendar(served: Served) -> None:
    days = [f"2020-0{month}-{day:02}" for month in (3, 4, 5) for day in range(1, 21)]
    reply = served.post("/predict", json={"last_prices": WINDOW, "ticker": "AAPL", "dates": days})
    assert reply.status_code == 200
    measures = [finding["measure"] for finding in reply.json()["drift"]["integrity"]]
    assert "closed_dates" in measures
    assert "missing_sessions" in measures


def test_as_many_dates_as_closes_are_wanted(served: Served) -> None:
    reply = served.post("/predict", json={"last_prices": WINDOW, "dates": ["2020-01-02"]})
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_window")


def test_a_universe_that_nobody_speaks_for_is_404(served: Served) -> None:
    reply = served.post("/predict", json={"last_prices": WINDOW, "universe": "nobody"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "unknown_model")


def test_the_model_tells_its_version_and_parameters(api: ApiClient) -> None:
    info = api.model_info()
    assert (info.version, info.model.kind) == ("1", "ewma")
    assert info.current_params["seq_length"] == 60


def test_the_examples_of_the_document_run_as_they_are(served: Served) -> None:
    document = served.get("/openapi.json").json()
    ran = 0
    for path in ("/predict", "/predict/batch"):
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        for example in schema["examples"]:
            assert served.post(
                path, content=json.dumps(example), headers={"content-type": "application/json"}
            ).is_success
            ran += 1
    assert ran == 2
