"""Banners: as loud as what was found deserves, with the way out, the evidence, and a person's word on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from page_reading import OpenPage, assert_sound, told, unfold
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.settings import Settings
from stockcast.workspace import Workspace


@pytest.fixture(scope="session")
def doubtful_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with a split that was not adjusted (KO) and a jump (PEP)."""
    home = tmp_path_factory.mktemp("doubtful") / "home"
    shutil.copytree(sample_home, home)
    workspace = Workspace(Settings(home=home))
    for ticker, like, factor in (("KO", "IBM", 0.5), ("PEP", "MSFT", 1.32)):
        bars = workspace.prices.load(like).to_dataframe()[["close"]].iloc[-400:]
        bars["close"] *= np.where(np.arange(400) >= 380, factor, 1.0)
        workspace.ingest_file("x.csv", bars.to_csv().encode(), ticker)
    workspace.database.close()
    return home


@pytest.fixture
def doubtful(use_home: Callable[[Path | None], Workspace], doubtful_home: Path) -> Workspace:
    """A Workspace over these prices; the pages look at the same home."""
    return use_home(doubtful_home)


def titles(app: AppTest) -> list[str]:
    return [alert.proto.title for alert in [*app.error, *app.warning, *app.info]]


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_a_split_is_told_first_with_the_way_out_and_the_evidence(doubtful: Workspace, open_page: OpenPage) -> None:
    overview = open_page("overview")
    assert_sound(overview)
    assert "Check your data: the prices of KO look wrong" in titles(overview)
    assert "The prices of PEP look unusual" in titles(overview)
    assert {"See KO and what to do", "See PEP and what to do"} <= set(links(overview))

    app = open_page("forecast", ticker="KO")
    assert_sound(app)
    assert titles(app)[0] == "Check your data: this input looks wrong"
    assert "looks like a 2:1 split that was not adjusted" in told(app)
    assert "Mend these prices on the Data page" in links(app)
    assert "The evidence" in [each.label for each in app.expander]
    marked = app.table[0].value
    assert marked["Session"].tolist() == ["2013-02-01"]
    assert marked["What"].tolist() == ["Split or unit error"]
    features = app.dataframe[0].value
    assert features.loc[features["Feature"] == "Largest move", "Higher than"].tolist() == [
        "100\N{NO-BREAK SPACE}%"
    ]
    assert "The returns cannot be trusted" in told(app)


def test_wrong_data_can_be_acknowledged_for_this_cutoff_alone(doubtful: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="KO")
    assert not [each for each in app.date_input if each.key == "ticker_seen_until"]
    assert "for the window up to 2013-03-01 alone" in told(app).replace("stays away ", "")
    app.button(key="ticker_seen_keep").click().run()
    assert "An acknowledgement needs a note" in told(app)
    app.text_area(key="ticker_seen_note").set_value("The split is known; prices come on Monday.")
    app.button(key="ticker_seen_keep").click().run()
    assert_sound(app)
    [word] = doubtful.alerts.said.find(DEFAULT_UNIVERSE, "KO")
    assert (word.measure, word.severity, word.cutoff, word.until) == (
        "split_or_unit",
        "red",
        date(2013, 3, 1),
        None,
    )
    assert "Check your data: this input looks wrong" not in titles(app)
    assert "Seen before: 1 finding" in [each.label for each in app.expander]
    assert "The split is known; prices come on Monday." in told(app)
    assert "Noted 20" in told(app)
    overview = open_page("overview")
    assert "Check your data: the prices of KO look wrong" not in titles(overview)
    assert "Seen before: 1 finding" in [each.label for each in overview.expander]


def test_something_unusual_can_be_quiet_until_a_date(doubtful: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="PEP")
    assert titles(app)[0] == "This input is unusual"
    assert "Look at these prices on the Data page" in links(app)
    assert {"jump", "largest_move"} <= set(app.multiselect(key="ticker_seen_what").value)
    app.multiselect(key="ticker_seen_what").set_value(["largest_move"])
    app.text_area(key="ticker_seen_note").set_value("A takeover.")
    app.date_input(key="ticker_seen_until").set_value(date(2013, 6, 28))
    app.button(key="ticker_seen_keep").click().run()
    assert_sound(app)
    [word] = doubtful.alerts.said.find(DEFAULT_UNIVERSE, "PEP")
    assert (word.measure, word.until) == ("largest_move", date(2013, 6, 28))
    assert titles(app)[0] == "This input is unusual", "the jump itself was not acknowledged"
    assert "quiet until 2013-06-28" in told(app)


def test_another_regime_is_information_and_a_healthy_window_is_silent(
    doubtful: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="AAPL")
    assert "Good to know about this input" in titles(app)
    assert "Retrain on newer prices" in links(app)
    healthy = open_page("forecast", ticker="MSFT")
    assert_sound(healthy)
    assert not {"Good to know about this input", "This input is unusual"} & set(titles(healthy))
    assert not [each for each in healthy.expander if each.label == "The evidence"]


def test_an_uploaded_window_is_mended_in_its_file_not_acknowledged(
    doubtful: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="MSFT")
    closes = [f"{40 + (day * 7919 % 13) / 10:.2f}" for day in range(55)] + ["41.00"] * 5
    unfold(app, "window_open")
    app.file_uploader(key="window_file").upload("window.txt", "\n".join(closes).encode()).run()
    app.button(key="window_go").click().run()
    assert_sound(app)
    assert "Mend the file and upload it again" in told(app)
    assert not [each for each in app.button if each.key == "window_seen_keep"]
    named = [table.value["Session"].tolist() for table in app.table if "Session" in table.value]
    assert [f"close {number}" for number in range(56, 61)] in named
