"""The Runs page: what was tried, runs side by side, and a person's decisions about runs and versions."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from page_reading import OpenPage, assert_sound, told
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import CHAMPION
from stockcast.ui.registry_reads import forget
from stockcast.ui.runs_table import address_id
from stockcast.workspace import Workspace


@pytest.fixture
def tried(trained_sample: Workspace) -> tuple[RunSummary, RunSummary]:
    """The runs of the baseline and of the LSTM, which was not promoted."""
    forget()
    lstm, baseline = trained_sample.runs.recent(DEFAULT_UNIVERSE)
    return baseline, lstm


def link_labels(app: AppTest) -> dict[str, str]:
    return {link.proto.label: link.proto.page for link in app.get("page_link")}


def columns(app: AppTest, holding: str) -> dict[str, list[object]]:
    """The first table that has such a column."""
    table = next(each.value for each in app.dataframe if holding in each.value.columns)
    return {name: table[name].tolist() for name in table.columns}


def test_runs_are_listed_with_what_they_came_to_and_the_newest_is_told(
    trained_sample: Workspace, tried: tuple[RunSummary, RunSummary], open_page: OpenPage
) -> None:
    app = open_page("runs")
    assert_sound(app)
    runs = columns(app, "Validation loss")
    assert runs["Run"] == ["lstm v2", "ewma v1"]
    assert len(runs["Validation loss"][0]) == 2  # type: ignore[arg-type]
    assert runs["Forecasts"] == [run.scores["count"] for run in reversed(tried)]
    assert app.table[0].value["Field"].tolist() == [
        "network.hidden_size", "training.max_epochs", "training.accelerator",
    ]  # fmt: skip
    said = told(app)
    assert "**2 runs** of the universe default" in said
    assert "STOCKCAST_MLFLOW_UI_URL" in said
    assert not [label for label in link_labels(app) if "MLflow" in label]
    assert "None" not in [
        str(cell) for table in app.dataframe for cell in table.value.to_numpy().ravel() if isinstance(cell, str)
    ]


def test_two_runs_of_the_address_are_compared_with_the_one_that_is_pinned(
    trained_sample: Workspace, tried: tuple[RunSummary, RunSummary], open_page: OpenPage
) -> None:
    baseline, lstm = tried
    app = open_page("runs", runs=f"{address_id(baseline)}-{address_id(lstm)}", baseline=address_id(lstm))
    assert_sound(app)
    assert "How do these 2 runs differ?" in told(app)
    assert "They were judged on different data" in told(app), "the LSTM was trained on two tickers alone"
    figures = columns(app, "Measure")
    assert list(figures)[1:3] == ["lstm v2", "ewma v1"], "the baseline comes first"
    assert "(" not in figures["ewma v1"][0]
    parameters = columns(app, "Parameter")
    assert "training.max_epochs" in parameters["Parameter"]
    assert set(parameters["ewma v1"]) >= {"–"}
    app.button(key="unpin").click().run()
    assert_sound(app)
    assert "baseline" not in app.query_params
    app.button(key="clear_runs").click().run()
    assert_sound(app)
    assert "runs" not in app.query_params


def test_search_kind_and_outcome_narrow_the_list(
    trained_sample: Workspace, tried: tuple[RunSummary, RunSummary], open_page: OpenPage
) -> None:
    app = open_page("runs", find="hidden_size=8 aapl")
    assert columns(app, "Validation loss")["Run"] == ["lstm v2"]
    app.text_input(key="find").set_value("").run()
    app.selectbox(key="kind").set_value("ewma").run()
    assert columns(app, "Validation loss")["Run"] == ["ewma v1"]
    app.selectbox(key="outcome").set_value("failed").run()
    assert_sound(app)
    assert "None of the 2 runs fits" in told(app)


def test_links_lead_into_mlflow_where_its_address_is_known(
    trained_sample: Workspace,
    tried: tuple[RunSummary, RunSummary],
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STOCKCAST_MLFLOW_UI_URL", "http://127.0.0.1:5000/")
    baseline, lstm = tried
    app = open_page("runs", runs=f"{address_id(lstm)}-{address_id(baseline)}")
    assert_sound(app)
    of_run = f"http://127.0.0.1:5000/#/experiments/{lstm.experiment_id}/runs/{lstm.run_id}"
    assert columns(app, "Validation loss")["MLflow"][0] == of_run
    links = {each.proto.label: each.proto.external and each.proto.page for each in app.get("page_link")}
    ids, experiments = unquote(links["Compare in MLflow"]).split("?runs=")[1].split("&experiments=")
    assert set(json.loads(ids)) == {lstm.run_id, baseline.run_id}
    assert json.loads(experiments) == [lstm.experiment_id]
    assert links["Open the version in MLflow"].startswith(
        "http://127.0.0.1:5000/#/models/stockcast-default/versions/"
    )
    assert "STOCKCAST_MLFLOW_UI_URL" not in told(app)


def test_a_person_says_something_of_a_run_and_finds_it_again(
    trained_sample: Workspace, tried: tuple[RunSummary, RunSummary], open_page: OpenPage
) -> None:
    lstm = tried[1]
    app = open_page("runs")
    app.text_area(key=f"note_{lstm.run_id}").set_value("Smaller, to see *whether*")
    app.button(key=f"keep_notes_{lstm.run_id}").click().run()
    assert_sound(app)
    assert "Smaller, to see *whether*" in told(app)
    assert trained_sample.runs.read(lstm.run_id).note == "Smaller, to see *whether*"
    app.text_input(key="find").set_value("smaller").run()
    assert columns(app, "Validation loss")["Run"] == ["lstm v2"]


def test_a_version_is_promoted_with_a_note_and_rolled_back(
    trained_sample: Workspace, tried: tuple[RunSummary, RunSummary], open_page: OpenPage
) -> None:
    speaks = trained_sample.champion(DEFAULT_UNIVERSE)
    other = next(each for each in trained_sample.versions.all(DEFAULT_UNIVERSE) if CHAMPION not in each.aliases)
    app = open_page("runs", version=other.version)
    assert_sound(app)
    button = f"promote_now_{other.version}"
    app.button(key=button).click().run()
    assert "A promotion by hand needs a note." in told(app)
    app.text_area(key=f"promote_note_{other.version}").set_value("Calmer in earnings weeks")
    app.button(key=button).click().run()
    assert_sound(app)
    assert trained_sample.versions.champion(DEFAULT_UNIVERSE).version == other.version  # type: ignore[union-attr]
    said = told(app)
    assert "A person decided this: Calmer in earnings weeks" in said
    assert f"**{speaks.label} will speak** instead of {other.label}" in said
    by = dict(zip(*(columns(app, "Trained until")[name] for name in ("Version", "By")), strict=True))
    assert by[other.label] == "a person"
    app.button(key="rollback_now").click().run()
    assert_sound(app)
    assert trained_sample.versions.champion(DEFAULT_UNIVERSE).version == speaks.version  # type: ignore[union-attr]
    assert f"Rolled back from {other.label}." in told(app)


def test_a_run_is_deleted_and_restored_but_not_that_of_the_champion(
    trained_sample: Workspace, tried: tuple[RunSummary, RunSummary], open_page: OpenPage
) -> None:
    speaks = trained_sample.champion(DEFAULT_UNIVERSE)
    failed = trained_sample.runs.open(DEFAULT_UNIVERSE, "LSTM IBM", {"model.kind": "lstm"}, {"tickers": "IBM"})
    trained_sample.runs.close(failed, "FAILED")
    app = open_page("runs", runs=f"{speaks.run_id[:12]}-{failed[:12]}")
    assert_sound(app)
    assert f"The run of {speaks.label} cannot be deleted: that version speaks." in told(app)
    assert "1 run will be deleted" in told(app)
    app.button(key="delete_runs").click().run()
    assert_sound(app)
    assert trained_sample.runs.read(failed).deleted
    assert not trained_sample.runs.read(speaks.run_id).deleted
    assert columns(app, "Validation loss")["Run"] == ["lstm v2", "ewma v1"]
    app.toggle(key="deleted").set_value(True).run()
    assert "deleted" in columns(app, "Validation loss")["Outcome"]
    again = open_page("runs", runs=failed[:12], deleted="true")
    again.button(key="restore_runs").click().run()
    assert_sound(again)
    assert not trained_sample.runs.read(failed).deleted
