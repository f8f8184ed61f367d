"""The Forecast page: its address, what stands beside, the chance above a level, one's own window, and what if."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import OpenPage, assert_sound, told, unfold
from price_payloads import days_until
from streamlit.testing.v1 import AppTest

from stockcast.forecasting.chances import chance_above
from stockcast.ui import forecast_level
from stockcast.ui.chart_style import CHALLENGER, NAIVE, RISING
from stockcast.ui.fan_chart import fan_chart
from stockcast.ui.forecast_address import names_of, number_of
from stockcast.ui.forecast_choices import shortened
from stockcast.ui.forecast_level import chance_table, chance_words, reach_of, step_of
from stockcast.ui.forecast_table import file_stem, percent_table, shown_table
from stockcast.workflows.compare_forecasts import RIVALS, Beside
from stockcast.workflows.forecast import Answer
from stockcast.workspace import Workspace

DAYS = days_until("2024-05-15", 60)
ROWS = [f"{'/'.join(reversed(day.split('-')))}\t1.0{10 + at},{at:02d}" for at, day in enumerate(DAYS)]
BRAZILIAN = "\r\n".join(["Data\tFechamento", *ROWS])


def figure(app: AppTest) -> dict[str, list[dict[str, object]]]:
    """The first chart, as the browser gets it."""
    found: dict[str, list[dict[str, object]]] = json.loads(app.get("plotly_chart")[0].proto.spec)
    return found


def names(app: AppTest) -> list[object]:
    return [trace.get("name") for trace in figure(app)["data"]]


def plain_text(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NON-BREAKING HYPHEN}", "-")


def number(app: AppTest, kind: str, name: str) -> Any:
    """The field or slider of a number as it is drawn now; it is made anew to show what it was not moved to."""
    [widget] = [each for each in app.get(kind) if (each.key or "").startswith(name)]
    return widget


def paste(app: AppTest, text: str) -> AppTest:
    unfold(app, "window_open")
    way = next(each for each in app.get("segmented_control") if each.key == "window_from")
    way.set_value("paste").run()
    app.text_area(key="window_paste").set_value(text).run()
    return app


def test_the_answer_comes_first_and_the_address_is_complete(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM")
    assert_sound(app)
    assert [metric.label.replace("\N{NO-BREAK SPACE}", " ") for metric in app.metric] == [
        "Median, 2013-03-04", "80 % interval", "95 % interval", "Naive: no change",
    ]  # fmt: skip
    assert app.query_params["h"] == "5"
    assert len(app.table[0].value) == len(app.table[1].value) == 5
    assert "The chance that IBM closes above its last close" in told(app)


def test_a_link_shows_the_same_view(trained_sample: Workspace, open_page: OpenPage) -> None:
    app = open_page(
        "forecast", ticker="IBM", h="2", past="60", also="challenger,garch", level="180", what_if="170"
    )
    assert_sound(app)
    table = app.table[0].value
    assert len(table) == 2
    other = trained_sample.versions.resolve("default", "challenger").label
    assert {other, f"{other} 80 %", "GARCH", "GARCH 80 %", "Naive 80 %"} <= set(table.columns)
    drawn = names(app)
    assert "Level 180.00\N{NO-BREAK SPACE}USD" in drawn
    assert any(str(name).startswith("GARCH: median") for name in drawn)
    said = plain_text(told(app))
    assert "The chance that IBM closes above 180.00 USD" in said
    assert "If IBM had closed at **170.00 USD** on 2013-03-01" in said
    [link] = [code.value for code in app.code]
    for part in (
        "universe=default",
        "ticker=IBM",
        "h=2",
        "past=60",
        "also=challenger,garch",
        "level=180",
        "what_if=170",
    ):
        assert part in link


def test_another_ticker_begins_with_its_own_last_close(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM", level="180", what_if="170", h="3")
    app.selectbox(key="ticker_choice").set_value("AAPL").run()
    assert_sound(app)
    assert "level" not in app.query_params
    assert "what_if" not in app.query_params
    assert app.query_params["h"] == "3"
    assert "AAPL closes above its last close" in told(app)
    app.selectbox(key="ticker_choice").set_value("IBM").run()
    assert app.query_params["level"] == "180", "what was chosen of it is still known"


@pytest.mark.parametrize(
    "query",
    [{"h": "99"}, {"h": "x"}, {"h": "-1"}, {"also": "lstm,<script>"}, {"level": "nan"}, {"level": "1e999"},
     {"level": "-4"}, {"what_if": "0"}, {"what_if": "inf"}, {"past": "7"}, {"level": "1e12"}, {"level": "1e-9"}],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_does_no_harm(
    query: dict[str, str], sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="IBM", **query)
    assert_sound(app)
    assert not app.error
    assert len(app.table[0].value) == 5


def test_a_challenger_that_is_not_there_is_switched_off_with_the_reason(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="IBM", also="challenger")
    assert_sound(app)
    toggle = app.toggle(key="forecast_beside_challenger")
    assert toggle.disabled
    assert not toggle.value
    assert "No version challenges the champion" in toggle.help


def test_a_garch_stands_beside_on_demand_and_is_no_forecast_of_ours(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="IBM")
    assert "GARCH" not in app.table[0].value
    entries = len(sample.journal.entries())
    app.toggle(key="forecast_beside_garch").set_value(True).run()
    assert_sound(app)
    assert app.query_params["also"] == "garch"
    assert "GARCH" in app.table[0].value
    assert len(sample.journal.entries()) == entries
    app.toggle(key="forecast_beside_garch").set_value(False).run()
    assert "also" not in app.query_params
    assert "GARCH" not in app.table[0].value


def test_a_history_that_is_too_short_for_a_garch_says_so_and_the_rest_stays(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="FB", also="garch")
    assert_sound(app)
    assert "at least 200 are needed" in told(app)
    assert len(app.table[0].value) == 5


def test_a_level_is_typed_or_dragged_and_stands_in_the_address(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM")
    unfold(app, "forecast_level_IBM_open")
    number(app, "number_input", "forecast_level_IBM_field").set_value(176.0).run()
    assert_sound(app)
    assert app.query_params["level"] == "176"
    assert number(app, "slider", "forecast_level_IBM_slider").value == 176.0
    before = told(app)
    number(app, "slider", "forecast_level_IBM_slider").set_value(178.5).run()
    assert app.query_params["level"] == "178.5"
    assert number(app, "number_input", "forecast_level_IBM_field").value == 178.5
    assert told(app) != before
    app.button(key="forecast_level_IBM_reset").click().run()
    assert "level" not in app.query_params


def test_the_slider_follows_a_level_beyond_its_reach_and_leads_back(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="IBM", level="0.01")
    assert_sound(app)
    slider = number(app, "slider", "forecast_level_IBM_slider")
    assert slider.value == slider.min > 0.01
    number(app, "number_input", "forecast_level_IBM_field").set_value(400.0).run()
    assert_sound(app)
    assert number(app, "slider", "forecast_level_IBM_slider").value == 400.0
    number(app, "slider", "forecast_level_IBM_slider").set_value(178.5).run()
    assert_sound(app)
    assert app.query_params["level"] == "178.5"
    assert number(app, "slider", "forecast_level_IBM_slider").value == 178.5
    assert number(app, "number_input", "forecast_level_IBM_field").value == 178.5


def test_a_pasted_brazilian_spreadsheet_is_shown_as_it_was_read_and_forecast_when_that_is_accepted(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast", ticker="IBM")
    entries = len(sample.journal.entries())
    paste(app, BRAZILIAN)
    assert_sound(app)
    said = told(app)
    assert "This is how I read it" in said
    assert f"pasted text: 60 closes, dated {DAYS[0]} to {DAYS[-1]}." in said
    assert len(sample.journal.entries()) == entries, "it was read, and nothing was said of it"
    stored = [history.content_hash for history in sample.prices.list()]
    app.button(key="window_go").click().run()
    assert_sound(app)
    newest = sample.journal.entries()[0]
    assert len(sample.journal.entries()) == entries + 1
    assert (newest.ticker, newest.last_close, newest.from_store) == (None, 1069.59, False)
    assert [history.content_hash for history in sample.prices.list()] == stored
    [level] = [each.key for each in app.expander if (each.key or "").startswith("forecast_level_window_")]
    unfold(app, level)
    [slider] = [each for each in app.slider if each.key and each.key.startswith("forecast_level_window_")]
    slider.set_value(1072.0).run()
    assert len(sample.journal.entries()) == entries + 1
    assert "that the price closes above 1,072.00" in plain_text(told(app)), (
        "it stays while something else is chosen"
    )


def test_bad_rows_of_a_paste_are_told_with_their_lines(sample: Workspace, open_page: OpenPage) -> None:
    rows = [*ROWS[:5], "25/12/2023\tn/d", *ROWS[5:-1], f"{ROWS[-1].split()[0]}\t-1,00", "Fonte: <b>B3</b>\t"]
    app = paste(open_page("forecast", ticker="IBM"), "\n".join(["Data\tFechamento", *rows]))
    assert_sound(app)
    said = told(app)
    assert "Line 7 ('25/12/2023 · n/d') has no close that can be read" in said
    assert "Line 62 ('15/05/2024 · -1,00'): closes must be positive numbers" in said
    assert "Line 63 ('Fonte: <b>B3</b> · ')" in said
    assert "window_go" not in {button.key for button in app.button}


def test_of_too_many_closes_the_last_may_be_taken(sample: Workspace, open_page: OpenPage) -> None:
    app = paste(open_page("forecast", ticker="IBM"), "\n".join(f"{40 + at % 7}.5" for at in range(75)))
    assert "exactly 60 closes; this one has 75" in told(app)
    [toggle] = [each for each in app.toggle if each.key and each.key.startswith("window_last_")]
    toggle.set_value(True).run()
    assert_sound(app)
    assert "Of 75 closes the last 60 are taken" in told(app)
    app.button(key="window_go").click().run()
    assert_sound(app)
    assert sample.journal.entries()[0].last_close == 40 + 74 % 7 + 0.5


def test_dates_that_could_mean_two_things_are_settled_by_the_visitor(
    sample: Workspace, open_page: OpenPage
) -> None:
    text = "Date\tClose\n" + "\n".join(
        f"{1 + at % 12:02d}/{1 + at // 12:02d}/2024\t4{at % 7}.5" for at in range(60)
    )
    app = paste(open_page("forecast", ticker="IBM"), text)
    assert "begin with the day or with the month" in told(app)
    [order] = [each for each in app.selectbox if each.key and each.key.startswith("window_order_")]
    order.set_value("dmy").run()
    assert_sound(app)
    assert "60 closes, dated 2024-01-01 to 2024-05-12" in told(app)


def test_what_if_is_marked_moves_the_forecast_and_is_not_journaled(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM")
    entries = len(sample.journal.entries())
    unfold(app, "what_if_open")
    number(app, "number_input", "forecast_supposed_IBM_change").set_value(-5.0).run()
    assert_sound(app)
    last = sample.prices.load("IBM").close[-1]
    assert float(app.query_params["what_if"]) == pytest.approx(0.95 * last, rel=1e-6)
    said = plain_text(told(app))
    assert "Hypothetical" in said
    assert "(-5.00 %)" in said
    assert any(metric.label.startswith("Median if so") for metric in app.metric)
    assert len(sample.journal.entries()) == entries
    app.button(key="forecast_supposed_IBM_reset").click().run()
    assert "what_if" not in app.query_params
    assert not any(metric.label.startswith("Median if so") for metric in app.metric)


def test_a_close_may_be_supposed_as_a_price(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM")
    unfold(app, "what_if_open")
    unit = next(each for each in app.get("segmented_control") if each.key == "forecast_supposed_unit")
    unit.set_value("price").run()
    number(app, "number_input", "forecast_supposed_IBM_price").set_value(120.0).run()
    assert_sound(app)
    assert app.query_params["what_if"] == "120"
    assert "Such a close would itself be doubted" in told(app)


def test_the_camera_saves_the_chart_under_the_name_of_the_answer(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM")
    camera = json.loads(app.get("plotly_chart")[0].proto.config)["toImageButtonOptions"]
    assert (camera["format"], camera["filename"]) == ("png", "forecast-IBM-2013-03-01")


def test_others_are_drawn_in_their_colours_with_their_own_interval_and_naive_on_top(aapl_answer: Answer) -> None:
    wider = replace(aapl_answer.forecast, log_returns=2 * aapl_answer.forecast.log_returns)
    others = [Beside("challenger", "lstm v2", wider), Beside("garch", "GARCH", wider)]
    plain, drawn = fan_chart(aapl_answer), fan_chart(aapl_answer, others=others, level=57.0, past=20)
    assert len(drawn.data) == len(plain.data) + 2 * 3 + 1
    colours = [trace.line.color for trace in drawn.data]
    assert colours.count(CHALLENGER) == colours.count(RISING) == 3
    assert colours.index(NAIVE) > max(at for at, colour in enumerate(colours) if colour in (CHALLENGER, RISING))
    upper = next(trace for trace in drawn.data if trace.legendgroup == "garch" and trace.y[-1] > trace.y[0] + 1)
    assert list(upper.y[1:]) == wider.interval(0.8)[1].tolist()
    assert len(drawn.data[4].x) == 20
    assert drawn.data[4].y[-1] == aapl_answer.window.closes[-1]
    assert "GARCH" in drawn.data[-1].customdata[-1]


def test_marks_stay_with_their_closes_when_only_the_last_are_drawn(aapl_answer: Answer) -> None:
    drawn = fan_chart(aapl_answer, {2: ("red", "early"), 58: ("amber", "late")}, past=20)
    marks = [trace for trace in drawn.data if str(trace.name).startswith("Looks")]
    assert [list(trace.y) for trace in marks] == [[aapl_answer.window.closes[58]]]


def test_the_tables_hold_the_figures_of_the_chart_in_prices_and_in_percent(aapl_answer: Answer) -> None:
    table, changes = shown_table(shortened(aapl_answer, 2)), percent_table(shortened(aapl_answer, 2))
    assert list(table.columns) == [
        "Session", "Median (USD)", "80 % interval", "95 % interval", "Naive", "Naive 80 %",
    ]  # fmt: skip
    assert len(table) == len(changes) == 2
    low = aapl_answer.forecast.interval(0.8)[0][0]
    assert plain_text(table["80 % interval"].iloc[0]).startswith(f"{low:.2f} –")
    change = low / aapl_answer.forecast.context.last_close - 1
    assert plain_text(changes["80 % interval"].iloc[0]).startswith(f"{100 * change:+.2f} %")
    assert file_stem(aapl_answer) == "forecast-AAPL-2013-03-01"


def test_chances_are_said_as_far_as_they_are_known(aapl_answer: Answer) -> None:
    shown = [plain_text(chance_words(share)) for share in (0.0, 0.0249, 0.025, 0.5, 0.975, 0.9751, 1.0)]
    assert shown == ["under 2.5 %", "under 2.5 %", "2 %", "50 %", "98 %", "over 97.5 %", "over 97.5 %"]
    table = chance_table(aapl_answer, [Beside("garch", "GARCH", aapl_answer.naive)], 57.0)
    assert list(table.columns) == ["Session", "ewma v1", "Naive", "GARCH"]
    share = float(chance_above(aapl_answer.forecast, 57.0)[0])
    assert plain_text(table["ewma v1"].iloc[0]) == f"{100 * share:.0f} %"
    assert table["GARCH"].tolist() == table["Naive"].tolist()


@given(st.floats(1e-6, 1e9), st.floats(0.5, 2))
def test_the_slider_reaches_what_can_be_expected_and_the_level_at_any_price(
    aapl_answer: Answer, last: float, away: float
) -> None:
    context = replace(aapl_answer.forecast.context, closes=np.full(60, last))
    priced = replace(aapl_answer, forecast=replace(aapl_answer.forecast, context=context))
    step = step_of(last)
    assert last / 10_001 <= step <= last / 999
    least, most = reach_of(priced, step, last * away)
    low, high = priced.forecast.interval(0.95)
    slack = 1e-9 * last + 10.0 ** -forecast_level.decimals_of(step)
    assert 0 < least <= min(low.min(), last * away) + slack
    assert most >= max(high.max(), last * away) - slack
    assert least < most


def test_what_an_address_says_is_read_with_care() -> None:
    assert [number_of(text) for text in ("5", "1.5", "0", "-1", "nan", "inf", "x", "", None)] == [
        5.0, 1.5, None, None, None, None, None, None, None,
    ]  # fmt: skip
    assert names_of("garch, challenger,evil", RIVALS) == ["challenger", "garch"]
    assert names_of(None, RIVALS) == []
