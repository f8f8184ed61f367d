"""A person decides which version speaks: promotion against or with the gate, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.tracking_server import universe_of
from stockcast.registry.versions import ModelVersion
from stockcast.ui.access import acting
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.language import _
from stockcast.ui.registry_reads import forget


def offer_promotion(version: ModelVersion, speaks: ModelVersion | None, run: RunSummary) -> None:
    """The gate's reasons once more, and a form that asks for a person's own."""
    if run.deleted:
        st.caption(_(":material/lock: Its run was deleted. Restore it first, then it can be promoted."))
        return
    with st.popover(_("Let it speak"), icon=":material/campaign:", help=_("Promotes it, whatever the gate said.")):
        if version.promoted:
            st.markdown(_("The gate let it speak when it was trained, against the champion of that time."))
        else:
            st.markdown(_("**You overrule the gate**, which said:") + "\n" + bullets(map(told, version.reasons)))
        if speaks is not None:
            st.caption(
                _("{label} speaks now. It stays registered, and a rollback lets it speak again.").format(
                    label=plain(speaks.label)
                )
            )
        with st.form(f"promote_{version.version}", border=False):
            note = st.text_area(
                _("Why should it speak?"),
                key=f"promote_note_{version.version}",
                max_chars=500,
                height=90,
                placeholder=_("Its intervals are calmer in earnings weeks."),
                help=_("The note stays visible wherever this version speaks."),
            )
            asked = st.form_submit_button(
                _("Let {label} speak").format(label=version.label),
                type="primary",
                icon=":material/campaign:",
                key=f"promote_now_{version.version}",
            )
        if asked:
            with boundary():
                acting().promote(universe_of(version.name), version.version, note or "")
                forget()
                st.rerun()


def offer_rollback(speaks: ModelVersion, versions: Sequence[ModelVersion], promises: Mapping[str, str]) -> None:
    """What will speak afterwards, and one button; nothing where nobody spoke before. `promises`: by run."""
    previous = next((version for version in versions if version.version == speaks.previous), None)
    if previous is None:
        st.caption(_("Nobody spoke before it, so there is nothing to roll back to."))
        return
    with st.popover(
        _("Roll back"), icon=":material/undo:", help=_("Lets {label} speak again.").format(label=previous.label)
    ):
        trained = ""
        if previous.trained_until:
            trained = _("It has learnt from sessions up to {session}.").format(session=previous.trained_until)
        st.markdown(
            _(
                "**{previous} will speak** instead of {champion}, on every page, in the API and in "
                "scheduled forecasts. {promise}"
            ).format(
                previous=plain(previous.label),
                champion=plain(speaks.label),
                promise=" ".join(filter(None, (promises[previous.run_id], trained))),
            )
        )
        st.caption(
            _("{label} stays registered; another rollback lets it speak again.").format(label=plain(speaks.label))
        )
        if st.button(
            _("Let {label} speak again").format(label=previous.label),
            type="primary",
            icon=":material/undo:",
            key="rollback_now",
        ):
            with boundary():
                acting().rollback(universe_of(speaks.name))
                forget()
                st.rerun()
