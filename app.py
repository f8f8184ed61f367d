"""Entry point of the dashboard: the router, the frame around every page, and the error boundary."""

from __future__ import annotations

import streamlit as st

from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.job_notice import job_notice
from stockcast.ui.selection import choose_language, choose_universe, restore_selection

restore_selection()
page = router.navigate()
with boundary():
    with st.sidebar:
        choose_universe()
        job_notice(page.url_path)
        choose_language()
    router.run(page)
