"""Forecast: what will this ticker close at, and how sure are we?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.forecast_page import forecast_page
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.ui.welcome import welcome

router.require_frame()

st.title(_("How will it close?"))
if stored := workspace().prices.list():
    forecast_page(stored)
else:
    welcome()
