"""Presets: named sizes of a training, as data beside the schema.

A preset says how large a network is and how long it is fitted. It leaves alone which tickers are learnt from, how
the history is cut, and everything about drift, alerts and schedule.
"""

from __future__ import annotations

from dataclasses import dataclass

from stockcast.config import Config
from stockcast.errors import InvalidConfig

SECTIONS = ("model", "network", "training")  # what a preset sets, its own fields and all others to their defaults


@dataclass(frozen=True)
class Preset:
    """What it changes of the defaults, and both that and what it costs in words."""

    assignments: tuple[str, ...]
    changes: str
    cost: str


# Measured on two cores on the bundled sample, where the default takes 5 to 7 seconds and 10 of processor time. The
# differences in skill are those of one seed: they are no promise for other tickers.
PRESETS: dict[str, Preset] = {
    "quick": Preset(
        ("training.max_epochs=10", "training.patience=3", "network.hidden_size=16", "network.members=1"),
        "One small network of 16 units, at most 10 epochs.",
        "About half the default's time. Skill over naive on the sample: 1.2 %.",
    ),
    "default": Preset(
        (),
        "Three networks of 32 units that are averaged, at most 30 epochs.",
        "Some seconds on the bundled sample. Skill over naive there: 1.3 %.",
    ),
    "thorough": Preset(
        ("training.max_epochs=100", "training.patience=12", "network.hidden_size=64", "network.members=5"),
        "Five networks of 64 units, at most 100 epochs, with more patience.",
        "About three times the default's time. Skill over naive on the sample: 1.4 %.",
    ),
    "classic": Preset(
        ("network.layers=2", "network.hidden_size=64"),
        "Two layers of 64 units, as in the design that stockcast replaces.",
        "About twice the default's time. Skill over naive on the sample: 1.3 %.",
    ),
}


def preset(name: str, base: Config | None = None) -> Config:
    """`base` with the network and the training of a preset. Raises InvalidConfig for an unknown name."""
    if name not in PRESETS:
        raise InvalidConfig(f"There is no preset '{name}'.", f"Choose one of: {', '.join(PRESETS)}.")
    fresh = Config()
    kept = (base or fresh).model_copy(update={section: getattr(fresh, section) for section in SECTIONS})
    return kept.with_overrides(PRESETS[name].assignments)
