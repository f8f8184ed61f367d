"""Every page through app.py: empty, full, and with input that cannot be meant."""

from __future__ import annotations

import json
import logging
import re

import pytest
from page_reading import PAGES, OpenPage, assert_sound, progress_of, told, unfold

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.errors import NoPricesFound
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.process import Process
from stockcast.prices.sample import SamplePrices
from stockcast.ui.format import money
from stockcast.ui.price_findings import findings_key
from stockcast.workspace import Workspace

BRAZILIAN = "Data;Abertura;Máxima;Mínima;Fechamento;Volume\n" + "".join(
    f"{day:02d}/07/2024;10,0{day % 7};10,90;9,10;10,{day:02d};1.000\n" for day in (1, 2, 3, 4, 5, 8, 9, 10, 11, 12)
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_an_empty_workspace_says_what_to_do(
    page: str, empty: Workspace, open_page: OpenPage
) -> None:
    app = open_page(page)
    assert_sound(app)
    assert app.title
    ways_out = [*app.button, *app.get("page_link"), *app.get("form")]
    assert ways_out


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_the_sample(page: str, sample: Workspace, open_page: OpenPage) -> None:
    app = open_page(page)
    assert_sound(app)
    assert not app.error


def test_one_click_leads_from_nothing_to_a_forecast(empty: Workspace, open_page: OpenPage) -> None:
    app = open_page("overview")
    app.button(key="load_sample").click().run()
    assert_sound(app)
    assert [history.ticker for history in empty.prices.list()] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert sum("2013-03-04" in metric.label for metric in app.metric) == 5


def test_the_overview_says_what_is_expected_how_sure_and_that_the_sample_is_old(
    sample: Workspace, open_page: OpenPage
) -> None:
    said = told(open_page("overview"))
    assert "ewma v1" in said
    assert "AAPL · 2013-03-04 56.14 USD" in said
    assert "Naive 56.14" in said
    assert "The bundled sample ends on 2013-03-01" in said
    assert "80 % interval held" in said
    assert "Train the LSTM" in "".join(link.proto.label for link in open_page("overview").get("page_link"))


def test_a_ticker_that_is_too_short_is_told_and_the_others_are_shown(
    sample: Workspace, open_page: OpenPage
) -> None:
    rows = "Date,Close\n" + "".join(f"2024-07-{day:02d},{day}\n" for day in (8, 9, 10, 11, 12))
    sample.ingest_file("x.csv", rows.encode(), "SHORT")
    app = open_page("overview")
    assert_sound(app)
    assert "SHORT has 5 sessions; a forecast needs at least 60" in told(app)
    assert sum("2013-03-04" in metric.label for metric in app.metric) == 5


def test_a_forecast_is_journaled_before_it_is_shown(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast", ticker="IBM")
    assert_sound(app)
    assert app.selectbox(key="ticker_choice").value == "IBM"
    [entry] = sample.journal.entries("IBM")
    assert entry.face == "page"
    median = next(metric for metric in app.metric if metric.label.startswith("Median"))
    assert median.value == money(entry.prices[0, 19], "USD")
    assert len(app.table[0].value) == 5


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("\n".join(str(40 + day % 7) for day in range(59)), "exactly 60 closes; this one has 59"),
        ("\n".join(str(40 + day % 7) for day in range(61)), "exactly 60 closes; this one has 61"),
        ("\n".join(["0", *(str(40 + day % 7) for day in range(59))]), "closes must be positive numbers"),
        ("%PDF-1.7\n\x00\x01", "The file cannot be read"),
        ("", "The file cannot be read"),
    ],
)
def test_a_window_that_does_not_fit_gets_one_clear_sentence(
    content: str, sentence: str, sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("forecast")
    unfold(app, "window_open")
    app.file_uploader(key="window_file").upload("window.csv", content.encode()).run()
    assert_sound(app)
    assert sentence in told(app)
    assert len(app.table[0].value) == 5  # the stored ticker's own forecast stays
    assert "window_go" not in {button.key for button in app.button}


def test_a_window_of_60_closes_is_forecast_without_dates(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast")
    closes = "\n".join(f"{40 + (day * 7919 % 13) / 10:.2f}" for day in range(60))
    unfold(app, "window_open")
    app.file_uploader(key="window_file").upload("window.csv", closes.encode()).run()
    assert_sound(app)
    assert "60 closes without dates" in told(app)
    assert sample.journal.entries()[0].ticker is not None, "it was read, and nothing was said of it"
    app.button(key="window_go").click().run()
    assert_sound(app)
    tables = [table.value for table in app.table if "Naive" in table.value]
    assert "next session" in [table["Session"].iloc[0] for table in tables]
    newest, *_ = sample.journal.entries()
    assert newest.ticker is None


def test_a_window_with_four_equal_closes_raises_the_banner(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("forecast")
    closes = [f"{40 + (day * 7919 % 13) / 10:.2f}" for day in range(55)] + ["41.00"] * 5
    unfold(app, "window_open")
    app.file_uploader(key="window_file").upload("window.txt", "\n".join(closes).encode()).run()
    app.button(key="window_go").click().run()
    assert_sound(app)
    assert any(alert.proto.title.startswith("Check your data") for alert in [*app.error, *app.warning])


def test_an_empty_data_page_offers_the_sample_at_once(empty: Workspace, open_page: OpenPage) -> None:
    app = open_page("data")
    app.button(key="load_sample").click().run()
    assert_sound(app)
    assert "5 tickers stored" in told(app)
    assert len(empty.prices.list()) == 5


def test_an_upload_is_shown_as_it_was_read_before_anything_is_stored(
    empty: Workspace, open_page: OpenPage
) -> None:
    app = open_page("data")
    unfold(app, "prices_file")
    app.file_uploader(key="price_file").upload("CMIG4.SA.csv", BRAZILIAN.encode("cp1252")).run()
    assert_sound(app)
    said = app.table[0].value["How"].str.replace("\\", "")  # its cells are Markdown
    assert said["Numbers"] == "decimal comma"
    assert "close from 'Fechamento'" in said["Columns"]
    assert said["Sessions"] == "10 sessions, 2024-07-01 to 2024-07-12"
    assert said["Currency"].startswith("BRL")
    assert empty.prices.list() == ()
    app.button(key="store_prices").click().run()
    assert_sound(app)
    assert "Added 10 sessions of CMIG4.SA" in told(app)
    assert [history.ticker for history in empty.prices.list()] == ["CMIG4.SA"]


@pytest.mark.parametrize(
    ("name", "content", "ticker", "sentence"),
    [
        ("prices.csv", b"%PDF-1.7\x00\x01\x02", "AAPL", "The file cannot be read"),
        ("prices.csv", b"Date,Close\n2024-07-01,-3\n2024-07-02,4\n", "AAPL", "These are no valid prices"),
        ("prices.csv", b"Date,Close\n2024-07-01,3\n2024-07-02,4\n", "../../etc", "is not a ticker"),
        ("prices.xlsx", b"no workbook at all", "AAPL", "The file cannot be read"),
    ],
)
def test_a_bad_upload_says_what_is_wrong_and_stores_nothing(
    name: str, content: bytes, ticker: str, sentence: str, empty: Workspace, open_page: OpenPage
) -> None:
    app = open_page("data")
    unfold(app, "prices_file")
    app.file_uploader(key="price_file").upload(name, content).run()
    if app.text_input:  # asked for a file that is one
        app.text_input[-1].set_value(ticker).run()
    assert_sound(app)
    assert sentence in told(app)
    assert empty.prices.list() == ()


def test_one_ticker_that_fails_does_not_hold_up_the_others(
    empty: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ReplayedPrices(SamplePrices):
        """Yahoo as the page sees it, with the answers of the sample."""

        name = "yahoo"

        def __init__(self, _cache: object) -> None: ...

    monkeypatch.setattr("stockcast.workspace.YahooPrices", ReplayedPrices)
    app = open_page("data")
    unfold(app, "prices_yahoo")
    app.text_input(key="yahoo_tickers").set_value("aapl, NOPE; ibm <b>")
    app.button(key="yahoo_go").click().run()
    assert_sound(app)
    said = told(app)
    assert "The sample holds no prices of NOPE" in said
    assert "'<B>' is not a ticker" in said
    assert [history.ticker for history in empty.prices.list()] == ["AAPL", "IBM"]
    assert app.status[0].label == "2 of 4 tickers stored, 2 failed"


def test_without_a_network_the_page_says_so(
    empty: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise NoPricesFound("Yahoo does not answer.", "Check the network.")

    monkeypatch.setattr(Workspace, "ingest_yahoo", refuse)
    app = open_page("data")
    unfold(app, "prices_yahoo")
    app.text_input(key="yahoo_tickers").set_value("AAPL")
    app.button(key="yahoo_go").click().run()
    assert_sound(app)
    assert "Yahoo does not answer. Check the network." in told(app)


@pytest.mark.usefixtures("no_worker")
def test_retrain_starts_one_job_and_a_second_visitor_is_shown_the_same(
    sample: Workspace, open_page: OpenPage
) -> None:
    app, other = open_page("train"), open_page("train")
    app.button(key="retrain").click().run()
    assert_sound(app)
    [job] = sample.jobs.recent()
    assert app.query_params["job"] == job.id
    assert app.button(key="retrain").disabled
    other.button(key="retrain").click().run()  # drawn before the first click
    assert_sound(other)
    assert other.button(key="retrain").disabled
    assert "Starting a worker" in progress_of(other)
    assert [each.id for each in sample.jobs.recent()] == [job.id]


@pytest.mark.usefixtures("no_worker")
def test_a_training_that_was_started_elsewhere_in_between_is_shown(
    sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("train")
    job = sample.desk.submit_training(DEFAULT_UNIVERSE)
    # The page is drawn as if it had not seen the other job yet, then asks for its own.
    monkeypatch.setattr(JobTable, "active", lambda _table, _kind=None, **_parts: [])
    app.button(key="retrain").click().run()
    assert_sound(app)
    assert app.query_params["job"] == job.id


@pytest.mark.usefixtures("no_worker")
def test_a_training_may_be_cancelled_and_tried_again(sample: Workspace, open_page: OpenPage) -> None:
    job = sample.desk.submit_training(DEFAULT_UNIVERSE)
    app = open_page("train", job=job.id)
    app.button(key="cancel_job").click().run()
    app.run()
    assert_sound(app)
    assert sample.jobs.get(job.id).state == "cancelled"
    assert "The training was cancelled" in told(app)
    app.button(key="retry_job").click().run()
    assert_sound(app)
    assert sample.jobs.get(job.id).state == "queued"


@pytest.mark.usefixtures("no_worker")
def test_several_universes_queue_up_visibly(sample: Workspace, open_page: OpenPage) -> None:
    two = Config().with_overrides(["universe.tickers=[AAPL, IBM]"])
    sample.configs.save("two", two, "", sample.clock())
    app = open_page("train")
    app.button(key="retrain_all").click().run()
    assert_sound(app)
    assert [job.universe for job in sample.jobs.active()] == ["default", "two"]
    queue = next(table.value for table in app.dataframe if "State" in table.value)
    assert queue["State"].tolist() == ["Starting a worker", "Waiting for 1 other job"]
    assert queue["Universe"].tolist() == ["default", "two"]
    assert app.button(key="retrain_all").disabled


@pytest.mark.usefixtures("no_worker")
def test_an_interrupted_training_says_that_it_resumes(sample: Workspace, open_page: OpenPage) -> None:
    asked = sample.desk.submit_training(DEFAULT_UNIVERSE)
    taken = sample.jobs.claim(Process.current())
    assert taken is not None
    sample.jobs.give_back(taken, "interrupted", {"attempt": 1}, counts=True)
    app = open_page("train", job=asked.id)
    assert_sound(app)
    assert "Interrupted, resuming (2/3)" in progress_of(app)


@pytest.mark.usefixtures("no_worker")
def test_other_pages_tell_of_a_training_and_of_its_end(sample: Workspace, open_page: OpenPage) -> None:
    job = sample.desk.submit_training(DEFAULT_UNIVERSE)
    app = open_page("data")
    assert_sound(app)
    assert "Training of default: Starting a worker" in progress_of(app)
    sample.jobs.cancel(job.id)
    app.run()
    assert_sound(app)
    assert [toast.value for toast in app.toast] == [
        "The training of default was cancelled\\. It was cancelled while it waited\\."
    ]
    app.run()
    assert not app.toast, "it is said once"
    assert not app.get("progress")


def test_a_schedule_is_shown_with_its_next_time(sample: Workspace, open_page: OpenPage) -> None:
    assert "No schedule: set one" in [link.label for link in open_page("train").get("page_link")]
    nightly = Config().with_overrides(["schedule.cron=30 22 * * 1-5", "schedule.timezone=America/Sao_Paulo"])
    sample.configs.save(DEFAULT_UNIVERSE, nightly, "", sample.clock())
    said = told(open_page("train"))
    assert "At 22:30 on Monday through Friday (America/Sao_Paulo), next" in said
    plan = sample.desk.plan(DEFAULT_UNIVERSE)
    assert plan is not None
    assert f"{plan.following(sample.clock()):%a %Y-%m-%d %H:%M}" in said


def test_a_failed_training_shows_its_reason_its_way_out_and_its_log(
    sample: Workspace, open_page: OpenPage
) -> None:
    job = sample.jobs.submit("train", DEFAULT_UNIVERSE, {}, taken_by=Process.current())
    sample.jobs.end(job, "failed", error="The loss is not finite.", hint="Lower training.learning_rate.")
    sample.desk.runner.log_file(job.id).write_text("first line\nlast line [red]\n")
    app = open_page("train", job=job.id)
    assert_sound(app)
    assert "The training failed The loss is not finite." in told(app)
    assert "Lower training.learning_rate." in told(app)
    assert app.code[0].value.endswith("last line [red]")


@pytest.mark.parametrize(("kind", "words"), [("backtest", "backtest"), ("evaluate", "evaluation")])
def test_other_kinds_of_jobs_show_their_scores(
    kind: str, words: str, trained_sample: Workspace, open_page: OpenPage
) -> None:
    card = trained_sample.speaker(DEFAULT_UNIVERSE, "lstm").scorecard
    assert card is not None
    job = trained_sample.jobs.submit(kind, DEFAULT_UNIVERSE, {}, taken_by=Process.current())
    trained_sample.jobs.end(job, "succeeded", result={"model": "lstm", "scorecard": card.to_json()})
    app = open_page("train", job=job.id)
    assert_sound(app)
    assert f"The {words} of default is done" in told(app)
    assert "MAPE" in app.table[0].value["Measure"].tolist()


def test_a_download_tells_what_it_stored_and_what_failed(sample: Workspace, open_page: OpenPage) -> None:
    job = sample.jobs.submit("fetch", DEFAULT_UNIVERSE, {}, taken_by=Process.current())
    result = {"stored": ["Added 10 sessions to AAPL."], "failed": {"NO": "There is none."}}
    sample.jobs.end(job, "succeeded", result=result)  # type: ignore[arg-type]
    said = told(open_page("train", job=job.id))
    assert "The download is done" in said
    assert "Added 10 sessions to AAPL." in said
    assert "NO: There is none." in said


def test_an_unknown_job_is_told(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("train", job="![x](http://evil)")
    assert_sound(app)
    assert "There is no job" in told(app)
    assert "](http" not in app.warning[0].value


def test_a_training_that_succeeded_shows_its_verdict_beside_naive(
    trained_sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("train")
    assert_sound(app)
    said = told(app)
    assert re.search(r"lstm v2 .*naive.*, [\d,]+ forecasts\): (not )?promoted\.", said)
    assert "Diebold-Mariano" in said
    measures = app.table[0].value["Measure"].tolist()
    assert measures[:3] == ["MAE (USD)", "RMSE (USD)", "MAPE"]
    assert app.table[1].value["Opponent"].tolist()[:2] == ["naive", "ewma"]
    assert app.dataframe[0].value["Ticker"].tolist() == ["AAPL", "IBM"]
    assert app.dataframe[1].value["Epoch"].tolist() == [2, 1]


def test_a_model_that_is_fitted_in_one_go_has_no_empty_loss_chart(sample: Workspace, open_page: OpenPage) -> None:
    garch = Config().with_overrides(["model.kind=garch"])
    sample.configs.save("default", garch, "A rung below", sample.clock())
    assert sample.desk.train_here("default", ["AAPL"], None, [], lambda _text: None).state == "succeeded"
    app = open_page("train")
    assert_sound(app)
    assert "garch v2" in told(app)
    assert "fitted in one go" in told(app)
    assert not [table for table in app.dataframe if "Epoch" in table.value.columns]


@pytest.mark.parametrize("page", ["overview", "forecast", "runs"])
def test_the_note_of_a_person_stands_wherever_that_champion_speaks(
    page: str, trained_sample: Workspace, open_page: OpenPage
) -> None:
    versions = trained_sample.versions
    other = next(each for each in versions.all(DEFAULT_UNIVERSE) if "champion" not in each.aliases)
    versions.crown(other, note="Wanted *calmer* intervals")
    app = open_page(page)
    assert_sound(app)
    assert "A person decided this: Wanted *calmer* intervals" in told(app)


def test_a_second_universe_can_be_chosen_and_stays_in_the_address(sample: Workspace, open_page: OpenPage) -> None:
    sample.configs.save("tech", sample.config("tech"), "A second universe", sample.clock())
    app = open_page("overview", universe="tech")
    assert_sound(app)
    assert app.selectbox(key="universe_choice").value == "tech"
    assert sample.versions.champion("tech") is not None


def test_a_universe_whose_prices_are_missing_says_which(sample: Workspace, open_page: OpenPage) -> None:
    wanted = sample.config("default").with_overrides(["universe.tickers=[PETR4.SA]"])
    sample.configs.save("default", wanted, "", sample.clock())
    app = open_page("overview")
    assert_sound(app)
    assert "names PETR4.SA, and nothing is stored for that" in told(app)


def test_an_unforeseen_error_shows_a_reference_and_never_a_stack_trace(
    sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_arguments: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("stockcast.workspace.Workspace.champion", break_down)
    with caplog.at_level(logging.ERROR):
        app = open_page("overview")
    assert not app.exception
    [alert] = app.error
    assert alert.proto.title == "Something went wrong on our side"
    assert "secret" not in told(app)
    reference = alert.value.split("**")[1]
    assert reference in caplog.text
    assert "a secret detail" in caplog.text


def test_a_column_that_no_header_names_is_chosen_by_the_visitor(empty: Workspace, open_page: OpenPage) -> None:
    rows = "\n".join(f"2024-07-{day:02d};{90 + day},5;{10 + day},5" for day in (1, 2, 3, 4, 5, 8, 9, 10))
    app = open_page("data")
    unfold(app, "prices_file")
    app.file_uploader(key="price_file").upload("CMIG4.SA.csv", f"Data;Um;Dois\n{rows}\n".encode()).run()
    assert_sound(app)
    assert not [button for button in app.button if button.key == "store_prices"], "it cannot be read yet"
    [close] = [box for box in app.selectbox if box.key and box.key.startswith("price_column_close_")]
    close.set_value(3).run()
    assert_sound(app)
    assert "close from 'Dois'" in app.table[0].value["How"]["Columns"].replace("\\", "")
    app.button(key="store_prices").click().run()
    assert empty.prices.load("CMIG4.SA").close[0] == 11.5


def test_a_row_of_the_quality_report_moves_the_chart_to_its_place(sample: Workspace, open_page: OpenPage) -> None:
    [history] = [each for each in sample.prices.list() if each.ticker == "AAPL"]
    app = open_page("data", ticker="AAPL")
    before = json.loads(app.get("plotly_chart")[0].proto.spec)
    app.session_state[findings_key(history)] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert_sound(app)
    after = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert before["data"][0]["x"][-1] != after["data"][0]["x"][-1]
    assert "2000-09-29" in after["data"][0]["x"]
    assert "sessions on each side of the row selected below" in told(app)
