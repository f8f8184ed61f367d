"""Two people edit at once: what the other one saved, what this one entered, and how both come together."""

from __future__ import annotations

import streamlit as st

from stockcast.config_versions import ConfigVersion
from stockcast.ui.config_changes import show_changes
from stockcast.ui.config_draft import Draft, discard, entered, fill
from stockcast.ui.config_words import label_of
from stockcast.ui.escaping import plain
from stockcast.ui.format import MISSING, moment
from stockcast.ui.language import _
from stockcast.workflows.compare_configs import compare_configs, merged


def settle_conflict(draft: Draft, current: ConfigVersion) -> None:
    """Says nothing unless a newer version came while the draft was edited."""
    if draft.base.version == current.version:
        return
    st.warning(
        _(
            "Version {newer} was saved by {author}, {when}, while you edited version {older}. Nothing of yours is "
            "lost, and nothing can be saved before you have decided."
        ).format(
            newer=current.version,
            older=draft.base.version,
            author=plain(current.author or MISSING),
            when=MISSING if current.created_at is None else moment(current.created_at),
        ),
        title=_("Somebody else saved a version meanwhile"),
        icon=":material/group:",
    )
    mine = draft.checked().config
    both: list[str] = []
    with st.grid(2, min_column_width=320, gap="medium"):
        with st.container():
            st.markdown(_("**Theirs**, in force now"))
            theirs = compare_configs(draft.base.config, current.config)
            show_changes(theirs, before=_("Before"), after=_("Version {number}").format(number=current.version))
        with st.container():
            st.markdown(_("**Yours**, not saved"))
            if mine is None:
                st.caption(_("What you entered cannot be saved yet; correct it first, below."))
            else:
                show_changes(draft.changes(mine), before=_("Before"), after=_("Entered"))
    if mine is not None:
        _values, both = merged(draft.base.config, mine, current.config)
    if both:
        st.caption(
            _("You both changed {fields}; on top of theirs, yours stands.").format(
                fields=", ".join(map(label_of, both))
            )
        )
    with st.container(horizontal=True):
        if mine is not None:
            st.button(
                _("Put mine on top of theirs"), type="primary", icon=":material/merge:", key="rebase_config",
                on_click=_rebase, args=(current,), help=_("Fills the form; nothing is saved yet."),
            )  # fmt: skip
        st.button(
            _("Drop mine"), icon=":material/delete:", key="drop_config", on_click=discard, args=(current,),
        )  # fmt: skip


def _rebase(current: ConfigVersion) -> None:
    draft = entered(current)
    mine = draft.checked().config
    if mine is not None:
        values, _both = merged(draft.base.config, mine, current.config)
        fill(draft, values, current)
