"""What goes in and out of the API, as pydantic models. Numbers are strict: "12.5" and true are no prices."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

LOOKBACK = 60
MOST_CLOSES = 1000  # of any model's lookback
MOST_WINDOWS = 500  # of one batch

Price = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Universe = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", description="Whose champion answers.")
]

# Sixty real closes: IBM from 2012-12-04 on, adjusted, as the bundled sample has them.
EXAMPLE_PRICES: list[JsonValue] = [
    181.96, 181.38, 182.92, 184.38, 184.99, 186.26, 185.07, 184.36, 183.96, 185.79, 187.76, 187.22, 187.62, 186.32,
    185.18, 184.36, 185.16, 182.73, 184.36, 189.02, 187.98, 186.75, 185.93, 185.66, 185.12, 185.6, 187.27, 185.42,
    185.15, 185.0, 186.56, 187.19, 188.71, 189.08, 197.23, 196.98, 197.5, 197.61, 196.22, 195.75, 195.53, 197.33,
    196.04, 194.95, 194.27, 193.9, 193.97, 194.41, 194.22, 194.49, 195.01, 194.57, 193.56, 192.78, 194.33, 193.16,
    192.02, 190.1, 192.46, 192.6,
]  # fmt: skip


class Body(BaseModel):
    """What a client sends: names that are not known are refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class PredictRequest(Body):
    """The last closes of one ticker, oldest first."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"last_prices": EXAMPLE_PRICES}]},
    )

    last_prices: list[Price] = Field(
        max_length=MOST_CLOSES, description="Exactly as many closes as the model reads (60), oldest first."
    )
    ticker: str | None = Field(
        default=None, max_length=64, strict=True, description="As Yahoo writes it: CMIG4.SA."
    )
    dates: list[date] | None = Field(
        default=None, max_length=MOST_CLOSES, description="The session of each close, for a dated forecast."
    )
    universe: Universe = "default"


class BatchWindow(Body):
    """One window of a batch."""

    last_prices: list[Price] = Field(max_length=MOST_CLOSES)
    ticker: str | None = Field(default=None, max_length=64, strict=True)
    dates: list[date] | None = Field(default=None, max_length=MOST_CLOSES)


class BatchRequest(Body):
    """Many windows for the same universe."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"windows": [{"last_prices": EXAMPLE_PRICES}]}]},
    )

    windows: list[BatchWindow] = Field(min_length=1, max_length=MOST_WINDOWS)
    universe: Universe = "default"


class ModelTold(BaseModel):
    """The version that has spoken."""

    name: str
    version: str
    kind: str
    run_id: str
    trained_until: date | None
    note: str = Field(description="Why a person lets it speak, where one decided.")


class FindingTold(BaseModel):
    """One thing that is wrong with a window, or worth knowing."""

    severity: Literal["red", "amber", "info"]
    measure: str
    value: float
    threshold: float
    sentence: str
    positions: list[int] = Field(description="Offending closes, counted from 0.")


class DriftTold(BaseModel):
    """The three layers of the drift check."""

    severity: Literal["healthy", "info", "amber", "red"]
    integrity: list[FindingTold]
    shape: list[FindingTold]
    regime: list[FindingTold]
    unchecked: list[str]


class HorizonTold(BaseModel):
    """The forecast some sessions ahead."""

    horizon: int
    session: date | None
    median: float
    naive: float
    interval_80: tuple[float, float]
    interval_95: tuple[float, float]


class Prediction(BaseModel):
    """The close of the coming session as a distribution, beside the naive forecast it has to beat."""

    predicted_price: float = Field(description="Median of the next close.")
    drift_warning: bool = Field(description="Whether the window has to be looked at by a person.")
    drift_details: list[str]
    interval_80: tuple[float, float]
    interval_95: tuple[float, float]
    quantiles: dict[str, float] = Field(description="Level to price.")
    naive_price: float
    horizons: list[HorizonTold]
    session: date | None = Field(description="The session that is forecast, where dates and ticker tell it.")
    ticker: str | None
    currency: str | None
    stale: str | None = Field(description="A sentence where newer sessions have closed since.")
    universe: str
    model: ModelTold
    drift: DriftTold
    request_id: str


