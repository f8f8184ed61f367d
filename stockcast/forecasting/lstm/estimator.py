"""The estimator: histories in, a trained forecaster out."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping

from stockcast.config import Config
from stockcast.errors import TrainingFailed
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.features import FEATURES
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.location_share import location_share
from stockcast.forecasting.lstm.chunks import Batches, Chunks, training_chunks, validation_chunks
from stockcast.forecasting.lstm.epoch_keeper import EpochKeeper, usable_checkpoint
from stockcast.forecasting.lstm.export import to_onnx, to_safetensors
from stockcast.forecasting.lstm.lightning_module import StudentTModule
from stockcast.forecasting.lstm.network import StudentTNetwork
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.returns import Floats


class LstmEstimator:
    """Trains one network on all pairs together, starting from the EWMA baseline they are fitted by.

    `scratch` is a folder that exists. With `checkpoint` the training leaves that file after each epoch, and goes
    on from it when it is there; it must belong to the same configuration and data.
    """

    def __init__(self, config: Config, scratch: Path, threads: int, checkpoint: Path | None = None) -> None:
        self.config = config
        self.scratch = scratch
        self.threads = threads
        self.checkpoint = checkpoint

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> NetworkForecaster:
        """Learns from `train`, stops early and chooses the location's share on `validation`.

        Raises TooShortHistory, TrainingFailed, KeyboardInterrupt, or what the observer raises.
        """
        lookback, horizon = self.config.windows.lookback, self.config.windows.max_horizon
        training = self.config.training
        torch.set_num_threads(self.threads)
        with _quiet():
            pl.seed_everything(training.seed, verbose=False)
            baseline = EwmaEstimator(horizon, lookback).fit(pairs)
            network = StudentTNetwork(
                features=len(FEATURES),
                hidden_size=self.config.network.hidden_size,
                layers=self.config.network.layers,
                dropout=self.config.network.dropout,
                scales=baseline.scales,
                dfs=baseline.dfs,
            )
            train = training_chunks(pairs, lookback, horizon, training.chunk_targets)
            validation = validation_chunks(pairs, lookback, horizon)
            self._train(network, train, validation, observer)
            onnx = to_onnx(network, lookback - 1, len(FEATURES))
        return NetworkForecaster(
            onnx=onnx,
            weights=to_safetensors(network),
            lookback=lookback,
            horizon=horizon,
            location_share=location_share(*_locations(network, validation), validation.cutoffs),
            trained_until=max(pair.validation.last_session for pair in pairs),
            threads=self.threads,
        )

    def _train(self, network: StudentTNetwork, train: Chunks, validation: Chunks, observer: Observer) -> None:
        """Trains in place and leaves the weights of the best epoch."""
        training = self.config.training
        batches = Batches(train, training.batch_size, training.seed)
        stopping = EarlyStopping(
            "validation_loss",
            patience=training.patience,
            check_finite=True,
            check_on_train_epoch_end=False,  # before the keeper, which saves its count
        )
        keeper = EpochKeeper(batches, stopping, observer, self.checkpoint)
        module = StudentTModule(network, training)
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            trainer = pl.Trainer(
                default_root_dir=folder,
                accelerator=training.accelerator,
                devices=1,
                max_epochs=training.max_epochs,
                gradient_clip_val=training.gradient_clip,
                callbacks=[stopping, keeper],
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                num_sanity_val_steps=0,
            )
            try:
                trainer.fit(
                    module,
                    batches,
                    Batches(validation, 1024, None),
                    ckpt_path=usable_checkpoint(self.checkpoint),
                    weights_only=True,
                )
            except SystemExit as stopped:  # what Lightning makes of Ctrl-C and of SIGTERM
                observer.doing("Stopping", 0.0)  # which knows better why
                raise KeyboardInterrupt from stopped
        if trainer.interrupted:
            raise KeyboardInterrupt
        if not keeper.best:
            raise TrainingFailed(
                "The validation loss was never a finite number.",
                "Lower training.learning_rate, or look at the quality report of the prices.",
            )
        module.load_state_dict(keeper.best)
        network.cpu().eval()


def _locations(network: StudentTNetwork, validation: Chunks) -> tuple[Floats, Floats]:
    """One-session locations and targets on validation, in units of the volatility. [N], [N]"""
    with torch.no_grad():
        location, _, _ = network(validation.features)
    return location[:, -1, 0].double().numpy(), validation.targets[:, -1, 0].double().numpy()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Lightning's advice to developers off an analyst's screen."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
