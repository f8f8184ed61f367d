"""The Lightning module: loss and optimiser, nothing else."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from stockcast.config import TrainingConfig
from stockcast.forecasting.lstm.network import Ensemble, average, student_t_loss

# The session after the cutoff is what a model is judged by; measured, equal weights cost it a fifth of its gain.
FURTHER_HORIZONS = 0.1


class StudentTModule(pl.LightningModule):
    """Trains every member of an Ensemble by maximum likelihood of the last K steps of each chunk."""

    def __init__(self, network: Ensemble, training: TrainingConfig) -> None:
        super().__init__()
        self.network = network
        self.training_config = training

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        """Loss of one batch of chunks, summed over members; its mean is logged as train_loss."""
        inputs, targets = batch  # [N, T, I], [N, K, H]
        losses = [_loss(member(inputs), targets) for member in self.network.members]
        loss = torch.stack(losses).sum()
        self.log("train_loss", loss / len(losses), on_step=False, on_epoch=True, batch_size=len(inputs))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        """Loss of what the members say together, logged as validation_loss."""
        inputs, targets = batch
        loss = _loss(average([member(inputs) for member in self.network.members]), targets)
        self.log("validation_loss", loss, on_epoch=True, batch_size=len(inputs))

    def configure_optimizers(self) -> Any:
        """AdamW."""
        return torch.optim.AdamW(
            self.parameters(),
            lr=self.training_config.learning_rate,
            weight_decay=self.training_config.weight_decay,
        )


def _loss(outputs: tuple[Tensor, Tensor, Tensor], targets: Tensor) -> Tensor:
    """Weighted mean over horizons of the loss at the steps that have targets."""
    kept = targets.shape[1]
    location, scale, df = outputs
    losses = student_t_loss(location[:, -kept:], scale[:, -kept:], df[:, -kept:], targets)  # [H]
    weights = torch.full_like(losses, FURTHER_HORIZONS)
    weights[0] = 1.0
    return (losses * weights).sum() / weights.sum()
