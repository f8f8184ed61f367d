"""Who may look and who may act.

Without a login whoever reaches the pages may do everything, so they are then shown to their own machine alone.
With one (OpenID Connect, `[auth]` in Streamlit's secrets) the settings name operators, who may do everything, and
viewers, who may look. Everybody else is told whom to ask. A page reads from `workspace()` and acts through
`acting()`, so that the role is asked for at each action and not at the door alone.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st

from stockcast.errors import NotAllowed
from stockcast.settings import Settings, read_settings
from stockcast.ui.escaping import plain
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.workspace import Workspace

Role = Literal["operator", "viewer", "nobody"]
ANYBODY: Final = "*"
SOMEBODY: Final = "dashboard"  # who acts where nobody logs in


@dataclass(frozen=True)
class Visitor:
    """Who looks at the pages, and what they may do."""

    name: str  # the address they have logged in with
    role: Role


def login_is_configured() -> bool:
    """Whether people log in here."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def visitor() -> Visitor:
    """Who asks for this page. Without a login: somebody who may do everything."""
    if not login_is_configured():
        return Visitor(SOMEBODY, "operator")
    if not st.user.is_logged_in:
        return Visitor("", "nobody")
    address = str(st.user.get("email") or "")
    return Visitor(address, role_of(address, st.user.get("email_verified") is not False, read_settings()))


def role_of(address: str, verified: bool, settings: Settings) -> Role:
    """What somebody may do who has logged in with an address; one that is not verified may be anybody's."""
    if not address or not verified:
        return "nobody"
    if _named(address, settings.operators):
        return "operator"
    return "viewer" if _named(address, settings.viewers) else "nobody"


def may_act() -> bool:
    """Whether the visitor may change something; buttons are drawn by it."""
    return visitor().role == "operator"


def acting() -> Workspace:
    """The Workspace, for an action. Raises NotAllowed when the visitor may only look."""
    who = visitor()
    if who.role != "operator":
        raise NotAllowed(
            f"{who.name or 'Whoever has not logged in'} may look at this, and change nothing.",
            "Ask whoever runs this dashboard to name you in STOCKCAST_OPERATORS.",
        )
    return workspace()


def author() -> str:
    """Under which name an action is kept."""
    return visitor().name


def require_login() -> None:
    """Stops the page before anything of it is drawn, unless the visitor may look."""
    if not login_is_configured() and not (_listens_to_this_machine_alone() or read_settings().dashboard_guarded):
        st.title("stockcast")
        st.error(
            _(
                "Other machines can reach this dashboard, and whoever comes could change everything. Whoever runs "
                "it can set up a login (docs/operations.md), serve it at 127.0.0.1, or set "
                "STOCKCAST_DASHBOARD_GUARDED=true where a proxy or a container guards it."
            ),
            title=_("Nobody has to log in here, so nothing is shown"),
            icon=":material/lock_open:",
        )
        st.stop()
    who = visitor()
    if who.role != "nobody":
        return
    st.title("stockcast")
    if not who.name and not st.user.is_logged_in:
        st.markdown(_("Honest stock price forecasts. Log in to read them."))
        st.button(_("Log in"), type="primary", icon=":material/login:", on_click=st.login, key="log_in")
    else:
        st.warning(
            _(
                "{name} may not look at this. Ask whoever runs this dashboard to name this address in "
                "STOCKCAST_VIEWERS or STOCKCAST_OPERATORS."
            ).format(name=f"**{plain(who.name)}**" if who.name else _("An account without an address")),
            title=_("You are logged in, but not invited"),
            icon=":material/block:",
        )
        st.button(_("Log out"), icon=":material/logout:", on_click=st.logout, key="log_out")
    st.stop()


def show_visitor() -> None:
    """Who is logged in, and the way out; nothing where nobody logs in."""
    if not login_is_configured():
        return
    who = visitor()
    role = _("operator") if who.role == "operator" else _("viewer: may look, not change")
    st.caption(f":material/person: {plain(who.name)} · {role}")
    st.button(_("Log out"), icon=":material/logout:", on_click=st.logout, key="log_out")


def _listens_to_this_machine_alone() -> bool:
    address = st.get_option("server.address")
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "0.0.0.0").is_loopback
    except ValueError:  # a name; nobody knows whose
        return False


def _named(address: str, names: str) -> bool:
    """Whether a list names an address: itself, its domain as @example.org, or anybody as *."""
    known = address.casefold()
    name, _at, domain = known.rpartition("@")
    return bool(name) and not {ANYBODY, known, f"@{domain}"}.isdisjoint(names.casefold().split())
