"""What an analyst edits: one validated, versioned configuration per universe.

Bounds and explanations live here, beside the fields; the form, the command line and the docs read them from
the schema. A configuration is accepted whole or refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from stockcast.errors import InvalidConfig

DEFAULT_UNIVERSE = "default"  # there from the first day

# The ladder of models, each to be beaten by the next.
ModelKind = Literal["naive", "ewma", "garch", "linear", "lstm"]


class Section(BaseModel):
    """A frozen group of fields that refuses names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def refuse_truth_values(cls, value: object) -> object:
        if isinstance(value, bool):  # otherwise YAML's `yes` would be read as 1
            raise ValueError("must be a number or a word, not true or false")
        return value


class UniverseConfig(Section):
    """Which tickers share the model."""

    tickers: tuple[str, ...] = Field(
        default=(), max_length=500, description="Tickers that share one model; empty: every stored ticker."
    )


class WindowsConfig(Section):
    """What the network reads and how far it looks."""

    lookback: int = Field(default=60, ge=20, le=250, description="Closes that the network reads, in sessions.")
    max_horizon: int = Field(default=5, ge=1, le=5, description="Furthest session ahead that is forecast.")


class SplitConfig(Section):
    """How a history is cut, in the order of time."""

    train: float = Field(default=0.70, ge=0.4, le=0.9, description="Share of sessions to learn from.")
    validation: float = Field(
        default=0.15, ge=0.05, le=0.3, description="Share of sessions that decides when training stops."
    )
    embargo: int = Field(
        default=5, ge=0, le=60, description="Sessions left out after each cut, at least the furthest horizon."
    )

    @model_validator(mode="after")
    def leave_sessions_to_test(self) -> SplitConfig:
        if self.train + self.validation > 0.95:
            raise ValueError("train + validation must leave at least 5 % of the sessions to the test")
        return self


LADDER: tuple[ModelKind, ...] = get_args(ModelKind)


class ModelConfig(Section):
    """Which kind of model is trained."""

    kind: ModelKind = Field(
        default="lstm", description="What is trained: lstm, or a simpler rung: linear, garch, ewma or naive."
    )


class NetworkConfig(Section):
    """The LSTM's size."""

    hidden_size: int = Field(default=32, ge=4, le=256, description="Units of each LSTM layer.")
    layers: int = Field(default=1, ge=1, le=4, description="LSTM layers on top of one another.")
    dropout: float = Field(default=0.0, ge=0.0, le=0.6, description="Dropout between LSTM layers.")
    members: int = Field(default=3, ge=1, le=10, description="Networks from several seeds that are averaged.")


class TrainingConfig(Section):
    """How the network is fitted."""

    max_epochs: int = Field(default=30, ge=1, le=1000, description="Most passes over the training windows.")
    patience: int = Field(
        default=5, ge=1, le=200, description="Epochs without a better validation loss before training stops."
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=0.1, description="Step size of AdamW.")
    weight_decay: float = Field(default=1e-3, ge=0, le=1, description="Weight decay of AdamW.")
    batch_size: int = Field(default=32, ge=1, le=4096, description="Chunks of sessions per step.")
    chunk_targets: int = Field(
        default=40, ge=1, le=120, description="Targets that share one pass of the recurrence, in sessions."
    )
    hide_inputs: float = Field(
        default=0.3,
        ge=0,
        le=0.9,
        description="Share of training chunks whose ranges, or whose market, are hidden from the network.",
    )
    gradient_clip: float = Field(default=1.0, gt=0, le=100, description="Largest norm of the gradient.")
    seed: int = Field(default=7, ge=0, le=2**31 - 1, description="Seed of everything random.")
    accelerator: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="Where Lightning trains: auto takes a GPU when there is one."
    )


class CalibrationConfig(Section):
    """How intervals are made to hold what they promise."""

    recalibration: Literal["isotonic", "none"] = Field(
        default="isotonic", description="Whether intervals are recalibrated on validation; none leaves them."
    )
    adaptation: float = Field(
        default=0.005,
        ge=0,
        le=0.1,
        description="Step by which each ticker's intervals follow its own misses; 0 for not at all.",
    )


