"""The report of a forecast and of a run: its own figures, in a file that asks for nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from stockcast import __version__
from stockcast.config import Config
from stockcast.errors import InvalidRequest
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.evaluation.scorecard import Scorecard, score
from stockcast.forecasting.context import context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.monitoring.acknowledgements import Acknowledgement, Sifted
from stockcast.monitoring.drift import window_at_end
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.record import LeftOut, TrackRecord
from stockcast.prices.frame import PriceFrame
from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.workflows.forecast import Answer, Speaker, Staleness
from stockcast.workflows.forecast_report import Evidence, forecast_report
from stockcast.workflows.report_page import NO_BREAK, require_page_name
from stockcast.workflows.run_report import RunEvidence, run_report
from stockcast.workflows.score_words import scores_of

MADE = datetime(2020, 1, 2, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
JUMP = Finding("integrity", "red", "jump", 0.5, 0.4, "The close of 2019-12-20 jumps by 50 %.", (53,))
CARD = r"""# Model card: lstm

It beats naive\_ \<b\>.

## Against every rung

| rung | skill |
| --- | --- |
| a \| b | +1.0 % |

<script>alert(3)</script> [x](javascript:alert(4)) ![y](https://example.org/y.png)
"""


class Read(HTMLParser):
    """What a browser would make of a page: tags with attributes, the cells of each row, and the text."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.style = ""
        self._open: list[str] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data
        else:
            self.text += data
        if self._open[-1:] in (["td"], ["th"]):
            self.rows[-1][-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row[0] == first)


@pytest.fixture(scope="module")
def frame(make_frame: Callable[..., PriceFrame]) -> PriceFrame:
    return make_frame("AAPL", 300, seed=4)


@pytest.fixture(scope="module")
def card(frame: PriceFrame) -> Scorecard:
    span = (date(2019, 6, 3), date(2019, 12, 30))
    ours, naive = (rolling_backtest(each, [frame], *span) for each in (EwmaForecaster(), NaiveForecaster()))
    return score(ours, naive)


@pytest.fixture(scope="module")
def answer(frame: PriceFrame, card: Scorecard) -> Answer:
    version = ModelVersion(
        name="stockcast-default", version="7", kind="ewma", run_id="f00d", experiment_id="1",
        created_at=datetime(2020, 1, 1, tzinfo=UTC), trained_until=date(2019, 5, 31), tickers=("AAPL",),
        aliases=("champion",), promoted=False, reasons=("Its CRPS is not lower than that of naive.",),
        note="We trust it\nStill do", promoted_at=datetime(2020, 1, 1, 9, tzinfo=UTC), promoted_by="person",
    )  # fmt: skip
    forecaster, context = EwmaForecaster(), context_at_end(frame, 5)
    return Answer(
        forecaster.forecast([context])[0],
        NaiveForecaster().forecast([context])[0],
        Speaker(version, forecaster, card, None, Config()),
        DriftReport((JUMP,)),
        Staleness(date(2019, 12, 30), date(2019, 12, 31), 1),
        7,
        window_at_end(frame, 60),
    )


@pytest.fixture(scope="module")
def evidence(answer: Answer) -> Evidence:
    record = TrackRecord("default", 1, "AAPL", None, LeftOut(0, 0, 0, 0))
    return Evidence("default", None, Sifted(answer.drift, ()), record, CARD, MADE)


@pytest.fixture(scope="module")
def run(answer: Answer, card: Scorecard) -> RunSummary:
    return RunSummary(
        run_id="f00d", experiment_id="1", universe="default", name="LSTM AAPL", kind="lstm", status="FINISHED",
        started_at=MADE, seconds=61.5, tickers=("AAPL",), version="7", promoted=False, fingerprint="abc123",
        scores=scores_of(card), parameters={"network.layers": "4", "windows.lookback": "60"}, note="", tags={},
        deleted=False,
    )  # fmt: skip


def run_evidence(answer: Answer) -> RunEvidence:
    losses = [(1, 1.5), (2, 1.2), (3, 1.3)]
    return RunEvidence(answer.speaker.version, losses, losses, CARD, MADE)


def pages(answer: Answer, evidence: Evidence, run: RunSummary) -> list[bytes]:
    return [forecast_report(answer, evidence), run_report(run, run_evidence(answer))]


def assert_asks_for_nothing(content: bytes) -> None:
    read = Read(content)
    names = {tag for tag, _attributes in read.tags}
    assert not names & {"script", "img", "link", "iframe", "object", "embed", "base", "form", "a", "image", "use"}
    given = {name for _tag, attributes in read.tags for name in attributes}
    assert not given & {"src", "href", "xlink:href", "srcset", "style", "action"}
    assert not [name for name in given if name.startswith("on")]
    assert not re.search(r"url\(|@import|//", read.style)


def test_a_report_asks_for_nothing_and_its_policy_forbids_it(
    answer: Answer, evidence: Evidence, run: RunSummary
) -> None:
    for content in pages(answer, evidence, run):
        assert_asks_for_nothing(content)
        read = Read(content)
        policy = next(each for each in read.named("meta") if each.get("http-equiv") == "Content-Security-Policy")
        digest = base64.b64encode(hashlib.sha256(read.style.encode()).digest()).decode()
        assert (policy["content"] or "").split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
        assert "unsafe" not in (policy["content"] or "")
        place = [tag for tag, _attributes in read.tags]
        assert place.index("meta") < place.index("style")  # before anything that it is about
        assert len(content) < 40_000


def test_a_report_can_be_read_aloud_and_printed(answer: Answer, evidence: Evidence, run: RunSummary) -> None:
    for content in pages(answer, evidence, run):
        read = Read(content)
        assert read.named("html")[0]["lang"] == "en"
        levels = [int(tag[1]) for tag, _attributes in read.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert all(attributes.get("scope") for attributes in read.named("th"))
        drawn = [each for each in read.named("svg") if each.get("aria-hidden") != "true"]
        assert drawn
        assert all(each["role"] == "img" and each["aria-label"] for each in drawn)
        assert "@page { size: A4" in read.style
        assert "print-color-adjust: exact" in read.style


def test_the_figures_are_those_of_the_answer(answer: Answer, evidence: Evidence) -> None:
    read, forecast = Read(forecast_report(answer, evidence)), answer.forecast
    for h in range(forecast.horizon):
        intervals = [
            f"{low[h]:,.2f}{NO_BREAK}– {high[h]:,.2f}"
            for each in (forecast, answer.naive)
            for low, high in (each.interval(0.8), each.interval(0.95))
        ]
        change = f"{100 * (forecast.median[h] / forecast.context.last_close - 1):+.2f}{NO_BREAK}%"
        assert read.row(str(forecast.session(h + 1))) == [
            str(forecast.session(h + 1)), f"{forecast.median[h]:,.2f}", change, *intervals[:2],
            f"{answer.naive.median[h]:,.2f}", *intervals[2:],
        ]  # fmt: skip
    assert f"Median {forecast.median[0]:,.2f}{NO_BREAK}USD" in read.text
    assert f"AAPL: forecast for {forecast.session(1)}" in read.text


def test_it_tells_who_speaks_how_well_and_from_what(answer: Answer, evidence: Evidence, card: Scorecard) -> None:
    text = Read(forecast_report(answer, evidence)).text
    for told in (
        "ewma v7 of stockcast-default",
        "A person decided this: We trust it",
        "A person decided this: Still do",
        f"over {card.count:,} forecasts; the difference",
        card.fingerprint,
        answer.forecast.context.fingerprint,
        "No live forecast has come true yet.",
        answer.stale.sentence if answer.stale else "",
        "journal entry 7",
        f"Made by stockcast {__version__} on 2020-01-02 12:00 UTC. Not investment advice.",
        "It beats naive_ <b>.",
        "a | b",
    ):
        assert told in text


def test_doubtful_prices_are_told_before_any_figure_and_marked(answer: Answer, evidence: Evidence) -> None:
    content = forecast_report(answer, evidence)
    text = Read(content).text
    assert text.index(JUMP.sentence) < text.index("Median ")
    assert f"<title>{JUMP.sentence}</title></path>".encode() in content
    at = datetime(2020, 1, 1, tzinfo=UTC)
    word = Acknowledgement(1, "default", "AAPL", "jump", "red", at, date(2019, 12, 30), None, "a real crash")
    seen = replace(evidence, drift=Sifted(DriftReport(), ((JUMP, word),)))
    text = Read(forecast_report(answer, seen)).text
    assert text.index(JUMP.sentence) > text.index("Median ")
    assert "a real crash" in text
    assert "Nothing unusual" not in text


def test_whatever_a_text_holds_stays_text(answer: Answer, evidence: Evidence, run: RunSummary) -> None:
    version = replace(answer.speaker.version, note=EVIL, kind=EVIL, name=EVIL, reasons=(EVIL,), run_id=EVIL)
    forecast = replace(answer.forecast, context=replace(answer.forecast.context, ticker=EVIL, currency=EVIL))
    finding = replace(JUMP, sentence=EVIL)
    evil = replace(
        answer, forecast=forecast, speaker=replace(answer.speaker, version=version), drift=DriftReport((finding,))
    )
    drift = Sifted(DriftReport((finding,), (EVIL,)), ())
    told = forecast_report(evil, replace(evidence, universe=EVIL, drift=drift, card=f"{CARD}\n\n{EVIL}"))
    assert_asks_for_nothing(told)
    assert Read(told).text.count(EVIL) >= 8
    wrong = replace(
        run, name=EVIL, note=EVIL, tickers=(EVIL,), parameters={EVIL: EVIL}, tags={"a": EVIL}, fingerprint=EVIL
    )
    told = run_report(
        wrong, RunEvidence(version, [(1, 1.0)], [(1, 1.0)], f"# {EVIL}\n\n## {EVIL}\n\n{EVIL}", MADE)
    )
    assert_asks_for_nothing(told)
    assert Read(told).text.count(EVIL) >= 8


def test_what_is_away_is_told(answer: Answer, evidence: Evidence) -> None:
    bare = replace(answer, speaker=replace(answer.speaker, scorecard=None))
    text = Read(forecast_report(bare, replace(evidence, record=None, card=None))).text
    assert "The live record could not be read" in text
    assert "has not been judged by a backtest" in text
    assert "It has no model card, or" in text


def test_a_window_without_dates_and_ticker_is_reported_too(answer: Answer, evidence: Evidence) -> None:
    context = replace(answer.forecast.context, ticker=None, currency=None, cutoff=None, sessions=None)
    window = replace(answer.window, ticker=None, sessions=None)
    bare = replace(
        answer, forecast=replace(answer.forecast, context=context), window=window, stale=None, drift=DriftReport()
    )
    read = Read(forecast_report(bare, replace(evidence, drift=Sifted(DriftReport(), ()), record=None)))
    assert "An uploaded window: forecast for the next session" in read.text
    assert read.row("+5")[1] == f"{answer.forecast.median[4]:,.2f}"
    assert "Nothing unusual was found in the 60 closes" in read.text


def test_a_run_tells_its_verdict_its_reasons_and_what_differs(answer: Answer, run: RunSummary) -> None:
    read = Read(run_report(run, run_evidence(answer)))
    assert "It was promoted." in read.text  # by a person, after the gate had said no
    assert "Its CRPS is not lower than that of naive." in read.text
    assert "epoch 2 were kept" in read.text
    assert read.row("network.layers") == ["network.layers", "4", f"default: {Config().network.layers}"]
    assert read.row("windows.lookback") == ["windows.lookback", "60", ""]
    assert read.row("MAPE (%)")[1:3] == [f"{run.scores[each]:.3f}" for each in ("mape", "naive_mape")]
    failed = replace(run, status="FAILED", scores={}, version=None, promoted=None)
    text = Read(run_report(failed, RunEvidence(None, (), (), None, MADE))).text
    for told in ("It failed.", "It came to no judgement.", "It has no loss curve", "It has no model card."):
        assert told in text


@pytest.mark.parametrize("name", ["report.pdf", "report", "report.html.exe"])
def test_no_other_ending_is_written(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"cannot be written"):
        require_page_name(Path(name))
