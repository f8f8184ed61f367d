"""What an import would replace is told before it happens, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stockcast.database import Database
from stockcast.prices.file import FilePrices
from stockcast.prices.frame import PriceFrame
from stockcast.prices.price_export import export_csv
from stockcast.prices.source import FetchedPrices, PriceReport, shape_question
from stockcast.prices.store import PriceStore
from stockcast.workflows.preview_import import ImportPreview, preview_import


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PriceStore]:
    database = Database(f"sqlite:///{tmp_path / 'stockcast.db'}")
    yield PriceStore(database)
    database.close()


@pytest.fixture
def frame(make_frame: Callable[..., PriceFrame]) -> PriceFrame:
    return make_frame(count=100)


def seen(store: PriceStore, frame: PriceFrame) -> ImportPreview:
    source = FilePrices("prices.csv", export_csv(frame))
    return preview_import(store, source, shape_question(frame.ticker), frame.as_of)


def keep(store: PriceStore, frame: PriceFrame) -> None:
    store.save(FetchedPrices(frame, PriceReport(len(frame))))


def test_nothing_is_replaced_where_nothing_is_stored(store: PriceStore, frame: PriceFrame) -> None:
    preview = seen(store, frame)
    assert (preview.replaces, preview.stored_already) == ((), False)
    assert store.list() == ()


def test_the_very_same_bars_are_known(store: PriceStore, frame: PriceFrame) -> None:
    keep(store, frame)
    preview = seen(store, frame)
    assert preview.stored_already
    assert preview.replaces == ("These very 100 sessions are stored already.",)


def test_what_goes_what_comes_and_what_agrees_is_counted(store: PriceStore, frame: PriceFrame) -> None:
    keep(store, frame.rows(0, 90))
    preview = seen(store, frame.rows(20, 100))
    assert not preview.stored_already
    whole, gone, new, agree = preview.replaces
    assert whole.startswith("It replaces all 90 sessions from test")
    assert gone == f"20 of them are not in the file and will be gone, {frame.sessions[0]} to {frame.sessions[19]}."
    assert new == f"10 sessions are new, {frame.sessions[90]} to {frame.sessions[99]}."
    assert agree == "The returns of the 70 sessions that both have agree."
    assert store.load(frame.ticker).content_hash == frame.rows(0, 90).content_hash


def test_another_story_is_told_with_its_session(
    store: PriceStore, frame: PriceFrame, make_frame: Callable[..., PriceFrame]
) -> None:
    keep(store, frame)
    other = seen(store, make_frame(count=100, seed=9))
    assert any(sentence.startswith("The file tells another story: its return of ") for sentence in other.replaces)