class DriftConfig(Section):
    """When the input is called unusual."""

    identical_closes: int = Field(
        default=4, ge=2, le=60, description="Identical closes in a row that are called a fault."
    )
    jump: float = Field(
        default=0.45, gt=0, le=5, description="Absolute log return that is called a fault, at the least."
    )
    jump_sigmas: float = Field(
        default=12.0, gt=1, le=100, description="The same in multiples of the window's own volatility."
    )
    jump_amber: float = Field(
        default=0.2, gt=0, le=5, description="Absolute log return that is called unusual, at the least."
    )
    jump_amber_sigmas: float = Field(
        default=8.0, gt=1, le=100, description="The same in multiples of the window's own volatility."
    )
    shape_red: float = Field(
        default=0.01, gt=0, le=0.2, description="Share of training windows as unusual that is called a fault."
    )
    shape_red_odds: int = Field(
        default=10_000,
        ge=20,
        le=10**9,
        description="For that a feature must be as rare as one window in this many.",
    )
    shape_amber: float = Field(
        default=0.05, gt=0, le=0.5, description="Share of training windows as unusual that is called unusual."
    )
    shape_amber_odds: int = Field(
        default=400, ge=5, le=10**9, description="For that a feature must be as rare as one window in this many."
    )
    regime_percentile: float = Field(
        default=0.99, gt=0.5, lt=1.0, description="Share of training windows that must be calmer to be told."
    )
    regime_ratio: float = Field(
        default=1.5, gt=1, le=20, description="Multiple of the volatility of training, or before, that is told."
    )

    @model_validator(mode="after")
    def red_is_rarer(self) -> DriftConfig:
        if self.shape_red > self.shape_amber:
            raise ValueError(f"shape_red must be at most shape_amber ({self.shape_amber:g})")
        if self.shape_red_odds < self.shape_amber_odds:
            raise ValueError(f"shape_red_odds must be at least shape_amber_odds ({self.shape_amber_odds})")
        return self


class PromotionConfig(Section):
    """What a new version must show before it speaks."""

    max_mape_ratio: float = Field(
        default=1.003, ge=1.0, le=1.05, description="Largest MAPE allowed, as a multiple of the naive one."
    )


class AlertsConfig(Section):
    """When the track record raises an alarm, and what comes of it."""

    sessions: int = Field(
        default=60, ge=40, le=250, description="Last sessions over which live skill and coverage are judged."
    )
    level: float = Field(
        default=0.05,
        ge=0.001,
        le=0.5,
        description="Chance that a rule raises a false alarm within a year, though it looks every night.",
    )
    drift_red: int = Field(
        default=3, ge=1, le=60, description="Sessions with red findings that are called lasting drift of a ticker."
    )
    drift_sessions: int = Field(
        default=5, ge=1, le=60, description="Last forecast sessions of a ticker among which these are counted."
    )
    retrain: Literal["never", "auto"] = Field(
        default="never", description="Whether an alert of skill or coverage asks for a training, once."
    )
    retrain_pause: int = Field(
        default=20, ge=1, le=365, description="Days between two trainings that alerts of a universe ask for."
    )
    notify: Literal["opened", "changes", "never"] = Field(
        default="opened", description="What is sent out: opened alerts, closed ones too (changes), or nothing."
    )
    notify_pause: int = Field(
        default=24, ge=0, le=720, description="Hours between two messages about the same rule and ticker."
    )

    @model_validator(mode="after")
    def count_what_is_there(self) -> AlertsConfig:
        if self.drift_red > self.drift_sessions:
            raise ValueError(f"drift_red must be at most drift_sessions ({self.drift_sessions})")
        return self


