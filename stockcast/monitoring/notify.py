"""Sends a message to the addresses that apprise understands: mail, Slack, Teams, Telegram, webhooks and many more.

A process of its own does it. It can be killed when an address does not answer; what a library logs about an
address goes nowhere, as addresses hold passwords and keys; and nobody else pays for the import.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TextIO

from pydantic import SecretStr

TIMEOUT = 20.0  # seconds for all addresses together; apprise gives a connection and an answer 4 seconds each


@dataclass(frozen=True)
class Sent:
    """What became of a message."""

    taken: int  # addresses that took it
    problems: tuple[str, ...]  # a sentence for each of the others; an address is named by its place and its kind


class Notifier:
    """The addresses of a deployment; they are told to nobody."""

    def __init__(self, addresses: SecretStr, timeout: float = TIMEOUT) -> None:
        self._addresses = addresses
        self._timeout = timeout

    @property
    def count(self) -> int:
        """How many addresses there are."""
        return len(self._addresses.get_secret_value().split())

    def send(self, title: str, body: str) -> Sent:
        """Sends plain text to every address; what fails is told and never raised."""
        addresses = self._addresses.get_secret_value().split()
        if not addresses:
            return Sent(0, ())
        order = json.dumps({"addresses": addresses, "title": title, "body": body})
        told = told_until_now(self._in_another_process(order))
        silent = f"did not answer within {self._timeout:g} s"
        problems = {number: told.get(number, silent) for number in range(len(addresses))}
        return Sent(
            taken=sum(not problem for problem in problems.values()),
            problems=tuple(
                f"Address {number + 1} of {len(addresses)} ({_kind(addresses[number])}) {problem}."
                for number, problem in problems.items()
                if problem
            ),
        )

    def _in_another_process(self, order: str) -> str:
        """What it has told until it ended or its time was up."""
        command = [sys.executable, "-m", "stockcast.monitoring.notify"]
        try:
            return subprocess.run(
                command,
                input=order,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._timeout,
                text=True,
                check=False,
            ).stdout
        except subprocess.TimeoutExpired as late:
            output = late.stdout or b""
            return output if isinstance(output, str) else output.decode(errors="replace")
        except OSError:  # no process, no memory: the addresses count as silent
            return ""


def told_until_now(output: str) -> dict[int, str]:
    """Place of each address that was done with, and what was wrong with it, empty for nothing."""
    told: dict[int, str] = {}
    for line in output.splitlines():
        try:
            number, problem = json.loads(line)
        except (ValueError, TypeError):  # cut off, or something that a library printed
            continue
        told[int(number)] = str(problem)
    return told


def _kind(address: str) -> str:
    """What stands before ://, the only part that is no secret."""
    found = re.match(r"[a-z][a-z0-9.+-]{0,20}(?=://)", address, re.IGNORECASE)
    return found.group().lower() if found else "no known kind"


# In the other process


def main(order: TextIO, answer: TextIO) -> None:
    """Reads what is to be sent, and writes a line of JSON for each address as soon as it is done with."""
    data = json.load(order)
    addresses: Sequence[str] = data["addresses"]

    def send(number: int) -> None:
        problem = _send(addresses[number], data["title"], data["body"])
        answer.write(f"{json.dumps([number, problem])}\n")
        answer.flush()

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(send, range(len(addresses))))


def _send(address: str, title: str, body: str) -> str:
    """Sends to one address; returns what was wrong, without anything of the address, or nothing."""
    import apprise

    service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="stockcast", storage_mode="memory"))
    if not service.add(address):
        return "is not written as apprise wants it"
    try:
        taken = service.notify(
            title=title, body=body, notify_type=apprise.NotifyType.WARNING, body_format=apprise.NotifyFormat.TEXT
        )
    except Exception as problem:  # a plugin may raise anything
        return f"failed ({type(problem).__name__})"
    # Of what was logged on the way one thing is safe to tell.
    status = re.search(r"error=(\d{3})\b", " ".join(entry.message for entry in taken.logs()))
    return "" if taken else "did not take the message" + (f" (HTTP {status.group(1)})" if status else "")


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
