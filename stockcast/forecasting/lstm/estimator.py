"""The estimator: histories in, a trained forecaster out."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping

from stockcast.config import Config
from stockcast.errors import TrainingFailed
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.inputs import GROUPS
from stockcast.forecasting.linear import fit_scale_model
from stockcast.forecasting.location import common_drift, location_share
from stockcast.forecasting.lstm.chunks import Batches, Chunks, training_chunks, validation_chunks
from stockcast.forecasting.lstm.epoch_keeper import EpochKeeper, usable_checkpoint
from stockcast.forecasting.lstm.export import to_onnx, to_safetensors
from stockcast.forecasting.lstm.lightning_module import StudentTModule
from stockcast.forecasting.lstm.network import Ensemble, StudentTNetwork
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.returns import Floats
from stockcast.forecasting.training_rows import materials, pooled
from stockcast.prices.sessions import Sessions


class LstmEstimator:
    """Trains a few networks on all pairs together, starting from the linear model that is fitted to them.

    `scratch` is a folder that exists. With `checkpoint` the training leaves that file after each epoch, and goes
    on from it when it is there; it must belong to the same configuration and data.
    """

    def __init__(self, config: Config, scratch: Path, threads: int, checkpoint: Path | None = None) -> None:
        self.config = config
        self.scratch = scratch
        self.threads = threads
        self.checkpoint = checkpoint

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> NetworkForecaster:
        """Learns from `train`, stops early and chooses the location's share on validation.

        Raises TooShortHistory, TrainingFailed, KeyboardInterrupt, or what the observer raises.
        """
        lookback, horizon = self.config.windows.lookback, self.config.windows.max_horizon
        training, network = self.config.training, self.config.network
        torch.set_num_threads(self.threads)
        observer.doing("Fitting the linear model", 0.0)
        material = materials(pairs, lookback, horizon)
        rows = pooled(material, lookback)
        linear, groups = fit_scale_model(rows.inputs, rows.targets, GROUPS)
        drift = common_drift(rows.targets[:, 0], rows.cutoffs)
        observer.doing("Preparing windows", 0.0)
        with _quiet():
            pl.seed_everything(training.seed, verbose=False)
            ensemble = Ensemble(
                [
                    StudentTNetwork(network.hidden_size, network.layers, network.dropout, linear)
                    for _ in range(network.members)
                ]
            )
            train = training_chunks(material, lookback, training.chunk_targets, groups, drift)
            validation = validation_chunks(material, lookback, training.chunk_targets, groups, drift)
            self._train(ensemble, train, validation, observer)
            onnx = to_onnx(ensemble, lookback - 1)
        return NetworkForecaster(
            onnx=onnx,
            weights=to_safetensors(ensemble),
            lookback=lookback,
            horizon=horizon,
            drift=drift,
            location_share=location_share(*_locations(ensemble, validation)),
            groups=groups,
            trained_until=max(pair.history.last_session for pair in pairs),
            threads=self.threads,
        )

    def _train(self, network: Ensemble, train: Chunks, validation: Chunks, observer: Observer) -> None:
        """Trains in place and leaves the weights of the best epoch."""
        training = self.config.training
        batches = Batches(train, training.batch_size, training.seed, training.hide_inputs)
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


def _locations(network: Ensemble, validation: Chunks) -> tuple[Floats, Floats, Sessions]:
    """One-session locations and targets on validation, in units of the volatility, and their cutoffs. [N] each"""
    locations, wanted, cutoffs = [], [], []
    with torch.no_grad():
        for chosen in torch.split(torch.arange(len(validation)), 256):
            inputs, targets = validation.batch(chosen)
            location, _, _ = network(inputs)
            locations.append(location[:, -validation.count :, 0].flatten().double().numpy())
            wanted.append(targets[:, :, 0].flatten().double().numpy())
            cutoffs.append(validation.sessions[validation.rows[chosen, -validation.count :].numpy()].ravel())
    return np.concatenate(locations), np.concatenate(wanted), np.concatenate(cutoffs)


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
