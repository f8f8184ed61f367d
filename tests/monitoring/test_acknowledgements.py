"""Acknowledgements: what a person said about drift, kept, and what it hides and never hides."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast import tables
from stockcast.database import Database
from stockcast.errors import InvalidRequest
from stockcast.monitoring.acknowledgements import Acknowledgement, Acknowledgements, sift
from stockcast.monitoring.findings import DriftReport, Finding, Layer, Severity

NOW = datetime(2024, 5, 15, 12, tzinfo=UTC)
CUTOFF = date(2024, 5, 14)
LATER = date(2024, 6, 14)
CALM = Finding("shape", "amber", "skew", 2.0, 1.0, "The returns are skewed.")
SPLIT = Finding("integrity", "red", "split", -0.69, 0.45, "Close fell 50.2 %.", (12,))


@pytest.fixture
def kept(database: Database) -> Acknowledgements:
    return Acknowledgements(database)


def say(
    kept: Acknowledgements,
    *findings: Finding,
    until: date | None = None,
    cutoff: date = CUTOFF,
    note: str = "Seen.",
) -> tuple[Acknowledgement, ...]:
    return kept.acknowledge("default", "KO", findings, cutoff=cutoff, until=until, note=note, now=NOW)


def shown(kept: Acknowledgements, finding: Finding, cutoff: date = CUTOFF, ticker: str = "KO") -> bool:
    report = DriftReport((finding,), ("Something was not checked.",))
    sifted = sift(report, kept.find("default", ticker), cutoff)
    assert sifted.shown.unchecked == report.unchecked
    assert len(sifted.shown.findings) + len(sifted.acknowledged) == 1
    return bool(sifted.shown.findings)


def test_the_columns_are_the_fields_of_an_acknowledgement() -> None:
    columns = [column.name for column in tables.acknowledgements.columns]
    assert [field.name for field in fields(Acknowledgement)] == columns


def test_a_word_without_a_date_holds_for_the_cutoff_at_which_it_was_said(kept: Acknowledgements) -> None:
    [word] = say(kept, CALM, note=" The index was rebalanced. ")
    assert (word.note, word.at, word.severity, word.measure) == ("The index was rebalanced.", NOW, "amber", "skew")
    assert not shown(kept, CALM)
    assert shown(kept, CALM, CUTOFF + timedelta(days=1))
    assert shown(kept, CALM, CUTOFF - timedelta(days=1))
    assert shown(kept, CALM, ticker="PEP")
    assert shown(kept, replace(CALM, measure="zeros"))
    assert kept.find("banks", "KO") == ()
    assert kept.find("default") == (word,)


def test_a_word_with_a_date_holds_until_that_cutoff_and_comes_with_its_note(kept: Acknowledgements) -> None:
    [word] = say(kept, CALM, until=LATER)
    assert not shown(kept, CALM)
    assert not shown(kept, CALM, LATER)
    assert shown(kept, CALM, LATER + timedelta(days=1))
    assert shown(kept, CALM, CUTOFF - timedelta(days=1)), "nobody said anything of the past"
    sifted = sift(DriftReport((CALM, SPLIT)), kept.find("default", "KO"), LATER)
    assert sifted.acknowledged == ((CALM, word),)
    assert sifted.shown.severity == "red"


def test_what_has_become_worse_is_shown_again_and_what_is_better_is_not(kept: Acknowledgements) -> None:
    say(kept, CALM, until=LATER)
    assert shown(kept, replace(CALM, severity="red"))
    assert not shown(kept, replace(CALM, severity="info"))


def test_wrong_data_are_acknowledged_for_the_window_that_was_seen_alone(kept: Acknowledgements) -> None:
    with pytest.raises(InvalidRequest, match="not for those to come: Close fell"):
        say(kept, CALM, SPLIT, until=LATER)
    assert kept.find("default") == ()
    say(kept, SPLIT)
    assert not shown(kept, SPLIT)
    assert shown(kept, SPLIT, CUTOFF + timedelta(days=1))
    say(kept, replace(SPLIT, severity="amber"), until=LATER)
    assert shown(kept, SPLIT, CUTOFF + timedelta(days=1)), "nor by a word on the same rule when it was amber"
    assert not shown(kept, replace(SPLIT, severity="amber"), CUTOFF + timedelta(days=1))


def test_a_later_word_takes_the_place_of_an_earlier_one_and_both_are_kept(kept: Acknowledgements) -> None:
    say(kept, CALM, until=LATER)
    tomorrow = CUTOFF + timedelta(days=1)
    say(kept, CALM, cutoff=tomorrow, until=tomorrow, note="Taken back.")
    assert shown(kept, CALM, LATER)
    assert [word.note for word in kept.find("default", "KO")] == ["Taken back.", "Seen."]
    say(kept, CALM, cutoff=LATER)
    assert not shown(kept, CALM, LATER)
    assert not shown(kept, CALM, tomorrow), "a word on one cutoff takes nothing back"


def test_a_measure_found_twice_is_one_word_on_the_worse(kept: Acknowledgements) -> None:
    [word] = say(kept, replace(SPLIT, severity="amber"), SPLIT, replace(SPLIT, positions=(30,)))
    assert word.severity == "red"


def test_postgresql_keeps_the_same(postgres_url: str) -> None:
    database = Database(postgres_url)
    kept = Acknowledgements(database)
    said = say(kept, CALM, SPLIT) + say(kept, CALM, until=LATER)
    assert kept.find("default", "KO") == said[::-1]
    database.close()


@pytest.mark.parametrize(
    ("findings", "until", "note", "message"),
    [
        ((CALM,), None, " ", "needs a note"),
        ((), None, "Seen.", "no finding"),
        ((CALM,), CUTOFF - timedelta(days=1), "Seen.", "lies before"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    kept: Acknowledgements, findings: tuple[Finding, ...], until: date | None, note: str, message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        say(kept, *findings, until=until, note=note)
    assert kept.find("default") == ()


def test_a_window_without_dates_shows_everything(kept: Acknowledgements) -> None:
    say(kept, CALM, until=LATER)
    report = DriftReport((CALM,))
    assert sift(report, kept.find("default", "KO"), None).shown == report


LAYERS, SEVERITIES = get_args(Layer), get_args(Severity)
SOME_DAYS = st.dates(date(2024, 5, 1), date(2024, 5, 9))
FINDINGS = st.builds(
    Finding, st.sampled_from(LAYERS), st.sampled_from(SEVERITIES), st.sampled_from("ab"), st.just(1.0),
    st.just(0.5), st.sampled_from("xy"),
)  # fmt: skip
WORDS = st.builds(
    Acknowledgement, st.integers(1, 99), st.just("default"), st.just("KO"), st.sampled_from("ab"),
    st.sampled_from(SEVERITIES), st.just(NOW), SOME_DAYS, st.none() | SOME_DAYS, st.just("Seen."),
)  # fmt: skip


@given(st.lists(FINDINGS, max_size=5), st.lists(WORDS, max_size=5, unique_by=lambda word: word.id), SOME_DAYS)
def test_every_finding_is_shown_or_acknowledged_and_wrong_data_never_for_another_cutoff(
    findings: list[Finding], words: list[Acknowledgement], cutoff: date
) -> None:
    sifted = sift(DriftReport(tuple(findings)), words, cutoff)
    quiet = [finding for finding, _ in sifted.acknowledged]
    assert set(sifted.shown.findings) | set(quiet) == set(findings)
    assert not set(sifted.shown.findings) & set(quiet)
    for finding, word in sifted.acknowledged:
        assert word.measure == finding.measure
        if (finding.layer, finding.severity) == ("integrity", "red"):
            assert word.cutoff == cutoff
        assert SEVERITIES.index(finding.severity) >= SEVERITIES.index(word.severity)  # red, amber, info
