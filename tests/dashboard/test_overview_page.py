"""The Overview: the answer first, one table for any number of tickers, and what needs attention on top."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_reading import OpenPage, assert_sound, told
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.errors import TooShortHistory
from stockcast.settings import Settings
from stockcast.ui.tour import STOPS
from stockcast.workspace import Workspace

GLUE = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="session")
def mixed_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with a split that was not adjusted (KO), a jump (PEP), an old history (OLD) and a short one."""
    home = tmp_path_factory.mktemp("mixed") / "home"
    shutil.copytree(sample_home, home)
    workspace = Workspace(Settings(home=home))
    for ticker, like, factor in (("KO", "IBM", 0.5), ("PEP", "MSFT", 1.32), ("OLD", "IBM", 1.0)):
        bars = workspace.prices.load(like).to_dataframe()[["close"]].iloc[-400:]
        bars["close"] *= np.where(np.arange(400) >= 380, factor, 1.0)
        workspace.ingest_file("x.csv", bars.to_csv().encode(), ticker)
    rows = "Date,Close\n" + "".join(f"2024-07-{day:02d},{day}\n" for day in (8, 9, 10, 11, 12))
    workspace.ingest_file("x.csv", rows.encode(), "SHORT")
    workspace.database.close()
    return home


@pytest.fixture
def mixed(use_home: Callable[[Path | None], Workspace], mixed_home: Path) -> Workspace:
    """A Workspace over these prices; the pages look at the same home."""
    return use_home(mixed_home)


def table(app: AppTest) -> pd.DataFrame:
    """The table of the universe."""
    return next(each.value for each in app.dataframe if "Attention" in each.value.columns)


def test_an_empty_workspace_tells_the_way_and_offers_the_tour(empty: Workspace, open_page: OpenPage) -> None:
    app = open_page("overview")
    assert_sound(app)
    assert "No prices are stored yet" in told(app)
    assert {"load_sample", "tour_welcome", "tour_sidebar"} <= {button.key for button in app.button}
    assert not app.dataframe


def test_one_ticker_is_told_in_one_sentence_with_naive_beside(sample: Workspace, open_page: OpenPage) -> None:
    only = sample.config(DEFAULT_UNIVERSE).with_overrides(["universe.tickers=[IBM]"])
    sample.configs.save(DEFAULT_UNIVERSE, only, "", sample.clock())
    app = open_page("overview")
    assert_sound(app)
    said = told(app)
    assert "**IBM** for **2013-03-04**: a median of 175.27 USD (+0.00 %), between " in said
    assert "with 80 % probability; naive says 175.27. Nothing needs your attention." in said
    assert table(app)["Ticker"].tolist() == ["IBM"]


def test_several_tickers_are_told_with_their_range_in_cards_and_in_the_table(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("overview")
    said = told(app)
    assert "**5 tickers** for **2013-03-04**: medians +0.00 % from the last close, 80 % intervals from 2." in said
    cards = [metric for metric in app.metric if "2013-03-04" in metric.label]
    assert [card.label.split()[0] for card in cards] == table(app)["Ticker"].tolist()
    assert "+0.00 % from 56.14 on 2013-03-01" in said
    row = table(app).set_index("Ticker").loc["AAPL"]
    assert (row["Median"], row["Naive"]) == (f"56.14{GLUE}USD", "56.14")
    assert row["Next session"] == "2013-03-04"
    assert pd.Timestamp(row["Last session"]).date() == date(2013, 3, 1)
    assert len(row["Closes"]) == 60
    assert row["Change"] == 0


def test_what_needs_attention_stands_first_whatever_its_name(mixed: Workspace, open_page: OpenPage) -> None:
    app = open_page("overview")
    assert_sound(app)
    found = table(app)
    order = found["Ticker"].tolist()
    assert order[:4] == ["KO", "PEP", "OLD", "SHORT"]
    assert sorted(order[4:]) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    words = dict(zip(order, found["Attention"], strict=True))
    assert words["KO"].startswith("Prices look wrong · ")
    assert words["PEP"].startswith("Prices look unusual · ")
    assert words["OLD"].endswith(" sessions behind")
    assert words["SHORT"] == "The history is too short"
    assert words["IBM"] == "Old sample prices"
    assert "**4 tickers need your attention.**" in told(app)


def test_many_tickers_have_no_cards(mixed: Workspace, open_page: OpenPage) -> None:
    assert not [metric for metric in open_page("overview").metric if "2013-03-04" in metric.label]


def test_a_ticker_that_cannot_be_forecast_keeps_its_row_without_figures(
    mixed: Workspace, open_page: OpenPage
) -> None:
    app = open_page("overview")
    row = table(app).set_index("Ticker").loc["SHORT"]
    assert row[["Median", "Change", "Interval", "Naive", "Next session"]].isna().all()
    assert "SHORT has 5 sessions" in told(app)


def test_many_failures_are_told_together(
    sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_workspace: Workspace, ticker: str, *_more: object) -> None:
        raise TooShortHistory(f"{ticker} has 5 sessions.", "Upload more.")

    monkeypatch.setattr(Workspace, "forecast", refuse)
    app = open_page("overview")
    assert_sound(app)
    [alert] = app.warning
    assert alert.proto.title == "No forecast of 5 tickers"
    assert "AAPL has 5 sessions" in told(app)
    assert table(app)["Attention"].tolist() == ["The history is too short"] * 5


def test_the_universe_is_judged_by_its_backtest_until_enough_has_come_true(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("overview")
    assert "No live forecast has come true yet." in told(app)
    lately = table(app).set_index("Ticker")["Lately"].str.replace(GLUE, " ")
    assert lately["IBM"].startswith("Backtest: 8")
    assert " of 486 held, skill +" in lately["IBM"]
    assert lately["FB"] == "–"  # too short to have been judged


def test_the_live_record_takes_over_with_its_counts(played: Workspace, open_page: OpenPage) -> None:
    app = open_page("overview")
    assert_sound(app)
    assert "What was said live, one session ahead: 58 forecasts over the last 29 sessions." in told(app)
    assert "Live forecasts judged 58" in told(app)
    lately = table(app).set_index("Ticker")["Lately"].str.replace(GLUE, " ")
    assert " of 29 held, skill " in lately["AAPL"]
    assert not lately["AAPL"].startswith("Backtest")
    assert lately["MSFT"].startswith("Backtest")


def test_a_click_on_a_ticker_opens_its_forecast(
    sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, object]] = []
    monkeypatch.setattr(
        "stockcast.ui.overview_table.st.switch_page",
        lambda page, query_params: asked.append((page, query_params)),
    )
    monkeypatch.setattr("stockcast.ui.overview_table.opened", lambda: "GOOG")
    assert_sound(open_page("overview"))
    assert asked == [("pages/forecast.py", {"ticker": "GOOG"})]


def test_the_tour_opens_when_it_is_asked_for_and_not_again_by_itself(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("overview")
    assert STOPS[0].title not in [each.value for each in app.header]
    app.button(key="tour_sidebar").click().run()
    assert_sound(app)
    assert STOPS[0].title in [each.value for each in app.header]
    assert "Step 1 of 5" in told(app)
    assert app.button(key="tour_back").disabled
    app.run()
    assert STOPS[0].title not in [each.value for each in app.header]
