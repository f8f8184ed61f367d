"""Every rung of the ladder can be trained, is judged against the rungs below it, and may speak."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stockcast.config import DEFAULT_UNIVERSE, LADDER, Config
from stockcast.errors import TooShortHistory
from stockcast.evaluation.refits import garch_reference
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.registry.runs import CARD
from stockcast.settings import Settings
from stockcast.workflows.judge_candidate import rungs_below
from stockcast.workflows.model_card import CARD_FILE, escape
from stockcast.workflows.training_result import TrainingResult
from stockcast.workspace import Workspace

MakeFrame = Callable[..., PriceFrame]
QUICK = ("training.max_epochs=1", "network.hidden_size=4", "network.members=2", "training.accelerator=cpu")
TICKERS = ("AAPL", "IBM", "KO", "MSFT", "XOM")


@pytest.fixture(scope="module")
def workspace(make_frame: MakeFrame, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Five synthetic histories, enough for a market."""
    workspace = Workspace(Settings(home=tmp_path_factory.mktemp("ladder") / "home", threads=1))
    for seed, ticker in enumerate(TICKERS):
        frame = make_frame(ticker, 700, seed=seed)
        workspace.prices.save(FetchedPrices(frame, PriceReport(len(frame))))
    return workspace


@pytest.fixture(scope="module")
def results(workspace: Workspace) -> dict[str, TrainingResult]:
    """One training of each kind."""
    return {kind: workspace.train(DEFAULT_UNIVERSE, overrides=[f"model.kind={kind}", *QUICK]) for kind in LADDER}


@pytest.mark.parametrize("kind", LADDER)
def test_a_version_of_each_kind_is_registered_and_can_be_heard(
    workspace: Workspace, results: dict[str, TrainingResult], kind: str
) -> None:
    made = results[kind].model
    speaker = workspace.speaker(DEFAULT_UNIVERSE, made.version)
    assert (made.kind, speaker.forecaster.kind, speaker.version.kind) == (kind, kind, kind)
    assert speaker.forecaster.adaptation == (0.0 if kind == "naive" else 0.005)
    workspace.promote(DEFAULT_UNIVERSE, made.version, "to hear it")
    answer = workspace.forecast("AAPL", DEFAULT_UNIVERSE, "cli")
    assert np.isfinite(answer.forecast.prices).all()
    assert (np.diff(answer.forecast.log_returns, axis=1) >= 0).all()
    context = answer.forecast.context
    assert (context.market is not None) == ("market" in speaker.forecaster.groups) == (kind in ("linear", "lstm"))
    assert context.market is None or np.isfinite(context.market[-1, 0])
    workspace.rollback(DEFAULT_UNIVERSE)


@pytest.mark.parametrize("kind", LADDER)
def test_it_is_compared_with_every_rung_below_and_with_the_champion(
    results: dict[str, TrainingResult], kind: str
) -> None:
    below = LADDER[: LADDER.index(kind)] or ("naive",)
    opponents = [each.opponent for each in results[kind].comparisons]
    assert opponents[:-1] == list(below)
    assert opponents[-1].startswith("the champion")


@pytest.mark.parametrize("which", ["lstm", "the crowned baseline"])
def test_the_drift_reference_of_a_version_was_measured_on_training_sessions_alone(
    workspace: Workspace, results: dict[str, TrainingResult], which: str
) -> None:
    version = results["lstm"].model.version if which == "lstm" else "1"
    frames = [workspace.prices.load(ticker) for ticker in TICKERS]
    split = split_dates(frames, Config())
    learnt = DriftReference.fit([frame.until(split.train_end) for frame in frames], 60)
    assert workspace.speaker(DEFAULT_UNIVERSE, version).reference == learnt


def test_the_model_card_tells_every_rung_and_what_was_learnt_from(
    workspace: Workspace, results: dict[str, TrainingResult]
) -> None:
    card = workspace.runs.texts(results["lstm"].run_id, CARD)[CARD_FILE]
    for rung in ("| naive |", "| EWMA |", "| GARCH |", "| the linear model |"):
        assert rung in card
    for ticker in TICKERS:
        assert ticker in card
    assert "2 LSTMs of 1 x 4 units" in card
    assert "The sessions that it foresaw least" in card
    assert "1 epoch" in card
    assert "the median of its market" in card
    assert f"{results['lstm'].scorecard.count:,}" in card


