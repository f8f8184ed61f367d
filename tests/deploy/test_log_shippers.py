"""Real log lines through the rules of the shippers' own files.

Fluent Bit and Filebeat are in no package index that tests may use, so their two rules are applied here as their
manuals describe them: JSON into fields, and the time by the format that the file names.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from api_serving import WINDOW, ServingProcess, wait_until
from real_programs import DEPLOY

LOGS = DEPLOY / "logs"
PANELS = [
    target["expr"]
    for panel in json.loads((DEPLOY / "grafana" / "dashboards" / "stockcast.json").read_text())["panels"]
    if panel.get("datasource", {}).get("type") == "loki"
    for target in panel["targets"]
]
Fields = dict[str, Any]


def sections(path: Path) -> list[tuple[str, dict[str, str]]]:
    """The sections of a file in Fluent Bit's classic form."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in path.read_text().splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line.strip()):
            found.append((match[1], {}))
        elif line.strip() and not line.startswith("#"):
            key, _, value = line.strip().partition(" ")
            found[-1][1][key.lower()] = value.strip()
    return found


PARSERS = {each["name"]: each for kind, each in sections(LOGS / "parsers.conf") if kind == "PARSER"}


def parse(name: str, line: str) -> tuple[datetime, Fields]:
    """What Fluent Bit's JSON parser makes of a line. Raises ValueError where it would leave it as it is."""
    rule = PARSERS[name]
    assert rule["format"] == "json"
    fields: Fields = json.loads(line)
    at = datetime.strptime(fields[rule["time_key"]], rule["time_format"].replace("%L", "%f")).replace(tzinfo=UTC)
    if rule.get("time_keep", "off").lower() != "on":
        del fields[rule["time_key"]]
    return at, fields


def shipped(line: str, container: str) -> tuple[datetime, Fields]:
    """One line of a container as Docker keeps it, through the filters of fluent-bit.conf in their order."""
    kept = {"log": f"{line}\n", "stream": "stderr", "attrs": {"tag": container}, "time": "2026-11-26T22:10:55.5Z"}
    at, fields = parse("docker", json.dumps(kept))
    for kind, rule in sections(LOGS / "fluent-bit.conf"):
        if kind != "FILTER":
            continue
        if rule["name"] == "nest":
            fields |= fields.pop(rule["nested_under"])
        elif rule["name"] == "grep":
            key, pattern = rule["regex"].split(" ", 1)
            if not re.search(pattern, fields.get(key, "")):
                raise LookupError("dropped")
        elif rule["name"] == "modify":
            before, after = rule["rename"].split()
            fields[after] = fields.pop(before)
        elif rule["name"] == "parser":
            at, parsed = parse(rule["parser"], fields.pop(rule["key_name"]))
            fields |= parsed
    return at, fields


def test_a_thousand_real_lines_keep_every_field_and_a_drift_warning_is_found_by_its_labels(home: Path) -> None:
    api = ServingProcess(home).wait()
    jumped = [*WINDOW[:-1], WINDOW[-1] * 100]
    try:
        ask_at_once(api.address, 1000)
        with httpx.Client(base_url=api.address, trust_env=False) as client:
            client.post("/predict", json={"last_prices": jumped, "ticker": "AAPL"})
        wait_until(lambda: any(event["event"] == "drift_detected" for event in api.events()))
    finally:
        assert api.stop() == 0
    lines = [line for line in api.log.read_text().splitlines() if line.startswith("{")]
    assert len(lines) >= 1000
    output = next(rule for kind, rule in sections(LOGS / "fluent-bit.conf") if kind == "OUTPUT")
    labels = [each.removeprefix("$") for each in output["label_keys"].split(",")]
    streams: dict[tuple[object, ...], list[Fields]] = {}
    for line in lines:
        at, fields = shipped(line, "stockcast-api-1-1")
        assert json.loads(line).items() <= fields.items()
        assert abs((at - datetime.now(UTC)).total_seconds()) < 600
        streams.setdefault(tuple(fields[label] for label in labels), []).append(fields)
    [warning] = streams["stockcast-api-1-1", "warning", "drift_detected"]
    assert (warning["ticker"], warning["severity"]) == ("AAPL", "red")
    assert warning["sentence"]
    assert PANELS
    for expression in PANELS:  # what Grafana asks Loki for
        selector, _, rest = expression.partition("}")
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= {"app", *labels}
        assert set(re.findall(r"\{\{\.(\w+)\}\}", rest)) <= warning.keys()
    assert len(streams) < 10
    assert output["labels"] == "app=stockcast"


def test_filebeat_puts_a_line_where_elastics_own_schema_has_nothing_and_takes_its_time() -> None:
    rules = yaml.safe_load((LOGS / "filebeat.yml").read_text())
    [source] = rules["filebeat.inputs"]
    container, ndjson = source["parsers"]
    assert container == {"container": {"stream": "all", "format": "docker"}}
    assert ndjson["ndjson"]["target"] == "stockcast"  # `event` at the top is an object there
    drop, timestamp = rules["processors"]
    assert drop == {"drop_event": {"when": {"not": {"has_fields": ["stockcast.event"]}}}}
    assert timestamp["timestamp"]["field"] == "stockcast.timestamp"
    for each in timestamp["timestamp"]["test"]:
        assert parse("stockcast", json.dumps({"timestamp": each}))[0].year == 2026


def ask_at_once(address: str, many: int) -> None:
    """So many forecasts, by a few clients."""

    def ask() -> None:
        with httpx.Client(base_url=address, trust_env=False) as client:
            for _ in range(many // 4):
                client.post("/predict", json={"last_prices": WINDOW})

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
