"""`stockcast alerts`: what the rules of the track record found, and what people said about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stockcast.cli.output import AsJson, open_workspace, print_json, say

if TYPE_CHECKING:
    from stockcast.monitoring.alerts import Alert
    from stockcast.workflows.watch import Watched

alerts_app = typer.Typer(help="Alerts of the track record: skill, coverage, lasting drift.", no_args_is_help=True)

AnyUniverse = Annotated[str | None, typer.Option("--universe", help="Only this universe; default: all.")]


@alerts_app.command("list")
def list_alerts(
    universe: AnyUniverse = None,
    state: Annotated[
        Literal["standing", "open", "acknowledged", "closed", "all"],
        typer.Option("--state", help="Only those in this state; standing: open or acknowledged."),
    ] = "standing",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="How many, newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first."""
    from stockcast.monitoring.alerts import STANDING, STATES

    states = {"standing": STANDING, "all": STATES}.get(state) or tuple(each for each in STATES if each == state)
    found = open_workspace().alerts.list(universe, states, limit)
    if as_json:
        print_json([asdict(alert) for alert in found])
        return
    _print_alerts(found)


@alerts_app.command("check")
def check_alerts(universe: AnyUniverse = None, as_json: AsJson = False) -> None:
    """Score what has come true, ask the rules, and open, close, answer and send alerts."""
    workspace = open_workspace()
    looks = [workspace.alerts.watch(each) for each in ([universe] if universe else workspace.universes())]
    if as_json:
        print_json([asdict(look) for look in looks])
        return
    for look in looks:
        _tell(look)


@alerts_app.command("acknowledge")
def acknowledge_alert(
    alert_id: Annotated[int, typer.Argument(help="An alert's number.")],
    note: Annotated[str, typer.Option("--note", help="What you found, or what is to be done.")],
    as_json: AsJson = False,
) -> None:
    """Say that an alert has been seen: it stands until its rule no longer holds, and is quiet."""
    alert = open_workspace().alerts.acknowledge(alert_id, note)
    if as_json:
        print_json(asdict(alert))
    else:
        say(f"Alert {alert.id}, {alert.subject}, is acknowledged. Note: {alert.note}")


@alerts_app.command("test")
def send_test_message(as_json: AsJson = False) -> None:
    """Send a test message to every address in STOCKCAST_NOTIFY_URLS."""
    sent = open_workspace().alerts.test_message()
    if as_json:
        print_json(asdict(sent))
    else:
        say(f"{sent.taken} of {sent.taken + len(sent.problems)} addresses took the message.")
        for problem in sent.problems:
            say(f"  {problem}")
    if sent.problems:
        raise typer.Exit(3)


def _tell(look: Watched) -> None:
    say(look.sentence)
    for verdict in look.verdicts:
        if verdict.ticker is None:
            say(f"  {verdict.sentence}")
    for problem in look.problems:
        say(f"  {problem}")
    if look.training is not None:
        say(f"  A training was asked for: job {look.training}.")
    if look.standing:
        _print_alerts(look.standing)


def _print_alerts(found: tuple[Alert, ...]) -> None:
    """Sentences are too long for the columns of a table."""
    if not found:
        say("No alerts.")
    for alert in found:
        until = f" until {alert.closed_at:%Y-%m-%d}" if alert.closed_at else ""
        say(f"{alert.id} [{alert.state}] {alert.subject}, since {alert.opened_at:%Y-%m-%d}{until}")
        say(f"  {alert.sentence}")
        for word, value in (
            ("Note", alert.note),
            ("Training", alert.job_id and f"job {alert.job_id}"),
            ("Message", alert.notify_error),
        ):
            if value:
                say(f"  {word}: {value}")
