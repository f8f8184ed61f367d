"""What is kept from epoch to epoch: the best weights so far, and a checkpoint from which a training goes on.

A training that goes on ends with the same weights as one that was never stopped: the checkpoint holds the
optimiser, the order of the batches to come and the state of the random numbers beside the weights.
"""

from __future__ import annotations

import math
import os
import time
import zipfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping
from torch import Tensor

from stockcast.forecasting.lstm.chunks import Batches
from stockcast.forecasting.observer import Epoch, Observer


class EpochKeeper(Callback):
    """Tells the observer what happens, keeps the best weights, and saves a checkpoint after each epoch.

    `checkpoint` None keeps nothing on disk. `stopping` must have counted an epoch when this saves it.
    """

    def __init__(
        self, batches: Batches, stopping: EarlyStopping, observer: Observer, checkpoint: Path | None
    ) -> None:
        self.batches = batches
        self.stopping = stopping
        self.observer = observer
        self.checkpoint = checkpoint
        self.epochs: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self._started = time.monotonic()

    @property
    def best_loss(self) -> float:
        """The lowest validation loss so far; infinite before there is a finite one."""
        return min(
            (each.validation_loss for each in self.epochs if math.isfinite(each.validation_loss)), default=math.inf
        )

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for epoch in self.epochs:  # of an earlier attempt
            self.observer.epoch(epoch)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.stopping.stopped_epoch:  # it was stopped between its last epoch and its end
            trainer.should_stop = True

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        of = trainer.max_epochs or 1
        share = (batch_idx + 1) / max(1, len(self.batches))
        self.observer.doing(f"Epoch {trainer.current_epoch + 1} of {of}", (trainer.current_epoch + share) / of)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loss = float(trainer.callback_metrics["validation_loss"])
        if loss < self.best_loss:
            self.best = {name: value.detach().cpu().clone() for name, value in pl_module.state_dict().items()}
        epoch = Epoch(
            number=trainer.current_epoch + 1,
            of=trainer.max_epochs or 0,
            train_loss=float(trainer.callback_metrics["train_loss"]),
            validation_loss=loss,
            best_validation_loss=min(self.best_loss, loss),
            learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
            seconds=time.monotonic() - self._started,
            ended_at=datetime.now(UTC),
        )
        self.epochs.append(epoch)
        self._save(trainer)  # first, so that what was told is never told anew with other words
        self.observer.epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it, in types that `torch.load(weights_only=True)` reads."""
        assert self.batches.generator is not None, "training batches are shuffled"
        return {
            "epochs": [asdict(epoch) | {"ended_at": epoch.ended_at.isoformat()} for epoch in self.epochs],
            "best": self.best,
            "order": self.batches.generator.get_state(),
            "random": torch.get_rng_state(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from there."""
        assert self.batches.generator is not None, "training batches are shuffled"
        self.epochs = [
            Epoch(**{**kept, "ended_at": datetime.fromisoformat(kept["ended_at"])})
            for kept in state_dict["epochs"]
        ]
        self.best = state_dict["best"]
        self.batches.generator.set_state(state_dict["order"].cpu())
        torch.set_rng_state(state_dict["random"].cpu())

    def _save(self, trainer: pl.Trainer) -> None:
        if self.checkpoint is None:
            return
        temporary = self.checkpoint.with_suffix(".tmp")
        trainer.save_checkpoint(temporary)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, self.checkpoint)


def usable_checkpoint(checkpoint: Path | None) -> Path | None:
    """The checkpoint if there is one that can be read; a damaged one is removed."""
    if checkpoint is None or not checkpoint.is_file():
        return None
    try:
        with zipfile.ZipFile(checkpoint) as archive:  # torch does not look at the checksums
            if archive.testzip() is not None:
                raise ValueError("a flipped bit")
        torch.load(checkpoint, weights_only=True, map_location="cpu")
    except Exception:  # of many kinds; whatever it is, the training starts over
        checkpoint.unlink()
        return None
    return checkpoint
