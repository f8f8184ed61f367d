"""The Configuration page: presets, files, the form, versions, universes, and two people at once."""

from __future__ import annotations

from typing import Any

import pytest
from page_reading import OpenPage, assert_sound, told, unfold
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.presets import PRESETS
from stockcast.ui.config_fields import config_fields
from stockcast.ui.config_form import USUAL
from stockcast.ui.config_words import CHOICES, FIELDS, SECTIONS
from stockcast.ui.config_words import PRESETS as PRESET_WORDS
from stockcast.workspace import Workspace

NAME = "In YAML and commands"  # a column of what differs


def field(app: AppTest, name: str) -> Any:
    """The widget of a configuration field by the end of its key."""
    kinds = (app.number_input, app.text_input, app.selectbox, app.multiselect)
    return next(each for kind in kinds for each in kind if each.key and each.key.endswith(f"_{name}"))


def unfold_section(app: AppTest, section: str) -> AppTest:
    """Opens a folded section of the form."""
    return unfold(app, f"{field(app, 'windows_lookback').key.removesuffix('_windows_lookback')}_{section}")


def table(app: AppTest, alt: str) -> list[dict[str, Any]]:
    """The rows of the table whose description begins so."""
    found = [each.value for each in app.dataframe if each.proto.alt.startswith(alt)]
    return found[0].to_dict("records") if found else []


def differs(app: AppTest, column: str) -> dict[str, dict[str, str]]:
    """The rows of the table of changes that has such a column, by the field's name; its cells are Markdown."""
    rows = [
        {name.replace("\\", ""): str(cell).replace("\\", "").strip("`") for name, cell in row.items()}
        for each in app.table
        for row in each.value.to_dict("records")
    ]
    return {row[NAME]: row for row in rows if column in row}


def staged(app: AppTest) -> dict[str, str]:
    """What would be saved: the new value of each field that changes."""
    return {name: row["Entered"] for name, row in differs(app, "Entered").items()}


def save(app: AppTest) -> AppTest:
    return app.button(key="save_config").click().run()