def test_a_run_without_a_card_has_no_texts(workspace: Workspace) -> None:
    champion = workspace.versions.resolve(DEFAULT_UNIVERSE, "1")
    assert workspace.runs.texts(champion.run_id, CARD) == {}


def test_text_from_outside_cannot_become_markdown_in_a_card() -> None:
    assert escape("[x](http://evil) | `y` <b>") == r"\[x\]\(http://evil\) \| \`y\` \<b\>"


@pytest.mark.parametrize(("which", "refit"), [("garch", "yearly"), ("linear", "never"), ("ewma", "quarterly")])
def test_a_rung_can_be_backtested_without_being_registered(
    workspace: Workspace, results: dict[str, TrainingResult], which: str, refit: str
) -> None:
    judged = workspace.backtests.backtest(
        DEFAULT_UNIVERSE, ["AAPL"], which, date(2019, 9, 3), date(2019, 12, 30), refit=refit  # type: ignore[arg-type]
    )  # fmt: skip
    assert judged.backtest.forecaster == which
    assert judged.scorecard.count > 70
    assert judged.diagnosis.duel("garch") is not None or which == "garch"


def test_garch_is_judged_as_it_judges_others(workspace: Workspace, results: dict[str, TrainingResult]) -> None:
    start, end = date(2019, 9, 3), date(2019, 12, 30)
    judged = workspace.backtests.backtest(DEFAULT_UNIVERSE, ["AAPL"], "garch", start, end, refit="yearly")
    [found] = judged.backtest.parts
    [wanted] = garch_reference([workspace.prices.load("AAPL")], start, end).parts
    np.testing.assert_allclose(found.quantile_returns, wanted.quantile_returns, rtol=1e-9)


def test_a_backtest_with_refits_learns_what_a_version_was_configured_to_learn(
    workspace: Workspace, results: dict[str, TrainingResult]
) -> None:
    version = results["linear"].model.version
    judged = workspace.backtests.backtest(
        DEFAULT_UNIVERSE, [], version, date(2019, 11, 1), date(2019, 12, 30), refit="yearly"
    )
    assert judged.backtest.forecaster == "linear"
    assert len(judged.backtest.parts) == len(TICKERS)


def test_a_price_that_hardly_moves_teaches_nobody_and_is_told(make_frame: MakeFrame) -> None:
    frames = [make_frame(ticker, 700, seed=seed) for seed, ticker in enumerate(TICKERS)]
    still = np.array(frames[0].close)
    still[10:] = still[9]
    frames[0] = dataclasses.replace(frames[0], close=still)
    pairs, left_out = training_pairs(frames, split_dates(frames, Config()), Config())
    assert [pair.ticker for pair in pairs] == list(TICKERS[1:])
    assert "closed unchanged on 98 % of its sessions" in left_out["AAPL"]
    with pytest.raises(TooShortHistory, match="nothing to learn from: AAPL closed unchanged"):
        training_pairs(frames[:1], split_dates(frames[:1], Config()), Config())


def test_where_garch_cannot_be_fitted_the_other_rungs_are_still_there(make_frame: MakeFrame) -> None:
    config = Config()
    frames = [make_frame("AAPL", 230, seed=1)]
    split = split_dates(frames, config)
    pairs, _ = training_pairs(frames, split, config)
    assert [each.forecaster for each in rungs_below("lstm", pairs, frames, split, config)] == [
        "naive",
        "ewma",
        "linear",
    ]


def test_the_same_training_again_gives_the_same_scores(
    workspace: Workspace, results: dict[str, TrainingResult], tmp_path: Path
) -> None:
    again = workspace.train(DEFAULT_UNIVERSE, overrides=["model.kind=lstm", *QUICK])
    assert again.scorecard == results["lstm"].scorecard
