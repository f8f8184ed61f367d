"""What a training came to, as it is kept with its job and read back by the faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter

from stockcast.evaluation.gate import SIGNIFICANT
from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text


@dataclass(frozen=True)
class Made:
    """Which registered version a training made."""

    name: str
    version: str
    kind: str


@dataclass(frozen=True)
class Spoke:
    """The champion that it was judged against."""

    label: str
    run_id: str


@dataclass(frozen=True)
class Opponent:
    """One comparison of the gate; skill > 0 when the new version has the lower CRPS."""

    opponent: str
    skill: float
    dm_statistic: float
    dm_p_value: float


@dataclass(frozen=True)
class TrainingResult:
    """The verdict with its evidence."""

    run_id: str
    experiment_id: str
    model: Made
    promoted: bool
    reasons: tuple[str, ...]
    seconds: float
    scorecard: Scorecard
    comparisons: tuple[Opponent, ...]
    champion_before: Spoke
    left_out: Mapping[str, str]

    @property
    def label(self) -> str:
        """How the version is named to a person."""
        return f"{self.model.kind} v{self.model.version}"

    @property
    def verdict(self) -> str:
        """One sentence: how it did beside naive, and what became of it."""
        card = self.scorecard
        size, chance = f"{100 * abs(card.skill):.2f} %", p_text(card.dm_p_value)
        if not card.dm_p_value <= SIGNIFICANT:  # so that NaN proves nothing
            word = "as good as" if card.skill == 0 else f"{size} {'better' if card.skill > 0 else 'worse'} than"
            told = f"is {word} naive, which may be chance ({chance}, {card.count:,} forecasts)"
        else:
            word = "beats naive by" if card.skill > 0 else "is worse than naive by"
            told = f"{word} {size} ({chance}, {card.count:,} forecasts)"
        return f"{self.label} {told}: {'promoted' if self.promoted else 'not promoted'}."

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data: what `stockcast train --json` prints and a job keeps as its result."""
        data: dict[str, JsonValue] = _RESULT.dump_python(self, mode="json")
        return data

    @staticmethod
    def from_json(data: Mapping[str, JsonValue]) -> TrainingResult:
        """The inverse of `to_json`."""
        return _RESULT.validate_python(dict(data))


_RESULT = TypeAdapter(TrainingResult)
