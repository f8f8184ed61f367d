"""Keys of the API: which there are, making one that is shown once, and taking one back."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.access_keys import LONGEST_LABEL, AccessKey, KeyScope
from stockcast.ui.access import acting
from stockcast.ui.column_titles import titled
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import moment
from stockcast.ui.language import N_, _
from stockcast.ui.shared import workspace

SCOPES: dict[KeyScope, str] = {
    "predict": N_("predict: forecasts, and reading jobs and configuration"),
    "admin": N_("admin: trainings, configuration, reloads and metrics too"),
}


@st.fragment
def show_keys() -> None:
    """The table with what can be done, then the form."""
    with boundary():
        table = st.container()  # filled last, so that it shows what was made just now
        _make()
        with table:
            found = workspace().access_keys.list()
            _explain(found)
            if found:
                _show(found)


def _explain(found: Sequence[AccessKey]) -> None:
    settings = workspace().settings
    given = bool(settings.api_keys.get_secret_value() or settings.api_admin_keys.get_secret_value())
    if found or given:
        beside = _("Keys of STOCKCAST_API_KEYS and STOCKCAST_API_ADMIN_KEYS are not in this list.")
        said = (
            _("The API asks every program for a key."),
            beside if given else "",
            _(
                "A new key opens it within two seconds, and a revoked one stops within two. To change a key: "
                "make the new one, change the program, revoke the old one. Whoever opens these pages may do "
                "both: they have no login."
            ),
        )
        st.caption(" ".join(filter(None, said)))
    else:
        st.info(
            _(
                "The API asks for no key now: whoever is on its machine may do everything. **With "
                "the first key that changes for good:** from then on every program needs one, also "
                "those that run already, and what scrapes /metrics needs an admin key."
            ),
            title=_("No key yet"),
            icon=":material/lock_open:",
        )


def keys_table(found: Sequence[AccessKey]) -> pd.DataFrame:
    """One row a key, newest first."""
    return pd.DataFrame(
        [
            {
                N_("Label"): key.label,
                N_("Scope"): key.scope,
                N_("State"): (
                    _("revoked {session}").format(session=key.revoked_at.date()) if key.revoked_at else _("live")
                ),
                N_("Begins with"): f"{key.start}…",
                N_("In the log"): key.logged_as,
                N_("Created"): key.created_at,
            }
            for key in found
        ]
    )


def _show(found: Sequence[AccessKey]) -> None:
    table = keys_table(found)
    st.dataframe(
        table,
        hide_index=True,
        key="api_keys",
        column_config=titled(
            table,
            {
                "Begins with": st.column_config.TextColumn(help=_("Its first letters; the rest is kept nowhere.")),
                "In the log": st.column_config.TextColumn(
                    help=_("How the access log of the API names whoever uses it.")
                ),
                "Created": st.column_config.DatetimeColumn(
                    _("Created (UTC)"), format="YYYY-MM-DD HH:mm", timezone="UTC"
                ),
            },
        ),
        alt=_("Keys of the API, newest first"),
    )
    live = [key for key in found if key.live]
    if live:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(
                _("A key that is no longer wanted"),
                live,
                format_func=_named,
                key="api_key_chosen",
                width=320,
                help=_("Revoking is for good. Make the new key before you revoke one that is in use."),
            )
            if st.button(
                _("Revoke …"), icon=":material/key_off:", key="api_key_revoke", help=_("Asks once more.")
            ):
                _confirm(chosen)


def _named(key: AccessKey) -> str:
    return f"{key.label} ({key.scope}, {key.start}…)"


def _confirm(key: AccessKey) -> None:
    """The title of a dialog is read when it opens, in the language of whoever opens it."""
    st.dialog(_("Revoke this key?"), icon=":material/key_off:")(_ask)(key)


def _ask(key: AccessKey) -> None:
    st.markdown(
        _(
            "**{label}** ({scope}, begins with `{start}`, made {created_at}) stops working "
            "within two seconds, for good. Programs that use it are refused with 401."
        ).format(label=plain(key.label), scope=key.scope, start=key.start, created_at=moment(key.created_at))
    )
    with st.container(horizontal=True):
        if st.button(_("Revoke it"), type="primary", key="api_key_revoke_yes"):
            with boundary():
                acting().access_keys.revoke(key.id, workspace().clock())
                st.rerun()
        if st.button(_("Keep it"), key="api_key_revoke_no"):
            st.rerun()


def _make() -> None:
    with st.form("api_key_make", clear_on_submit=True), st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.text_input(
            _("Label of a new key"),
            key="api_key_label",
            max_chars=LONGEST_LABEL,
            width=280,
            placeholder=_("nightly report"),
            help=_("Which program will use it. Give each its own, so that one can be revoked alone."),
        )
        scope = st.selectbox(
            _("Scope"),
            list(SCOPES),
            format_func=lambda scope: _(SCOPES[scope]),
            key="api_key_scope",
            width=380,
            help=_("Give a program no more than it needs."),
        )
        asked = st.form_submit_button(_("Make a key"), icon=":material/key:", key="api_key_go")
    if asked:
        with boundary():
            made = acting().access_keys.create(label or "", scope, workspace().clock())
            st.success(
                _("Copy it now: **it is not shown again**, and nobody can look it up."),
                title=_("The key for {label}").format(label=plain(made.key.label)),
                icon=":material/key:",
            )
            st.code(made.secret, language=None)
