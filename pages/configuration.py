"""Configuration: what will the next training use?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.config_form import config_form
from stockcast.ui.config_history import show_history
from stockcast.ui.error_boundary import boundary
from stockcast.ui.selection import universe
from stockcast.ui.shared import workspace

router.require_frame()

st.title("What will the next training use?")
ws = workspace()
current = ws.configs.current(universe())
source = f"Version {current.version}" if current.version else "The defaults"
st.caption(f"{source} of the universe {universe()}. A change is kept as a version and used by the next training.")
with boundary():
    config_form(current, [history.ticker for history in ws.prices.list()])

st.subheader("What changed, and when")
with boundary():
    show_history(ws.configs.history(universe()))
