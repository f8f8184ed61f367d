"""Configuration: what will the next training use?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.config_page import show_configuration
from stockcast.ui.language import _
from stockcast.ui.selection import universe

router.require_frame()

st.title(_("What will the next training use?"))
show_configuration(universe())