def test_nothing_is_offered_to_be_saved_before_something_differs(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    assert_sound(app)
    assert not [button for button in app.button if button.key == "save_config"]
    assert "Nothing differs from what is in force." in told(app)


def test_a_change_is_shown_at_once_and_saved_with_its_note_and_author(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("configuration")
    field(app, "training_max_epochs").set_value(12).run()
    assert staged(app) == {"training.max_epochs": "12"}
    assert sample.configs.history(DEFAULT_UNIVERSE) == []
    field(app, "note").set_value("Faster")
    save(app)
    assert_sound(app)
    [saved] = sample.configs.history(DEFAULT_UNIVERSE)
    assert (saved.config.training.max_epochs, saved.note, saved.author) == (12, "Faster", "dashboard")
    assert "Version 1 of the universe default." in told(app)
    assert [row["Changed"] for row in table(app, "Saved configurations")] == ["training.max_epochs: 30 → 12", "–"]
    assert staged(app) == {}


def test_fields_that_disagree_are_told_at_once_and_nothing_is_lost(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    unfold_section(app, "split")
    field(app, "split_embargo").set_value(2).run()
    assert_sound(app)
    assert "split.embargo (2) must be at least windows.max_horizon (5)" in told(app)
    assert app.button(key="save_config").disabled
    field(app, "windows_max_horizon").set_value(2).run()
    assert staged(app) == {"windows.max_horizon": "2", "split.embargo": "2"}
    assert not app.button(key="save_config").disabled


@pytest.mark.parametrize(
    ("name", "entered", "words"),
    [
        ("schedule_cron", "every day", "Schedule (schedule.cron): must be five cron fields"),
        ("schedule_timezone", "Mars/Olympus", "must name a time zone"),
        ("universe_tickers", ["not a ticker"], "is not a ticker"),
        ("universe_tickers", ["ABC.QQ"], "No exchange calendar is known for the suffix '.QQ'"),
    ],
)
def test_what_cannot_be_meant_is_told_beside_its_field(
    sample: Workspace, open_page: OpenPage, name: str, entered: object, words: str
) -> None:
    app = open_page("configuration")
    field(app, name).set_value(entered).run()
    assert_sound(app)
    assert words in told(app)
    assert app.button(key="save_config").disabled


def test_what_was_entered_outlives_a_visit_to_another_page(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    field(app, "training_patience").set_value(9).run()
    app.switch_page("pages/api.py").run()
    app.switch_page("pages/configuration.py").run()
    assert_sound(app)
    assert field(app, "training_patience").value == 9
    assert staged(app) == {"training.patience": "9"}
    app.button(key="discard_config").click().run()
    assert field(app, "training_patience").value == 5


def test_a_preset_fills_the_form_keeps_the_rest_and_saves_nothing(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    field(app, "windows_lookback").set_value(40).run()
    app.button(key="preset_quick").click().run()
    assert_sound(app)
    assert (field(app, "network_members").value, field(app, "network_hidden_size").value) == (1, 16)
    assert field(app, "windows_lookback").value == 40
    assert app.button(key="preset_quick").disabled, "it is in the form already"
    assert sample.configs.history(DEFAULT_UNIVERSE) == []
    save(app)
    [saved] = sample.configs.history(DEFAULT_UNIVERSE)
    assert (saved.config.network.members, saved.config.windows.lookback) == (1, 40)
    assert "network.members: 3 → 1" in saved.note, "without a note the changes stand there"


def test_a_file_is_previewed_filled_in_and_then_saved(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    upload = app.file_uploader(key="import_config_default")
    upload.upload("mine.yaml", b"windows:\n  lookback: 90\nschedule:\n  cron: 30 22 * * 1-5\n").run()
    assert_sound(app)
    assert list(differs(app, "File")) == ["windows.lookback", "schedule.cron"]
    assert field(app, "windows_lookback").value == 60
    app.button(key="fill_import").click().run()
    assert field(app, "windows_lookback").value == 90
    assert sample.configs.history(DEFAULT_UNIVERSE) == []
    save(app)
    assert sample.config(DEFAULT_UNIVERSE).schedule.cron == "30 22 * * 1-5"


def test_a_file_with_bad_fields_is_refused_with_its_lines(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    content = b"windows:\n  max_horizn: 3\n"
    app.file_uploader(key="import_config_default").upload("bad.yaml", content).run()
    assert_sound(app)
    assert "The file is no configuration" in told(app)
    [row] = table(app, "What is wrong with the file")
    assert row == {
        "Line": "2",
        "Field": "windows.max_horizn",
        "What is wrong": "there is no such field (did you mean max_horizon?)",
    }
    assert not [button for button in app.button if button.key == "fill_import"]


def saved_twice(workspace: Workspace) -> None:
    for epochs in (10, 20):
        config = Config().with_overrides([f"training.max_epochs={epochs}"])
        workspace.configs.save(DEFAULT_UNIVERSE, config, f"{epochs} epochs", workspace.clock(), author="Ana")


def test_an_older_version_is_restored_as_a_new_one(sample: Workspace, open_page: OpenPage) -> None:
    saved_twice(sample)
    app = open_page("configuration", versions="1")
    assert_sound(app)
    assert "From version 0 to version 1" in told(app)
    assert "**Restoring version 1** would change this" in told(app)
    app.button(key="restore_config").click().run()
    assert_sound(app)
    newest, *older = sample.configs.history(DEFAULT_UNIVERSE)
    assert (newest.version, newest.config.training.max_epochs) == (3, 10)
    assert newest.note == "Restored version 1: 10 epochs"
    assert [each.author for each in (newest, *older)] == ["dashboard", "Ana", "Ana"]
    assert "Version 1 says the same as the one in force." in told(app)


def test_two_versions_are_compared(sample: Workspace, open_page: OpenPage) -> None:
    saved_twice(sample)
    app = open_page("configuration", versions="2-0")
    assert_sound(app)
    assert "From version 0 to version 2" in told(app)
    [row] = differs(app, "Version 2").values()
    assert row == {"Field": "Max epochs", "Version 0": "30", "Version 2": "20", NAME: "training.max_epochs"}


def test_a_version_that_came_in_between_is_told_with_both_sides(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    field(app, "training_patience").set_value(9).run()
    field(app, "windows_lookback").set_value(90).run()
    other = Config().with_overrides(["windows.lookback=40", "network.layers=2"])
    sample.configs.save(DEFAULT_UNIVERSE, other, "", sample.clock(), author="Ana")
    save(app)
    assert_sound(app)
    assert sample.configs.current(DEFAULT_UNIVERSE).author == "Ana", "nothing was saved over hers"
    assert "Version 1 was saved by Ana" in told(app)
    assert app.button(key="save_config").disabled
    assert field(app, "training_patience").value == 9
    assert "You both changed Lookback" in told(app)
    app.button(key="rebase_config").click().run()
    assert_sound(app)
    assert staged(app) == {"windows.lookback": "90", "training.patience": "9"}
    unfold_section(app, "network")
    assert field(app, "network_layers").value == 2
    save(app)
    merged = sample.config(DEFAULT_UNIVERSE)
    assert (merged.windows.lookback, merged.network.layers, merged.training.patience) == (90, 2, 9)
    assert sample.configs.current(DEFAULT_UNIVERSE).version == 2


def test_somebody_who_entered_nothing_sees_the_newer_version(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    saved_twice(sample)
    app.run()
    assert_sound(app)
    assert field(app, "training_max_epochs").value == 20
    assert "Somebody else" not in told(app)


def test_dropping_mine_takes_theirs(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    field(app, "training_patience").set_value(9).run()
    saved_twice(sample)
    app.run()
    app.button(key="drop_config").click().run()
    assert_sound(app)
    assert (field(app, "training_patience").value, field(app, "training_max_epochs").value) == (5, 20)
    assert staged(app) == {}


def test_what_differs_from_a_baseline_champion_is_told_without_its_network(
    sample: Workspace, open_page: OpenPage
) -> None:
    config = Config().with_overrides(["windows.lookback=90", "network.layers=2"])
    sample.configs.save(DEFAULT_UNIVERSE, config, "", sample.clock())
    app = open_page("configuration")
    assert_sound(app)
    assert list(differs(app, "Next training").values()) == [
        {"Field": "Lookback", "ewma v1": "60", "Next training": "90", NAME: "windows.lookback"},
        {"Field": "Kind of model", "ewma v1": "ewma", "Next training": "lstm", NAME: "model.kind"},
    ]
    assert "ewma v1 is a baseline: it has no network" in told(app)


def test_what_differs_from_a_trained_champion_is_told_with_its_network(
    trained_sample: Workspace, open_page: OpenPage
) -> None:
    trained_sample.promote(DEFAULT_UNIVERSE, "lstm", "so that it speaks")
    before = trained_sample.config(DEFAULT_UNIVERSE)
    after = before.with_overrides(["network.hidden_size=16"])
    trained_sample.configs.save(DEFAULT_UNIVERSE, after, "", trained_sample.clock())
    app = open_page("configuration")
    assert_sound(app)
    rows = differs(app, "Next training")
    assert (rows["network.hidden_size"]["lstm v2"], rows["network.hidden_size"]["Next training"]) == ("8", "16")
    assert rows["universe.tickers"]["lstm v2"] == "AAPL, IBM"
    assert "is a baseline" not in told(app)


def test_a_universe_is_created_and_chosen(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    app.text_input(key="new_universe").set_value("banks")
    app.multiselect(key="new_universe_tickers").set_value(["IBM", "msft"])
    app.button(key="create_universe_go").click().run()
    assert_sound(app)
    assert sample.config("banks").universe.tickers == ("IBM", "MSFT")
    assert app.query_params["universe"] == "banks"
    assert app.selectbox(key="universe_choice").value == "banks"
    assert "Version 1 of the universe banks." in told(app)


@pytest.mark.parametrize(("name", "words"), [("a b", "cannot name a universe"), ("Default", "default already")])
def test_a_name_that_cannot_be_is_refused_and_stays_in_its_field(
    sample: Workspace, open_page: OpenPage, name: str, words: str
) -> None:
    app = open_page("configuration")
    app.text_input(key="new_universe").set_value(name)
    app.button(key="create_universe_go").click().run()
    assert_sound(app)
    assert words in told(app)
    assert app.text_input(key="new_universe").value == name
    assert sample.universes() == [DEFAULT_UNIVERSE]


def test_a_universe_is_renamed_and_stays_chosen(sample: Workspace, open_page: OpenPage) -> None:
    sample.universe_desk.create("banks", ["IBM"])
    champion = sample.champion("banks")
    app = open_page("configuration", universe="banks")
    app.text_input(key="renamed_universe").set_value("money")
    app.button(key="rename_universe_go").click().run()
    assert_sound(app)
    assert sample.universes() == [DEFAULT_UNIVERSE, "money"]
    assert app.query_params["universe"] == "money"
    assert "Version 1 of the universe money." in told(app)
    assert sample.champion("money").run_id == champion.run_id


def test_the_default_universe_keeps_its_name(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    assert "The default universe is always there and keeps its name." in told(app)
    assert not [field for field in app.text_input if field.key == "renamed_universe"]


def test_the_next_three_moments_of_a_schedule_are_told_by_several_clocks(
    sample: Workspace, open_page: OpenPage
) -> None:
    app = open_page("configuration")
    field(app, "schedule_timezone").set_value("America/Sao_Paulo")
    field(app, "schedule_cron").set_value("30 22 * * 1-5").run()
    assert_sound(app)
    rows = table(app, "The next three moments")
    assert len(rows) == 3
    assert {"Sao Paulo", "UTC", "XNYS · New York"} <= rows[0].keys()
    assert all(row["Sao Paulo"].endswith("22:30") and row["UTC"].endswith("01:30") for row in rows)


def test_without_prices_the_form_is_there_and_says_what_comes_first(empty: Workspace, open_page: OpenPage) -> None:
    app = open_page("configuration")
    assert_sound(app)
    assert "Nobody speaks yet" in told(app)
    field(app, "windows_lookback").set_value(40).run()
    save(app)
    assert empty.config(DEFAULT_UNIVERSE).windows.lookback == 40


def test_every_field_has_a_label_and_the_explanation_of_the_schema() -> None:
    assert set(FIELDS) == {each.whole for each in config_fields()}
    assert {name: meaning for name, (_label, meaning) in FIELDS.items()} == {
        each.whole: each.description for each in config_fields()
    }
    assert set(SECTIONS) == set(Config.model_fields)
    assert {choice for each in config_fields() for choice in each.choices} == set(CHOICES)
    assert set(USUAL) <= set(FIELDS)
    labels = [label for label, _meaning in FIELDS.values()]
    assert len(labels) == len(set(labels)), "two fields cannot be told apart"


def test_the_words_of_the_presets_are_those_of_the_presets() -> None:
    told_of = {name: (changes, cost) for name, (_label, changes, cost) in PRESET_WORDS.items()}
    assert told_of == {name: (each.changes, each.cost) for name, each in PRESETS.items()}


def test_a_first_visit_begins_with_the_default_universe(sample: Workspace, open_page: OpenPage) -> None:
    sample.universe_desk.create("alpha", ["IBM"])
    app = open_page("configuration")
    assert app.query_params["universe"] == DEFAULT_UNIVERSE
    assert app.selectbox(key="universe_choice").value == DEFAULT_UNIVERSE


def test_a_folded_section_says_how_much_of_it_was_set_by_somebody(sample: Workspace, open_page: OpenPage) -> None:
    config = Config().with_overrides(["drift.jump=0.5", "drift.jump_sigmas=20", "network.hidden_size=16"])
    sample.configs.save(DEFAULT_UNIVERSE, config, "", sample.clock())
    app = open_page("configuration")
    labels = [each.label for each in app.expander]
    assert "Drift: when the input is called unusual (2 fields not at the default)" in labels
    assert "Network: the size of the LSTM" in labels, "the units are a usual knob, in sight"
