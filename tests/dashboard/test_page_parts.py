"""The parts of the pages that need no page: words, tables, suggestions, the error table."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from stockcast import errors
from stockcast.config import Config, parse_config
from stockcast.config_versions import ConfigVersion
from stockcast.registry.versions import ModelVersion
from stockcast.ui import format as written
from stockcast.ui.config_changes import config_changes, parameter_changes
from stockcast.ui.config_fields import config_fields
from stockcast.ui.config_history import history_table
from stockcast.ui.error_boundary import TELLINGS
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.forecast_table import csv_bytes
from stockcast.ui.next_steps import next_steps
from stockcast.ui.price_download import tickers_in
from stockcast.ui.price_preview import ticker_of_name
from stockcast.workflows.forecast import Answer

GLUE = "\N{NO-BREAK SPACE}"


def leaves(kind: type[errors.StockcastError]) -> list[type[errors.StockcastError]]:
    children = kind.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [kind]


@pytest.mark.parametrize("kind", leaves(errors.StockcastError))
def test_every_leaf_of_the_error_tree_has_its_telling(kind: type[errors.StockcastError]) -> None:
    assert kind in TELLINGS


@given(st.text(max_size=200))
def test_escaped_text_reads_as_itself_and_means_nothing(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"x{plain(text)}")
    [paragraph] = [token for token in tokens if token.type == "inline"]
    assert {child.type for child in paragraph.children or []} <= {"text", "text_special"}
    shown = "".join(child.content for child in paragraph.children or [])
    assert shown == f"x{' '.join(text.split())}".replace("\x00", "\ufffd").rstrip()


def test_a_figure_in_a_list_stays_on_one_line_with_its_percent_sign() -> None:
    assert bullets(["skill -0.09 % over", "fell 5 %"]) == "- skill \\-0\\.09\u00a0\\% over\n- fell 5\u00a0\\%"


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [(56.139, "USD", "56.14 USD"), (1234567.0, "JPY", "1,234,567.00 JPY"), (0.012345, "BRL", "0.01235 BRL"),
     (4500.5, None, "4,500.50"), (math.nan, "USD", "– USD")],
)  # fmt: skip
def test_money_is_written_with_its_currency(value: float, currency: str | None, shown: str) -> None:
    assert written.money(value, currency).replace(GLUE, " ") == shown


def test_a_change_has_its_sign_and_zero_is_never_negative() -> None:
    assert written.signed_percent(0.0042) == f"+0.42{GLUE}%"
    assert written.signed_percent(-0.00001) == f"+0.00{GLUE}%"
    assert written.percent(0.7995) == f"80.0{GLUE}%"


def test_tickers_are_read_from_any_list() -> None:
    assert tickers_in(" aapl, PETR4.SA;ibm\nAAPL ") == ["AAPL", "PETR4.SA", "IBM"]
    assert tickers_in(" , ; ") == []


@pytest.mark.parametrize(
    ("name", "ticker"),
    [("CMIG4.SA.csv", "CMIG4.SA"), ("aapl.xlsx", "AAPL"), ("prices 2024.csv", ""), ("../../x.csv", ""),
     ("report.final.csv", "")],
)  # fmt: skip
def test_a_file_name_suggests_a_ticker_only_where_it_is_one(name: str, ticker: str) -> None:
    assert ticker_of_name(name) == ticker


def test_the_form_has_every_field_with_its_bounds_and_default() -> None:
    fields = config_fields()
    data = Config().model_dump(mode="json")
    assert [(field.section, field.name) for field in fields] == [
        (section, name) for section, values in data.items() for name in values
    ]
    for field in fields:
        assert field.description.endswith(".")
        if field.kind in ("whole", "number"):
            assert field.least <= data[field.section][field.name] <= field.most
            assert 0 < field.step <= (field.most - field.least) / 2


def test_one_step_from_the_default_is_still_accepted_where_nothing_else_depends_on_it() -> None:
    for field in config_fields():
        if field.kind == "number" and field.section != "split":
            data = Config().model_dump(mode="json")
            moved = data[field.section][field.name] - field.step
            data[field.section][field.name] = moved if moved > field.least else moved + 2 * field.step
            parse_config(data)


def test_changes_are_told_field_by_field() -> None:
    changed = Config().with_overrides(["training.max_epochs=12", "universe.tickers=[AAPL, IBM]"])
    assert [change.sentence for change in config_changes(Config(), changed)] == [
        "universe.tickers: all stored → AAPL, IBM",
        "training.max_epochs: 30 → 12",
    ]
    assert config_changes(changed, changed) == []


def test_a_run_differs_from_the_defaults_only_where_it_does() -> None:
    parameters = {
        f"{section}.{name}": str(value)
        for section, values in Config().model_dump(mode="json").items()
        for name, value in values.items()
    }
    assert parameter_changes(parameters) == []
    [change] = parameter_changes({**parameters, "network.layers": "2", "split.train_end": "2011-03-17"})
    assert change.sentence == "network.layers: 1 → 2"


def test_the_history_tells_what_each_version_changed() -> None:
    first = Config().with_overrides(["training.max_epochs=12"])
    second = first.with_overrides(["network.layers=2"])
    when = datetime(2024, 1, 2, tzinfo=UTC)
    history = [ConfigVersion("u", 2, when, "Deeper", second), ConfigVersion("u", 1, when, "Faster", first)]
    table = history_table([*history, ConfigVersion("u", 0, None, "defaults", Config())])
    assert table["Changed"].tolist() == ["network.layers: 1 → 2", "training.max_epochs: 30 → 12", "–"]
    assert table["In force"].tolist() == [True, False, False]


def version(kind: str) -> ModelVersion:
    now = datetime(2024, 1, 2, tzinfo=UTC)
    return ModelVersion("stockcast-default", "1", kind, "r", "1", now, None, (), ("champion",), True, (), "")


@pytest.mark.parametrize(
    ("kind", "only_sample", "stale", "labels"),
    [
        ("ewma", True, True, ["Train the LSTM", "Find out whether to trust it", "Bring your own tickers"]),
        ("ewma", False, True, ["Train the LSTM", "Find out whether to trust it", "Update the prices"]),
        ("lstm", False, False, ["Change the configuration", "Train again", "Compare the runs"]),
    ],
)
def test_suggestions_follow_from_what_there_is(
    kind: str, only_sample: bool, stale: bool, labels: list[str]
) -> None:
    assert [step.label for step in next_steps(version(kind), only_sample, stale)] == labels


def test_the_downloaded_table_keeps_full_precision(aapl_answer: Answer) -> None:
    header, first, *rest = csv_bytes(aapl_answer).decode().splitlines()
    assert len(rest) == 4
    values = dict(zip(header.split(","), first.split(","), strict=True))
    assert float(values["low_80"]) == aapl_answer.forecast.interval(0.8)[0][0]
    assert (values["session"], values["currency"], values["kind"]) == ("2013-03-04", "USD", "ewma")
