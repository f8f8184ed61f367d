"""Who watches long work, and may stop it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training windows came to; losses are mean negative log-likelihoods."""

    number: int  # from 1
    of: int
    train_loss: float
    validation_loss: float
    best_validation_loss: float
    learning_rate: float
    seconds: float
    ended_at: datetime  # aware


class Observer(Protocol):
    """Follows long work. Whatever it raises stops the work, which leaves nothing half done."""

    def doing(self, phase: str, progress: float) -> None:
        """What is being done, in words, and how much of the work is behind (0 to 1); called often."""
        ...

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has ended. A training that goes on from a checkpoint tells the earlier ones again."""
        ...


class Unwatched:
    """Nobody watches."""

    def doing(self, phase: str, progress: float) -> None:
        """Nothing."""

    def epoch(self, epoch: Epoch) -> None:
        """Nothing."""


UNWATCHED = Unwatched()
