"""The buttons that hand out a report: on both pages, and made only when somebody asks."""

from __future__ import annotations

import pytest
from page_reading import OpenPage, assert_sound
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.report_desk import ReportDesk
from stockcast.ui.registry_reads import forget
from stockcast.workspace import Workspace


@pytest.fixture
def unmade(monkeypatch: pytest.MonkeyPatch) -> None:
    """No report is made while a page is drawn."""

    def refuse(*_arguments: object) -> bytes:
        raise AssertionError("a report was made that nobody asked for")

    for name in ("answer", "run", "ticker"):
        monkeypatch.setattr(ReportDesk, name, refuse)
    forget()


def labels(app: AppTest) -> list[str]:
    return [each.proto.label for each in app.get("download_button")]


@pytest.mark.usefixtures("sample", "unmade")
def test_the_forecast_page_offers_its_report_beside_the_tables(open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM")
    assert_sound(app)
    assert [each for each in labels(app) if each in ("CSV", "XLSX", "Report")] == ["CSV", "XLSX", "Report"]


@pytest.mark.usefixtures("trained_sample", "unmade")
def test_the_runs_page_offers_the_report_of_the_run_that_is_shown(open_page: OpenPage) -> None:
    app = open_page("runs")
    assert_sound(app)
    assert labels(app).count("Report") == 1


def test_a_report_counts_the_live_record_of_its_ticker_and_is_journaled_once(played: Workspace) -> None:
    answer = played.forecast("AAPL", DEFAULT_UNIVERSE, "page")
    before = played.track.mark()
    page = played.reports.answer(answer, DEFAULT_UNIVERSE).decode()
    assert played.track.mark() == before  # it says again what was said, and writes nothing down
    record = played.track.record(DEFAULT_UNIVERSE, ticker="AAPL", last=60)
    assert record.count == 29
    assert record.sentence in page
    played.reports.ticker("AAPL", DEFAULT_UNIVERSE, "cli")
    assert played.track.mark()[0] == before[0] + 1
