"""The Train page's search for better settings: asking, watching, reading and adopting."""

from __future__ import annotations

import threading

import pytest
from page_reading import OpenPage, assert_sound, progress_of, told
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.jobs.job import TRIES, Job
from stockcast.jobs.part_table import Part
from stockcast.jobs.process import Process
from stockcast.tables import jobs
from stockcast.ui.access import Visitor
from stockcast.ui.tuning_charts import history_chart, importance_chart, slice_chart
from stockcast.workflows.tune import Found, Trial
from stockcast.workflows.tune_space import USUAL, space_of, with_parameters
from stockcast.workspace import Workspace

QUICK = Config().with_overrides(
    [
        "training.max_epochs=2", "training.patience=1", "network.hidden_size=4", "network.members=1",
        "training.accelerator=cpu", "universe.tickers=[IBM]",
    ]
)  # fmt: skip


def open_section(app: AppTest) -> AppTest:
    """Opens the section, as a click on its title does."""
    app.session_state["search"] = True
    return app.run()


def searched(workspace: Workspace, trials: int = 3) -> Job:
    """A whole search over a quick network, done in this process."""
    workspace.configs.save(DEFAULT_UNIVERSE, QUICK, "Quick", workspace.clock())
    asked = workspace.tuning.request(DEFAULT_UNIVERSE, trials=trials, space=["training.learning_rate"])
    job = workspace.jobs.submit("tune", DEFAULT_UNIVERSE, asked.to_json(), taken_by=Process.current())
    return workspace.desk.work.do(job, threading.Event(), lambda _text: None)


def lost_draw(workspace: Workspace, job: Job, better: bool) -> None:
    """Puts the settings in force above or below what was found, whatever chance said."""
    [first, *_others] = workspace.desk.parts.of(job.id)
    trial = Trial.from_json(first.result or {})
    said = Trial(0, "complete", 99.0 if better else -99.0, trial.parameters, trial.epochs, trial.seconds)
    with workspace.database.write() as connection:
        connection.execute(jobs.update().where(jobs.c.id == first.id).values(result=said.to_json()))


