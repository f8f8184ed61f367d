"""The Monitor page: what live forecasts have been worth, drift over time, alerts, and what is still open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from page_reading import OpenPage, assert_sound, told
from played_record import play
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.monitoring.performance_rules import Rule, Verdict
from stockcast.workspace import Workspace

EVENING = datetime(2013, 3, 1, 23, tzinfo=UTC)  # of the sample's last close
NOW = datetime(2013, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def evening(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are opened on the evening of the sample's last close."""
    monkeypatch.setattr("stockcast.ui.shared.Workspace", partial(Workspace, clock=lambda: EVENING))


def ring(workspace: Workspace, rule: Rule, ticker: str | None, sentence: str) -> None:
    """Opens an alert as a rule does."""
    verdict = Verdict(rule, ticker, "fires", sentence, {"sessions": 60})
    workspace.alerts.kept.settle(DEFAULT_UNIVERSE, [verdict], NOW)


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_the_sample_says_why_nothing_will_ever_count(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("monitor")
    assert_sound(app)
    assert "No live forecast yet" in told(app)
    assert "The bundled sample has ended" in told(app)
    assert {"Get current prices", "Let a schedule do it"} <= set(links(app))
    assert not app.metric
    assert not [each for each in app.selectbox if each.key != "lang_choice"]


def test_before_the_first_close_it_says_when_that_is_due(
    sample: Workspace, open_page: OpenPage, evening: None
) -> None:
    rows = sample.prices.load("IBM").to_dataframe()[["close"]].iloc[-300:]
    sample.ingest_file("x.csv", rows.to_csv().encode(), "KO")
    app = open_page("monitor")  # by way of the Overview, which forecasts
    assert_sound(app)
    assert "Nothing has come true yet: 6 forecasts wait" in told(app)
    assert "due with the close of 2013-03-04 (AAPL)" in told(app)
    assert "What is still open?" in told(app)


def test_the_record_is_told_with_its_verdict_first(played: Workspace, open_page: OpenPage) -> None:
    scores = played.track.record(DEFAULT_UNIVERSE).scores
    assert scores is not None
    app = open_page("monitor")
    assert_sound(app)
    said = told(app)
    assert f"Over {scores.sessions} sessions and {scores.count} forecasts" in said
    assert f"the 80 % interval held {100 * scores.coverage(0.8).share:.1f} % (chance allows" in said
    labels = [metric.label.replace("\N{NO-BREAK SPACE}", " ") for metric in app.metric]
    assert labels == [
        "Skill against naive",
        "MAPE against naive",
        "80 % interval held",
        "90 % interval held",
        "95 % interval held",
        "Open forecasts",
    ]
    assert "promised" in app.metric[0].delta
    assert "Open forecasts 2 2 overdue" in said
    assert len(app.get("plotly_chart")) == 6
    assert "No alarm" in said
    tickers, versions, *_, waiting = (each.value for each in app.dataframe)
    assert sorted(tickers["Ticker"]) == ["AAPL", "IBM"]
    assert versions["Version"].tolist() == ["v1"]
    assert set(waiting["State"]) == {"overdue: the close is not stored yet"}
    assert [each.proto.label for each in app.get("download_button")] == ["Download the journal as CSV"]


def test_filters_are_read_from_the_address_and_change_what_is_told(played: Workspace, open_page: OpenPage) -> None:
    app = open_page("monitor", of="IBM", last="20", ahead="2", by="v1")
    assert_sound(app)
    assert "20 sessions and 20 forecasts" in told(app)
    assert "IBM of the universe default, 2 sessions ahead" in told(app)
    app.selectbox(key="of").set_value("AAPL").run()
    assert "AAPL of the universe default, 2 sessions ahead" in told(app)
    app.segmented_control(key="ahead").set_value("1").run()
    assert_sound(app)
    assert "AAPL of the universe default, one session ahead" in told(app)


def test_an_address_that_cannot_be_meant_shows_the_whole_record(played: Workspace, open_page: OpenPage) -> None:
    app = open_page("monitor", of="NOPE", by="9", last="x", ahead="0")
    assert_sound(app)
    assert "2 tickers of the universe default, one session ahead" in told(app)


def test_a_short_record_is_too_short_to_tell(played: Workspace, open_page: OpenPage) -> None:
    with played.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM outcomes WHERE session > '2013-01-25'")
    app = open_page("monitor")
    assert_sound(app)
    assert "Too few to tell" in told(app)
    assert "better than naive" not in told(app)
    assert set(app.dataframe[0].value["Needs a look"]) == {"too few to tell"}


def test_an_alert_is_shown_leads_on_and_can_be_acknowledged(played: Workspace, open_page: OpenPage) -> None:
    ring(played, "skill", None, "The universe's skill was -4.1 % over the last 60 sessions.")
    overview = open_page("overview")
    assert "The live record needs attention: 1 open alert" in told(overview)
    assert "See the alerts on the Monitor page" in links(overview)
    [alert] = played.alerts.list(DEFAULT_UNIVERSE)
    played.alerts.kept.link([alert], "0123456789ab", NOW)

    app = open_page("monitor")
    assert_sound(app)
    assert "The universe's skill was -4.1 %" in told(app)
    assert "The training that it asked for" in links(app)
    app.selectbox(key="of").set_value("IBM").run()
    assert "The universe's skill was -4.1 %" in told(app), "an alert of all tickers is about each"
    keep = f"alert_{alert.id}_keep"
    app.button(key=keep).click().run()
    assert "An acknowledgement needs a note" in told(app)
    app.text_area(key=f"alert_{alert.id}_note").set_value("Earnings <b>week</b>")
    app.button(key=keep).click().run()
    assert_sound(app)
    assert "Acknowledged" in told(app)
    assert "Earnings <b>week</b> (noted" in told(app)
    assert played.alerts.list(DEFAULT_UNIVERSE)[0].note == "Earnings <b>week</b>"
    assert "needs attention" not in told(open_page("overview"))


def test_what_does_not_count_is_told_with_its_reason(played: Workspace, open_page: OpenPage) -> None:
    with played.database.write() as connection:
        connection.exec_driver_sql("UPDATE outcomes SET live = 0 WHERE session > '2013-02-25'")
    app = open_page("monitor")
    assert_sound(app)
    assert "issued after their session had closed" in told(app)
    assert app.table[-1].value["Forecasts"].tolist() == ["8", "0", "0", "0"]


def test_what_is_kept_is_forgotten_when_an_outcome_is_written(played: Workspace, open_page: OpenPage) -> None:
    app = open_page("monitor")
    before = told(app)
    play(played, ("MSFT",), date(2013, 2, 1) + timedelta(days=3), sessions=5)
    app.run()
    assert_sound(app)
    assert "3 tickers of the universe default" in told(app) != before
