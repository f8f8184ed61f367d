"""The Lightning module: loss and optimiser, nothing else."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from stockcast.config import TrainingConfig
from stockcast.forecasting.lstm.network import StudentTNetwork, student_t_loss


class StudentTModule(pl.LightningModule):
    """Trains a StudentTNetwork by maximum likelihood of the last K steps of each chunk."""

    def __init__(self, network: StudentTNetwork, training: TrainingConfig) -> None:
        super().__init__()
        self.network = network
        self.training_config = training

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        """Loss of one batch of chunks, logged as train_loss."""
        loss = self._loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        """Loss of one batch of windows, logged as validation_loss."""
        self.log("validation_loss", self._loss(batch), on_epoch=True, batch_size=len(batch[0]))

    def configure_optimizers(self) -> Any:
        """AdamW."""
        return torch.optim.AdamW(
            self.parameters(),
            lr=self.training_config.learning_rate,
            weight_decay=self.training_config.weight_decay,
        )

    def _loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        features, targets = batch  # [N, T, F], [N, K, H]
        kept = targets.shape[1]
        location, scale, df = self.network(features)
        return student_t_loss(location[:, -kept:], scale[:, -kept:], df[:, -kept:], targets)
