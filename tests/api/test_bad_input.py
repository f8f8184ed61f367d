"""Whatever is sent, the answer is no 5xx, has the one form, and tells nothing of the input or of the program."""

from __future__ import annotations

import contextlib
import gzip
import json
from typing import Any

import httpx
import pytest
from api_serving import WINDOW, Served

JSON = {"content-type": "application/json"}


def with_value(value: str) -> bytes:
    """A body in which one of sixty closes is something else, as it is written."""
    return b'{"last_prices": [' + ", ".join([*map(str, WINDOW[:59]), value]).encode() + b"]}"


def refused(reply: Any, *statuses: int) -> dict[str, Any]:
    """The error of a refusal in the one form."""
    assert reply.status_code in statuses, (reply.status_code, reply.text[:300])
    body = reply.json()
    error: dict[str, Any] = body["error"]
    assert set(error) >= {"code", "message", "field", "hint", "request_id"}
    assert "detail" in body
    assert error["message"].endswith(".")
    assert error["request_id"] == reply.headers["x-request-id"]
    assert "Traceback" not in reply.text
    assert len(reply.text) < 4000
    return error


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e400", "1e308", "0", "-5", "-0.0", "1e-320", '"12.5"', '""', "null", "true",
     "[1]", "{}", "9" * 5000, "01", "1_000", "0x10", '"\\ud800"', '"\\u0000"'],
)  # fmt: skip
def test_a_close_that_is_no_price_is_refused(served: Served, value: str) -> None:
    error = refused(served.post("/predict", content=with_value(value), headers=JSON), 422)
    assert "9999999" not in error["message"]


@pytest.mark.parametrize("value", ["1", "12.5", "1e3", "100000000000", "1e-9"])
def test_a_close_that_is_a_price_in_whatever_form_is_read(served: Served, value: str) -> None:
    assert served.post("/predict", content=with_value(value), headers=JSON).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"[]", b"null", b'"x"', b"{}{}", with_value("1") + b"x", b"\xef\xbb\xbf" + with_value("1"),
     with_value("1").decode().encode("utf-16"), b"[" * 100_000, b'{"last_prices":' + b"[" * 100_000, b"\x00" * 100,
     b'{"last_prices": "\xff\xfe"}', b'{"last_prices": null}', b'{"last_prices": {}}', b'{"last_prices": 5}'],
    ids=range(17),
)  # fmt: skip
def test_a_body_that_is_not_what_is_asked_for_is_refused(served: Served, body: bytes) -> None:
    refused(served.post("/predict", content=body, headers=JSON), 422)
    refused(served.post("/predict/batch", content=body, headers=JSON), 422)
    if body.strip() not in (b"", b"null"):
        refused(served.post("/train", content=body, headers=JSON), 400, 422)
        refused(served.post("/config", content=body, headers=JSON), 400, 422)


def test_a_name_that_is_not_known_is_refused_rather_than_ignored(served: Served) -> None:
    error = refused(served.post("/predict", json={"last_prices": WINDOW, "tickr": "AAPL"}), 422)
    assert error["field"] == "tickr"


@pytest.mark.parametrize(
    "ticker",
    ["../../etc/passwd", "=cmd|'/C calc'!A0", "<script>alert(1)</script>", "A" * 5000, "📈", "", "A\x00B",
     "AAPL.XX", "A B", "-", "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace")],
)  # fmt: skip
def test_a_ticker_that_is_none_is_refused_and_is_not_sent_back_as_markup(served: Served, ticker: str) -> None:
    reply = served.post("/predict", json={"last_prices": WINDOW, "ticker": ticker})
    refused(reply, 422)
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("universe", ["../x", "", "a b", "x" * 41, "é", 5, None])
def test_a_universe_that_cannot_be_one_is_refused(served: Served, universe: object) -> None:
    refused(served.post("/predict", json={"last_prices": WINDOW, "universe": universe}), 422)
    if isinstance(universe, str):
        refused(served.get("/config", params={"universe": universe}), 422)


@pytest.mark.parametrize(
    "dates", [["x"] * 60, [5] * 60, "2020-01-02", [None] * 60, ["2020-02-30"] * 60, [["2020"]] * 60]
)
def test_dates_that_are_none_are_refused(served: Served, dates: object) -> None:
    refused(served.post("/predict", json={"last_prices": WINDOW, "dates": dates}), 422)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_dates_at_the_end_of_time_are_answered(served: Served, day: str) -> None:
    reply = served.post("/predict", json={"last_prices": WINDOW, "ticker": "AAPL", "dates": [day] * 60})
    assert reply.status_code in (200, 422)


