"""Everything that can go wrong and that a person can mend.

Every error carries a message (what is wrong, with the value) and a hint (how to mend it). The faces map the
tree with one table each; domain rooms know nothing of exit codes, HTTP or widgets.

    StockcastError
    ├── InputError                what a person typed, chose or uploaded
    │   ├── InvalidTicker         not a ticker by form
    │   ├── UnknownTicker         well formed, but nothing is stored under it
    │   ├── UnreadableFile        a file that cannot be read as prices
    │   ├── InvalidPrices         read, but not a valid price history
    │   ├── TooShortHistory       valid, but too few sessions for what was asked
    │   ├── InvalidWindow         a window that has not exactly `lookback` closes
    │   ├── InvalidConfig         a configuration value that is unknown or out of bounds
    │   ├── ConfigMoved           somebody saved a newer version while this one was edited
    │   ├── UnknownUniverse       nobody has created a universe of that name
    │   ├── NotAllowed            somebody who may only look wants to change something
    │   └── InvalidRequest        any other argument that cannot be meant, such as an end before the start
    ├── SourceError               a price source outside the house
    │   ├── SourceUnavailable     no network, or the source is down
    │   ├── SourceRateLimited     the source asks us to slow down
    │   └── NoPricesFound         the source knows no prices for that ticker and range
    ├── StalePrices               the stored history ends before the last completed session
    ├── EvaluationError
    │   ├── LeakDetected          a forecaster would be judged on sessions it was trained on
    │   └── UnlikeFingerprints    two scorecards were measured on different data
    ├── ModelError
    │   ├── UnknownModel          no such model, version or alias
    │   ├── CorruptBundle         a model bundle whose files do not match its manifest
    │   └── TrainingFailed        training ended without a usable forecaster
    ├── JobError
    │   ├── UnknownJob            no job of that id
    │   ├── TrainingActive        a training of that universe is queued or running already
    │   ├── JobCancelled          somebody asked for it to stop
    │   ├── JobPaused             its process was asked to leave; another one goes on from the checkpoint
    │   ├── JobSuperseded         its lease ran out and another process has taken it over
    │   └── JobOverdue            it took longer than a job may take
    └── StateError                the house's own state
        ├── HomeNotWritable       STOCKCAST_HOME cannot be written
        ├── DiskFull              no room is left to write
        ├── DatabaseUnavailable   the database cannot be opened
        ├── BackupFailed          no copy of the database was made, or none can be restored
        └── RegistryUnavailable   MLflow cannot be reached
"""

from __future__ import annotations


class StockcastError(Exception):
    """Base of the tree. `message` says what is wrong, `hint` how to mend it; both are whole sentences."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)  # all of them, or it could not be handed from process to process
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"


class InputError(StockcastError):
    """What a person typed, chose or uploaded."""


class InvalidTicker(InputError):
    """Not a ticker by form."""


class UnknownTicker(InputError):
    """A well-formed ticker under which nothing is stored."""


class UnreadableFile(InputError):
    """A file that cannot be read as prices."""


class InvalidPrices(InputError):
    """Numbers that cannot be a price history."""


class TooShortHistory(InputError):
    """A valid history with too few sessions for what was asked."""


class InvalidWindow(InputError):
    """A window that has not exactly `lookback` closes."""


class InvalidConfig(InputError):
    """A configuration value that is unknown, of the wrong type or out of bounds."""


class ConfigMoved(InputError):
    """Somebody saved a newer version of the configuration while this one was edited."""


class UnknownUniverse(InputError):
    """Nobody has created a universe of that name."""


class NotAllowed(InputError):
    """Somebody who may only look wants to change something."""


class InvalidRequest(InputError):
    """An argument that cannot be meant."""


class SourceError(StockcastError):
    """A price source outside the house."""


class SourceUnavailable(SourceError):
    """No network, or the source is down."""


class SourceRateLimited(SourceError):
    """The source asks us to slow down."""


class NoPricesFound(SourceError):
    """The source knows no prices for that ticker and range."""


class StalePrices(StockcastError):
    """The stored history ends before the last completed session."""


class EvaluationError(StockcastError):
    """A comparison that would not be honest."""


class LeakDetected(EvaluationError):
    """A forecaster would be judged on sessions it was trained on."""


class UnlikeFingerprints(EvaluationError):
    """Two scorecards were measured on different data."""


class ModelError(StockcastError):
    """A model that is missing, broken or was not born."""


class UnknownModel(ModelError):
    """No such model, version or alias."""


class CorruptBundle(ModelError):
    """A model bundle whose files do not match its manifest."""


class TrainingFailed(ModelError):
    """Training ended without a usable forecaster."""


class JobError(StockcastError):
    """Long work outside the page."""


class UnknownJob(JobError):
    """No job of that id."""


class TrainingActive(JobError):
    """A training of that universe is queued or running already; `job_id` names it."""

    def __init__(self, message: str, hint: str, job_id: str) -> None:
        super().__init__(message, hint)
        self.args = (message, hint, job_id)
        self.job_id = job_id


class JobCancelled(JobError):
    """Somebody asked for the job to stop."""


class JobPaused(JobError):
    """The job's process was asked to leave; another one goes on from the checkpoint."""


class JobSuperseded(JobError):
    """The job's lease ran out and another process has taken it over."""


class JobOverdue(JobError):
    """The job took longer than a job may take."""


class StateError(StockcastError):
    """The house's own state."""


class HomeNotWritable(StateError):
    """STOCKCAST_HOME cannot be written."""


class DiskFull(StateError):
    """No room is left to write."""


class DatabaseUnavailable(StateError):
    """The database cannot be opened."""


class BackupFailed(StateError):
    """No copy of the database was made, or none can be restored."""


class RegistryUnavailable(StateError):
    """MLflow cannot be reached."""
