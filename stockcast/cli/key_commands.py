"""`stockcast keys`: who may ask the API, beside the keys of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stockcast.cli.output import AsJson, open_workspace, print_json, print_table, say

if TYPE_CHECKING:
    from stockcast.access_keys import AccessKey

keys_app = typer.Typer(help="Keys of the API: make, list and revoke them.", no_args_is_help=True)


@keys_app.command("create")
def create_key(
    label: Annotated[str, typer.Argument(help="Which program will use it.")],
    scope: Annotated[
        Literal["predict", "admin"],
        typer.Option("--scope", help="predict: forecasts alone; admin: trainings, configuration and metrics too."),
    ] = "predict",
    as_json: AsJson = False,
) -> None:
    """Make a key. It is printed now and never again; the API knows it within two seconds."""
    workspace = open_workspace()
    first = not workspace.access_keys.list()
    made = workspace.access_keys.create(label, scope, workspace.clock())
    if as_json:
        print_json(_plain(made.key) | {"secret": made.secret})
        return
    say(made.secret)
    say(f"Key {made.key.id}, {scope}. It is kept nowhere and is not shown again: copy it now.")
    if first:
        say("It is the first one: from now on the API asks every program for a key.")


@keys_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys that were made, newest first; those of the environment are not among them."""
    found = open_workspace().access_keys.list()
    if as_json:
        print_json([_plain(key) for key in found])
        return
    print_table(
        "Keys",
        ("key", "label", "scope", "begins with", "in the log", "created", "revoked"),
        [
            (
                key.id, key.label, key.scope, key.start, key.logged_as, f"{key.created_at:%Y-%m-%d}",
                f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else None,
            )
            for key in found
        ],
    )  # fmt: skip


@keys_app.command("revoke")
def revoke_key(
    key_id: Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="The number of a key.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key for good; within two seconds the API no longer knows it."""
    workspace = open_workspace()
    key = workspace.access_keys.revoke(key_id, workspace.clock())
    if as_json:
        print_json(_plain(key))
    else:
        say(f"Key {key.id} ({key.label}) was revoked at {key.revoked_at:%Y-%m-%d %H:%M} UTC.")


def _plain(key: AccessKey) -> dict[str, object]:
    return {
        "id": key.id, "label": key.label, "scope": key.scope, "begins_with": key.start, "logged_as": key.logged_as,
        "created_at": key.created_at, "revoked_at": key.revoked_at,
    }  # fmt: skip
