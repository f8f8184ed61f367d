"""DriftReference: what windows of the training part looked like, as it travels in the manifest of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field, FiniteFloat, JsonValue, PositiveInt, TypeAdapter, ValidationError

from stockcast.errors import CorruptBundle
from stockcast.monitoring.quantile_grid import SHARES, Grid
from stockcast.monitoring.regime import VolatilityLevels, VolatilityReference
from stockcast.monitoring.shape import ShapeReference
from stockcast.prices.frame import PriceFrame

SCHEMA_VERSION = 2
_PERCENTS = 101  # quantiles that version 1 kept, at every percent

Percents = Annotated[tuple[FiniteFloat, ...], Field(min_length=_PERCENTS, max_length=_PERCENTS)]


@dataclass(frozen=True)
class DriftReference:
    """What the drift check holds a window against."""

    regime: VolatilityReference
    shape: ShapeReference | None  # None where it was not measured, or where training prices stood still

    @property
    def lookback(self) -> int:
        """Closes of a training window."""
        return self.regime.lookback

    @staticmethod
    def fit(frames: Sequence[PriceFrame], lookback: int) -> DriftReference:
        """Measures histories that hold training sessions only. Raises TooShortHistory when none holds a window."""
        return DriftReference(VolatilityReference.fit(frames, lookback), ShapeReference.fit(frames, lookback))

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data for the manifest of a bundle."""
        data: dict[str, JsonValue] = _REFERENCE.dump_python(self, mode="json")
        return {"schema_version": SCHEMA_VERSION, **data}

    @staticmethod
    def from_json(data: Mapping[str, object]) -> DriftReference:
        """The inverse of `to_json`, for every version that was ever written. Raises CorruptBundle otherwise."""
        version = data.get("schema_version")
        fields = {name: data[name] for name in data if name != "schema_version"}
        try:
            if version == SCHEMA_VERSION:
                return _REFERENCE.validate_python(fields)
            if version == 1:
                return _FIRST.validate_python(fields).as_reference()
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CorruptBundle(
                f"The drift reference cannot be read: {where}: {first['msg']}.", "Train the model again."
            ) from problem
        raise CorruptBundle(
            f"The drift reference has schema version {version!r}; this program reads 1 to {SCHEMA_VERSION}.",
            "Train the model again, or update stockcast.",
        )


@dataclass(frozen=True)
class _FirstReference:
    """Version 1: volatility alone, at every percent of the training windows."""

    lookback: PositiveInt
    pooled: Percents
    by_ticker: Mapping[str, Percents]
    change: Percents | None

    def as_reference(self) -> DriftReference:
        regime = VolatilityReference(
            lookback=self.lookback,
            pooled=VolatilityLevels(_thinned(self.pooled)),
            by_ticker={ticker: VolatilityLevels(_thinned(grid)) for ticker, grid in self.by_ticker.items()},
            change=_thinned(self.change) if self.change else None,
        )
        return DriftReference(regime, None)


def _thinned(percents: Percents) -> Grid:
    return tuple(np.interp(SHARES, np.linspace(0, 1, _PERCENTS), percents).tolist())


_REFERENCE = TypeAdapter(DriftReference)
_FIRST = TypeAdapter(_FirstReference)
