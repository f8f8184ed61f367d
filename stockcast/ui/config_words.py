"""Fields of the configuration in words: labels and explanations, marked for the catalogues.

What each field means stands beside it in the schema; a test holds these words against that.
"""

from __future__ import annotations

from stockcast.ui.format import figures
from stockcast.ui.language import N_, _

_WORDS = {"all stored": N_("all stored"), "none": N_("none")}

SECTIONS = {
    "universe": N_("Universe: which tickers share the model"),
    "windows": N_("Windows: what the network reads, how far it looks"),
    "split": N_("Split: how the history is cut"),
    "model": N_("Model: which rung of the ladder is trained"),
    "network": N_("Network: the size of the LSTM"),
    "training": N_("Training: how it is fitted"),
    "calibration": N_("Calibration: how intervals keep their promise"),
    "drift": N_("Drift: when the input is called unusual"),
    "promotion": N_("Promotion: what a new version must show"),
    "alerts": N_("Alerts: when the track record raises an alarm, and what comes of it"),
    "schedule": N_("Schedule: when it is downloaded and trained by itself"),
}

# section.field: its label and what it means
FIELDS = {
    "universe.tickers": (
        N_("Tickers"),
        N_("Tickers that share one model; empty: every stored ticker."),
    ),
    "windows.lookback": (
        N_("Lookback"),
        N_("Closes that the network reads, in sessions."),
    ),
    "windows.max_horizon": (
        N_("Furthest horizon"),
        N_("Furthest session ahead that is forecast."),
    ),
    "split.train": (
        N_("Train"),
        N_("Share of sessions to learn from."),
    ),
    "split.validation": (
        N_("Validation"),
        N_("Share of sessions that decides when training stops."),
    ),
    "split.embargo": (
        N_("Embargo"),
        N_("Sessions left out after each cut, at least the furthest horizon."),
    ),
    "model.kind": (
        N_("Kind of model"),
        N_("What is trained: lstm, or a simpler rung: linear, garch, ewma or naive."),
    ),
    "network.hidden_size": (
        N_("Units"),
        N_("Units of each LSTM layer."),
    ),
    "network.layers": (
        N_("Layers"),
        N_("LSTM layers on top of one another."),
    ),
    "network.dropout": (
        N_("Dropout"),
        N_("Dropout between LSTM layers."),
    ),
    "network.members": (
        N_("Networks"),
        N_("Networks from several seeds that are averaged."),
    ),
    "training.max_epochs": (
        N_("Max epochs"),
        N_("Most passes over the training windows."),
    ),
    "training.patience": (
        N_("Patience"),
        N_("Epochs without a better validation loss before training stops."),
    ),
    "training.learning_rate": (
        N_("Learning rate"),
        N_("Step size of AdamW."),
    ),
    "training.weight_decay": (
        N_("Weight decay"),
        N_("Weight decay of AdamW."),
    ),
    "training.batch_size": (
        N_("Batch size"),
        N_("Chunks of sessions per step."),
    ),
    "training.chunk_targets": (
        N_("Chunk targets"),
        N_("Targets that share one pass of the recurrence, in sessions."),
    ),
    "training.hide_inputs": (
        N_("Hide inputs"),
        N_("Share of training chunks whose ranges, or whose market, are hidden from the network."),
    ),
    "training.gradient_clip": (
        N_("Gradient clip"),
        N_("Largest norm of the gradient."),
    ),
    "training.seed": (
        N_("Seed"),
        N_("Seed of everything random."),
    ),
    "training.accelerator": (
        N_("Accelerator"),
        N_("Where Lightning trains: auto takes a GPU when there is one."),
    ),
    "calibration.recalibration": (
        N_("Recalibration"),
        N_("Whether intervals are recalibrated on validation; none leaves them."),
    ),
    "calibration.adaptation": (
        N_("Adaptation"),
        N_("Step by which each ticker's intervals follow its own misses; 0 for not at all."),
    ),
    "drift.identical_closes": (
        N_("Identical closes"),
        N_("Identical closes in a row that are called a fault."),
    ),
    "drift.jump": (
        N_("Jump"),
        N_("Absolute log return that is called a fault, at the least."),
    ),
    "drift.jump_sigmas": (
        N_("Jump sigmas"),
        N_("The same in multiples of the window's own volatility."),
    ),
    "drift.jump_amber": (
        N_("Jump amber"),
        N_("Absolute log return that is called unusual, at the least."),
    ),
    "drift.jump_amber_sigmas": (
        N_("Jump amber sigmas"),
        N_("The same in multiples of the window's own volatility."),
    ),
    "drift.shape_red": (
        N_("Shape red"),
        N_("Share of training windows as unusual that is called a fault."),
    ),
    "drift.shape_red_odds": (
        N_("Shape red odds"),
        N_("For that a feature must be as rare as one window in this many."),
    ),
    "drift.shape_amber": (
        N_("Shape amber"),
        N_("Share of training windows as unusual that is called unusual."),
    ),
    "drift.shape_amber_odds": (
        N_("Shape amber odds"),
        N_("For that a feature must be as rare as one window in this many."),
    ),
    "drift.regime_percentile": (
        N_("Regime percentile"),
        N_("Share of training windows that must be calmer to be told."),
    ),
    "drift.regime_ratio": (
        N_("Regime ratio"),
        N_("Multiple of the volatility of training, or before, that is told."),
    ),
    "promotion.max_mape_ratio": (
        N_("Max MAPE ratio"),
        N_("Largest MAPE allowed, as a multiple of the naive one."),
    ),
    "alerts.sessions": (
        N_("Sessions"),
        N_("Last sessions over which live skill and coverage are judged."),
    ),
    "alerts.level": (
        N_("Level"),
        N_("Chance that a rule raises a false alarm within a year, though it looks every night."),
    ),
    "alerts.drift_red": (
        N_("Drift red"),
        N_("Sessions with red findings that are called lasting drift of a ticker."),
    ),
    "alerts.drift_sessions": (
        N_("Drift sessions"),
        N_("Last forecast sessions of a ticker among which these are counted."),
    ),
    "alerts.retrain": (
        N_("Retrain"),
        N_("Whether an alert of skill or coverage asks for a training, once."),
    ),
    "alerts.retrain_pause": (
        N_("Retrain pause"),
        N_("Days between two trainings that alerts of a universe ask for."),
    ),
    "alerts.notify": (
        N_("Notify"),
        N_("What is sent out: opened alerts, closed ones too (changes), or nothing."),
    ),
    "alerts.notify_pause": (
        N_("Notify pause"),
        N_("Hours between two messages about the same rule and ticker."),
    ),
    "schedule.cron": (
        N_("Schedule"),
        N_("When, in cron's five fields, for example `30 22 * * 1-5`; empty: never."),
    ),
    "schedule.timezone": (
        N_("Time zone"),
        N_("Time zone of these hours, for example America/Sao_Paulo."),
    ),
}