def test_a_million_closes_are_too_many(served: Served) -> None:
    body = b'{"last_prices": [' + b",".join([b"1.5"] * 1_000_000) + b"]}"
    refused(served.post("/predict", content=body, headers=JSON), 422)
    refused(served.post("/predict/batch", json={"windows": [{"last_prices": [1.0]}] * 501}), 422)


def test_a_hundred_mebibytes_are_cut_off_and_the_memory_stays_flat(served: Served) -> None:
    before = served.get("/health").json()["resources"]["memory"]
    for path in ("/predict", "/predict/batch", "/config"):
        parts = (b" " * 65536 for _ in range(1600))
        # The server may hang up while it is still being sent to.
        with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            refused(served.post(path, content=parts, headers=JSON), 413)
    assert served.get("/health").json()["resources"]["memory"] < before + 30


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "multipart/form-data"]
)
def test_another_type_of_content_is_refused(served: Served, kind: str) -> None:
    assert (
        refused(served.post("/predict", content=with_value("1"), headers={"content-type": kind}), 415)["code"]
        == "not_json"
    )


def test_json_with_a_charset_is_json(served: Served) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    assert served.post("/predict", content=with_value("1"), headers=headers).status_code == 200


def test_a_compressed_body_is_not_unpacked(served: Served) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    headers = JSON | {"content-encoding": "gzip"}
    assert refused(served.post("/predict", content=bomb, headers=headers), 415)["code"] == "encoded_body"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/predict"), ("DELETE", "/config"), ("PUT", "/jobs"), ("PATCH", "/")]
)
def test_another_method_is_refused_and_the_right_one_told(served: Served, method: str, path: str) -> None:
    reply = served.request(method, path)
    assert refused(reply, 405)["code"] == "method_not_allowed"
    assert reply.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/jobs/../etc", "/jobs/" + "x" * 41, "/jobs/a'b", "/jobs/%00", "/predict/x"]
)
def test_another_path_is_refused(served: Served, path: str) -> None:
    refused(served.get(path), 404, 422, 405)


def test_a_job_that_is_none_is_404(served: Served) -> None:
    assert refused(served.get("/jobs/abc123"), 404)["code"] == "unknown_job"
    assert refused(served.post("/jobs/abc123/cancel"), 404)["code"] == "unknown_job"


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1e9", "state=dead", "universe=%2e%2e%2f"])
def test_a_query_that_means_nothing_is_refused(served: Served, query: str) -> None:
    refused(served.get(f"/jobs?{query}"), 422)


@pytest.mark.parametrize(
    "hyperparameters",
    [{"num_epochs": 0}, {"num_epochs": -1}, {"hidden_size": 10_000}, {"learning_rate": 5}, {"unknown": 1},
     {"training": 1}, {"training.nothing": 1}, {"training.max_epochs": "many"}, {"training.max_epochs": [1]},
     {"training.max_epochs": True}, {"num_epochs": 5, "training.max_epochs": 6}, {"schedule.cron": "* * *"},
     {"x" * 5000: 1}, {"": 1}],
)  # fmt: skip
def test_a_hyperparameter_out_of_bounds_changes_nothing(
    served: Served, hyperparameters: dict[str, object]
) -> None:
    before = served.get("/config").json()
    for path in ("/config", "/train"):
        refused(served.post(path, json={"hyperparameters": hyperparameters}), 400)
    assert served.get("/config").json() == before


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"5"', "true", "2.5", "[]", "1e400"])
def test_a_hyperparameter_of_the_wrong_type_changes_nothing(served: Served, value: str) -> None:
    before = served.get("/config").json()
    for path in ("/config", "/train"):
        body = f'{{"hyperparameters": {{"num_epochs": {value}}}}}'
        refused(served.post(path, content=body.encode(), headers=JSON), 400, 422)
    assert served.get("/config").json() == before


def test_an_id_of_the_client_is_kept_where_it_is_sane(served: Served) -> None:
    assert served.get("/health/live", headers={"x-request-id": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    for bad in ("a b", "x" * 65, "<script>"):
        told = served.get("/health/live", headers={"x-request-id": bad}).headers["x-request-id"]
        assert told != bad
        assert json.dumps(told).isascii()


def test_a_page_of_another_site_cannot_ask_in_the_name_of_its_reader(served: Served) -> None:
    reply = served.get("/health", headers={"host": "evil.example"})
    assert refused(reply, 421)["code"] == "unknown_host"
