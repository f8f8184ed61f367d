"""What a draft would change, what is wrong with it, and the way to save it."""

from __future__ import annotations

import streamlit as st

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion
from stockcast.errors import ConfigMoved
from stockcast.ui.access import acting, author, may_act
from stockcast.ui.config_changes import show_changes
from stockcast.ui.config_draft import Draft, discard, drop
from stockcast.ui.config_words import label_of
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.workflows.compare_configs import Change
from stockcast.workflows.import_config import Problem


def offer_save(draft: Draft, current: ConfigVersion) -> None:
    """The answer to what was entered so far, at each change."""
    # The buttons stand above what grows: a click must not miss because a field was left by it.
    checked = draft.checked()
    changes = [] if checked.config is None else draft.changes(checked.config)
    if checked.config is None:
        st.markdown(f":material/error: **{_('This cannot be saved yet')}**")
    elif changes:
        number = count(len(changes), "field changes", "fields change")
        st.markdown(_("**{changes}**, not saved yet").format(changes=number))
    else:
        st.caption(
            _("Nothing differs from what is in force. What you change below is shown here before it is saved.")
        )
        return
    _buttons(draft, checked.config, current, changes)
    if changes:
        show_changes(changes, before=_("In force"), after=_("Entered"))
    else:
        st.error(bullets(map(_told, checked.problems)), icon=":material/error:")


def _told(problem: Problem) -> str:
    known = label_of(problem.field)
    if not problem.field or problem.field == "configuration":
        return f"{told(problem.message)}."
    where = f"{known} ({problem.field})" if known != problem.field else problem.field
    return f"{where}: {told(problem.message)}."


def _buttons(draft: Draft, config: Config | None, current: ConfigVersion, changes: list[Change]) -> None:
    moved = draft.base.version != current.version
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        note = st.text_input(
            _("Note"), key=f"{draft.key}_note", max_chars=200, placeholder=_("Why this change?"), width=360,
            help=_("Stands in the history. Left empty, the changes stand there."),
        )  # fmt: skip
        save = st.button(
            _("Save as a version"), type="primary", icon=":material/save:", key="save_config",
            disabled=config is None or moved or not may_act(),
            help=_("The next training uses it; older versions stay."),
        )  # fmt: skip
        st.button(
            _("Discard"), icon=":material/undo:", key="discard_config", on_click=discard, args=(current,),
            help=_("Back to what is in force."),
        )  # fmt: skip
    if save and config is not None:
        with boundary():
            _save(draft, config, note or "; ".join(change.sentence for change in changes))


def _save(draft: Draft, config: Config, note: str) -> None:
    now, universe = workspace().clock(), draft.base.universe
    try:
        saved = acting().configs.save(
            universe, config, note.strip(), now, author=author(), expected=draft.base.version
        )
    except ConfigMoved:  # between drawing and saving: the page tells both sides, and nothing is lost
        st.rerun()
    drop(universe)
    st.toast(
        _("Saved as version {version} of {universe}.").format(version=saved.version, universe=plain(universe)),
        icon=":material/check:",
    )
    st.rerun()
