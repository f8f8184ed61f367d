"""Configuration: explained, bounded, and accepted whole or refused whole."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stockcast.config import Config, parse_config
from stockcast.errors import InvalidConfig
from stockcast.presets import PRESETS, preset

FIELDS = [
    (section, name, field)
    for section, info in Config.model_fields.items()
    for name, field in info.annotation.model_fields.items()  # type: ignore[union-attr]
]
NUMBERS = [
    (f"{section}.{name}", field.annotation) for section, name, field in FIELDS if field.annotation in (int, float)
]


def test_every_field_is_explained_and_every_number_bounded_on_both_sides() -> None:
    assert len(FIELDS) >= 20
    schema = Config.model_json_schema()
    for section, name, field in FIELDS:
        assert field.description, f"{section}.{name}"
        assert field.description.endswith("."), f"{section}.{name}"
        if field.annotation in (int, float):
            reference = schema["properties"][section].get("$ref", "").rsplit("/", 1)[-1]
            entry = schema["$defs"][reference]["properties"][name]
            assert {"minimum", "exclusiveMinimum"} & set(entry), f"{section}.{name} has no lower bound"
            assert {"maximum", "exclusiveMaximum"} & set(entry), f"{section}.{name} has no upper bound"


def test_the_lookback_is_sixty_closes_unless_somebody_says_otherwise() -> None:
    assert Config().windows.lookback == 60
    assert Config().windows.max_horizon == 5


@pytest.mark.parametrize(
    ("assignment", "section", "field", "value"),
    [
        ("training.learning_rate=1e-3", "training", "learning_rate", 1e-3),
        ("training.learning_rate=.01", "training", "learning_rate", 0.01),
        ("training.max_epochs=1e2", "training", "max_epochs", 100),
        (" training.max_epochs = 30", "training", "max_epochs", 30),
        ("training.accelerator=cpu", "training", "accelerator", "cpu"),
        ("universe.tickers=[AAPL, MSFT]", "universe", "tickers", ("AAPL", "MSFT")),
        ("universe.tickers=[]", "universe", "tickers", ()),
        ("network.dropout=0", "network", "dropout", 0.0),
        ("schedule.cron=30 22 * * 1-5", "schedule", "cron", "30 22 * * 1-5"),
        ("schedule.cron='  30  22 *   * MON-FRI '", "schedule", "cron", "30 22 * * MON-FRI"),
        ("schedule.cron='*/15 9-17 1,15 * *'", "schedule", "cron", "*/15 9-17 1,15 * *"),
        ("schedule.cron=''", "schedule", "cron", ""),
        ("schedule.timezone=America/Sao_Paulo", "schedule", "timezone", "America/Sao_Paulo"),
        ("schedule.timezone=UTC", "schedule", "timezone", "UTC"),
    ],
)
def test_assignments_are_read_as_people_write_them(
    assignment: str, section: str, field: str, value: object
) -> None:
    changed = Config().with_overrides([assignment])
    assert getattr(getattr(changed, section), field) == value
    if value != getattr(getattr(Config(), section), field):
        assert changed != Config()


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("training.max_epochs", "not a configuration assignment"),
        ("max_epochs=3", "not a configuration assignment"),
        ("", "not a configuration assignment"),
        ("training.speed=3", "no configuration field 'training.speed'"),
        ("trainer.max_epochs=3", "no configuration field"),
        ("training.max_epochs.of=3", "no configuration field"),
        ("training.max_epochs=0", "training.max_epochs: .*greater than or equal to 1"),
        ("training.max_epochs=1001", "training.max_epochs: .*less than or equal to 1000"),
        ("training.learning_rate=0", "training.learning_rate: .*greater than 0"),
        ("training.max_epochs=many", "training.max_epochs: .*integer"),
        ("training.max_epochs=30.5", "training.max_epochs: .*integer"),
        ("training.max_epochs=", "training.max_epochs: "),
        ("training.max_epochs=[1", "training.max_epochs: '\\[1' cannot be read"),
        ("training.max_epochs=2020-13-45", "training.max_epochs: '2020-13-45' cannot be read"),
        ("training.max_epochs=!!int abc", "training.max_epochs: .*cannot be read"),
        ("training.max_epochs=" + "9" * 5000, "training.max_epochs: .*cannot be read"),
        ("training.max_epochs=&a [*a]", "training.max_epochs: "),
        ("training.learning_rate=nan", "training.learning_rate: .*finite"),
        ("training.learning_rate=.inf", "training.learning_rate: .*finite"),
        ("training.learning_rate=1e400", "training.learning_rate: .*finite"),
        ("training.accelerator=tpu", "training.accelerator: "),
        ("training.max_epochs=yes", "training.max_epochs: .*number"),
        ("training.weight_decay=true", "training.weight_decay: .*number"),
        ("universe.tickers=AAPL", "universe.tickers: "),
        ("universe.tickers=[1]", "universe.tickers.0: .*string"),
        ("split.embargo=4", "split.embargo \\(4\\) must be at least windows.max_horizon \\(5\\)"),
        ("split.train=0.85", "at least 5 % of the sessions"),
        ("schedule.cron=daily", "schedule.cron: must be five cron fields such as 30 22"),
        ("schedule.cron='@daily'", "schedule.cron: must be five cron fields"),
        ("schedule.cron='0 22 * *'", "schedule.cron: must be five cron fields.*not five fields"),
        ("schedule.cron='0 0 22 * * *'", "schedule.cron: must be five cron fields.*not five fields"),
        ("schedule.cron='60 22 * * *'", "schedule.cron: must be five cron fields"),
        ("schedule.cron='0 24 * * *'", "schedule.cron: must be five cron fields"),
        ("schedule.cron='0 22 * * 8'", "schedule.cron: must be five cron fields"),
        ("schedule.cron='0 0 30 2 *'", "schedule.cron: must be five cron fields"),
        ("schedule.cron='a b c d e'", "schedule.cron: must be five cron fields"),
        ("schedule.cron='5-1 * * * *'", "schedule.cron: must be five cron fields"),
        ("schedule.cron=22", "schedule.cron: .*string"),
        ("schedule.cron='" + "1," * 60 + "1 * * * *'", "schedule.cron: .*at most 100 characters"),
        ("schedule.timezone=Mars/Olympus", "schedule.timezone: must name a time zone"),
        ("schedule.timezone=", "schedule.timezone: "),
        ("schedule.timezone=''", "schedule.timezone: must name a time zone"),
        ("schedule.timezone=/etc/passwd", "schedule.timezone: must name a time zone"),
        ("schedule.timezone=../UTC", "schedule.timezone: must name a time zone"),
        ("schedule.timezone=America", "schedule.timezone: must name a time zone"),
        ("schedule.timezone=" + "A" * 61, "schedule.timezone: .*at most 60 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_named(assignment: str, told: str) -> None:
    with pytest.raises(InvalidConfig, match=told) as refused:
        Config().with_overrides([assignment])
    assert refused.value.hint
    assert len(refused.value.message) < 400


def test_an_unknown_field_is_answered_with_those_that_exist() -> None:
    with pytest.raises(InvalidConfig) as refused:
        Config().with_overrides(["training.speed=3"])
    for section, name, _ in FIELDS:
        assert f"{section}.{name}" in refused.value.hint


def test_assignments_are_judged_together() -> None:
    both = ["windows.max_horizon=2", "split.embargo=2"]
    assert Config().with_overrides(both).split.embargo == 2
    assert Config().with_overrides(reversed(both)).split.embargo == 2


@given(st.sampled_from(NUMBERS), st.floats(allow_nan=True) | st.integers())
def test_a_number_is_taken_as_it_is_or_refused_whole(field: tuple[str, type], value: float) -> None:
    name, _ = field
    section, key = name.split(".")
    try:
        changed = Config().with_overrides([f"{name}={value}"])
    except InvalidConfig:
        return
    assert getattr(getattr(changed, section), key) == value
    assert changed.model_dump() == {
        **Config().model_dump(),
        section: {**Config().model_dump()[section], key: value},
    }


@given(st.text(max_size=40))
def test_no_text_is_more_than_refused(text: str) -> None:
    for name in (
        "training.max_epochs", "universe.tickers", "training.accelerator", "schedule.cron", "schedule.timezone",
    ):  # fmt: skip
        with contextlib.suppress(InvalidConfig):
            Config().with_overrides([f"{name}={text}"])


@pytest.mark.parametrize(
    "data",
    [
        {"training": {"speed": 1}},
        {"engine": {}},
        {"training": None},
        {"training": {"max_epochs": True}},
        {"training": {"learning_rate": float("inf")}},
        {"universe": {"tickers": ["A"] * 501}},
    ],
)
def test_plain_data_that_is_no_configuration_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(InvalidConfig, match="given: "):
        parse_config(data)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_and_round_trips_through_json(name: str) -> None:
    config = preset(name)
    assert parse_config(config.model_dump(mode="json")) == config
    assert (config == Config()) == (name == "default")


def test_a_preset_keeps_what_it_does_not_mention() -> None:
    base = Config().with_overrides(["windows.lookback=40"])
    assert preset("quick", base).windows.lookback == 40
    with pytest.raises(InvalidConfig, match="no preset 'fast'") as refused:
        preset("fast")
    assert "quick" in refused.value.hint


USUAL = st.sampled_from(["*", "0", "22", "*/7", "1-5", "1,15", "MON-FRI", "L", "31", "5#2"])
ODD = st.from_regex(r"[0-9*/,\-LW#?A-Z]{1,8}", fullmatch=True)


@given(st.lists(USUAL | ODD, min_size=4, max_size=6).map(" ".join))
def test_a_schedule_that_is_accepted_comes_again_and_again(cron: str) -> None:
    try:
        config = parse_config({"schedule": {"cron": cron}})
    except InvalidConfig:
        return
    assert config.schedule.cron == cron
    moments = CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC))
    first, second = next(moments), next(moments)
    assert datetime(2024, 1, 1, tzinfo=UTC) < first < second


@given(st.text(max_size=70))
def test_a_time_zone_that_is_accepted_tells_the_time(name: str) -> None:
    try:
        config = parse_config({"schedule": {"timezone": name}})
    except InvalidConfig:
        return
    assert datetime(2024, 1, 1, tzinfo=ZoneInfo(config.schedule.timezone)).utcoffset() is not None


def test_nothing_is_scheduled_unless_somebody_says_so() -> None:
    assert (Config().schedule.cron, Config().schedule.timezone) == ("", "UTC")


def test_a_configuration_of_before_the_schedule_can_still_be_read() -> None:
    data = Config().model_dump(mode="json")
    del data["schedule"]
    assert parse_config(data) == Config()


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Config().training.max_epochs = 3  # type: ignore[misc]
