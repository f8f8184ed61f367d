"""What a drift check found, with its evidence in words that a person understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue, TypeAdapter

Layer = Literal["integrity", "shape", "regime"]
Severity = Literal["red", "amber", "info"]

_RANK: Mapping[str, int] = {"healthy": 0, "info": 1, "amber": 2, "red": 3}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a window, or worth knowing about it."""

    layer: Layer
    severity: Severity
    measure: str  # name of the rule, for example "missing_sessions"
    value: float  # what was measured, always finite
    threshold: float  # what it was held against, in the unit of `value`
    sentence: str
    positions: tuple[int, ...] = ()  # offending closes, counted from 0


@dataclass(frozen=True)
class DriftReport:
    """All findings about one window, and what could not be checked and why, as sentences."""

    findings: tuple[Finding, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def severity(self) -> Literal["healthy", "info", "amber", "red"]:
        """The worst severity found, "healthy" when nothing was found."""
        return max((finding.severity for finding in self.findings), key=_RANK.__getitem__, default="healthy")

    @property
    def warning(self) -> bool:
        """Whether a person has to look at the data: a changed regime alone is information, not a fault."""
        return self.severity in ("amber", "red")

    def to_json(self) -> dict[str, JsonValue]:
        """The report as plain data."""
        data: dict[str, JsonValue] = _REPORT.dump_python(self, mode="json")
        return data

    @staticmethod
    def from_json(data: Mapping[str, object]) -> DriftReport:
        """The inverse of `to_json`. Raises pydantic's ValidationError for anything else."""
        return _REPORT.validate_python(data)


_REPORT = TypeAdapter(DriftReport)
