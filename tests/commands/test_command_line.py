"""The command line as scripts rely on it: real prices, a real home, the real commands."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Run = Callable[..., Any]
QUICK = ("--set", "training.max_epochs=2", "--set", "network.hidden_size=8")
HERE = (*QUICK, "--foreground")  # where torch is loaded already


def write_closes(path: Path, closes: list[float]) -> Path:
    path.write_text("\n".join(f"{close:.4f}" for close in closes))
    return path


@pytest.fixture
def window(tmp_path: Path) -> Path:
    """60 closes that wander like a stock."""
    moves = np.random.default_rng(3).standard_t(5, 60)
    return write_closes(tmp_path / "window.csv", (20 * np.exp(np.cumsum(0.01 * moves))).tolist())


def test_a_brazilian_file_is_imported_and_listed(stockcast: Run, tmp_path: Path) -> None:
    file = tmp_path / "cmig4.csv"
    file.write_bytes("Data;Fechamento\n02/01/2018;5,25\n03/01/2018;5,30\n15/01/2018;1.005,31\n".encode("cp1252"))
    assert stockcast("prices", "import", file, "--ticker", "cmig4.sa").code == 0
    (history,) = json.loads(stockcast("prices", "list", "--json").out)
    assert (history["ticker"], history["sessions"], history["currency"]) == ("CMIG4.SA", 3, "BRL")
    assert history["first_session"] == "2018-01-02"
    shown = json.loads(stockcast("prices", "show", "CMIG4.SA", "--json").out)
    assert [bar["close"] for bar in shown["bars"]] == [5.25, 5.30, 1005.31]


def test_training_prints_what_scripts_rely_on(trained: Run) -> None:
    answer = json.loads(trained("train", "--ticker", "IBM", *HERE, "--json").out)
    assert {"run_id", "model", "promoted", "reasons", "seconds", "scorecard"} <= answer.keys()
    assert answer["model"] == {"name": "stockcast-default", "version": "3", "kind": "lstm"}
    assert answer["reasons"]
    card = answer["scorecard"]
    assert card["count"] > 400
    assert card["mape_ratio"] == pytest.approx(card["mape"] / card["naive_mape"])
    assert card["currency"] == "USD"


def test_the_same_training_twice_gives_the_same_scorecard(trained: Run) -> None:
    assert trained("universes", "create", "twice").code == 0
    line = ("train", "--ticker", "MSFT", "--universe", "twice", *HERE, "--json")
    first, second = json.loads(trained(*line).out), json.loads(trained(*line).out)
    assert first["scorecard"] == second["scorecard"]
    assert first["model"]["version"] != second["model"]["version"]


def test_training_until_a_date_knows_nothing_later(trained: Run) -> None:
    answer = json.loads(trained("train", "--ticker", "IBM", "--until", "2008-06-30", *HERE, "--json").out)
    assert answer["scorecard"]["last_session"] == "2008-06-30"


def test_a_backtest_writes_one_row_per_ticker_session_and_horizon(trained: Run, tmp_path: Path) -> None:
    file = tmp_path / "forecasts.csv"
    line = ("backtest", "--ticker", "AAPL", "--ticker", "GOOG", "--start", "2012-06-01", "--end", "2012-08-31")
    answer = json.loads(trained(*line, "--model", "lstm", "--out", file, "--json").out)
    rows = pd.read_csv(file)
    assert list(rows.columns) == [
        "ticker", "cutoff", "session", "horizon", "last_close", "actual_close", "median",
        "q0.025", "q0.05", "q0.1", "q0.25", "q0.5", "q0.75", "q0.9", "q0.95", "q0.975",
    ]  # fmt: skip
    assert len(rows) == answer["rows"] == 2 * (65 + 64 + 63 + 62 + 61)
    assert not rows.duplicated(["ticker", "session", "horizon"]).any()
    assert rows.session.between("2012-06-01", "2012-08-31").all()
    assert (rows.cutoff < rows.session).all()
    assert (rows["median"] == rows["q0.5"]).all()
    assert (rows.filter(like="q0").diff(axis=1).iloc[:, 1:] > 0).all().all()
    assert not rows.isna().any().any()
    one_ahead = rows[rows.horizon == 1]
    naive_mape = ((one_ahead.actual_close - one_ahead.last_close).abs() / one_ahead.actual_close).mean() * 100
    assert naive_mape == pytest.approx(answer["scorecard"]["naive_mape"])
    assert len(one_ahead) == answer["scorecard"]["count"]


@pytest.mark.parametrize("model", ["champion", "challenger", "lstm", "2", "1", "naive", "ewma"])
def test_every_model_of_the_ladder_can_be_backtested(trained: Run, model: str) -> None:
    line = ("backtest", "--ticker", "IBM", "--start", "2012-06-01", "--end", "2012-08-31", "--model", model)
    versions = json.loads(trained("models", "list", "--json").out)
    outcome = trained(*line, "--json")
    if model == "challenger" and not any("challenger" in version["aliases"] for version in versions):
        assert outcome.code == 6
        assert "has no model 'challenger'" in outcome.err
    else:
        assert outcome.code == 0, outcome.err
        assert json.loads(outcome.out)["scorecard"]["count"] == 65


def test_a_backtest_says_its_verdict_and_writes_a_report(trained: Run, tmp_path: Path) -> None:
    line = ("backtest", "--ticker", "IBM", "--ticker", "AAPL", "--start", "2012-06-01", "--end", "2012-08-31")
    line = (*line, "--model", "ewma")
    page, table = tmp_path / "report.html", tmp_path / "report.csv"
    said = trained(*line, "--report", page, "--refit", "never").out
    verdict = json.loads(trained(*line, "--report", table, "--json").out)["diagnosis"]["verdict"]
    assert verdict.startswith("ewma ")
    assert "naive" in verdict
    assert "over 130 forecasts" in verdict
    assert verdict in said
    assert verdict in html.unescape(page.read_text())
    assert pd.read_csv(table).ticker.tolist() == ["IBM", "AAPL"]


def test_a_report_of_a_ticker_holds_the_forecast_that_is_journaled(trained: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert trained("report", "--ticker", "aapl", "--out", file).out == f"Report written to {file}.\n"
    answer = json.loads(trained("forecast", "AAPL", "--json").out)
    text = html.unescape(file.read_text())
    assert f"journal entry {answer['journal_id']:,}." in text
    assert f"Median {answer['forecasts'][0]['median']:,.2f}\N{NO-BREAK SPACE}USD" in text
    assert answer["scorecard"]["fingerprint"] in text
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".tmp"] == []


def test_a_report_of_a_run_holds_its_reasons_and_its_card(trained: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    run = next(each for each in json.loads(trained("runs", "list", "--json").out) if each["kind"] == "lstm")
    said = json.loads(trained("report", "--run", run["run_id"][:8], "--out", file, "--json").out)
    assert said == {"out": str(file), "ticker": None, "run": run["run_id"][:8], "bytes": file.stat().st_size}
    text = html.unescape(file.read_text())
    for told in ("Why the gate decided so", "Loss by epoch", "network.hidden_size", "What it learnt from"):
        assert told in text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("--ticker", "AAPL", "--out", "report.pdf"), ".html"),
        (("--out", "report.html"), "--ticker T or --run ID"),
        (("--ticker", "AAPL", "--run", "abcdef", "--out", "report.html"), "--ticker T or --run ID"),
        (("--run", "ffffffff", "--out", "report.html"), "runs list"),
    ],
)
def test_a_report_refuses_what_it_cannot_write(trained: Run, line: tuple[str, ...], told: str) -> None:
    outcome = trained("report", *line)
    assert (outcome.code, told in outcome.err) == (2, True)


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [("--report", "report.pdf", ".html"), ("--refit", "daily", "never, yearly, quarterly")],
)
def test_a_backtest_refuses_what_it_cannot_do_before_it_works(
    trained: Run, option: str, value: str, hint: str
) -> None:
    outcome = trained("backtest", "--start", "2012-06-01", "--end", "2012-08-31", option, value)
    assert (outcome.code, hint in outcome.err) == (2, True)


def test_a_backtest_over_sessions_that_were_learnt_from_is_refused(trained: Run, tmp_path: Path) -> None:
    file = tmp_path / "never.csv"
    line = ("backtest", "--ticker", "AAPL", "--start", "2008-06-01", "--end", "2008-08-31", "--model", "lstm")
    outcome = trained(*line, "--out", file)
    assert outcome.code == 5
    assert "has learnt from sessions up to" in outcome.err
    assert not file.exists()


def test_a_forecast_stands_beside_naive_and_names_its_model_and_age(trained: Run) -> None:
    answer = json.loads(trained("forecast", "AAPL", "--json").out)
    assert (answer["cutoff"], answer["forecasts"][0]["session"]) == ("2013-03-01", "2013-03-04")
    assert [each["horizon"] for each in answer["forecasts"]] == [1, 2, 3, 4, 5]
    first = answer["forecasts"][0]
    assert first["naive"] == answer["last_close"]
    low, high = first["interval_95"]
    assert low < first["interval_80"][0] < first["median"] < first["interval_80"][1] < high
    assert answer["stale"]["sessions_behind"] > 3000
    assert answer["model"]["name"] == "stockcast-default"
    assert answer["scorecard"]["naive_crps"] > 0
    assert answer["journal_id"] >= 1


def test_the_chance_above_a_level_is_told_beside_naive(trained: Run) -> None:
    for each in json.loads(trained("forecast", "AAPL", "--above", "57", "--json").out)["forecasts"]:
        above = [float(level) for level, price in each["quantiles"].items() if price > 57]
        assert each["chance_above"] == pytest.approx(1 - min(above), abs=0.026)
        assert 0 < each["naive_chance_above"] < 0.5
    assert "under 2.5%" in trained("forecast", "AAPL", "--above", "90").out
    refused = trained("forecast", "AAPL", "--above", "0")
    assert refused.code == 2
    assert "0 is no level that a close can have" in refused.err


def test_a_forecast_is_in_the_journal_once_however_often_it_is_shown(trained: Run) -> None:
    first, second = (json.loads(trained("forecast", "IBM", "--json").out)["journal_id"] for _ in range(2))
    assert first == second


def test_a_window_of_60_closes_is_forecast_without_dates(trained: Run, window: Path) -> None:
    answer = json.loads(trained("forecast", "--window", window, "--json").out)
    assert (answer["ticker"], answer["cutoff"], answer["stale"]) == (None, None, None)
    assert answer["forecasts"][4]["session"] is None
    assert answer["drift"]["unchecked"]


@pytest.mark.parametrize("count", [0, 59, 61])
def test_a_window_of_another_length_is_refused_with_the_count(trained: Run, tmp_path: Path, count: int) -> None:
    outcome = trained(
        "forecast", "--window", write_closes(tmp_path / "w.csv", [10.0 + i / 7 for i in range(count)])
    )
    assert outcome.code == 2
    assert str(count) in outcome.err or "empty" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("count", [59, 61])
def test_drift_refuses_a_window_of_another_length(trained: Run, tmp_path: Path, count: int) -> None:
    outcome = trained("drift", "--window", write_closes(tmp_path / "w.csv", [10.0 + i / 7 for i in range(count)]))
    assert (outcome.code, f"this one has {count}" in outcome.err) == (2, True)


def test_drift_finds_a_split_and_leaves_a_healthy_window_alone(trained: Run, window: Path, tmp_path: Path) -> None:
    healthy = json.loads(trained("drift", "--window", window, "--json").out)
    assert not [each for each in healthy["findings"] if each["severity"] in ("red", "amber")]
    closes = [float(line) for line in window.read_text().splitlines()]
    split = write_closes(tmp_path / "split.csv", [*closes[:30], *(close / 2 for close in closes[30:])])
    report = json.loads(trained("drift", "--window", split, "--json").out)
    (finding,) = [each for each in report["findings"] if each["severity"] == "red"]
    assert finding["layer"] == "integrity"
    assert finding["positions"] == [30]


def test_runs_and_models_tell_what_happened(trained: Run) -> None:
    runs = json.loads(trained("runs", "list", "--json").out)
    assert [run["status"] for run in runs] == ["FINISHED", "FINISHED"]
    [lstm] = [run for run in runs if run["name"].startswith("LSTM")]
    assert lstm["tickers"] == ["AAPL", "IBM"]
    assert lstm["parameters"]["training.max_epochs"] == "2"
    models = json.loads(trained("models", "list", "--json").out)
    assert sorted(alias for model in models for alias in model["aliases"])[-1] in ("champion", "challenger")
    assert {model["kind"] for model in models} == {"ewma", "lstm"}


def test_a_run_is_annotated_deleted_and_restored_by_the_beginning_of_its_id(trained: Run) -> None:
    runs = {run["version"]: run["run_id"] for run in json.loads(trained("runs", "list", "--json").out)}
    models = json.loads(trained("models", "list", "--json").out)
    speaks = next(model["version"] for model in models if "champion" in model["aliases"])
    trained("models", "promote", "2" if speaks == "1" else "1", "--note", "so that both have spoken")
    run = runs["2"][:8]
    assert trained("runs", "annotate", run, "--note", "a trial", "--tag", "keep", "--tag", "team=rates").code == 0
    assert trained("runs", "annotate", run, "--untag", "keep").code == 0
    [said] = [each for each in json.loads(trained("runs", "list", "--json").out) if each["run_id"] == runs["2"]]
    assert (said["note"], said["tags"]) == ("a trial", {"team": "rates"})
    assert trained("runs", "annotate", run, "--tag", "promoted=true").code == 2
    for version in runs:  # one speaks, the other one would after a rollback
        assert trained("runs", "delete", runs[version][:8]).code == 2
    assert trained("runs", "restore", run).code == 0
    assert trained("runs", "restore", "0" * 8).code == 2
    assert len(json.loads(trained("runs", "list", "--deleted", "--json").out)) == 2


def test_a_person_may_promote_with_a_note_and_roll_back(trained: Run) -> None:
    champion = json.loads(trained("forecast", "AAPL", "--json").out)["model"]["version"]
    other = "1" if champion == "2" else "2"
    assert trained("models", "promote", other, "--note", "").code == 2
    assert trained("models", "promote", other, "--note", "quarterly review").code == 0
    answer = json.loads(trained("forecast", "AAPL", "--json").out)
    assert (answer["model"]["version"], answer["model"]["note"]) == (other, "quarterly review")
    assert trained("models", "rollback").code == 0
    assert json.loads(trained("forecast", "AAPL", "--json").out)["model"]["version"] == champion


def test_the_configuration_is_validated_whole_and_versioned(stockcast: Run) -> None:
    assert stockcast("config", "set", "training.seed=3", "network.layers=2", "--note", "deeper").code == 0
    assert stockcast("config", "set", "training.seed=4", "network.layers=99").code == 2
    shown = json.loads(stockcast("config", "show", "--json").out)
    assert (shown["version"], shown["config"]["training"]["seed"]) == (1, 3)
    (saved,) = json.loads(stockcast("config", "history", "--json").out)
    assert (saved["note"], saved["config"]["network"]["layers"]) == ("deeper", 2)
    other = json.loads(stockcast("config", "show", "--universe", "other", "--json").out)
    assert other["version"] == 0


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (("forecast", "AAPL"), 2, "prices sample"),
        (("forecast", "../../etc"), 2, "is not a ticker"),
        (("prices", "fetch", "AAPL.QQ"), 2, "Known suffixes"),
        (("forecast",), 2, "--window"),
        (("train",), 2, "prices sample"),
        (("train", "--set", "training.epochs=3"), 2, "training.max_epochs"),
        (("train", "--set", "training.max_epochs=0"), 2, "greater than or equal to 1"),
        (("train", "--until", "30/06/2023"), 2, "YYYY-MM-DD"),
        (("backtest", "--start", "2013-01-02", "--end", "2012-01-02"), 2, "Swap"),
        (("prices", "import", "missing.csv", "--ticker", "AAPL"), 2, "missing.csv"),
        (("prices", "fetch", "AAPL", "--start", "2020-01-02", "--end", "2019-01-02"), 2, "Swap"),
        (("runs", "list", "--universe", "a/b"), 2, "cannot name a universe"),
        (("train", "--universe", "defalt"), 2, "Did you mean default?"),
        (("train", "--universe", "banks"), 2, "stockcast universes create banks --tickers A,B"),
        (("config", "set", "training.seed=3", "--universe", "banks"), 2, "There is no universe banks"),
        (("config", "import", "missing.yaml"), 2, "missing.yaml cannot be read"),
        (("config", "restore", "7"), 2, "has no version 7"),
        (("config", "diff", "7"), 2, "stockcast config history"),
        (("universes", "create", "a b"), 2, "cannot name a universe"),
        (("universes", "create", "default"), 2, "There is a universe default already"),
        (("universes", "create", "banks", "--tickers", "A!B"), 2, "is not a ticker"),
        (("universes", "create", "banks", "--like", "bonks"), 2, "There is no universe bonks"),
        (("universes", "rename", "default", "banks"), 2, "keeps its name"),
        (("jobs", "show", "nope"), 7, "jobs list"),
        (("models", "rollback"), 6, "has no model"),
    ],
)
def test_bad_input_gets_one_clear_sentence_with_a_way_out(
    stockcast: Run, line: tuple[str, ...], code: int, words: str
) -> None:
    outcome = stockcast(*line)
    assert outcome.code == code
    assert outcome.out == ""
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 2


def test_a_history_that_is_too_short_is_refused_by_name_and_left_out_of_a_universe(trained: Run) -> None:
    outcome = trained("train", "--ticker", "FB", *QUICK)
    assert (outcome.code, "FB has 196 sessions" in outcome.err) == (2, True)
    answer = json.loads(trained("train", *HERE, "--json").out)
    assert list(answer["left_out"]) == ["FB"]
    assert [score["ticker"] for score in answer["scorecard"]["tickers"]] == ["AAPL", "GOOG", "IBM", "MSFT"]


def test_a_bad_import_stores_nothing(stockcast: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("Date,Close\n2024-01-02,10\n2024-01-03,-4\n")
    outcome = stockcast("prices", "import", file, "--ticker", "AAPL")
    assert outcome.code == 2
    assert "2024-01-03" in outcome.err
    assert json.loads(stockcast("prices", "list", "--json").out) == []


def test_a_wrong_setting_is_named(stockcast: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKCAST_THREADS", "many")
    outcome = stockcast("prices", "list")
    assert (outcome.code, "STOCKCAST_THREADS" in outcome.err) == (2, True)


def test_two_first_commands_at_once_leave_a_whole_home(stockcast: Run) -> None:
    assert stockcast("prices", "sample").code == 0
    line = [sys.executable, "-m", "stockcast", "forecast", "IBM", "--json"]
    both = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    answers = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert len(json.loads(stockcast("models", "list", "--json").out)) == 1


def test_all_state_is_written_inside_the_home(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(elsewhere),
        "STOCKCAST_HOME": str(home),
        "STOCKCAST_WORKER_LINGER": "0",
        "STOCKCAST_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(elsewhere),
    }
    for line in (("prices", "sample"), ("train", "--ticker", "AAPL", *QUICK), ("forecast", "AAPL")):
        subprocess.run(
            [sys.executable, "-m", "stockcast", *line],
            env=environment,
            cwd=elsewhere,
            check=True,
            capture_output=True,
        )
    assert [str(path.relative_to(elsewhere)) for path in elsewhere.rglob("*") if path.is_file()] == []
    assert (home / "stockcast.db").exists()
    assert list((home / "scratch").iterdir()) == []
