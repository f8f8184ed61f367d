"""A forecast as files: the same figures at full precision, and a template that is read back as it is."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from stockcast.config import Config
from stockcast.forecasting.chances import chance_above
from stockcast.forecasting.context import context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.monitoring.drift import window_at_end
from stockcast.monitoring.findings import DriftReport
from stockcast.prices.frame import PriceFrame
from stockcast.prices.windowfile import read_window
from stockcast.registry.versions import ModelVersion
from stockcast.workflows.compare_forecasts import Beside
from stockcast.workflows.export_forecast import forecast_csv, forecast_xlsx, window_csv, window_xlsx
from stockcast.workflows.forecast import Answer, Speaker


@pytest.fixture(scope="module")
def frame(make_frame: object) -> PriceFrame:
    return make_frame("AAPL", 300, seed=4)  # type: ignore[operator, no-any-return]


@pytest.fixture(scope="module")
def answer(frame: PriceFrame) -> Answer:
    forecaster = EwmaForecaster()
    version = ModelVersion(
        name="stockcast-default", version="1", kind="ewma", run_id="r", experiment_id="1",
        created_at=datetime(2020, 1, 1, tzinfo=UTC), trained_until=None, tickers=("AAPL",), aliases=("champion",),
        promoted=True, reasons=(), note="",
    )  # fmt: skip
    context = context_at_end(frame, 5)
    return Answer(
        forecaster.forecast([context])[0],
        NaiveForecaster().forecast([context])[0],
        Speaker(version, forecaster, None, None, Config()),
        DriftReport(()),
        None,
        7,
        window_at_end(frame, 60),
    )


def test_the_csv_holds_every_figure_to_the_last_bit(answer: Answer) -> None:
    rival = Beside("garch", "GARCH", replace(answer.naive, forecaster="garch"))
    level = float(answer.forecast.context.last_close) * 1.01
    table = pd.read_csv(io.BytesIO(forecast_csv(answer, [rival], level)))
    assert table["median"].tolist() == answer.forecast.median.tolist()
    for share, name in ((0.8, "80"), (0.95, "95")):
        low, high = answer.forecast.interval(share)
        assert (table[f"low_{name}"].tolist(), table[f"high_{name}"].tolist()) == (low.tolist(), high.tolist())
    assert table["garch_low_80"].tolist() == answer.naive.interval(0.8)[0].tolist()
    assert table["chance_above"].tolist() == chance_above(answer.forecast, level).tolist()
    assert table["naive_chance_above"].tolist() == table["garch_chance_above"].tolist()


def test_only_the_sessions_that_are_shown_are_written(answer: Answer) -> None:
    short = replace(
        answer,
        forecast=replace(answer.forecast, log_returns=answer.forecast.log_returns[:2]),
        naive=replace(answer.naive, log_returns=answer.naive.log_returns[:2]),
    )
    rival = Beside("garch", "GARCH", answer.naive)
    assert len(pd.read_csv(io.BytesIO(forecast_csv(short, [rival], 50.0)))) == 2


def test_the_workbook_says_the_same_and_who_has_spoken(answer: Answer) -> None:
    rival = Beside("garch", "GARCH", answer.naive)
    book = load_workbook(io.BytesIO(forecast_xlsx(answer, [rival], 50.0)))
    header, *rows = book["Forecast"].iter_rows(values_only=True)
    first = dict(zip(header, rows[0], strict=True))
    assert first["median"] == pytest.approx(float(answer.forecast.median[0]))
    assert len(rows) == 5
    about = dict(book["About"].iter_rows(values_only=True))
    assert about["Model"] == "stockcast-default v1 (ewma)"
    assert about["Journal"] == "entry 7"
    assert "in no journal" in str(about["Comparison"])


def test_a_template_is_read_back_as_the_window_that_it_holds(frame: PriceFrame) -> None:
    for name, content in (("a.csv", window_csv(frame, 60)), ("a.xlsx", window_xlsx(frame, 60))):
        window = read_window(name, content)
        np.testing.assert_allclose(window.closes, frame.close[-60:], rtol=1e-15)
        assert window.sessions is not None
        assert window.sessions[-1].astype(object) == frame.last_session == date(2019, 12, 30)
