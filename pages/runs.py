"""Runs: what was tried, and what came of it?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.run_view import show_run, show_versions
from stockcast.ui.runs_table import choose_run
from stockcast.ui.selection import universe
from stockcast.ui.shared import recent_runs, versions

router.require_frame()

st.title("What was tried?")
runs = recent_runs(universe())
if not runs:
    st.info("No run yet. The first one is made when prices are stored.", icon=":material/history:")
    st.page_link(router.OVERVIEW, label="Start on the Overview", icon=":material/arrow_forward:")
    st.stop()

made = versions(universe())
with boundary():
    show_run(choose_run(runs), made)
st.subheader("Model versions")
with boundary():
    show_versions(made)
