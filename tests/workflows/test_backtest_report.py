"""The report of a backtest: whole or not at all, readable without a network, and with every text escaped."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from stockcast.errors import InvalidRequest
from stockcast.evaluation.diagnose import diagnose
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.backtest_charts import CALIBRATION, INTERVALS, OVER_TIME
from stockcast.workflows.backtest_report import report_html, ticker_csv, write_report

CHARTS = dict((*OVER_TIME, *CALIBRATION, *INTERVALS))


def run(forecaster: Forecaster, frames: Sequence[PriceFrame]) -> Backtest:
    return rolling_backtest(forecaster, frames, date(2019, 1, 2), date(2019, 12, 30))


@pytest.fixture(scope="module")
def diagnosis(make_frame: Callable[..., PriceFrame]) -> Diagnosis:
    """EWMA beside naive on two tickers."""
    frames = [make_frame("AAPL", 400, seed=1), make_frame("CMIG4.SA", 400, seed=2)]
    ewma, naive = run(EwmaForecaster(), frames), run(NaiveForecaster(), frames)
    return diagnose(ewma, naive, label="ewma v1")


@pytest.fixture(scope="module")
def page(diagnosis: Diagnosis) -> str:
    return report_html(diagnosis).decode()


def without_code(page: str) -> str:
    return re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)


def test_the_page_needs_no_network(page: str) -> None:
    assert "Plotly.newPlot" in page
    assert not re.search(r"<(script|img|iframe|link)\b[^>]*\b(src|href)=", page)
    assert "@import" not in without_code(page)
    assert "http" not in without_code(page)


def test_the_verdict_comes_first_and_every_table_and_chart_is_there(page: str, diagnosis: Diagnosis) -> None:
    body = html.unescape(without_code(page))
    assert diagnosis.verdict in body
    assert body.index(diagnosis.verdict) < body.index("Figures beside the naive forecast")
    for heading in (*CHARTS, "Against each opponent", "Ticker by ticker", "The sessions that it foresaw least"):
        assert heading in body
    assert page.count("Plotly.newPlot(") >= len(CHARTS)
    for ticker in ("AAPL", "CMIG4.SA"):
        assert f"<td>{ticker}</td>" in page
    assert "prefers-color-scheme: dark" in page


def test_every_text_is_escaped(diagnosis: Diagnosis) -> None:
    evil = "<script>alert('x')</script>&\"v1"
    page = report_html(replace(diagnosis, label=evil, verdict=f"{evil} beats naive")).decode()
    assert "<script>alert" not in page
    assert html.escape(evil) in page


def test_the_csv_holds_one_row_a_ticker_with_full_precision(diagnosis: Diagnosis) -> None:
    table = pd.read_csv(io.BytesIO(ticker_csv(diagnosis)))
    assert table.ticker.tolist() == ["AAPL", "CMIG4.SA"]
    assert table.currency.tolist() == ["USD", "BRL"]
    assert table.forecasts.sum() == diagnosis.scorecard.count
    assert table.skill_naive.tolist() == [each.skill for each in diagnosis.duels[0].tickers]
    assert table.coverage_90.tolist() == [each.coverage_90 for each in diagnosis.scorecard.tickers]


def test_the_ending_of_the_name_decides_what_is_written(diagnosis: Diagnosis, tmp_path: Path) -> None:
    write_report(diagnosis, tmp_path / "report.HTML")
    write_report(diagnosis, tmp_path / "report.csv")
    assert (tmp_path / "report.HTML").read_bytes().startswith(b"<!DOCTYPE html>")
    assert (tmp_path / "report.csv").read_bytes() == ticker_csv(diagnosis)
    for name in ("report.pdf", "report"):
        with pytest.raises(InvalidRequest, match=f"cannot be written as {name}"):
            write_report(diagnosis, tmp_path / name)
    with pytest.raises(InvalidRequest, match="cannot be written: No such file"):
        write_report(diagnosis, tmp_path / "nowhere" / "report.html")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.HTML", "report.csv"]


@pytest.mark.parametrize("title", CHARTS)
def test_every_chart_says_what_its_axes_are(title: str, diagnosis: Diagnosis) -> None:
    figure: go.Figure = CHARTS[title](diagnosis)
    assert figure.data
    assert figure.layout.yaxis.title.text
    assert figure.layout.height >= 300


@pytest.mark.parametrize("title", CHARTS)
def test_an_axis_is_in_whole_numbers_only_where_its_values_are(title: str, diagnosis: Diagnosis) -> None:
    figure: go.Figure = CHARTS[title](diagnosis)
    for axis, name in ((figure.layout.xaxis, "x"), (figure.layout.yaxis, "y")):
        if (axis.tickformat or "").endswith("d"):
            drawn = [value for trace in figure.data for value in trace[name]]
            assert drawn == [round(value) for value in drawn], "many forecasts lie within a point of the promise"


def test_charts_show_what_the_diagnosis_says(diagnosis: Diagnosis) -> None:
    bars = CHARTS["Skill by period"](diagnosis).data[0]
    assert bars.name == "against naive"
    assert list(bars.y) == [100 * period.skill for period in diagnosis.duels[0].periods]
    assert list(bars.customdata) == [period.count for period in diagnosis.duels[0].periods]
    line = CHARTS["CRPS saved so far"](diagnosis).data[0]
    assert line.y[-1] == pytest.approx(sum(period.advantage for period in diagnosis.duels[0].periods))
    ours = CHARTS["Kept less promised shares"](diagnosis).data[-1]
    assert ours.name == "ewma v1"
    assert ours.y[0] == pytest.approx(100 * (diagnosis.calibration[0].share - 0.025))


def test_nobody_is_drawn_against_itself(make_frame: Callable[..., PriceFrame]) -> None:
    frames = [make_frame(count=400)]
    naive = run(NaiveForecaster(), frames)
    found = diagnose(naive, naive, [run(EwmaForecaster(), frames)])
    assert [trace.name for trace in CHARTS["Skill by period"](found).data] == ["against EWMA"]
