"""Runs: what was tried, and what came of it?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.language import _
from stockcast.ui.runs_page import show_runs
from stockcast.ui.selection import universe

router.require_frame()

st.title(_("What was tried?"))
show_runs(universe())
