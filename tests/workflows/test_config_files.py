"""Configurations as YAML: what is exported is read back, and what cannot be meant is told with its line."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import Config, parse_config
from stockcast.config_versions import ConfigVersion
from stockcast.errors import InvalidConfig
from stockcast.workflows.compare_configs import compare_configs, merged
from stockcast.workflows.export_config import export_config, fields, file_name
from stockcast.workflows.import_config import MOST_BYTES, import_config

# Words that YAML would take for something else: NO, ON and Y for truth values, 1E5 for a number.
TICKERS = st.sampled_from(
    ["AAPL", "NO", "ON", "Y", "1E5", "0X1F", "^BVSP", "BRK-B", "CMIG4.SA", "EURUSD=X", "NULL"]
)
CONFIGS = st.builds(
    lambda tickers, rate, decay, train, seed, cron, zone, lookback: parse_config(
        {
            "universe": {"tickers": tickers},
            "windows": {"lookback": lookback},
            "split": {"train": train},
            "training": {"learning_rate": rate, "weight_decay": decay, "seed": seed},
            "schedule": {"cron": cron, "timezone": zone},
        }
    ),
    st.lists(TICKERS, unique=True, max_size=8),
    st.floats(min_value=1e-12, max_value=0.1),
    st.floats(min_value=0, max_value=1),
    st.floats(min_value=0.4, max_value=0.79),
    st.integers(min_value=0, max_value=2**31 - 1),
    st.sampled_from(["", "30 22 * * 1-5", "0 0 1 1 *", "*/7 * * * *", "5 4 * * 0#1"]),
    st.sampled_from(["UTC", "America/Sao_Paulo", "Etc/GMT+5"]),
    st.integers(min_value=20, max_value=250),
)


def version(config: Config, number: int = 3) -> ConfigVersion:
    return ConfigVersion("banks", number, None, "", config)


def sentences(content: bytes, base: Config | None = None) -> list[str]:
    imported = import_config(content, base or Config())
    assert imported.config is None
    return [problem.sentence for problem in imported.problems]


@given(CONFIGS, CONFIGS)
def test_what_is_exported_is_read_back_as_it_was_whatever_was_in_force(config: Config, present: Config) -> None:
    assert import_config(export_config(version(config)).encode(), present).required() == config


def test_the_file_says_what_it_is_and_explains_every_field() -> None:
    text = export_config(version(Config()))
    assert text.startswith("# stockcast: the configuration of the universe banks, version 3.\n")
    assert "  lookback: 60  # Closes that the network reads, in sessions.\n" in text
    assert all(f"\n  {name.split('.')[1]}: " in text for name in fields())
    assert file_name(version(Config())) == "stockcast-banks-v3.yaml"


def test_a_file_of_some_fields_leaves_the_others_as_they_are_in_force() -> None:
    base = Config().with_overrides(["network.layers=3"])
    read = import_config(
        b"\xef\xbb\xbfuniverse: {tickers: [ibm, 'petr4.sa', IBM]}\nwindows:\n  lookback: 90\n", base
    )
    assert read.required() == base.with_overrides(["windows.lookback=90", "universe.tickers=[IBM, PETR4.SA]"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"windows:\n  lookback: 5\n", "line 2, windows.lookback: Input should be greater than or equal to 20"),
        (b"\nwindows:\n  lookbak: 5\n", "line 3, windows.lookbak: there is no such field (did you mean look"),
        (b"window:\n  lookback: 60\n", "line 1, window: there is no such section (did you mean windows?)"),
        (b"lookback: 60\n", "line 1, lookback: there is no such section (did you mean windows.lookback?)"),
        (b"windows:\n  max_epochs: 9\n", "did you mean training.max_epochs?"),
        (b"qqqq: 1\n", "line 1, qqqq: there is no such section"),
        (b"windows: 60\n", "line 1, windows: its fields must stand below it"),
        (b"windows:\n  lookback: 60\n  lookback: 90\n", "line 3, windows.lookback: the field stands there twice"),
        (b"windows: {}\nwindows: {}\n", "line 2, windows: the section stands there twice"),
        (b"windows:\n  lookback: yes\n", "must be a number or a word, not true or false"),
        (b"universe:\n  tickers: [NO]\n", "line 2, universe.tickers"),
        (b"universe:\n  tickers: ['a b']\n", "line 2, universe.tickers: 'a b' is not a ticker"),
        (b"universe:\n  tickers: [ABC.QQ]\n", "No exchange calendar is known for the suffix"),
        (b"split:\n  embargo: 2\n", "configuration: split.embargo (2) must be at least windows.max_horizon (5)"),
        (b"schedule:\n  cron: often\n", "line 2, schedule.cron: must be five cron fields"),
        (b"windows:\n  lookback: 2024-13-45\n", "line 2, windows.lookback: the value cannot be read"),
        (b"windows:\n  lookback: !!python/object/apply:os.system ['true']\n", "the value cannot be read"),
        (b"windows: [\n", "line 2: this is no YAML"),
        (b"a: b\n--- \nc: d\n", "this is no YAML"),
        (b"- windows\n", "line 1: the file must name sections"),
        (b"a: &x [1]\nb: *x\n", "line 1: anchors and aliases (& and *) are not read"),
        (b"a: [[[[[[[[1]]]]]]]]\n", "nested deeper than a configuration"),
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"\xff\xfe\x00", "the file is not text in UTF-8"),
        (b"a: \x00\n", "this is no YAML"),
        (b" " * (MOST_BYTES + 1), "a configuration has at most 64,000"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_with_its_line_and_the_nearest_name(content: bytes, told: str) -> None:
    found = sentences(content)
    assert any(told in sentence for sentence in found), found


def test_everything_that_is_wrong_is_told_at_once() -> None:
    content = b"windows:\n  lookback: 5\n  max_horizon: 9\n  x: 1\nnetwork:\n  layers: many\n"
    assert [sentence.split(":")[0] for sentence in sentences(content)] == [
        "line 2, windows.lookback", "line 3, windows.max_horizon", "line 4, windows.x", "line 6, network.layers",
    ]  # fmt: skip
    with pytest.raises(InvalidConfig, match=r"line 2, windows\.lookback.*; line 3.*; line 4.*; line 6"):
        import_config(content, Config()).required()


@given(st.one_of(st.binary(max_size=300), st.text(alphabet=string.printable, max_size=300).map(str.encode)))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    imported = import_config(content, Config())
    assert (imported.config is None) == bool(imported.problems)


def test_a_thousand_lists_inside_one_another_are_refused_quickly() -> None:
    assert "nested deeper" in sentences(b"a: " + b"[" * 30_000)[0]


@given(CONFIGS, CONFIGS, CONFIGS)
def test_my_changes_on_top_of_theirs_keep_both(base: Config, mine: Config, theirs: Config) -> None:
    data, both = merged(base, mine, theirs)
    together = parse_config(data)
    mine_fields = {change.field for change in compare_configs(base, mine)}
    their_fields = {change.field for change in compare_configs(base, theirs)}
    changed = {change.field: change.after for change in compare_configs(base, together)}
    assert {name: changed[name] for name in mine_fields} == {
        change.field: change.after for change in compare_configs(base, mine)
    }
    assert changed.keys() == mine_fields | their_fields
    assert set(both) <= mine_fields & their_fields
    assert merged(base, base, theirs) == (theirs.model_dump(mode="json"), [])
