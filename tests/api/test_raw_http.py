"""Bytes on a socket that no HTTP client would send: the server answers or hangs up, and goes on."""

from __future__ import annotations

import random
import socket
import urllib.request

import pytest
from api_serving import ServingProcess

POST = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"


def exchange(port: int, sent: bytes, seconds: float = 3.0) -> bytes:
    """What comes back until the server hangs up or says no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.settimeout(seconds)
        came = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                came += part
        except OSError:
            pass
        return came


def alive(serving: ServingProcess) -> bool:
    with urllib.request.urlopen(serving.address + "/health/live", timeout=10) as reply:
        return bool(reply.status == 200)


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET", b"GET / HTTP/9.9\r\n\r\n", b"get / http/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        POST + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        POST + b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /?\xff HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=range(22),
)  # fmt: skip
def test_what_is_hardly_http_is_no_5xx(serving: ServingProcess, sent: bytes) -> None:
    came = exchange(serving.port, sent)
    assert came == b"" or came.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4")), came[:200]
    assert b"Traceback" not in came
    assert alive(serving)


def test_too_many_and_too_large_headers_are_431(serving: ServingProcess) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
    many = head + b"".join(b"X-%d: y\r\n" % number for number in range(300)) + b"\r\n"
    large = head + b"X: " + b"y" * 100_000 + b"\r\n\r\n"
    endless = head + b"X: y\r\n" * 200_000
    for sent in (many, large, endless):
        came = exchange(serving.port, sent)
        assert came == b"" or came.startswith(b"HTTP/1.1 431"), came[:200]
    assert exchange(serving.port, many).startswith(b"HTTP/1.1 431")
    assert alive(serving)


def test_random_bytes_and_broken_requests_do_not_bring_it_down(serving: ServingProcess) -> None:
    randomly = random.Random(7)
    good = POST + b'Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"last_prices": [1]}'
    for number in range(150):
        sent = bytearray(good if number % 3 else randomly.randbytes(randomly.randrange(1, 300)))
        for _ in range(randomly.randrange(1, 6)):
            sent[randomly.randrange(len(sent))] = randomly.randrange(256)
        came = exchange(serving.port, bytes(sent), 1.0)
        assert not came.startswith(b"HTTP/1.1 5"), (bytes(sent), came[:300])
    assert alive(serving)


def test_requests_that_follow_one_another_at_once_are_answered_in_order(serving: ServingProcess) -> None:
    one = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %d\r\n\r\n"
    came = b""
    with socket.create_connection(("127.0.0.1", serving.port), timeout=5) as connection:
        connection.sendall(b"".join(one % number for number in range(5)))
        while came.count(b'"alive"') < 5:
            came += connection.recv(65536)
    places = [came.index(b"x-request-id: %d" % number) for number in range(5)]
    assert places == sorted(places)
