"""Every saved configuration: who saved it, when and why, what it changed, and the way back to it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.config_versions import ConfigVersion
from stockcast.errors import ConfigMoved
from stockcast.ui.access import acting, author, may_act
from stockcast.ui.config_changes import config_changes, show_changes
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import MISSING, moment
from stockcast.ui.language import _
from stockcast.ui.row_choice import choose_rows
from stockcast.ui.shared import workspace

VERSIONS = "versions"  # the query parameter that holds the selected ones
_MOST_WORDS = 3  # changes that a row of the table spells out


def history_table(history: Sequence[ConfigVersion]) -> pd.DataFrame:
    """One row a version, newest first, the defaults last; changes against the version before."""
    before = [*history[1:], None]
    return pd.DataFrame(
        [
            {
                "Version": version.version,
                "In force": at == 0,
                "Saved": version.created_at,
                "By": version.author or MISSING,
                "Note": _("The defaults") if version.version == 0 else version.note,
                "Changed": _changed(earlier, version),
            }
            for at, (version, earlier) in enumerate(zip(history, before, strict=True))
        ]
    )


def show_history(history: Sequence[ConfigVersion]) -> None:
    """The table, what is selected of it, and restoring. `history` ends with the defaults, version 0."""
    if len(history) == 1:
        st.caption(_("Nothing was ever changed: the defaults are in force."))
        return
    ids = [str(version.version) for version in history]
    chosen = choose_rows(
        history_table(history),
        ids,
        parameter=VERSIONS,
        mode="multi-row",
        columns={
            "Version": st.column_config.NumberColumn(_("Version"), format="%d"),
            "In force": st.column_config.CheckboxColumn(_("In force")),
            "Saved": st.column_config.DatetimeColumn(_("Saved (UTC)"), format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "By": st.column_config.TextColumn(_("By")),
            "Note": st.column_config.TextColumn(_("Note")),
            "Changed": st.column_config.TextColumn(_("Changed"), width="large"),
        },
        shown=("Version", "In force", "Saved", "By", "Note", "Changed"),
        alt=_("Saved configurations, newest first"),
    )
    found = [version for version in history if str(version.version) in chosen]
    if len(found) > 2:
        st.caption(_("Two are compared: the newest and the oldest of those that are selected."))
    if not found:
        st.caption(_("Select a version to see what it changed and to restore it, or two to compare them."))
    elif len(found) == 1:
        _one(found[0], history)
    else:
        _two(found[-1], found[0])


def _one(version: ConfigVersion, history: Sequence[ConfigVersion]) -> None:
    current, at = history[0], history.index(version)
    if at + 1 < len(history):
        _two(history[at + 1], version)
    if version == current:
        st.caption(_("Version {number} is in force.").format(number=version.version))
        return
    changes = config_changes(current.config, version.config)
    if not changes:
        st.caption(_("Version {number} says the same as the one in force.").format(number=version.version))
        return
    st.markdown(
        _("**Restoring version {number}** would change this of what is in force:").format(number=version.version)
    )
    show_changes(
        changes,
        before=_("In force"),
        after=_("Version {number}").format(number=version.version),
    )
    if st.button(
        _("Restore version {number}").format(number=version.version), icon=":material/history:",
        key="restore_config", disabled=not may_act(),
        help=_("Saves a new version that says the same. No version is ever changed or removed."),
    ):  # fmt: skip
        with boundary():
            _restore(current, version)


def _restore(current: ConfigVersion, version: ConfigVersion) -> None:
    now = workspace().clock()
    try:
        saved = acting().configs.restore(
            current.universe, version.version, now, author=author(), expected=current.version
        )
    except ConfigMoved:
        st.toast(_("A newer version was saved meanwhile; look at it first."), icon=":material/group:")
        st.rerun()
    st.toast(
        _("Version {old} is in force again, as version {new}.").format(old=version.version, new=saved.version),
        icon=":material/check:",
    )
    st.rerun()


def _two(older: ConfigVersion, newer: ConfigVersion) -> None:
    st.markdown(_("**From version {old} to version {new}**").format(old=older.version, new=newer.version))
    if newer.created_at is not None:
        st.caption(
            _("Saved {when} by {author}: {note}").format(
                when=moment(newer.created_at),
                author=plain(newer.author or MISSING),
                note=plain(newer.note or MISSING),
            )
        )
    changes = config_changes(older.config, newer.config)
    if not changes:
        st.caption(_("They say the same."))
        return
    show_changes(
        changes,
        before=_("Version {number}").format(number=older.version),
        after=_("Version {number}").format(number=newer.version),
    )


def _changed(earlier: ConfigVersion | None, version: ConfigVersion) -> str:
    if earlier is None:
        return MISSING
    changes = [change.sentence for change in config_changes(earlier.config, version.config)]
    more = len(changes) - _MOST_WORDS
    told = "; ".join(changes[:_MOST_WORDS]) or MISSING
    return _("{changes} and {number} more").format(changes=told, number=more) if more > 0 else told
