"""What a search for better settings may change, within which bounds, and what it must leave alone.

Every trial is scored on the same targets of the same sessions, or no two could be compared. So the horizon, the
split, the tickers and the way in which validation is cut into chunks are no part of it. Lookback is: the sessions
whose targets count are the same for every length of it (a test holds that), as long as the same tickers take part.
Members, epochs and patience are left alone as they are a matter of cost, and the seed as it would reward luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from stockcast.config import Config
from stockcast.errors import InvalidRequest

How = Literal["complete", "pruned", "failed"]  # a trial can end
Value = int | float
Parameters = Mapping[str, Value]  # a field of the configuration, section.field, to its value


class Range(BaseModel):
    """The values that a field may take in a search, both ends included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str  # section.field
    low: float
    high: float
    log: bool = False  # whether values are drawn evenly by their order of magnitude
    whole: bool = False

    def put(self, value: float) -> Value:
        """A value as the configuration takes it: whole, or of three figures."""
        return round(value) if self.whole else float(f"{value:.3g}")

    def nearest(self, value: float) -> Value:
        """The value itself, or else the end of the range that is next to it."""
        found = min(max(value, self.low), self.high)
        return int(found) if self.whole else found

    def around(self, value: float) -> Range:
        """The same, wide enough for a value; a logarithmic range cannot hold 0."""
        low = self.low if self.log and value <= 0 else min(self.low, value)
        return self.model_copy(update={"low": low, "high": max(self.high, value)})


SPACE: Mapping[str, Range] = {
    each.field: each
    for each in (
        Range(field="training.learning_rate", low=1e-4, high=1e-2, log=True),
        Range(field="training.weight_decay", low=1e-5, high=1e-1, log=True),
        Range(field="training.batch_size", low=8, high=128, log=True, whole=True),
        Range(field="training.hide_inputs", low=0.0, high=0.6),
        Range(field="network.hidden_size", low=8, high=128, log=True, whole=True),
        Range(field="network.layers", low=1, high=3, whole=True),
        Range(field="network.dropout", low=0.0, high=0.5),
        Range(field="windows.lookback", low=20, high=120, whole=True),
    )
}
# What is searched when nobody says more: few enough for some twenty trials.
USUAL = ("training.learning_rate", "training.weight_decay", "training.batch_size", "network.hidden_size")
ALL = "all"

# Trials before it is told which setting matters. Where one of four does, 16 name it in 11 of 12 searches,
# 12 in 9; with noise of a tenth of its range in 10 and 7. What Optuna takes when not told how: half of them.
ENOUGH = 16


def space_of(config: Config, names: Sequence[str]) -> tuple[Range, ...]:
    """The ranges of the named fields (none: the USUAL ones; `all`), each wide enough for its present value.

    Raises InvalidRequest for a field that is not searched, or that would change nothing.
    """
    wanted = tuple(SPACE) if ALL in names else tuple(dict.fromkeys(names)) or USUAL
    for name in wanted:
        if name not in SPACE:
            raise InvalidRequest(
                f"{name[:60]!r} is no setting that a search may change.",
                f"Choose of: {', '.join(SPACE)}, or {ALL}.",
            )
    if "network.dropout" in wanted and "network.layers" not in wanted and config.network.layers == 1:
        if ALL not in names:
            raise InvalidRequest(
                "Dropout acts between LSTM layers, and this network has one.",
                "Search network.layers too, or leave network.dropout out.",
            )
        wanted = tuple(name for name in wanted if name != "network.dropout")
    present = parameters_of(config, wanted)
    return tuple(SPACE[name].around(present[name]) for name in wanted)


def parameters_of(config: Config, names: Sequence[str]) -> dict[str, Value]:
    """The values of some fields."""
    data = config.model_dump(mode="json")
    return {name: data[name.partition(".")[0]][name.partition(".")[2]] for name in names}


def with_parameters(config: Config, parameters: Parameters) -> Config:
    """The configuration with other values. Raises InvalidConfig when one is out of bounds."""
    return config.with_overrides([f"{name}={value!r}" for name, value in parameters.items()])


def widest(config: Config, space: Sequence[Range]) -> Config:
    """The configuration with the longest lookback of a space: who has enough history for it takes part."""
    longest = next((int(each.high) for each in space if each.field == "windows.lookback"), 0)
    return with_parameters(config, {"windows.lookback": max(longest, config.windows.lookback)})