class ScheduleConfig(Section):
    """When the universe is downloaded and trained by itself; a worker that runs all the time does it."""

    cron: str = Field(
        default="",
        max_length=100,
        description="When, in cron's five fields, for example `30 22 * * 1-5`; empty: never.",
    )
    timezone: str = Field(
        default="UTC", max_length=60, description="Time zone of these hours, for example America/Sao_Paulo."
    )

    @field_validator("cron")
    @classmethod
    def be_cron(cls, value: str) -> str:
        value = " ".join(value.split())
        if value:
            try:
                if len(value.split()) != 5:  # a sixth field would mean seconds
                    raise CronSimError("it has not five fields")
                next(CronSim(value, datetime(2000, 1, 1, tzinfo=UTC)))
            except (CronSimError, StopIteration) as problem:
                raise ValueError(f"must be five cron fields such as 30 22 * * 1-5 ({problem})") from problem
        return value

    @field_validator("timezone")
    @classmethod
    def be_known(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
            raise ValueError("must name a time zone such as America/Sao_Paulo or UTC") from problem


class Config(Section):
    """Everything an analyst may edit, with the defaults in force."""

    universe: UniverseConfig = UniverseConfig()
    windows: WindowsConfig = WindowsConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    drift: DriftConfig = DriftConfig()
    promotion: PromotionConfig = PromotionConfig()
    alerts: AlertsConfig = AlertsConfig()
    schedule: ScheduleConfig = ScheduleConfig()

    @model_validator(mode="after")
    def embargo_covers_horizon(self) -> Config:
        if self.split.embargo < self.windows.max_horizon:
            raise ValueError(
                f"split.embargo ({self.split.embargo}) must be at least "
                f"windows.max_horizon ({self.windows.max_horizon}), or training sees into the test"
            )
        return self

    def with_overrides(self, assignments: Iterable[str]) -> Config:
        """The same configuration with `section.field=value` assignments, the value written as YAML.

        Raises InvalidConfig when an assignment names no field or its value is out of bounds.
        """
        data = self.model_dump(mode="json")
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            section, dot, field = name.strip().partition(".")
            if not (equals and dot):
                raise InvalidConfig(
                    f"'{assignment}' is not a configuration assignment.",
                    "Write section.field=value, for example training.max_epochs=30.",
                )
            if section not in data or field not in data[section]:
                raise InvalidConfig(f"There is no configuration field '{name.strip()}'.", _known_fields())
            data[section][field] = _parse_scalar(name, text)
        return parse_config(data)


@dataclass(frozen=True)
class Fault:
    """One thing that keeps plain data from being a configuration."""

    field: str  # section.field; "configuration" or a section where several fields disagree
    message: str
    given: str  # the value, shortened

    @property
    def sentence(self) -> str:
        """What is wrong; a message about several fields names them and their values itself."""
        return f"{self.message} (given: {self.given})" if self.field.count(".") else self.message


def config_faults(data: Mapping[str, object]) -> tuple[Fault, ...]:
    """Everything that is wrong with plain data, such as a form; empty when it is a configuration."""
    try:
        Config.model_validate(data)
    except ValidationError as problem:
        return tuple(map(_fault, problem.errors()))
    return ()


def parse_config(data: Mapping[str, object]) -> Config:
    """Validates plain data, such as a form or stored JSON. Raises InvalidConfig naming the first field."""
    try:
        return Config.model_validate(data)
    except ValidationError as problem:
        first = _fault(problem.errors()[0])
        raise InvalidConfig(
            f"{first.field}: {first.message} (given: {first.given}).",
            "Nothing was changed; correct the value and try again.",
        ) from problem


def _fault(error: ErrorDetails) -> Fault:
    name = ".".join(str(part) for part in error["loc"]) or "configuration"
    return Fault(name, error["msg"].removeprefix("Value error, "), _shorten(error.get("input")))


def _parse_scalar(name: str, text: str) -> object:
    try:
        value: object = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as problem:  # the latter for 2024-13-45 and for 5,000 digits
        raise InvalidConfig(
            f"{name}: {_shorten(text)} cannot be read as a value.", "Write a plain number or word."
        ) from problem
    if isinstance(value, str):
        try:  # YAML 1.1 reads 1e-3 as a word
            return float(value)
        except ValueError:
            return value
    return value


def _known_fields() -> str:
    names = [
        f"{section}.{field}"
        for section, info in Config.model_fields.items()
        for field in info.annotation.model_fields  # type: ignore[union-attr]
    ]
    return f"Known fields: {', '.join(names)}."


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
