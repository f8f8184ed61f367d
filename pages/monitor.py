"""Monitor: have live forecasts kept their word, and what needs attention?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.language import _
from stockcast.ui.monitor_page import show_monitor
from stockcast.ui.selection import histories_of, universe
from stockcast.ui.shared import workspace
from stockcast.ui.welcome import tell_missing, welcome

router.require_frame()

st.title(_("Has it kept its word?"))
if not workspace().prices.list():
    welcome()
    st.stop()
tell_missing(universe())
if not histories_of(universe()):
    st.stop()

with boundary():
    show_monitor(universe(), histories_of(universe()))
