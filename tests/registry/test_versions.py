"""Champion and challenger on a real MLflow: who speaks, who spoke before, and how a person names them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from stockcast.errors import RegistryUnavailable, UnknownModel
from stockcast.evaluation.gate import Verdict
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer
from stockcast.registry.versions import CHALLENGER, CHAMPION, ModelVersion, Versions

Register = Callable[..., ModelVersion]
YES = Verdict(True, ("Its CRPS is lower than that of naive.", "And of ewma."))
NO = Verdict(False, ("Its CRPS is not lower than that of ewma.",))


@pytest.fixture
def versions(server: TrackingServer) -> Versions:
    return Versions(server)


def aliases(versions: Versions, universe: str) -> dict[str, str]:
    return {alias: found.version for found in versions.all(universe) for alias in found.aliases}


def test_a_registered_version_knows_where_it_came_from(
    versions: Versions, register: Register, universe: str
) -> None:
    made = register()
    assert made.name == f"stockcast-{universe}"
    assert (made.version, made.kind, made.label) == ("1", "ewma", "ewma v1")
    assert made.trained_until == date(2020, 1, 2)
    assert made.tickers == ("AAPL", "IBM")
    assert (made.aliases, made.promoted, made.reasons, made.note) == ((), False, (), "")
    assert versions.all(universe) == [made]
    [run] = Runs(versions.server).recent(universe)
    assert (made.run_id, made.experiment_id) == (run.run_id, run.experiment_id)


def test_a_universe_without_versions_has_no_champion(versions: Versions, universe: str) -> None:
    assert versions.champion(universe) is None
    assert versions.all(universe) == []
    with pytest.raises(UnknownModel, match=f"{universe} has no model 'champion' .registered: none") as refused:
        versions.resolve(universe, CHAMPION)
    assert f"stockcast train --universe {universe}" in refused.value.hint


@pytest.mark.parametrize("which", ["99", "01", "\u0661", "9" * 25, "-1"])
def test_a_number_that_no_version_has_is_an_unknown_model(
    versions: Versions, register: Register, universe: str, which: str
) -> None:
    register()
    with pytest.raises(UnknownModel, match="has no model"):
        versions.resolve(universe, which)


def test_the_first_champion_is_crowned_with_its_reasons(
    versions: Versions, register: Register, universe: str
) -> None:
    crowned = versions.crown(register(), reasons=("It is the baseline.",))
    assert (crowned.aliases, crowned.promoted, crowned.reasons) == ((CHAMPION,), True, ("It is the baseline.",))
    assert versions.champion(universe) == crowned
    with pytest.raises(UnknownModel, match="No version spoke"):
        versions.previous_champion(universe)


def test_a_candidate_that_passes_speaks_and_the_one_before_is_kept(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register(), reasons=("It is the baseline.",))
    second = versions.decide(register(0.9, "lstm"), YES, judged_against=first.version)
    assert (second.aliases, second.promoted, second.reasons) == ((CHAMPION,), True, YES.reasons)
    assert aliases(versions, universe) == {CHAMPION: "2"}
    assert versions.previous_champion(universe).version == first.version
    third = versions.decide(register(1.0, "lstm"), YES, judged_against=second.version)
    assert versions.champion(universe) == third
    assert versions.previous_champion(universe).version == "2"


def test_a_candidate_that_fails_asks_and_does_not_speak(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    second = versions.decide(register(0.9, "lstm"), NO, judged_against=first.version)
    assert (second.aliases, second.promoted, second.reasons) == ((CHALLENGER,), False, NO.reasons)
    assert aliases(versions, universe) == {CHAMPION: "1", CHALLENGER: "2"}
    third = versions.decide(register(1.0, "lstm"), NO, judged_against=first.version)
    assert aliases(versions, universe) == {CHAMPION: "1", CHALLENGER: third.version}


def test_a_verdict_against_a_champion_that_no_longer_speaks_is_void(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    slow = register(0.9, "lstm")
    versions.decide(register(1.0, "lstm"), YES, judged_against=first.version)
    late = versions.decide(slow, YES, judged_against=first.version)
    assert (late.aliases, late.promoted) == ((CHALLENGER,), False)
    assert "While it was trained, lstm v3 became champion" in late.reasons[0]
    assert aliases(versions, universe) == {CHAMPION: "3", CHALLENGER: "2"}


def test_a_person_may_overrule_the_gate_and_the_note_stays(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    second = versions.decide(register(0.9, "lstm"), NO, judged_against=first.version)
    crowned = versions.crown(second, note="I know this stock.")
    assert (crowned.aliases, crowned.note) == ((CHAMPION,), "I know this stock.")
    assert (crowned.promoted, crowned.reasons) == (False, NO.reasons), "what the gate said is not rewritten"
    assert aliases(versions, universe) == {CHAMPION: "2"}


def test_a_rollback_restores_the_one_before_and_can_be_taken_back(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    second = versions.decide(register(0.9, "lstm"), YES, judged_against=first.version)
    versions.crown(versions.previous_champion(universe), note="It was worse.")
    assert aliases(versions, universe) == {CHAMPION: "1"}
    assert versions.previous_champion(universe).version == second.version


def test_crowning_the_champion_again_does_not_forget_the_one_before(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    second = versions.decide(register(0.9, "lstm"), YES, judged_against=first.version)
    versions.crown(second, note="Still.")
    assert versions.previous_champion(universe).version == "1"


def test_versions_are_found_as_people_name_them(versions: Versions, register: Register, universe: str) -> None:
    first = versions.crown(register(0.8, "ewma"))
    versions.decide(register(0.9, "lstm"), NO, judged_against=first.version)
    versions.decide(register(1.0, "lstm"), NO, judged_against=first.version)
    names = {CHAMPION: "1", CHALLENGER: "3", "2": "2", "v2": "2", "lstm": "3", "ewma": "1"}
    assert {name: versions.resolve(universe, name).version for name in names} == names
    assert [found.version for found in versions.all(universe)] == ["3", "2", "1"]
    for unknown in ("4", "V9", "garch", "", "champion "):
        with pytest.raises(UnknownModel, match=r"registered: lstm v3, lstm v2, ewma v1"):
            versions.resolve(universe, unknown)


def test_all_versions_of_all_universes_can_be_listed(
    versions: Versions, register: Register, universe: str
) -> None:
    made = register()
    assert made in versions.all()
    assert versions.all(f"{universe}-other") == []


def test_a_new_version_is_not_shown_under_an_older_alias(
    versions: Versions, register: Register, universe: str
) -> None:
    versions.crown(register())
    register(0.9)
    assert [found.aliases for found in versions.all(universe)] == [(), (CHAMPION,)]


def test_many_tickers_fit_into_a_version(versions: Versions, universe: str) -> None:
    run = Runs(versions.server).open(universe, "many", {}, {})
    tickers = tuple(f"TICKER{number:04}.SA" for number in range(500))
    made = versions.register(universe, run, "lstm", None, tickers)
    assert (made.tickers, made.trained_until) == (tickers, None)


def test_a_run_that_is_registered_twice_has_one_version(
    versions: Versions, register: Register, universe: str
) -> None:
    first = register(0.8, "lstm")
    register(0.9, "lstm")
    again = versions.register(universe, first.run_id, "lstm", date(2020, 1, 2), ("AAPL", "IBM"))
    assert again == first
    assert [found.version for found in versions.all(universe)] == ["2", "1"]


def test_a_run_that_is_registered_at_the_same_moment_has_one_version(versions: Versions, universe: str) -> None:
    for number in range(8):
        run = Runs(versions.server).open(universe, f"run {number}", {}, {})
        barrier = threading.Barrier(3)

        def register(run: str = run, barrier: threading.Barrier = barrier) -> ModelVersion:
            barrier.wait()
            return versions.register(universe, run, "lstm", None, ("AAPL",))

        with ThreadPoolExecutor(3) as pool:
            made = [future.result() for future in [pool.submit(register) for _ in range(3)]]
        assert len({found.version for found in made}) == 1
        assert [found.version for found in versions.all(universe) if found.run_id == run] == [made[0].version]


@pytest.mark.parametrize("verdict", [YES, NO], ids=["promoted", "not promoted"])
def test_deciding_twice_changes_nothing(
    versions: Versions, register: Register, universe: str, verdict: Verdict
) -> None:
    first = versions.crown(register())
    candidate = register(0.9, "lstm")
    decided = versions.decide(candidate, verdict, first.version)
    before = versions.all(universe)
    assert versions.decide(candidate, verdict, first.version) == decided
    assert versions.all(universe) == before
    if verdict.promoted:
        assert versions.previous_champion(universe).version == first.version


def test_a_verdict_that_was_carried_out_does_not_overrule_a_person_when_it_is_repeated(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    candidate = register(0.9, "lstm")
    versions.decide(candidate, YES, first.version)
    versions.crown(versions.previous_champion(universe), note="It was worse.")
    versions.decide(candidate, YES, first.version)  # by an attempt that did not know that it was done
    assert versions.champion(universe) == versions.resolve(universe, "1")


def test_a_void_verdict_stays_void_when_it_is_repeated(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    slow = register(0.9, "lstm")
    versions.decide(register(1.0, "lstm"), YES, first.version)
    late = versions.decide(slow, YES, first.version)
    assert versions.decide(slow, YES, first.version) == late
    assert aliases(versions, universe) == {CHAMPION: "3", CHALLENGER: "2"}


def test_one_version_can_be_read_as_it_is_now(versions: Versions, register: Register) -> None:
    made = register()
    assert versions.read(made.name, made.version) == made
    crowned = versions.crown(made)
    assert versions.read(made.name, made.version) == crowned
    with pytest.raises(RegistryUnavailable, match="reading a model version"):
        versions.read(made.name, "99")


def test_a_version_knows_when_it_was_let_speak_and_by_whom(
    versions: Versions, register: Register, universe: str
) -> None:
    begun = datetime.now(UTC)
    first = versions.crown(register())
    second = versions.decide(register(0.9, "lstm"), YES, judged_against=first.version)
    third = versions.decide(register(1.0, "lstm"), NO, judged_against=second.version)
    assert (third.promoted_at, third.promoted_by, third.previous) == (None, "", "")
    third = versions.crown(third, note="I know this stock.")
    told = {made.version: (made.promoted_by, made.previous) for made in versions.all(universe)}
    assert told == {"1": ("first", ""), "2": ("gate", "1"), "3": ("person", "2")}
    assert all(begun <= made.promoted_at for made in (first, second, third) if made.promoted_at)
    assert versions.of_run(third.run_id) == [third]
    assert versions.of_run("0" * 32) == []


def test_no_note_is_lost_and_none_stands_there_twice(
    versions: Versions, register: Register, universe: str
) -> None:
    first = versions.crown(register())
    second = versions.crown(register(0.9, "lstm"), note="I know this stock.")
    for _ in range(2):
        versions.crown(versions.read(first.name, first.version), note="Rolled back from lstm v2.")
        second = versions.crown(versions.read(second.name, second.version), note="Rolled back from ewma v1.")
    assert second.note == "Rolled back from ewma v1.\nI know this stock."
    assert versions.read(first.name, first.version).note == "Rolled back from lstm v2."
