"""Messages to a real webhook: they arrive, what fails is told, and no address is read anywhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from webhook import Webhook, webhook

from stockcast.monitoring.notify import Notifier, Sent, told_until_now
from stockcast.settings import Settings


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


def notifier(*addresses: str, timeout: float = 20.0) -> Notifier:
    return Notifier(SecretStr(" ".join(addresses)), timeout)


def test_a_message_arrives_as_it_was_written(hook: Webhook) -> None:
    body = "OPENED: skill of default. Skill was -8.7 %.\n\nCLOSED: <b>KO</b> & *PEP*, São Paulo."
    assert notifier(hook.address()).send("stockcast: alerts of default", body) == Sent(1, ())
    [message] = hook.messages
    assert (message["title"], message["message"]) == ("stockcast: alerts of default", body)
    assert message["type"] == "warning"
    assert "apprise" not in sys.modules, "it is loaded in a process of its own"


def test_what_fails_is_told_address_by_address_without_the_address(
    hook: Webhook, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    closed = "json://analyst:hunter2@127.0.0.1:9/T0KEN"  # nobody listens there
    sent = notifier(hook.address("500/"), hook.address(), "nonsense-hunter2", closed, "slack://T0KEN").send(
        "A", "B"
    )
    assert sent == Sent(
        1,
        (
            "Address 1 of 5 (json) did not take the message (HTTP 500).",
            "Address 3 of 5 (no known kind) is not written as apprise wants it.",
            "Address 4 of 5 (json) did not take the message.",
            "Address 5 of 5 (slack) is not written as apprise wants it.",
        ),
    )
    assert len(hook.messages) == 1
    output = capfd.readouterr()
    for text in (caplog.text, output.out, output.err):
        assert "hunter2" not in text
        assert "T0KEN" not in text


def test_an_address_that_never_answers_holds_nobody_up_for_long(hook: Webhook) -> None:
    started = time.monotonic()
    sent = notifier(hook.address("slow/") + "?rto=60", timeout=2.0).send("A", "B")
    assert time.monotonic() - started < 4
    assert sent == Sent(0, ("Address 1 of 1 (json) did not answer within 2 s.",))


def test_what_was_told_before_the_time_was_up_counts() -> None:
    output = 'A library says hello\n[1, ""]\n7\n[2, "failed (OSError)"]\n[0, "did not ta'
    assert told_until_now(output) == {1: "", 2: "failed (OSError)"}


@pytest.mark.parametrize("addresses", ["", "  \n "])
def test_without_an_address_nothing_is_sent(addresses: str) -> None:
    nobody = Notifier(SecretStr(addresses))
    assert (nobody.count, nobody.send("A", "B")) == (0, Sent(0, ()))


def test_the_settings_tell_the_addresses_to_a_process_of_ours_and_to_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STOCKCAST_NOTIFY_URLS", "mailto://me:hunter2@example.org json://example.org/T0KEN")
    settings = Settings()
    assert settings.environment["STOCKCAST_NOTIFY_URLS"].split()[1] == "json://example.org/T0KEN"
    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(Notifier(settings.notify_urls))):
        assert "hunter2" not in text
        assert "T0KEN" not in text
    assert Notifier(settings.notify_urls).count == 2
