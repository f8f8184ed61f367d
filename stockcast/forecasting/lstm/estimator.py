"""The estimator: histories in, a trained forecaster out."""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint

from stockcast.config import Config
from stockcast.errors import TrainingFailed
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.features import FEATURES
from stockcast.forecasting.forecaster import Epoch, OnEpoch, TrainingPair
from stockcast.forecasting.location_share import location_share
from stockcast.forecasting.lstm.chunks import Batches, Chunks, training_chunks, validation_chunks
from stockcast.forecasting.lstm.export import to_onnx, to_safetensors
from stockcast.forecasting.lstm.lightning_module import StudentTModule
from stockcast.forecasting.lstm.network import StudentTNetwork
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.returns import Floats


class LstmEstimator:
    """Trains one network on all pairs together, starting from the EWMA baseline they are fitted by."""

    def __init__(self, config: Config, scratch: Path, threads: int) -> None:
        self.config = config
        self.scratch = scratch
        self.threads = threads

    def fit(self, pairs: Sequence[TrainingPair], on_epoch: OnEpoch) -> NetworkForecaster:
        """Learns from `train`, stops early and chooses the location's share on `validation`.

        `on_epoch` is called after each epoch. Raises TooShortHistory or TrainingFailed.
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
            self._train(network, train, validation, on_epoch)
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

    def _train(self, network: StudentTNetwork, train: Chunks, validation: Chunks, on_epoch: OnEpoch) -> None:
        """Trains in place and leaves the weights of the best epoch."""
        training = self.config.training
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            best = ModelCheckpoint(dirpath=folder, monitor="validation_loss", save_weights_only=True)
            trainer = pl.Trainer(
                default_root_dir=folder,
                accelerator=training.accelerator,
                devices=1,
                max_epochs=training.max_epochs,
                gradient_clip_val=training.gradient_clip,
                callbacks=[
                    EarlyStopping("validation_loss", patience=training.patience, check_finite=True),
                    best,
                    _Reporter(on_epoch),
                ],
                logger=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                num_sanity_val_steps=0,
            )
            module = StudentTModule(network, training)
            try:
                trainer.fit(
                    module,
                    Batches(train, training.batch_size, training.seed),
                    Batches(validation, 1024, None),
                )
            except SystemExit as stopped:  # what Lightning makes of Ctrl-C
                raise KeyboardInterrupt from stopped
            if trainer.interrupted:
                raise KeyboardInterrupt
            if not best.best_model_path or not np.isfinite(float(best.best_model_score or np.nan)):
                raise TrainingFailed(
                    "The validation loss was never a finite number.",
                    "Lower training.learning_rate, or look at the quality report of the prices.",
                )
            saved = torch.load(best.best_model_path, weights_only=True, map_location="cpu")
            module.load_state_dict(saved["state_dict"])
        network.cpu().eval()


class _Reporter(Callback):
    """Turns Lightning's hooks into the on_epoch callback."""

    def __init__(self, on_epoch: OnEpoch) -> None:
        self.on_epoch = on_epoch
        self.best = float("inf")
        self.started = time.monotonic()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        validation = float(trainer.callback_metrics["validation_loss"])
        self.best = min(self.best, validation)
        self.on_epoch(
            Epoch(
                number=trainer.current_epoch + 1,
                of=trainer.max_epochs or 0,
                train_loss=float(trainer.callback_metrics["train_loss"]),
                validation_loss=validation,
                best_validation_loss=self.best,
                learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
                seconds=time.monotonic() - self.started,
            )
        )


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
