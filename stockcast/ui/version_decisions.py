"""A person decides which version speaks: promotion against or with the gate, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.tracking_server import universe_of
from stockcast.registry.versions import ModelVersion
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.registry_reads import forget
from stockcast.ui.shared import workspace


def offer_promotion(version: ModelVersion, speaks: ModelVersion | None, run: RunSummary) -> None:
    """The gate's reasons once more, and a form that asks for a person's own."""
    if run.deleted:
        st.caption(":material/lock: Its run was deleted. Restore it first, then it can be promoted.")
        return
    with st.popover("Let it speak", icon=":material/campaign:", help="Promotes it, whatever the gate said."):
        if version.promoted:
            st.markdown("The gate let it speak when it was trained, against the champion of that time.")
        else:
            st.markdown(f"**You overrule the gate**, which said:\n{bullets(version.reasons)}")
        if speaks is not None:
            st.caption(
                f"{plain(speaks.label)} speaks now. It stays registered, and a rollback lets it speak again."
            )
        with st.form(f"promote_{version.version}", border=False):
            note = st.text_area(
                "Why should it speak?", key=f"promote_note_{version.version}", max_chars=500, height=90,
                placeholder="Its intervals are calmer in earnings weeks.",
                help="The note stays visible wherever this version speaks.",
            )  # fmt: skip
            asked = st.form_submit_button(
                f"Let {version.label} speak", type="primary", icon=":material/campaign:",
                key=f"promote_now_{version.version}",
            )  # fmt: skip
        if asked:
            with boundary():
                workspace().promote(universe_of(version.name), version.version, note or "")
                forget()
                st.rerun()


def offer_rollback(speaks: ModelVersion, versions: Sequence[ModelVersion], promises: Mapping[str, str]) -> None:
    """What will speak afterwards, and one button; nothing where nobody spoke before. `promises`: by run."""
    previous = next((version for version in versions if version.version == speaks.previous), None)
    if previous is None:
        st.caption("Nobody spoke before it, so there is nothing to roll back to.")
        return
    with st.popover("Roll back", icon=":material/undo:", help=f"Lets {previous.label} speak again."):
        trained = f" It has learnt from sessions up to {previous.trained_until}." if previous.trained_until else ""
        st.markdown(
            f"**{plain(previous.label)} will speak** instead of {plain(speaks.label)}, on every page, in the API "
            f"and in scheduled forecasts. {promises[previous.run_id]}{trained}"
        )
        st.caption(f"{plain(speaks.label)} stays registered; another rollback lets it speak again.")
        if st.button(
            f"Let {previous.label} speak again", type="primary", icon=":material/undo:", key="rollback_now"
        ):
            with boundary():
                workspace().rollback(universe_of(speaks.name))
                forget()
                st.rerun()
