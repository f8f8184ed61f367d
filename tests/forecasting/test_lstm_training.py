"""The LSTM: it starts at its baseline, learns nothing where there is nothing, and is served as it was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load

from stockcast.config import Config
from stockcast.errors import TooShortHistory, TrainingFailed
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.evaluation.scorecard import compare, score
from stockcast.evaluation.split import Split, split_dates, training_pairs
from stockcast.forecasting.context import windows
from stockcast.forecasting.ewma import EwmaEstimator, EwmaForecaster
from stockcast.forecasting.features import FEATURES, features
from stockcast.forecasting.forecaster import Epoch, TrainingPair
from stockcast.forecasting.lstm import lightning_module
from stockcast.forecasting.lstm.chunks import validation_chunks
from stockcast.forecasting.lstm.estimator import LstmEstimator
from stockcast.forecasting.lstm.export import to_onnx, to_safetensors
from stockcast.forecasting.lstm.network import LARGEST_LOCATION, StudentTNetwork, student_t_loss
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.student_t import LEAST_DF, MOST_DF, negative_log_likelihood
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
TrainLstm = Callable[..., NetworkForecaster]
SmallSplit = tuple[Split, list[TrainingPair]]


def fresh_network(layers: int = 1) -> StudentTNetwork:
    baseline = EwmaForecaster()
    return StudentTNetwork(len(FEATURES), 8, layers, 0.0, baseline.scales, baseline.dfs)


def served(network: StudentTNetwork) -> NetworkForecaster:
    return NetworkForecaster(
        onnx=to_onnx(network, 59, len(FEATURES)),
        weights=to_safetensors(network),
        lookback=60,
        horizon=5,
        location_share=1.0,
        trained_until=None,
    )


def validation_loss(forecaster: NetworkForecaster, pairs: list[TrainingPair]) -> float:
    chunks = validation_chunks(pairs, forecaster.lookback, forecaster.horizon)
    location, scale, df = map(torch.from_numpy, forecaster.outputs(chunks.features.double().numpy()))
    return float(student_t_loss(location, scale, df, chunks.targets[:, 0].double()))


def log_returns_of(forecaster: NetworkForecaster | EwmaForecaster, frame: PriceFrame) -> np.ndarray:
    contexts = [window.context for window in windows(frame, range(100, 300, 10), 5, 60)]
    return np.stack([forecast.log_returns for forecast in forecaster.forecast(contexts)])


def test_the_loss_is_the_likelihood_of_the_baseline() -> None:
    values = np.random.default_rng(0).normal(size=100)
    arguments = (torch.zeros(100), torch.full((100,), 1.3), torch.full((100,), 4.5), torch.from_numpy(values))
    assert float(student_t_loss(*arguments)) == pytest.approx(negative_log_likelihood(values, 1.3, 4.5), rel=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
def test_before_training_it_equals_the_ewma_baseline(make_frame: MakeFrame, layers: int) -> None:
    frame = make_frame(count=320)
    np.testing.assert_allclose(
        log_returns_of(served(fresh_network(layers)), frame),
        log_returns_of(EwmaForecaster(), frame),
        rtol=1e-4,
        atol=1e-7,
    )


@pytest.mark.parametrize("windows_at_once", [1, 3, 64])
def test_the_served_graph_equals_the_network_that_was_trained(
    trained_lstm: NetworkForecaster, windows_at_once: int
) -> None:
    network = fresh_network()
    network.load_state_dict(load(trained_lstm.weights))
    network.eval()
    assert network.head.weight.detach().abs().max() > 0
    random = np.random.default_rng(windows_at_once)
    inputs, _ = features(random.standard_t(3, (windows_at_once, 59)) * 0.02)
    with torch.no_grad():
        expected = [array[:, -1].numpy() for array in network(torch.from_numpy(inputs.astype(np.float32)))]
    for found, wanted in zip(trained_lstm.outputs(inputs), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_no_input_leaves_the_bounds_of_the_distribution(trained_lstm: NetworkForecaster) -> None:
    network = fresh_network()
    network.load_state_dict(load(trained_lstm.weights))
    start = torch.exp(network.log_scale).detach().numpy()
    inputs = np.random.default_rng(0).normal(0, 50, (200, 59, len(FEATURES)))
    location, scale, df = trained_lstm.outputs(inputs)
    assert (np.abs(location) <= LARGEST_LOCATION * scale * 1.0001).all()
    assert (scale >= start / np.e * 0.9999).all()
    assert (scale <= start * np.e * 1.0001).all()
    assert (df >= LEAST_DF).all()
    assert (df <= MOST_DF).all()


def test_the_same_seed_trains_the_same_model_and_another_seed_another(
    train_lstm: TrainLstm, trained_lstm: NetworkForecaster, small_config: Config, small_split: SmallSplit
) -> None:
    frame = small_split[1][0].train
    first = log_returns_of(trained_lstm, frame)
    torch.manual_seed(123)  # what the process did before must not matter
    np.testing.assert_array_equal(log_returns_of(train_lstm(small_config, small_split[1]), frame), first)
    other = train_lstm(small_config.with_overrides(["training.seed=8"]), small_split[1])
    assert not np.allclose(log_returns_of(other, frame), first, rtol=1e-4)


def test_epochs_are_reported_as_they_end_and_the_best_one_is_kept(
    train_lstm: TrainLstm, small_config: Config, small_split: SmallSplit
) -> None:
    epochs: list[Epoch] = []
    hasty = small_config.with_overrides(
        ["training.max_epochs=30", "training.patience=3", "training.learning_rate=0.05", "network.hidden_size=16"]
    )
    forecaster = train_lstm(hasty, small_split[1], epochs.append)
    losses = [epoch.validation_loss for epoch in epochs]
    assert [epoch.number for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert {epoch.of for epoch in epochs} == {30}
    assert [epoch.best_validation_loss for epoch in epochs] == np.minimum.accumulate(losses).tolist()
    assert all(np.isfinite(epoch.train_loss) and epoch.seconds > 0 for epoch in epochs)
    assert {epoch.learning_rate for epoch in epochs} == {0.05}
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3, "it stops after `patience` epochs without a better loss"
    assert losses[-1] > losses[best] + 1e-3
    assert validation_loss(forecaster, small_split[1]) == pytest.approx(losses[best], abs=1e-4)


def test_training_lowers_the_loss_of_the_baseline_it_starts_from(
    trained_lstm: NetworkForecaster, small_split: SmallSplit
) -> None:
    pairs = small_split[1]
    baseline = EwmaEstimator(5, 60).fit(pairs)
    network = StudentTNetwork(len(FEATURES), 8, 1, 0.0, baseline.scales, baseline.dfs)
    assert validation_loss(trained_lstm, pairs) < validation_loss(served(network), pairs)


def ewma_process(count: int, seed: int) -> np.ndarray:
    """Closes of which nothing can be known beyond their EWMA volatility: the sign is a coin. [T]"""
    random = np.random.default_rng(seed)
    shocks = random.standard_t(8, count) / np.sqrt(8 / 6)
    returns, variance = np.empty(count), 4e-4
    for step in range(count):
        returns[step] = np.sqrt(variance) * shocks[step]
        variance = 0.94 * variance + 0.06 * returns[step] ** 2
    return 100 * np.exp(np.cumsum(returns))


def test_where_nothing_can_be_learnt_the_skill_against_ewma_vanishes(
    train_lstm: TrainLstm, make_frame: MakeFrame, small_config: Config
) -> None:
    frames = [make_frame(name, closes=ewma_process(1500, seed)) for seed, name in enumerate(("AAPL", "IBM", "KO"))]
    config = small_config.with_overrides(["training.max_epochs=8", "training.learning_rate=0.01"])
    split = split_dates(frames, config)
    pairs, _ = training_pairs(frames, split, config)
    judged, baseline, naive = (
        rolling_backtest(each, frames, split.test_start, split.test_end)
        for each in (train_lstm(config, pairs), EwmaEstimator(5, 60).fit(pairs), NaiveForecaster())
    )
    assert abs(compare(judged, baseline).skill) < 0.005
    assert score(judged, naive).mape_ratio == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("train", "validation"), [(64, 300), (300, 64)])
def test_too_short_a_part_is_refused(
    train_lstm: TrainLstm, make_frame: MakeFrame, small_config: Config, train: int, validation: int
) -> None:
    pair = TrainingPair(make_frame(count=train), make_frame(count=validation), lead=59)
    with pytest.raises(TooShortHistory, match="has 64 sessions"):
        train_lstm(small_config, [pair])


def test_prices_that_stand_still_can_be_trained_on(
    train_lstm: TrainLstm, make_frame: MakeFrame, small_config: Config
) -> None:
    flat = make_frame(closes=np.full(200, 10.0))
    forecaster = train_lstm(small_config, [TrainingPair(flat, flat, lead=0)])
    assert np.isfinite(log_returns_of(forecaster, make_frame(count=320))).all()


@pytest.mark.parametrize("problem", [RuntimeError("the page was closed"), KeyboardInterrupt()])
def test_a_training_that_is_stopped_leaves_no_files(
    small_config: Config, small_split: SmallSplit, tmp_path: Path, problem: BaseException
) -> None:
    def stop(_epoch: Epoch) -> None:
        raise problem

    with pytest.raises((RuntimeError, KeyboardInterrupt, SystemExit)):
        LstmEstimator(small_config, tmp_path / "scratch", threads=1).fit(small_split[1], stop)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_loss_that_is_no_number_is_a_failed_training(
    train_lstm: TrainLstm, small_config: Config, small_split: SmallSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lightning_module, "student_t_loss", lambda *arrays: student_t_loss(*arrays) * float("nan"))
    with pytest.raises(TrainingFailed, match="never a finite number"):
        train_lstm(small_config, small_split[1])
