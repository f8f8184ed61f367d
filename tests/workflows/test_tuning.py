"""A search for better settings: what it may change, on what trials are compared, and what comes of the best."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.database import Database
from stockcast.errors import ConfigMoved, InvalidRequest, TooShortHistory, UnknownUniverse
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.lstm.chunks import validation_chunks
from stockcast.forecasting.training_rows import materials
from stockcast.jobs.job import Job
from stockcast.jobs.process import Process
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.settings import Settings
from stockcast.workflows.job_requests import TuneRequest
from stockcast.workflows.tune import Found, Trial, adopted
from stockcast.workflows.tune_space import ALL, ENOUGH, SPACE, USUAL, space_of, widest, with_parameters
from stockcast.workflows.tune_study import Study, open_storage
from stockcast.workspace import Workspace

MakeFrame = Callable[..., PriceFrame]
QUICK = (
    "training.max_epochs=2", "training.patience=1", "network.hidden_size=4", "network.members=1",
    "training.accelerator=cpu",
)  # fmt: skip
CONFIG = Config().with_overrides(QUICK)


@pytest.fixture
def workspace(make_frame: MakeFrame, tmp_path: Path) -> Workspace:
    """Two synthetic histories and a network that trains in a moment."""
    workspace = Workspace(Settings(home=tmp_path / "home", threads=1))
    for seed, ticker in enumerate(("AAPL", "IBM")):
        store(workspace, make_frame(ticker, 700, seed=seed))
    workspace.configs.save(DEFAULT_UNIVERSE, CONFIG, "quick", workspace.clock())
    return workspace


def store(workspace: Workspace, frame: PriceFrame) -> None:
    workspace.prices.save(FetchedPrices(frame, PriceReport(len(frame))))


def search(workspace: Workspace, trials: int = 3, space: tuple[str, ...] = ("network.hidden_size",)) -> Job:
    """A whole search, done in this process."""
    asked = workspace.tuning.request(DEFAULT_UNIVERSE, trials=trials, space=space)
    job = workspace.jobs.submit("tune", DEFAULT_UNIVERSE, asked.to_json(), taken_by=Process.current())
    return workspace.desk.work.do(job, threading.Event(), lambda _text: None)


# What is searched


def test_every_range_lies_within_the_bounds_of_its_field() -> None:
    for end in ("low", "high"):
        values = {name: each.put(getattr(each, end)) for name, each in SPACE.items()}
        assert with_parameters(Config(), values)
    assert set(USUAL) < set(SPACE)


def test_a_range_holds_the_value_in_force_and_a_logarithm_no_zero() -> None:
    config = Config().with_overrides(["network.hidden_size=4", "training.weight_decay=0"])
    size, decay = space_of(config, ["network.hidden_size", "training.weight_decay"])
    assert (size.low, size.high) == (4, 128)
    assert decay.low == 1e-5 == decay.nearest(0)


def test_what_a_search_cannot_change_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no setting that a search may change"):
        space_of(Config(), ["training.seed"])
    with pytest.raises(InvalidRequest, match="Dropout acts between LSTM layers"):
        space_of(Config(), ["network.dropout"])
    assert [each.field for each in space_of(Config(), [ALL])] == list(SPACE), "layers may become more"


def test_a_search_that_would_fail_later_is_refused_now(workspace: Workspace) -> None:
    request = workspace.tuning.request
    with pytest.raises(UnknownUniverse):
        request("nowhere")
    for trials in (1, 201):
        with pytest.raises(InvalidRequest, match="2 to 200 trials"):
            request(DEFAULT_UNIVERSE, trials=trials)
    with pytest.raises(TooShortHistory):
        request(DEFAULT_UNIVERSE, until=date(2018, 1, 2))
    workspace.configs.save(DEFAULT_UNIVERSE, CONFIG.with_overrides(["model.kind=linear"]), "", workspace.clock())
    with pytest.raises(InvalidRequest, match="trains linear, which has no settings"):
        request(DEFAULT_UNIVERSE)


# On what trials are compared


@pytest.mark.parametrize("chunk", [7, 40])
def test_whatever_the_lookback_the_same_sessions_are_scored(make_frame: MakeFrame, chunk: int) -> None:
    frames = [make_frame("AAPL", 700, seed=1), make_frame("IBM", 520, seed=2)]
    widely = widest(Config(), space_of(Config(), ["windows.lookback"]))
    pairs, _ = training_pairs(frames, split_dates(frames, widely), widely)
    scored = []
    for lookback in (20, 61, 120):
        found = validation_chunks(materials(pairs, lookback, 5), lookback, chunk, (), 0.0)
        ends = found.rows[:, -found.count :]
        scored.append((found.sessions[ends.numpy()], found.targets[ends].numpy()))
    for sessions, targets in scored[1:]:
        assert np.array_equal(sessions, scored[0][0])
        assert np.array_equal(targets, scored[0][1])


def test_no_trial_sees_a_session_of_the_test(workspace: Workspace) -> None:
    before = workspace.desk.search(search(workspace).id).found
    for frame in (workspace.prices.load("AAPL"), workspace.prices.load("IBM")):
        unseen = frame.sessions >= np.datetime64(split_dates([frame], CONFIG).test_start)
        store(workspace, replace(frame, close=np.where(unseen, frame.close * 3.0, frame.close)))
    after = workspace.desk.search(search(workspace).id).found
    assert [trial.value for trial in after.trials] == [trial.value for trial in before.trials]
    assert after.trials[0].prices != before.trials[0].prices, "the prices of the test did change"


def test_a_search_makes_no_run_and_no_version(workspace: Workspace) -> None:
    job = search(workspace)
    assert job.state == "succeeded", job.error
    assert not list(workspace.settings.home.glob("mlflow*")), "MLflow was not even opened"
    assert not list(workspace.settings.job_logs.glob("*.ckpt")), "checkpoints of trials are removed"
    assert workspace.configs.current(DEFAULT_UNIVERSE).version == 1, "nothing is adopted by itself"


def test_the_same_search_finds_the_same(workspace: Workspace) -> None:
    first, second = (workspace.desk.search(search(workspace).id).found for _ in range(2))
    assert [(trial.parameters, trial.value) for trial in first.trials] == [
        (trial.parameters, trial.value) for trial in second.trials
    ]


def test_trials_learn_from_prices_up_to_the_moment_of_asking(workspace: Workspace, make_frame: MakeFrame) -> None:
    asked = workspace.tuning.request(DEFAULT_UNIVERSE)
    assert asked.until == workspace.prices.load("AAPL").last_session
    assert TuneRequest.from_json(asked.to_json()) == asked


# The study


OpenStudy = Callable[..., Study]


@pytest.fixture(params=["sqlite", "postgresql"])
def study(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStudy]:
    """A way to open one study again, as another process would; on both databases."""
    sqlite = f"sqlite:///{tmp_path / 'stockcast.db'}"
    database = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with contextlib.ExitStack() as opened:
        opened.callback(database.close)

        def make(seed: int = 1) -> Study:
            storage = opened.enter_context(open_storage(database))
            return Study(storage, "s", space_of(CONFIG, USUAL), 20, patience=1, seed=seed)

        yield make
        again = Database(database.url)  # which looks at the version of its tables
        again.close()


def test_a_part_that_lost_its_process_is_given_the_same_again(study: OpenStudy) -> None:
    first = study().propose("a")
    study().hopeless(first, 1, 1.5)
    again = study(seed=99).propose("a")
    assert (again.number, again.parameters, again.told) == (first.number, first.parameters, frozenset({1}))
    assert study(seed=2).propose("b").parameters != first.parameters
    study().tell(again, "complete", 1.4)
    study().tell(again, "failed", None)
    ended = study().propose("a")
    assert (ended.ended, ended.value) == ("complete", 1.4), "what was told once stands"


def test_a_trial_that_is_worse_than_most_may_end(study: OpenStudy) -> None:
    known = study()
    for name in "abcd":
        proposed = known.propose(name)
        assert not any(known.hopeless(proposed, epoch, 1.0) for epoch in (1, 2, 3))
        known.tell(proposed, "complete", 1.0)
    bad, good = known.propose("e"), known.propose("f")
    assert not known.hopeless(bad, 1, 2.0), "every trial gets its patience"
    assert known.hopeless(bad, 2, 2.0)
    known.tell(bad, "pruned", None)
    assert not known.hopeless(good, 2, 0.9)


@pytest.mark.parametrize("study", ["sqlite"], indirect=True)
def test_what_weighs_is_told_when_enough_trials_tell(study: OpenStudy) -> None:
    known = study()
    for number in range(ENOUGH):
        assert known.importances() == {}
        proposed = known.propose(str(number))
        known.tell(proposed, "complete", float(proposed.parameters["network.hidden_size"]))
    weights = known.importances()
    assert max(weights, key=lambda name: weights[name]) == "network.hidden_size"
    assert sum(weights.values()) == pytest.approx(1)


def test_what_nobody_goes_on_with_is_closed(study: OpenStudy) -> None:
    left = study().propose("a")
    study().close()
    assert study().propose("a").ended == "failed"
    assert study().propose("a").number == left.number


# What comes of it


def trials_with(*values: float | None) -> Found:
    return Found(
        tuple(
            Trial(
                number, "complete" if value is not None else "pruned", value, {"network.hidden_size": 4 + number}
            )
            for number, value in enumerate(values)
        )
    )


def test_the_best_is_a_whole_trial_and_a_draw_keeps_what_is_in_force() -> None:
    assert trials_with(1.0, 0.9, None, 1.1).best == trials_with(1.0, 0.9).trials[1]
    assert trials_with(1.0, 0.9).gain == pytest.approx(0.1)
    draw = trials_with(0.9, 0.9)
    assert draw.best is not None
    assert draw.best.present
    assert trials_with(None).best is None


def test_nothing_better_is_nothing_to_adopt(workspace: Workspace) -> None:
    asked = workspace.tuning.request(DEFAULT_UNIVERSE, space=("network.hidden_size",))
    with pytest.raises(InvalidRequest, match="did better than the settings in force"):
        adopted(asked, trials_with(0.9, 1.0), None)
    with pytest.raises(InvalidRequest, match="no trial 7"):
        adopted(asked, trials_with(0.9, 1.0), 7)
    with pytest.raises(InvalidRequest, match="No trial of this search"):
        adopted(asked, trials_with(None, None), None)
    assert adopted(asked, trials_with(0.9, 1.0), 1)[1].network.hidden_size == 5, "a person may take another one"


def test_the_settings_of_a_trial_become_a_configuration_that_says_where_they_come_from(
    workspace: Workspace,
) -> None:
    job = search(workspace)
    tried = workspace.desk.search(job.id).found.trials[1]
    saved = workspace.desk.adopt(job.id, 1, author="ana")
    assert (saved.version, saved.author) == (2, "ana")
    assert saved.config == with_parameters(CONFIG, tried.parameters)
    assert saved.note.startswith(f"Trial 1 of 3 of the search {job.id}: network.hidden_size: 4 → ")
    assert workspace.desk.adopt(job.id, 1).version == 2, "once is enough"
    assert not list(workspace.settings.home.glob("mlflow*")), "nothing was trained or promoted"


def test_a_configuration_that_has_changed_since_is_not_written_over(workspace: Workspace) -> None:
    job = search(workspace)
    moved = CONFIG.with_overrides(["training.batch_size=16"])
    workspace.configs.save(DEFAULT_UNIVERSE, moved, "by somebody else", workspace.clock())
    with pytest.raises(ConfigMoved, match=r"Version 2 .* was saved meanwhile; yours was based on version 1"):
        workspace.desk.adopt(job.id, 1)
    assert workspace.config(DEFAULT_UNIVERSE) == moved