class Refusal(BaseModel):
    """Why a window of a batch was not forecast."""

    code: str
    message: str
    hint: str
    field: str | None


class BatchItem(BaseModel):
    """The answer for one window: a prediction, or why there is none."""

    prediction: Prediction | None
    error: Refusal | None


class BatchAnswer(BaseModel):
    """Answers in the order of the windows."""

    predictions: list[BatchItem]
    model: ModelTold
    request_id: str


class ErrorTold(Refusal):
    """What went wrong, and how to mend it."""

    request_id: str
    job_id: str | None = Field(default=None, description="Of the training that is active already.")


class Problem(BaseModel):
    """Every answer that is no success."""

    detail: Any = Field(description="FastAPI's own form, for clients that read that.")
    error: ErrorTold


class Hello(BaseModel):
    app: str
    version: str
    status: Literal["online"]


class Resources(BaseModel):
    cpu: float = Field(description="Percent of one core that this process used since it was last asked.")
    memory: float = Field(description="Resident MiB of this process.")


class Part(BaseModel):
    ok: bool
    reason: str | None


class QueueTold(BaseModel):
    length: int = Field(description="Forecasts on their way into the journal.")


class Health(BaseModel):
    status: Literal["healthy", "degraded", "unhealthy"]
    reasons: list[str]
    drift_monitoring: bool
    training_active: bool
    resources: Resources
    model_version: str | None
    models: dict[str, ModelTold]
    database: Part
    registry: Part
    queue: QueueTold
    asks_for_key: bool = Field(default=False, description="Whether a key is wanted for more than this.")
    uptime_seconds: float


class Alive(BaseModel):
    status: Literal["alive"]


class Ready(BaseModel):
    status: Literal["ready"]


# What clients of the replaced API send, as fields of the configuration.
class Hyperparameters(Body):
    """Fields of the configuration by the names of the replaced API, or by their own: `training.max_epochs`."""

    model_config = ConfigDict(extra="allow")

    num_epochs: int | None = Field(default=None, strict=True)
    learning_rate: Price | None = None
    batch_size: int | None = Field(default=None, strict=True)
    hidden_size: int | None = Field(default=None, strict=True)
    num_layers: int | None = Field(default=None, strict=True)
    seq_length: int | None = Field(default=None, strict=True)


class TrainBody(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"hyperparameters": {"num_epochs": 10, "hidden_size": 16}}]},
    )

    hyperparameters: Hyperparameters | None = None
    universe: Universe = "default"
    tickers: list[Annotated[str, Field(max_length=64, strict=True)]] = Field(
        default=[], max_length=500, description="None: those of the universe."
    )


class TrainAccepted(BaseModel):
    status: Literal["processing"]
    message: str
    job_id: str


class JobTold(BaseModel):
    id: str
    kind: str
    universe: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
    phase: str | None
    progress: float
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    hint: str | None


class EpochTold(BaseModel):
    epoch: int
    train_loss: float | None
    validation_loss: float | None


class JobDetail(JobTold):
    epochs: list[EpochTold]
    notes: list[str]
    result: dict[str, JsonValue] | None


class JobList(BaseModel):
    jobs: list[JobTold]


class ConfigBody(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"hyperparameters": {"num_epochs": 20, "learning_rate": 0.001}}]},
    )

    hyperparameters: Hyperparameters
    universe: Universe = "default"
    note: str = Field(default="", max_length=500, strict=True)


class ConfigTold(BaseModel):
    current_params: dict[str, JsonValue] = Field(
        description="By the names of the replaced API, and whole in `config`."
    )
    config: dict[str, JsonValue]
    version: int
    universe: str


class ConfigSaved(ConfigTold):
    message: str


class ReloadBody(Body):
    universe: Universe = "default"


class Reloaded(BaseModel):
    message: str
    model: ModelTold
    changed: bool


class ModelInfo(BaseModel):
    version: str
    current_params: dict[str, JsonValue]
    metrics: dict[str, JsonValue] = Field(description="On test sessions, each figure beside the naive one.")
    model: ModelTold
    universe: str


class SampleData(BaseModel):
    description: str
    last_prices: list[float]
    ticker: str | None
    dates: list[date] | None
