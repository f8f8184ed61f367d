"""The LSTM: it starts at the linear model, learns nothing where there is nothing, and is served as it was trained.

A training that is stopped leaves its checkpoint and nothing else, and goes on from it as if nothing had happened.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
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
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.forecasting.inputs import (
    GROUPS,
    INPUTS,
    MARKET_MASK,
    RANGE_MASK,
    hide,
)
from stockcast.forecasting.linear import (
    LARGEST_CORRECTION,
    LinearEstimator,
    LinearForecaster,
    ScaleModel,
    patterns_of,
)
from stockcast.forecasting.lstm import lightning_module
from stockcast.forecasting.lstm.chunks import validation_chunks
from stockcast.forecasting.lstm.estimator import LstmEstimator
from stockcast.forecasting.lstm.export import to_onnx, to_safetensors
from stockcast.forecasting.lstm.network import LARGEST_LOCATION, Ensemble, StudentTNetwork, student_t_loss
from stockcast.forecasting.market import markets
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.observer import Epoch
from stockcast.forecasting.student_t import LEAST_DF, MOST_DF, negative_log_likelihood
from stockcast.forecasting.training_rows import materials
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
TrainLstm = Callable[..., NetworkForecaster]
SmallSplit = tuple[Split, list[TrainingPair]]


class Stopped(Exception):
    """What a cancelled job raises."""


class Diary:
    """Writes down what it is told, and raises when `stop_after` is reached.

    `when` says where: "doing" in the middle of that epoch, "epoch" when it has ended, before it is written down.
    """

    def __init__(
        self, stop_after: int | None = None, when: str = "doing", problem: BaseException | None = None
    ) -> None:
        self.stop_after = stop_after
        self.when = when
        self.problem = problem or Stopped()
        self.epochs: list[Epoch] = []
        self.doings: list[tuple[str, float]] = []

    def doing(self, phase: str, progress: float) -> None:
        if self.when == "doing" and phase.startswith(f"Epoch {self.stop_after} "):
            raise self.problem
        self.doings.append((phase, progress))

    def epoch(self, epoch: Epoch) -> None:
        if self.when == "epoch" and epoch.number == self.stop_after:
            raise self.problem
        self.epochs.append(epoch)


SEEN_BEFORE = [("Fitting the linear model", 0.0), ("Preparing windows", 0.0)]


def epochs_of(diary: Diary) -> list[tuple[str, float]]:
    """What was told beside the preparations, which every attempt makes anew."""
    assert diary.doings[:2] == SEEN_BEFORE
    return diary.doings[2:]


def fresh_network(linear: ScaleModel, members: int = 3, layers: int = 1) -> Ensemble:
    return Ensemble([StudentTNetwork(8, layers, 0.0, linear) for _ in range(members)])


def network_of(forecaster: NetworkForecaster) -> Ensemble:
    """The torch networks whose weights the forecaster carries."""
    shape, weights = (4, forecaster.horizon), load(forecaster.weights)
    nothing = ScaleModel(np.zeros(shape), np.zeros((*shape, len(INPUTS))), np.full(shape, 5.0))
    hidden_size = weights["members.0.head.weight"].shape[1]
    network = Ensemble([StudentTNetwork(hidden_size, 1, 0.0, nothing) for _ in range(3)])
    network.load_state_dict(weights)
    return network.eval()


def served(network: Ensemble, linear: LinearForecaster) -> NetworkForecaster:
    return NetworkForecaster(
        onnx=to_onnx(network, 59),
        weights=to_safetensors(network),
        lookback=60,
        horizon=5,
        drift=0.0,
        location_share=1.0,
        groups=linear.groups,
        trained_until=None,
    )


def validation_loss(forecaster: NetworkForecaster, pairs: list[TrainingPair]) -> float:
    """That of training: the first horizon counts as much as ten of the others."""
    material = materials(pairs, forecaster.lookback, forecaster.horizon)
    chunks = validation_chunks(material, forecaster.lookback, 40, forecaster.groups, forecaster.drift)
    inputs, targets = chunks.batch(torch.arange(len(chunks)))
    with torch.no_grad():
        outputs = [array[:, -chunks.count :] for array in network_of(forecaster)(inputs)]
        losses = student_t_loss(*outputs, targets).numpy()
    return float(np.average(losses, weights=[1.0, 0.1, 0.1, 0.1, 0.1]))


def random_inputs(count: int, seed: int, spread: float = 1.0) -> np.ndarray:
    """Inputs of windows that know now this, now that. [N, 59, I]"""
    random = np.random.default_rng(seed)
    inputs = random.normal(0, spread, (count, 59, len(INPUTS)))
    inputs[:, :, [RANGE_MASK, MARKET_MASK]] = 1.0
    for number in range(count):
        for bit, group in enumerate(GROUPS):
            if number >> bit & 1:
                inputs[number] = hide(inputs[number], group)
    return inputs


def log_returns_of(forecaster: Forecaster, frame: PriceFrame) -> np.ndarray:
    contexts = [window.context for window in windows(frame, range(100, 300, 10), 5, 310)]
    return np.stack([forecast.log_returns for forecast in forecaster.forecast(contexts)])


@pytest.fixture(scope="module")
def linear(market_split: SmallSplit) -> LinearForecaster:
    return LinearEstimator().fit(market_split[1], Diary())


def test_the_loss_is_the_likelihood_of_the_baseline() -> None:
    values = np.random.default_rng(0).normal(size=(25, 4, 3))
    shape = values.shape
    arguments = (torch.zeros(shape), torch.full(shape, 1.3), torch.full(shape, 4.5), torch.from_numpy(values))
    expected = [negative_log_likelihood(values[:, :, column].ravel(), 1.3, 4.5) for column in range(3)]
    np.testing.assert_allclose(student_t_loss(*arguments).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(("layers", "members"), [(1, 1), (2, 3)])
def test_before_training_it_equals_the_linear_forecaster(
    market_frames: tuple[PriceFrame, ...], linear: LinearForecaster, layers: int, members: int
) -> None:
    network = served(fresh_network(linear.model, members, layers), linear)
    market = markets(market_frames)["XNYS"]
    assert linear.groups == network.groups == GROUPS
    [frame, *_] = market_frames
    contexts = [
        replace(window.context, bars=window.context.bars if bars else None)
        for known in (market, None)
        for bars in (True, False)
        for window in windows(frame, range(100, 600, 50), 5, linear.history, known)
    ]
    for found, expected in zip(network.forecast(contexts), linear.forecast(contexts), strict=True):
        np.testing.assert_allclose(found.log_returns, expected.log_returns, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("windows_at_once", [1, 3, 64])
@pytest.mark.parametrize("name", ["trained_lstm", "market_lstm"])
def test_the_served_graph_equals_the_networks_that_were_trained(
    request: pytest.FixtureRequest, name: str, windows_at_once: int
) -> None:
    forecaster = request.getfixturevalue(name)
    network = network_of(forecaster)
    assert len(network.members) == 3
    heads = [member.head.weight.detach() for member in network.members]  # type: ignore[union-attr]
    assert all(head.abs().max() > 0 for head in heads)
    assert not torch.allclose(heads[0], heads[1]), "the members differ"
    inputs = random_inputs(windows_at_once, windows_at_once)
    with torch.no_grad():
        expected = [array[:, -1].numpy() for array in network(torch.from_numpy(inputs.astype(np.float32)))]
    for found, wanted in zip(forecaster.outputs(inputs), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_what_is_exported_reads_the_last_step_and_nothing_of_a_wider_batch(market_lstm: NetworkForecaster) -> None:
    inputs = random_inputs(8, 1)
    together = market_lstm.outputs(inputs)
    for row in range(8):
        for whole, alone in zip(together, market_lstm.outputs(inputs[row : row + 1]), strict=True):
            np.testing.assert_allclose(whole[row], alone[0], rtol=1e-5, atol=1e-6)


def test_no_input_leaves_the_bounds_of_the_distribution(market_lstm: NetworkForecaster) -> None:
    network = network_of(market_lstm)
    inputs = random_inputs(200, 0, spread=50)
    # The log scale of the members together is the mean of theirs, and so is its bound.
    pattern = patterns_of(inputs[:, -1])
    middle = np.mean([member.log_scale.detach().numpy()[pattern] for member in network.members], axis=0)  # type: ignore[union-attr]
    location, scale, df = market_lstm.outputs(inputs)
    reach = LARGEST_CORRECTION + 1.0
    assert (np.abs(np.log(scale) - middle) <= reach + 1e-4).all()
    # The mean of locations is over a geometric mean of scales, which may be smaller than a member's own.
    assert (np.abs(location) <= LARGEST_LOCATION * np.exp(middle + reach) * 1.0001).all()
    assert (df >= LEAST_DF).all()
    assert (df <= MOST_DF).all()


def test_a_member_says_a_location_that_is_small_beside_its_scale(market_lstm: NetworkForecaster) -> None:
    member = network_of(market_lstm).members[0]
    with torch.no_grad():
        location, scale, _ = member(torch.from_numpy(random_inputs(50, 3, spread=50).astype(np.float32)))
    assert (location.abs() <= LARGEST_LOCATION * scale * 1.0001).all()


def test_the_same_seed_trains_the_same_model_and_another_seed_another(
    train_lstm: TrainLstm, trained_lstm: NetworkForecaster, small_config: Config, small_split: SmallSplit
) -> None:
    frame = small_split[1][0].history
    first = log_returns_of(trained_lstm, frame)
    torch.manual_seed(123)  # what the process did before must not matter
    np.testing.assert_array_equal(log_returns_of(train_lstm(small_config, small_split[1]), frame), first)
    other = train_lstm(small_config.with_overrides(["training.seed=8"]), small_split[1])
    assert not np.allclose(log_returns_of(other, frame), first, rtol=1e-4)


def test_epochs_are_reported_as_they_end_and_the_best_one_is_kept(
    train_lstm: TrainLstm, small_config: Config, small_split: SmallSplit
) -> None:
    diary = Diary()
    hasty = small_config.with_overrides(
        ["training.max_epochs=30", "training.patience=3", "training.learning_rate=0.02", "network.hidden_size=16"]
    )
    forecaster = train_lstm(hasty, small_split[1], diary)
    epochs = diary.epochs
    losses = [epoch.validation_loss for epoch in epochs]
    assert [epoch.number for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert {epoch.of for epoch in epochs} == {30}
    assert [epoch.best_validation_loss for epoch in epochs] == np.minimum.accumulate(losses).tolist()
    assert all(np.isfinite(epoch.train_loss) and epoch.seconds > 0 for epoch in epochs)
    assert {epoch.learning_rate for epoch in epochs} == {0.02}
    ends = [epoch.ended_at for epoch in epochs]
    assert ends == sorted(ends)
    assert all(end.tzinfo is not None for end in ends)
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3, "it stops after `patience` epochs without a better loss"
    assert losses[-1] > losses[best] + 1e-3
    assert validation_loss(forecaster, small_split[1]) == pytest.approx(losses[best], abs=1e-4)


def test_training_lowers_the_loss_of_the_linear_model_it_starts_from(
    make_frame: MakeFrame, train_lstm: TrainLstm, small_config: Config
) -> None:
    """Every fourth session is wild, which no linear function of the features knows."""
    random = np.random.default_rng(4)
    frames = []
    for name in ("AAPL", "IBM"):
        sizes = np.where(np.arange(1000) % 4, 0.01, 0.04)
        frames.append(make_frame(name, closes=50 * np.exp(np.cumsum(sizes * random.choice([-1, 1], 1000)))))
    config = small_config.with_overrides(["training.max_epochs=15", "training.learning_rate=0.02"])
    split = split_dates(frames, config)
    pairs, _ = training_pairs(frames, split, config)
    diary = Diary()
    forecaster = train_lstm(config, pairs, diary)
    start = LinearEstimator().fit(pairs, Diary())
    before = validation_loss(replace(served(fresh_network(start.model), start), drift=forecaster.drift), pairs)
    assert validation_loss(forecaster, pairs) < before - 0.1


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


def test_a_training_part_without_a_window_is_refused(
    train_lstm: TrainLstm, make_frame: MakeFrame, small_config: Config
) -> None:
    pair = TrainingPair(make_frame(count=300), 64, 75)
    with pytest.raises(TooShortHistory, match="has 64 sessions"):
        train_lstm(small_config, [pair])


def test_prices_that_stand_still_can_be_trained_on(
    train_lstm: TrainLstm, make_frame: MakeFrame, small_config: Config
) -> None:
    flat = make_frame(closes=np.full(200, 10.0))
    forecaster = train_lstm(small_config, [TrainingPair(flat, 150, 155)])
    assert forecaster.drift == forecaster.location_share == 0.0
    assert np.isfinite(log_returns_of(forecaster, make_frame(count=320))).all()


@pytest.mark.parametrize("when", ["doing", "epoch"])
@pytest.mark.parametrize("problem", [Stopped("the page was closed"), KeyboardInterrupt()])
@pytest.mark.parametrize("durable", [False, True])
def test_a_training_that_is_stopped_leaves_no_files_but_its_checkpoint(
    small_config: Config,
    small_split: SmallSplit,
    tmp_path: Path,
    problem: BaseException,
    when: str,
    durable: bool,
) -> None:
    scratch, kept = tmp_path / "scratch", tmp_path / "kept"
    scratch.mkdir()
    kept.mkdir()
    estimator = LstmEstimator(small_config, scratch, 1, kept / "job.ckpt" if durable else None)
    with pytest.raises(type(problem)):
        estimator.fit(small_split[1], Diary(stop_after=1, when=when, problem=problem))
    assert list(scratch.iterdir()) == []
    assert [file.name for file in kept.iterdir()] == (["job.ckpt"] if durable and when == "epoch" else [])


def test_the_progress_goes_from_nothing_to_everything_and_never_back(
    train_lstm: TrainLstm, small_config: Config, small_split: SmallSplit
) -> None:
    diary = Diary()
    train_lstm(small_config, small_split[1], diary)
    shares = [share for _, share in diary.doings]
    assert shares == sorted(shares)
    assert 0 < epochs_of(diary)[0][1] < 0.5
    assert shares[-1] == 1.0
    assert {phase for phase, _ in epochs_of(diary)} == {"Epoch 1 of 2", "Epoch 2 of 2"}


@pytest.fixture(scope="module")
def deep_config(small_config: Config) -> Config:
    """Dropout draws random numbers at every step, so that a resumed training must find their state again."""
    return small_config.with_overrides(["training.max_epochs=6", "network.layers=2", "network.dropout=0.2"])


@pytest.fixture(scope="module")
def unbroken(
    train_lstm: TrainLstm, deep_config: Config, small_split: SmallSplit
) -> tuple[NetworkForecaster, list[Epoch]]:
    """The training of `deep_config` that nobody stopped."""
    diary = Diary()
    return train_lstm(deep_config, small_split[1], diary), diary.epochs


Unbroken = tuple[NetworkForecaster, list[Epoch]]


def told(epochs: list[Epoch]) -> list[tuple[int, float, float, float]]:
    """What does not depend on the clock."""
    return [(each.number, each.train_loss, each.validation_loss, each.best_validation_loss) for each in epochs]


def interrupted_in(
    epoch: int, config: Config, pairs: list[TrainingPair], scratch: Path, checkpoint: Path, when: str = "doing"
) -> Diary:
    diary = Diary(stop_after=epoch, when=when)
    with pytest.raises(Stopped):
        LstmEstimator(config, scratch, 1, checkpoint).fit(pairs, diary)
    return diary


@pytest.mark.parametrize("when", ["doing", "epoch"])
@pytest.mark.parametrize("seed", range(3))
def test_a_training_stopped_anywhere_goes_on_to_the_very_same_weights(
    train_lstm: TrainLstm,
    deep_config: Config,
    small_split: SmallSplit,
    unbroken: Unbroken,
    tmp_path: Path,
    seed: int,
    when: str,
) -> None:
    checkpoint = tmp_path / "job.ckpt"
    stop = int(np.random.default_rng(seed).integers(2, 6))
    before = interrupted_in(stop, deep_config, small_split[1], tmp_path, checkpoint, when)
    torch.manual_seed(99 + seed)  # another process has drawn other random numbers
    diary = Diary()
    resumed = train_lstm(deep_config, small_split[1], diary, checkpoint)
    assert resumed.weights == unbroken[0].weights
    assert resumed.location_share == unbroken[0].location_share
    assert told(diary.epochs) == told(unbroken[1])
    earlier = before.epochs if when == "doing" else [*before.epochs, diary.epochs[stop - 1]]
    assert diary.epochs[: len(earlier)] == earlier, "told again with the same words and the same clock"
    assert epochs_of(diary)[0][0] == f"Epoch {len(earlier) + 1} of 6"


def test_a_training_may_be_stopped_again_and_again(
    train_lstm: TrainLstm, deep_config: Config, small_split: SmallSplit, unbroken: Unbroken, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "job.ckpt"
    for epoch in range(2, 6):
        interrupted_in(epoch, deep_config, small_split[1], tmp_path, checkpoint)
    diary = Diary()
    assert train_lstm(deep_config, small_split[1], diary, checkpoint).weights == unbroken[0].weights
    assert told(diary.epochs) == told(unbroken[1])


@pytest.mark.parametrize(
    "assignments",
    [
        [],
        ["training.max_epochs=30", "training.patience=2", "training.learning_rate=0.02"],
    ],
    ids=["after its last epoch", "stopped early"],
)
def test_a_training_that_was_done_resumes_at_once(
    train_lstm: TrainLstm,
    small_config: Config,
    small_split: SmallSplit,
    tmp_path: Path,
    assignments: list[str],
) -> None:
    config = small_config.with_overrides(assignments)
    checkpoint = tmp_path / "job.ckpt"
    first, again = Diary(), Diary()
    whole = train_lstm(config, small_split[1], first, checkpoint)
    assert train_lstm(config, small_split[1], again, checkpoint).weights == whole.weights
    assert again.epochs == first.epochs
    assert epochs_of(again) == [], "nothing was left to be trained"


@pytest.mark.parametrize("when", ["doing", "epoch"])
def test_patience_is_counted_as_if_nobody_had_stopped_the_training(
    train_lstm: TrainLstm, small_config: Config, small_split: SmallSplit, tmp_path: Path, when: str
) -> None:
    hasty = small_config.with_overrides(
        ["training.max_epochs=30", "training.patience=3", "training.learning_rate=0.02"]
    )
    whole = Diary()
    weights = train_lstm(hasty, small_split[1], whole).weights
    assert 4 < len(whole.epochs) < 30
    for stop in range(2, len(whole.epochs) + 1):
        checkpoint = tmp_path / f"{stop}.ckpt"
        interrupted_in(stop, hasty, small_split[1], tmp_path, checkpoint, when)
        again = Diary()
        resumed = train_lstm(hasty, small_split[1], again, checkpoint)
        assert told(again.epochs) == told(whole.epochs), f"stopped in epoch {stop}"
        assert resumed.weights == weights


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "one bit"])
def test_a_damaged_checkpoint_starts_over(
    train_lstm: TrainLstm,
    deep_config: Config,
    small_split: SmallSplit,
    unbroken: Unbroken,
    tmp_path: Path,
    damage: str,
) -> None:
    checkpoint = tmp_path / "job.ckpt"
    interrupted_in(3, deep_config, small_split[1], tmp_path, checkpoint)
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "noise": b"not a checkpoint" * 100,
            "one bit": flip_a_bit_of_a_tensor(checkpoint),
        }[damage]
    )
    diary = Diary()
    assert train_lstm(deep_config, small_split[1], diary, checkpoint).weights == unbroken[0].weights
    assert epochs_of(diary)[0][0] == "Epoch 1 of 6"
    assert told(diary.epochs) == told(unbroken[1])
    assert [file.name for file in tmp_path.iterdir()] == ["job.ckpt"]


def flip_a_bit_of_a_tensor(checkpoint: Path) -> bytes:
    """The file after the disk has lost one bit of its largest tensor."""
    content = bytearray(checkpoint.read_bytes())
    with zipfile.ZipFile(checkpoint) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
        middle = content.find(archive.read(largest)) + largest.file_size // 2
    content[middle] ^= 0x40
    return bytes(content)


def test_a_loss_that_is_no_number_is_a_failed_training(
    train_lstm: TrainLstm, small_config: Config, small_split: SmallSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lightning_module, "student_t_loss", lambda *arrays: student_t_loss(*arrays) * float("nan"))
    with pytest.raises(TrainingFailed, match="never a finite number"):
        train_lstm(small_config, small_split[1])
