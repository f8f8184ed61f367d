"""What a training was asked to do, in the form that a job keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict, JsonValue


class TrainRequest(BaseModel):
    """Which tickers (none: those of the universe), up to which session, with which configuration on top."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tickers: tuple[str, ...] = ()
    until: date | None = None
    overrides: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data for the job table."""
        return self.model_dump(mode="json")

    @staticmethod
    def from_json(data: Mapping[str, JsonValue]) -> TrainRequest:
        """The inverse of `to_json`."""
        return TrainRequest.model_validate(data)
