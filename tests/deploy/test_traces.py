"""Traces of real processes at a collector that speaks OTLP: of requests, of attempts at jobs, none unasked."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from api_serving import WINDOW, ServingProcess, settings_of, wait_until
from collector import Collector
from home_workers import kill_workers
from nginx_process import free_port
from opentelemetry import trace

from stockcast.otlp import OtlpTraces
from stockcast.workspace import Workspace

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
KEY = "an-admin-key-of-the-tests"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as listening:
        yield listening


def test_a_request_is_a_span_of_the_trace_that_the_client_has_begun_and_stands_in_the_log(
    home: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-scope=ours")
    api = ServingProcess(home, otlp_endpoint=collector.address, api_admin_keys=KEY).wait()
    head = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=api.address, headers=head, trust_env=False, timeout=20) as client:
        ours = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "the-first"}
        assert client.post("/predict", json={"last_prices": WINDOW}, headers=ours).status_code == 200
        assert client.get("/jobs/nobody-knows-it").status_code == 404
        assert client.request("PROPFIND", "/coffee").status_code in (404, 405)
        assert client.post("/predict", json={"last_prices": WINDOW[:-1]}).status_code == 422
        for path in ("/health/ready", "/metrics"):
            assert client.get(path).status_code == 200
    assert api.stop() == 0
    assert {each.service for each in collector.spans} == {"stockcast-api"}
    assert {each["x-scope"] for each in collector.headers} == {"ours"}
    predicted, unknown, brewed, refused = collector.spans
    assert [each.span.name for each in collector.spans] == [
        "POST /predict", "GET /jobs/{job_id}", "_OTHER", "POST /predict",
    ]  # fmt: skip
    assert (predicted.span.trace_id.hex(), predicted.span.parent_span_id.hex()) == (TRACE, PARENT)
    assert predicted.attributes == {
        "http.request.method": "POST", "http.route": "/predict", "http.response.status_code": 200,
        "stockcast.request_id": "the-first", "stockcast.model_version": "1",
    }  # fmt: skip
    assert unknown.attributes["http.response.status_code"] == 404
    assert refused.attributes["http.response.status_code"] == 422
    assert not any(each.failed for each in collector.spans)
    assert len({each.span.trace_id for each in (predicted, unknown, brewed, refused)}) == 4
    lines = {each["request_id"]: each for each in api.events() if each["event"] == "request"}
    for each in collector.spans:
        line = lines[each.attributes["stockcast.request_id"]]
        assert line["trace_id"] == each.span.trace_id.hex()
    assert sum("trace_id" in each for each in lines.values()) == 4
    check_without_prices(collector)


def check_without_prices(collector: Collector) -> None:
    """Nothing in a span is a price, or could hold one."""
    sent = b"".join(collector.bodies)
    for price in WINDOW:
        assert str(price).encode() not in sent
    for each in collector.spans:
        assert all(isinstance(value, str | int) for value in each.attributes.values())
        assert not any(event.attributes for event in each.span.events)
        assert not each.span.status.message


def test_a_request_that_fails_inside_says_so_in_its_span_and_every_line_of_it_carries_the_trace(
    home: Path, collector: Collector
) -> None:
    api = ServingProcess(
        home, otlp_endpoint=collector.address, database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    )
    api.wait("/health/live")
    reply = httpx.get(f"{api.address}/jobs/x", trust_env=False, timeout=20)
    assert api.stop() == 0
    assert reply.status_code == 503
    [span] = [each for each in collector.spans if each.attributes.get("http.route") == "/jobs/{job_id}"]
    assert (span.failed, span.attributes["error.type"]) == (True, "503")
    [line] = [each for each in api.events() if each["event"] == "request_refused"]
    assert (line["trace_id"], line["span_id"]) == (span.span.trace_id.hex(), span.span.span_id.hex())


def test_an_attempt_at_a_job_is_a_span_with_its_phases(home: Path, collector: Collector) -> None:
    settings = settings_of(home, otlp_endpoint=collector.address, threads=1, log_format="json")
    workspace = Workspace(settings)
    try:
        good = workspace.desk.submit_training("default", (), None, ["model.kind=ewma"])
        wait_until(lambda: not workspace.jobs.get(good.id).active, 60)
        bad = workspace.desk.submit_evaluation("default", "champion")
        wait_until(lambda: not workspace.jobs.get(bad.id).active, 60)
        wait_until(lambda: len(collector.spans) == 2, 20)
    finally:
        kill_workers(home)
    assert workspace.jobs.get(good.id).state == "succeeded"
    assert workspace.jobs.get(bad.id).state == "failed"
    trained, failed = sorted(collector.spans, key=lambda each: each.span.start_time_unix_nano)
    assert {each.service for each in collector.spans} == {"stockcast-worker"}
    assert (trained.span.name, failed.span.name) == ("job train", "job evaluate")
    assert trained.attributes == {
        "stockcast.job.id": good.id, "stockcast.job.kind": "train", "stockcast.job.attempt": 1,
        "stockcast.universe": "default", "stockcast.job.outcome": "succeeded",
    }  # fmt: skip
    phases = [
        "Reading prices",
        "Preparing windows",
        "Judging on sessions it has not seen",
        "Registering the version",
    ]
    assert [each for each in trained.events if each in phases] == phases
    assert trained.span.end_time_unix_nano > trained.span.events[-1].time_unix_nano
    assert not trained.failed
    assert (failed.failed, failed.attributes["error.type"]) == (True, "TooShortHistory")
    assert failed.attributes["stockcast.job.outcome"] == "failed"
    lines = [
        json.loads(line) for line in (home / "jobs" / "worker.log").read_text().splitlines() if line[:1] == "{"
    ]
    for kept, job in ((trained, good), (failed, bad)):
        told = [each for each in lines if each.get("job_id") == job.id]
        assert {each["event"] for each in told} >= {"job_started"}
        assert {each["trace_id"] for each in told} == {kept.span.trace_id.hex()}
    check_without_prices(collector)


def told_of_it(api: ServingProcess) -> bool:
    """Whether it has said that its traces do not arrive."""
    return any(each["event"] == "traces_not_sent" for each in api.events())


@pytest.mark.parametrize("how", ["closed", "deaf"])
def test_a_collector_that_is_away_costs_no_request_and_no_second(
    home: Path, collector: Collector, how: str
) -> None:
    collector.deaf = True
    address = collector.address if how == "deaf" else f"http://127.0.0.1:{free_port()}"
    took: dict[str, float] = {}
    for name, more in (("without", {}), ("away", {"otlp_endpoint": address})):
        api = ServingProcess(home, **more).wait()
        with httpx.Client(base_url=api.address, trust_env=False, timeout=20) as client:
            slowest = []
            for _ in range(60):
                began = time.perf_counter()
                assert client.post("/predict", json={"last_prices": WINDOW}).status_code == 200
                slowest.append(time.perf_counter() - began)
        took[name] = sorted(slowest)[30]
        if name == "away" and how == "closed":
            wait_until(partial(told_of_it, api))
        began = time.perf_counter()
        assert api.stop() == 0
        took[f"leaving {name}"] = time.perf_counter() - began
    assert took["away"] < 5 * took["without"] + 0.02  # a request that waited for it would take seconds
    assert took["leaving away"] < took["leaving without"] + 4.0  # one that waited for it, ten
    told = [each["event"] for each in api.events() if str(each["event"]).startswith("traces")]
    assert told == (["traces_not_sent"] if how == "closed" else told)
    assert not [each for each in api.events() if str(each.get("logger")).startswith("opentelemetry")]


def test_without_a_collector_nothing_is_imported_to_send_with(home: Path) -> None:
    script = (
        "import asyncio, sys\nfrom stockcast.api.http_application import make_door\n"
        "from stockcast.api.server_state import ServerState\nfrom stockcast.settings import read_settings\n"
        "from stockcast.workspace import Workspace\n"
        "state = ServerState(read_settings())\nmake_door(state)\n"
        "async def run():\n    await state.start()\n    await state.stop()\n"
        "asyncio.run(run())\nassert Workspace(read_settings()).desk.work.traces is None\n"
        "sending = ('stockcast.otlp', 'opentelemetry.sdk', 'opentelemetry.exporter', 'opentelemetry.proto')\n"
        "print([name for name in sys.modules if name.startswith(sending)])"
    )
    settings = settings_of(home).environment
    done = subprocess.run([sys.executable, "-c", script], env=settings, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_ids_do_not_come_again_with_the_seed_of_a_training_and_the_provider_of_mlflow_is_left_alone(
    collector: Collector,
) -> None:
    before = trace.get_tracer_provider()
    traces = OtlpTraces(collector.address, "stockcast-worker")
    for _ in range(3):
        random.seed(7)
        traces.begin("job", "job train", {}).end({})
    traces.close()
    assert trace.get_tracer_provider() is before
    assert len({each.span.span_id for each in collector.spans}) == 3
    assert len({each.span.trace_id for each in collector.spans}) == 3
