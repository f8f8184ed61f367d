"""Entry point of the dashboard: the router, the frame around every page, and the error boundary."""

from __future__ import annotations

import streamlit as st

from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.job_notice import job_notice
from stockcast.ui.selection import choose_universe, restore_selection

page = router.navigate()
with boundary():
    restore_selection()
    with st.sidebar:
        choose_universe()
        job_notice(page.url_path)
    router.run(page)