CHOICES = {
    "lstm": N_("LSTM"),
    "linear": N_("Linear (Student-t)"),
    "garch": N_("GARCH(1,1)"),
    "ewma": N_("EWMA"),
    "naive": N_("Naive"),
    "auto": N_("auto"),
    "cpu": N_("CPU"),
    "gpu": N_("GPU"),
    "isotonic": N_("Isotonic"),
    "none": N_("None"),
    "never": N_("Never"),
    "opened": N_("Opened alerts"),
    "changes": N_("Opened and closed alerts"),
}  # what a choice is called; it is stored by its name

# name: what it is called, what it changes, what it costs
PRESETS = {
    "quick": (
        N_("Quick"),
        N_("One small network of 16 units, at most 10 epochs."),
        N_("About half the default's time. Skill over naive on the sample: 1.2 %."),
    ),
    "default": (
        N_("Default"),
        N_("Three networks of 32 units that are averaged, at most 30 epochs."),
        N_("Some seconds on the bundled sample. Skill over naive there: 1.3 %."),
    ),
    "thorough": (
        N_("Thorough"),
        N_("Five networks of 64 units, at most 100 epochs, with more patience."),
        N_("About three times the default's time. Skill over naive on the sample: 1.4 %."),
    ),
    "classic": (
        N_("Classic"),
        N_("Two layers of 64 units, as in the design that stockcast replaces."),
        N_("About twice the default's time. Skill over naive on the sample: 1.3 %."),
    ),
}


def label_of(field: str) -> str:
    """What a field is called: section.field, or a section; itself where it is neither."""
    if field in FIELDS:
        label, _meaning = FIELDS[field]
        return _(label)
    return _(SECTIONS[field]).partition(":")[0] if field in SECTIONS else field


def meaning_of(field: str) -> str:
    """What a field means."""
    _label, meaning = FIELDS[field]
    return _(meaning)


def choice_words(choice: str) -> str:
    """What a choice is called."""
    return _(CHOICES[choice]) if choice in CHOICES else choice


def value_words(value: str) -> str:
    """A value as `shown` writes it, in the visitor's language."""
    if value in _WORDS:
        return _(_WORDS[value])
    return figures(value) if value.replace(".", "", 1).isdigit() else value
