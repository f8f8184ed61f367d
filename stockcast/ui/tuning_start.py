"""Asks for a search for better settings: how many trials, of which settings."""

from __future__ import annotations

import streamlit as st

from stockcast.config_versions import ConfigVersion
from stockcast.ui.access import acting
from stockcast.ui.config_words import label_of, meaning_of
from stockcast.ui.language import _
from stockcast.ui.training_watch import JOB
from stockcast.workflows.job_requests import FEWEST_TRIALS, MOST_TRIALS, USUAL_TRIALS
from stockcast.workflows.tune_space import SPACE, USUAL


def tuning_form(current: ConfigVersion, *, disabled: bool) -> None:
    """The form; what it asks for becomes a job whose id stands in the address."""
    st.caption(
        _(
            "Many short trainings with other settings, each scored by its loss on the validation sessions, beside "
            "the settings in force. The test sessions stay unseen, and nothing is changed by itself. A worker "
            "that does one job at a time does nothing else meanwhile."
        )
    )
    if current.config.model.kind != "lstm":
        st.info(_("Only an LSTM has settings to search for. Choose that kind of model on the Configuration page."))
        return
    with st.form("search_form", border=False):
        with st.grid(2, min_column_width=260, gap="medium"):
            trials = st.number_input(
                _("Trials"),
                min_value=FEWEST_TRIALS,
                max_value=MOST_TRIALS,
                value=USUAL_TRIALS,
                key="search_trials",
                help=_("The first is of the settings in force. Each takes about as long as a training."),
            )
            space = st.multiselect(
                _("Settings to search"),
                list(SPACE),
                default=list(USUAL),
                format_func=label_of,
                key="search_space",
                help="  \n".join(f"**{label_of(name)}**: {meaning_of(name)}" for name in SPACE),
            )
        start = st.form_submit_button(
            _("Search"), icon=":material/manage_search:", key="start_search", disabled=disabled
        )
    if start:
        job = acting().desk.submit_tuning(current.universe, trials=int(trials), space=space)
        st.query_params[JOB] = job.id
        st.rerun()