@pytest.mark.usefixtures("no_worker")
def test_a_search_is_asked_for_with_the_settings_that_were_chosen(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("train")
    assert "Settings to search" not in [each.label for each in app.multiselect], "it is folded"
    app = open_section(app)
    app.number_input(key="search_trials").set_value(7)
    app.multiselect(key="search_space").set_value(["network.layers", "network.dropout"])
    app.button(key="start_search").click().run()
    assert_sound(app)
    [job] = sample.jobs.recent(kind="tune")
    assert app.query_params["job"] == job.id
    search = sample.desk.search(job.id)
    assert (search.asked.trials, [each.field for each in search.asked.space]) == (
        7, ["network.layers", "network.dropout"],
    )  # fmt: skip
    assert "Starting a worker" in progress_of(app)
    assert app.button(key="start_search").disabled
    app.button(key="cancel_search").click().run()
    app.run()
    assert "The search was cancelled" in told(app)
    app.button(key="retry_search").click().run()
    assert sample.jobs.get(job.id).state == "queued"


def test_a_search_under_way_tells_who_tries_what(sample: Workspace, open_page: OpenPage) -> None:
    asked = sample.tuning.request(DEFAULT_UNIVERSE, trials=2, space=["training.learning_rate"])
    job = sample.jobs.submit("tune", DEFAULT_UNIVERSE, asked.to_json())
    me = Process.current()
    taken = sample.jobs.claim(me, job.id)
    assert taken is not None
    first, second = sample.desk.parts.add(taken, [Part("trial", {})] * 2)
    done, at_work = sample.jobs.claim(me, first.id), sample.jobs.claim(me, second.id)
    assert done is not None
    assert at_work is not None
    sample.jobs.end(
        done, "succeeded", result=Trial(0, "complete", 1.25, {"training.learning_rate": 0.001}).to_json()
    )
    sample.jobs.report(at_work, TRIES, {"training.learning_rate": 0.00432})
    sample.jobs.renew(at_work, "Epoch 3 of 9", 0.3)
    app = open_page("train", job=job.id)
    assert_sound(app)
    assert "best loss so far 1.2500" in progress_of(app)
    [table] = [each.value for each in app.dataframe if "Epochs" in each.value]
    assert table["Trial"].tolist() == ["In force", "1"]
    assert table["State"].tolist() == ["whole", "Epoch 3 of 9"]
    assert table["Learning rate"].tolist() == [0.001, 0.00432]


def test_the_best_settings_become_a_version_at_one_click(sample: Workspace, open_page: OpenPage) -> None:
    job = searched(sample)
    lost_draw(sample, job, better=True)
    best = sample.desk.search(job.id).found.best
    assert best is not None
    app = open_page("train", job=job.id)
    assert_sound(app)
    assert "expect less of it" in told(app)
    app.button(key="adopt_settings").click().run()
    assert_sound(app)
    current = sample.configs.current(DEFAULT_UNIVERSE)
    assert (current.version, current.author) == (2, "dashboard")
    assert current.config == with_parameters(QUICK, best.parameters)
    assert "These settings are in force as version 2" in told(app)
    assert not sample.jobs.recent(kind="train"), "it is the person who retrains"


def test_a_search_of_another_universe_is_held_against_its_own_configuration(
    sample: Workspace, open_page: OpenPage
) -> None:
    job = searched(sample)
    lost_draw(sample, job, better=True)
    sample.configs.save("two", Config(), "", sample.clock())
    app = open_page("train", job=job.id, universe="two")
    assert_sound(app)
    assert not app.button(key="adopt_settings").disabled
    assert "The configuration has changed since" not in told(app)


def test_what_is_in_force_may_be_the_best(sample: Workspace, open_page: OpenPage) -> None:
    job = searched(sample)
    lost_draw(sample, job, better=False)
    app = open_page("train", job=job.id)
    assert_sound(app)
    assert "What is in force did best" in told(app)
    assert "adopt_settings" not in [each.key for each in app.button]


def test_settings_of_another_configuration_are_not_offered(sample: Workspace, open_page: OpenPage) -> None:
    job = searched(sample)
    lost_draw(sample, job, better=True)
    moved = QUICK.with_overrides(["training.batch_size=16"])
    sample.configs.save(DEFAULT_UNIVERSE, moved, "by somebody else", sample.clock())
    app = open_page("train", job=job.id)
    assert_sound(app)
    assert "The configuration has changed since" in told(app)
    assert "adopt_settings" not in [each.key for each in app.button]


def test_a_viewer_sees_what_was_found_and_changes_nothing(
    sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = searched(sample)
    lost_draw(sample, job, better=True)
    monkeypatch.setattr("stockcast.ui.access.visitor", lambda: Visitor("bia@example.org", "viewer"))
    app = open_page("train", job=job.id)
    assert_sound(app)
    assert app.button(key="adopt_settings").disabled


def test_a_model_without_settings_has_nothing_to_search(sample: Workspace, open_page: OpenPage) -> None:
    linear = Config().with_overrides(["model.kind=linear"])
    sample.configs.save(DEFAULT_UNIVERSE, linear, "", sample.clock())
    app = open_section(open_page("train"))
    assert_sound(app)
    assert "Only an LSTM has settings to search for." in told(app)


def test_the_charts_hold_what_the_trials_say() -> None:
    space = space_of(Config(), USUAL)
    trials = [
        Trial(number, "pruned" if number == 2 else "complete", value, {each.field: each.low for each in space})
        for number, value in enumerate((1.2, 1.1, 5.0, 1.15))
    ]
    found = Found(tuple(trials), {"training.learning_rate": 0.7, "network.hidden_size": 0.3})
    figure = history_chart(found, 10)
    points = {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}
    assert points["Whole trials"] == ([0, 1, 3], [1.2, 1.1, 1.15])
    assert points["Ended early"] == ([2], [5.0])
    assert points["Best so far"] == ([0, 1, 3], [1.2, 1.1, 1.1])
    assert figure.layout.yaxis.range[1] < 2, "one that was hopeless presses nobody flat"
    assert figure.layout.shapes[0].y0 == 1.2
    assert history_chart(Found(()), 10).layout.annotations[0].text == "The first trial is on its way"
    assert list(importance_chart(found.importances).data[0].x) == [0.3, 0.7]
    slices = slice_chart(found, space[0])
    assert [list(trace.y) for trace in slices.data] == [[1.1, 1.15], [1.2]]
    assert slices.layout.xaxis.type == "log"
